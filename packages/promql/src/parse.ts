// The lezer tree to nodes; errors with their position.
import type { SyntaxNode } from '@lezer/common'
import { AndonError, type LabelMatcher, type MatchOperator, type Milliseconds } from '@andon/model'
import { parser } from '@prometheus-io/lezer-promql'
import type { Aggregate, AtTime, Binary, BinaryOperator, Call, Expr, Subquery, VectorMatching, VectorSelector } from './ast.ts'
import { check } from './check.ts'
import { parseDuration, parseNumber, parseText } from './literals.ts'

/** Past it an expression is refused. */
const MAX_LENGTH = 65_536
const MAX_DEPTH = 200

/**
 * The syntax tree of an expression, with its types checked.
 *
 * @throws AndonError bad_query, its message beginning with the position: "1:5: …"
 * @example parse('sum(rate(x[5m]))').kind // 'aggregate'
 */
export function parse(text: string): Expr {
  if (text.length > MAX_LENGTH) throw new AndonError('bad_query', `1:1: the expression is longer than ${MAX_LENGTH} characters`)
  const reader = new TreeReader(text)
  if (text.replaceAll(/#.*/g, '').trim() === '') reader.fail(0, 'the expression is empty')
  const tree = parser.parse(text)
  tree.iterate({
    enter: (node) => {
      if (!node.type.isError) return
      const called = text.slice(node.from).startsWith('(') ? /[a-zA-Z_:][\w:]*(?=\s*$)/.exec(text.slice(0, node.from)) : null
      if (called !== null) reader.fail(called.index, `there is no function "${called[0]}"`)
      reader.fail(node.from, unexpected(text, node.from))
    },
  })
  const top = reader.children(tree.topNode).find((node) => node.name !== 'LineComment')
  if (top === undefined) return reader.fail(0, 'the expression is empty')
  const expr = reader.expr(top, 0)
  check(expr, (at, problem) => reader.fail(at, problem))
  return expr
}

function unexpected(text: string, at: number): string {
  const rest = text.slice(at).trim()
  return rest === '' ? 'the expression ends too early' : `"${rest.slice(0, 20)}" is not expected here`
}

const OPERATORS: Readonly<Record<string, BinaryOperator>> = {
  Add: '+',
  Sub: '-',
  Mul: '*',
  Div: '/',
  Mod: '%',
  Pow: '^',
  Atan2: 'atan2',
  Eql: '==',
  Neq: '!=',
  Gtr: '>',
  Lss: '<',
  Gte: '>=',
  Lte: '<=',
  And: 'and',
  Or: 'or',
  Unless: 'unless',
}

class TreeReader {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  fail(at: number, problem: string): never {
    const before = this.#text.slice(0, at).split('\n')
    throw new AndonError('bad_query', `${before.length}:${(before.at(-1)?.length ?? 0) + 1}: ${problem}`)
  }

  children(node: SyntaxNode): SyntaxNode[] {
    const list: SyntaxNode[] = []
    for (let child = node.firstChild; child !== null; child = child.nextSibling) if (child.name !== 'LineComment') list.push(child)
    return list
  }

  #slice(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to)
  }

  #only(node: SyntaxNode): SyntaxNode {
    return this.children(node)[0] ?? this.fail(node.from, 'something is missing here')
  }

  expr(node: SyntaxNode, depth: number): Expr {
    if (depth > MAX_DEPTH) this.fail(node.from, `the expression is nested more than ${MAX_DEPTH} deep`)
    const { from, to } = node
    switch (node.name) {
      case 'NumberDurationLiteral':
        return { kind: 'number', value: this.#number(node), from, to }
      case 'StringLiteral':
        return { kind: 'string', value: this.#string(node), from, to }
      case 'VectorSelector':
        return this.#selector(node)
      case 'MatrixSelector':
        return this.#matrix(node)
      case 'SubqueryExpr':
        return this.#subquery(node, depth)
      case 'OffsetExpr':
        return this.#offset(node, depth)
      case 'StepInvariantExpr':
        return this.#at(node, depth)
      case 'FunctionCall':
        return this.#call(node, depth)
      case 'AggregateExpr':
        return this.#aggregate(node, depth)
      case 'BinaryExpr':
        return this.#binary(node, depth)
      case 'UnaryExpr':
        return this.#unary(node, depth)
      case 'ParenExpr':
        return { kind: 'paren', expr: this.expr(this.#only(node), depth + 1), from, to }
      default:
        return this.fail(from, `"${this.#slice(node).slice(0, 30)}" is not supported here`)
    }
  }

  #number(node: SyntaxNode): number {
    return parseNumber(this.#slice(node)) ?? this.fail(node.from, `"${this.#slice(node)}" is not a number`)
  }

  #string(node: SyntaxNode): string {
    return parseText(this.#slice(node)) ?? this.fail(node.from, 'the text has an unknown escape')
  }

  #selector(node: SyntaxNode): VectorSelector {
    const matchers: LabelMatcher[] = []
    for (const child of this.children(node)) {
      if (child.name === 'Identifier') matchers.push({ name: '__name__', operator: '=', value: this.#slice(child) })
      else for (const matcher of this.children(child)) matchers.push(this.#matcher(matcher, matchers))
    }
    return { kind: 'selector', matchers, offset: 0, at: undefined, from: node.from, to: node.to }
  }

  #matcher(node: SyntaxNode, before: readonly LabelMatcher[]): LabelMatcher {
    // A text alone is the metric's name.
    if (node.name === 'QuotedLabelName') {
      if (before.some(({ name }) => name === '__name__')) this.fail(node.from, 'the metric has a name already')
      return { name: '__name__', operator: '=', value: this.#string(this.#only(node)) }
    }
    const [label, operator, value] = this.children(node)
    if (label === undefined || operator === undefined || value === undefined) return this.fail(node.from, 'LABEL="VALUE" is expected')
    const name = label.name === 'QuotedLabelName' ? this.#string(this.#only(label)) : this.#slice(label)
    return { name, operator: this.#matchOperator(operator), value: this.#string(value) }
  }

  #matchOperator(node: SyntaxNode): MatchOperator {
    const text = this.#slice(node)
    return text === '=' || text === '!=' || text === '=~' || text === '!~' ? text : this.fail(node.from, `"${text}" does not compare labels`)
  }

  #duration(node: SyntaxNode): Milliseconds {
    const children = this.children(node)
    if (children.length === 0) return parseDuration(this.#slice(node)) ?? this.fail(node.from, `"${this.#slice(node)}" is not a duration`)
    const [first, second] = children
    if (children.length === 1 && first !== undefined) return this.#duration(first)
    if (children.length === 2 && first?.name === 'UnaryOp' && second !== undefined) return this.#slice(first) === '-' ? -this.#duration(second) : this.#duration(second)
    return this.fail(node.from, 'calculated durations are not supported')
  }

  #positive(node: SyntaxNode | undefined, parent: SyntaxNode): Milliseconds {
    const duration = node === undefined ? 0 : this.#duration(node)
    return duration > 0 ? duration : this.fail(node?.from ?? parent.from, 'the duration must be greater than 0')
  }

  #matrix(node: SyntaxNode): Expr {
    const [selector, range] = this.children(node)
    if (selector?.name !== 'VectorSelector') return this.fail(node.from, 'a range follows a selector only; a subquery has a colon: [1h:1m]')
    return { kind: 'range', selector: this.#selector(selector), range: this.#positive(range, node), from: node.from, to: node.to }
  }

  #subquery(node: SyntaxNode, depth: number): Subquery {
    const [inner, range, step] = this.children(node)
    if (inner === undefined) return this.fail(node.from, 'a subquery needs an expression')
    return {
      kind: 'subquery',
      expr: this.expr(inner, depth + 1),
      range: this.#positive(range, node),
      step: step === undefined ? undefined : this.#positive(step, node),
      offset: 0,
      at: undefined,
      from: node.from,
      to: node.to,
    }
  }

  /** Gives a modifier to the selector or subquery that it follows. */
  #modified(node: SyntaxNode, inner: SyntaxNode, depth: number, modify: { offset: Milliseconds } | { at: AtTime }): Expr {
    const expr = this.expr(inner, depth + 1)
    const span = { from: node.from, to: node.to }
    const once = (held: { offset: Milliseconds; at: AtTime | undefined }): void => {
      if ('offset' in modify ? held.offset !== 0 : held.at !== undefined) this.fail(node.from, 'offset and @ may stand once each')
    }
    if (expr.kind === 'range') {
      once(expr.selector)
      return { ...expr, selector: { ...expr.selector, ...modify }, ...span }
    }
    if (expr.kind === 'selector' || expr.kind === 'subquery') {
      once(expr)
      return { ...expr, ...modify, ...span }
    }
    return this.fail(node.from, 'offset and @ follow a selector or a subquery only')
  }

  #offset(node: SyntaxNode, depth: number): Expr {
    const [inner, , duration] = this.children(node)
    if (inner === undefined || duration === undefined) return this.fail(node.from, 'offset needs a duration')
    return this.#modified(node, inner, depth, { offset: this.#duration(duration) })
  }

  #at(node: SyntaxNode, depth: number): Expr {
    const [inner, , ...time] = this.children(node)
    const last = time.at(-1)
    if (inner === undefined || last === undefined) return this.fail(node.from, '@ needs a time in seconds, start() or end()')
    return this.#modified(node, inner, depth, { at: this.#atTime(last, time.length > 1 && time[0] !== undefined ? this.#slice(time[0]) : '') })
  }

  #atTime(node: SyntaxNode, sign: string): AtTime {
    const preprocessor = node.name === 'AtModifierPreprocessors' ? this.#only(node).name : ''
    if (preprocessor === 'AtStart') return 'start'
    if (preprocessor === 'AtEnd') return 'end'
    const seconds = this.#number(node) * (sign === '-' ? -1 : 1)
    return Number.isFinite(seconds) ? Math.round(seconds * 1000) : this.fail(node.from, 'the time of @ must be finite')
  }

  #args(body: SyntaxNode | undefined, depth: number): Expr[] {
    return body === undefined ? [] : this.children(body).map((child) => this.expr(child, depth + 1))
  }

  #call(node: SyntaxNode, depth: number): Call {
    const [name, body] = this.children(node)
    return { kind: 'call', name: name === undefined ? '' : this.#slice(name).toLowerCase(), args: this.#args(body, depth), from: node.from, to: node.to }
  }

  #aggregate(node: SyntaxNode, depth: number): Aggregate {
    const children = this.children(node)
    const op = children.find(({ name }) => name === 'AggregateOp')
    const modifier = children.find(({ name }) => name === 'AggregateModifier')
    const args = this.#args(children.find(({ name }) => name === 'FunctionCallBody'), depth)
    const [first, second] = args
    const parts = modifier === undefined ? [] : this.children(modifier)
    if (op === undefined || first === undefined || args.length > 2) return this.fail(node.from, 'an aggregation takes one vector, and a parameter where it needs one')
    return {
      kind: 'aggregate',
      op: this.#slice(op).toLowerCase(),
      expr: second ?? first,
      param: second === undefined ? undefined : first,
      grouping: this.#labels(parts[1]),
      without: parts[0]?.name === 'Without',
      from: node.from,
      to: node.to,
    }
  }

  #labels(node: SyntaxNode | undefined): string[] {
    if (node === undefined) return []
    return this.children(node).map((label) => (label.name === 'QuotedLabelName' ? this.#string(this.#only(label)) : this.#slice(label)))
  }

  #binary(node: SyntaxNode, depth: number): Binary {
    const children = this.children(node)
    const [left, operator] = children
    const right = children.at(-1)
    const op = OPERATORS[operator?.name ?? '']
    if (left === undefined || right === undefined || operator === undefined || op === undefined) return this.fail(node.from, 'an operator stands between two expressions')
    const bool = children.some((child) => child.name === 'BoolModifier' && this.children(child).some(({ name }) => name === 'Bool'))
    const clause = children.flatMap((child) => (child.name === 'BoolModifier' || child.name === 'MatchingModifierClause' ? [child, ...this.children(child)] : [])).find(({ name }) => name === 'MatchingModifierClause')
    return {
      kind: 'binary',
      op,
      left: this.expr(left, depth + 1),
      right: this.expr(right, depth + 1),
      bool,
      matching: this.#matching(clause),
      from: node.from,
      to: node.to,
    }
  }

  #matching(clause: SyntaxNode | undefined): VectorMatching {
    const parts = clause === undefined ? [] : this.children(clause)
    const group = parts.findIndex(({ name }) => name === 'GroupLeft' || name === 'GroupRight')
    const unsupported = parts.find(({ name }) => name.startsWith('Fill'))
    if (unsupported !== undefined) return this.fail(unsupported.from, 'fill is not supported')
    const labels = parts.find(({ name }, index) => name === 'GroupingLabels' && (group === -1 || index < group))
    const include = parts.find(({ name }, index) => name === 'GroupingLabels' && group !== -1 && index > group)
    return {
      on: parts.some(({ name }) => name === 'On'),
      labels: this.#labels(labels),
      group: group === -1 ? 'none' : parts[group]?.name === 'GroupLeft' ? 'left' : 'right',
      include: this.#labels(include),
    }
  }

  #unary(node: SyntaxNode, depth: number): Expr {
    const [op, inner] = this.children(node)
    if (op === undefined || inner === undefined) return this.fail(node.from, 'a sign needs an expression')
    return { kind: 'unary', op: this.#slice(op) === '-' ? '-' : '+', expr: this.expr(inner, depth + 1), from: node.from, to: node.to }
  }
}
