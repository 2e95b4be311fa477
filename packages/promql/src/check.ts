// Types of nodes, and the rules of PromQL that the grammar does not know.
import type { Aggregate, Binary, Call, Expr, ValueType, VectorSelector } from './ast.ts'
import { FUNCTIONS } from './functions.ts'
import { matchesEmpty } from './matches-empty.ts'

/** Reports a problem at an offset in the text; never returns. */
export type Refuse = (at: number, problem: string) => never

const WITH_PARAM: Readonly<Record<string, ValueType>> = { topk: 'scalar', bottomk: 'scalar', quantile: 'scalar', limitk: 'scalar', limit_ratio: 'scalar', count_values: 'string' }
const COMPARISONS = new Set(['==', '!=', '>', '<', '>=', '<='])
const SETS = new Set(['and', 'or', 'unless'])

/** The type of an expression's value. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar'
    case 'string':
      return 'string'
    case 'selector':
    case 'aggregate':
      return 'instant vector'
    case 'range':
    case 'subquery':
      return 'range vector'
    case 'call':
      return FUNCTIONS[expr.name]?.returns ?? 'instant vector'
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'instant vector'
    case 'unary':
    case 'paren':
      return typeOf(expr.expr)
  }
}

/** Whether an operator compares, and so filters unless it says `bool`. */
export function isComparison(op: string): boolean {
  return COMPARISONS.has(op)
}

/** Whether an operator is one of sets: and, or, unless. */
export function isSet(op: string): boolean {
  return SETS.has(op)
}

/** Checks an expression and all within it; `refuse` is called with the first problem. */
export function check(expr: Expr, refuse: Refuse): void {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return
    case 'selector':
      return checkSelector(expr, refuse)
    case 'range':
      return checkSelector(expr.selector, refuse)
    case 'subquery':
      expects(expr.expr, 'instant vector', 'a subquery', refuse)
      return check(expr.expr, refuse)
    case 'call':
      return checkCall(expr, refuse)
    case 'aggregate':
      return checkAggregate(expr, refuse)
    case 'binary':
      return checkBinary(expr, refuse)
    case 'unary':
      if (typeOf(expr.expr) !== 'scalar') expects(expr.expr, 'instant vector', 'a sign', refuse)
      return check(expr.expr, refuse)
    case 'paren':
      return check(expr.expr, refuse)
  }
}

function expects(expr: Expr, type: ValueType, what: string, refuse: Refuse): void {
  const found = typeOf(expr)
  if (found !== type) refuse(expr.from, `${what} takes ${type === 'instant vector' ? 'an' : 'a'} ${type}, not ${found === 'instant vector' ? 'an' : 'a'} ${found}`)
}

function checkSelector(selector: VectorSelector, refuse: Refuse): void {
  const names = selector.matchers.filter(({ name, operator }) => name === '__name__' && operator === '=')
  if (names.length > 1) refuse(selector.from, 'the metric has two names')
  // An empty regular expression, or one that matches the empty text, selects everything.
  const isSelective = selector.matchers.some(({ operator, value }) => (operator === '=' && value !== '') || (operator === '!=' && value === '') || (operator === '=~' && !matchesEmpty(value)) || (operator === '!~' && matchesEmpty(value)))
  if (!isSelective) refuse(selector.from, 'a selector needs a name, or a matcher that does not match the empty text')
}

function checkCall(call: Call, refuse: Refuse): void {
  const signature = FUNCTIONS[call.name]
  if (signature === undefined) return refuse(call.from, `there is no function "${call.name}"`)
  const { args, optional } = signature
  const repeated = optional === Infinity
  const least = args.length - (repeated ? 1 : optional)
  if (call.args.length < least || (!repeated && call.args.length > args.length)) {
    refuse(call.from, `${call.name} takes ${least === args.length && !repeated ? least : `${repeated ? 'at least ' : `${least} to `}${repeated ? least : args.length}`} arguments, not ${call.args.length}`)
  }
  call.args.forEach((arg, index) => {
    expects(arg, args[Math.min(index, args.length - 1)] ?? 'instant vector', `argument ${index + 1} of ${call.name}`, refuse)
    // The second argument of info is matchers alone, and selects nothing by itself.
    if (call.name === 'info' && index === 1) {
      if (arg.kind !== 'selector' || arg.offset !== 0 || arg.at !== undefined) refuse(arg.from, 'argument 2 of info is matchers in braces: {label="value"}')
      return
    }
    check(arg, refuse)
  })
}

function checkAggregate(aggregate: Aggregate, refuse: Refuse): void {
  const wanted = WITH_PARAM[aggregate.op]
  if ((wanted === undefined) !== (aggregate.param === undefined)) refuse(aggregate.from, wanted === undefined ? `${aggregate.op} takes no parameter` : `${aggregate.op} takes a parameter before its vector`)
  if (aggregate.param !== undefined && wanted !== undefined) {
    expects(aggregate.param, wanted, `the parameter of ${aggregate.op}`, refuse)
    check(aggregate.param, refuse)
  }
  expects(aggregate.expr, 'instant vector', aggregate.op, refuse)
  check(aggregate.expr, refuse)
}

function checkBinary(binary: Binary, refuse: Refuse): void {
  const { op, left, right } = binary
  for (const side of [left, right]) {
    const type = typeOf(side)
    if (type !== 'scalar' && type !== 'instant vector') refuse(side.from, `"${op}" stands between scalars and instant vectors, not a ${type}`)
  }
  checkBool(binary, refuse)
  checkMatching(binary, refuse)
  check(left, refuse)
  check(right, refuse)
}

function checkBool({ op, left, right, bool, from }: Binary, refuse: Refuse): void {
  if (bool && !isComparison(op)) refuse(from, 'bool stands after a comparison only')
  if (!bool && isComparison(op) && typeOf(left) === 'scalar' && typeOf(right) === 'scalar') refuse(from, 'a comparison of two scalars needs bool')
}

function checkMatching({ op, left, right, matching, from }: Binary, refuse: Refuse): void {
  const hasScalar = typeOf(left) === 'scalar' || typeOf(right) === 'scalar'
  if (isSet(op) && hasScalar) refuse(from, `"${op}" stands between two instant vectors`)
  if (isSet(op) && matching.group !== 'none') refuse(from, `"${op}" takes no grouping`)
  if (hasScalar && (matching.on || matching.labels.length > 0)) refuse(from, 'vector matching stands between two instant vectors only')
  const hasFill = matching.fill.left !== undefined || matching.fill.right !== undefined
  if (hasFill && (hasScalar || isSet(op))) refuse(from, 'fill stands between two instant vectors, and not with "and", "or" and "unless"')
  const both = matching.on ? matching.include.filter((label) => matching.labels.includes(label)) : []
  if (both.length > 0) refuse(from, `the label "${both.join('", "')}" must not stand in on and in group`)
}
