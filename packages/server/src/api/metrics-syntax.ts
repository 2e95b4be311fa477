// Expressions as text for people and as a tree, without asking for any data.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/#parsing-a-promql-expressions-into-a-abstract-syntax-tree-ast and
// web/api/v1/translate_ast.go, which says what the documentation leaves out.
import type { LabelMatcher, Milliseconds } from '@andon/model'
import { type AtTime, type Binary, type Expr, isSet, parse, prettify, signatureOf, typeOf, type ValueType, type VectorSelector } from '@andon/promql'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { numberText } from '../query/promql/number-text.ts'
import { parameters, required, success } from './metrics-request.ts'

const VIEWER = { config: { role: 'viewer' } } as const

const TYPES: Readonly<Record<ValueType, string>> = { scalar: 'scalar', string: 'string', 'instant vector': 'vector', 'range vector': 'matrix' }

/** A length of time that depends on a query which is not known, as that of `step()`, is 0. */
function milliseconds(duration: Milliseconds | undefined): Milliseconds {
  return duration === undefined || Number.isNaN(duration) ? 0 : duration
}

function placeJson({ offset, at }: { readonly offset: Milliseconds; readonly at: AtTime | undefined }): object {
  return { offset: milliseconds(offset), timestamp: typeof at === 'number' ? at : null, startOrEnd: typeof at === 'string' ? at : null }
}

const isName = ({ name, operator }: LabelMatcher): boolean => name === '__name__' && operator === '='

function selectorJson(selector: VectorSelector): object {
  const { matchers, extended } = selector
  return {
    name: matchers.find(isName)?.value ?? '',
    matchers: matchers.map(({ name, operator, value }) => ({ name, value, type: operator })),
    ...placeJson(selector),
    anchored: extended === 'anchored',
    smoothed: extended === 'smoothed',
  }
}

/** How elements of two vectors find each other; null where one side is a scalar. */
function matchingJson({ op, left, right, matching: { on, labels, group, include, fill } }: Binary): object | null {
  if (typeOf(left) !== 'instant vector' || typeOf(right) !== 'instant vector') return null
  const card = isSet(op) ? 'many-to-many' : group === 'left' ? 'many-to-one' : group === 'right' ? 'one-to-many' : 'one-to-one'
  return { card, labels, on, include, fillValues: { lhs: fill.left ?? null, rhs: fill.right ?? null } }
}

function functionJson(name: string): object {
  const { args = [], optional = 0, returns = 'instant vector' } = signatureOf(name) ?? {}
  return { name, argTypes: args.map((type) => TYPES[type]), variadic: optional === Infinity ? -1 : optional, returnType: TYPES[returns] }
}

/** A node and all below it, as Prometheus' page shows them. */
export function treeJson(expr: Expr): object {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: numberText(expr.value) }
    case 'string':
      return { type: 'stringLiteral', val: expr.value }
    case 'selector':
      return { type: 'vectorSelector', ...selectorJson(expr) }
    case 'range':
      return { type: 'matrixSelector', range: milliseconds(expr.range), ...selectorJson(expr.selector) }
    case 'subquery':
      return { type: 'subquery', expr: treeJson(expr.expr), range: milliseconds(expr.range), step: milliseconds(expr.step), ...placeJson(expr) }
    case 'call':
      return { type: 'call', func: functionJson(expr.name), args: expr.args.map(treeJson) }
    case 'aggregate':
      return { type: 'aggregation', op: expr.op, expr: treeJson(expr.expr), param: expr.param === undefined ? null : treeJson(expr.param), grouping: expr.grouping, without: expr.without }
    case 'binary':
      return { type: 'binaryExpr', op: expr.op, lhs: treeJson(expr.left), rhs: treeJson(expr.right), matching: matchingJson(expr), bool: expr.bool }
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: treeJson(expr.expr) }
    case 'paren':
      return { type: 'parenExpr', expr: treeJson(expr.expr) }
  }
}

type Answer = (request: FastifyRequest, reply: FastifyReply) => FastifyReply

/** Answers what is made of the expression of `query`. */
function answering(made: (expr: Expr) => unknown): Answer {
  return (request, reply) => success(reply, made(parse(required(parameters(request), 'query'))))
}

/** /api/v1/format_query and /api/v1/parse_query. */
export function registerSyntax(app: FastifyInstance): void {
  for (const [path, answer] of [['/api/v1/format_query', answering(prettify)], ['/api/v1/parse_query', answering(treeJson)]] as const) {
    app.get(path, VIEWER, answer)
    app.post(path, VIEWER, answer)
  }
}
