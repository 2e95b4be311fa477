// The nodes of the lezer tree as nodes of an expression; errors with their position.
import type { SyntaxNode } from '@lezer/common'
import type { LabelMatcher, Milliseconds } from '@andon/model'
import type { Aggregate, AtTime, Binary, BinaryOperator, Call, Expr, Subquery, VectorMatching, VectorSelector, Written } from './ast.ts'
import { TreeText } from './tree-text.ts'

const MAX_DEPTH = 200

type Modifier = ({ readonly offset: Milliseconds } & Written) | { readonly at: AtTime } | { readonly extended: 'anchored' | 'smoothed' }

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
  TrimUpper: '</',
  TrimLower: '>/',
}

/** What is written of both a subquery and its offset. */
function both(expr: Written, modify: Written | Modifier): Written {
  const written = { ...expr.written, ...('written' in modify && modify.written) }
  return Object.keys(written).length === 0 ? {} : { written }
}

/** Reads the nodes of one expression. */
export class TreeReader extends TreeText {
  expr(node: SyntaxNode, depth: number): Expr {
    if (depth > MAX_DEPTH) this.fail(node.from, `the expression is nested more than ${MAX_DEPTH} deep`)
    const { from, to } = node
    switch (node.name) {
      case 'NumberDurationLiteral':
      case 'StringLiteral':
        return node.name === 'StringLiteral' ? { kind: 'string', value: this.string(node), from, to } : { kind: 'number', ...this.literal(node), from, to }
      case 'VectorSelector':
        return this.#selector(node)
      case 'MatrixSelector':
        return this.#matrix(node)
      case 'SubqueryExpr':
        return this.#subquery(node, depth)
      case 'FunctionCall':
        return this.#call(node, depth)
      case 'AggregateExpr':
        return this.#aggregate(node, depth)
      case 'BinaryExpr':
        return this.#binary(node, depth)
      case 'UnaryExpr':
        return this.#unary(node, depth)
      case 'ParenExpr':
        return { kind: 'paren', expr: this.expr(this.only(node), depth + 1), from, to }
      default:
        return this.#modifier(node, depth)
    }
  }

  #selector(node: SyntaxNode): VectorSelector {
    const matchers: LabelMatcher[] = []
    for (const child of this.children(node)) {
      if (child.name === 'Identifier') matchers.push({ name: '__name__', operator: '=', value: this.slice(child) })
      else for (const matcher of this.children(child)) matchers.push(this.matcher(matcher, matchers))
    }
    return { kind: 'selector', matchers, offset: 0, at: undefined, from: node.from, to: node.to }
  }

  #matrix(node: SyntaxNode): Expr {
    const [selector, range] = this.children(node)
    if (selector?.name !== 'VectorSelector') return this.fail(node.from, 'a range follows a selector only; a subquery has a colon: [1h:1m]')
    return { kind: 'range', selector: this.#selector(selector), range: this.positive(range, node), ...this.written({ range }), from: node.from, to: node.to }
  }

  #subquery(node: SyntaxNode, depth: number): Subquery {
    const [inner, range, step] = this.children(node)
    if (inner === undefined) return this.fail(node.from, 'a subquery needs an expression')
    return {
      kind: 'subquery',
      expr: this.expr(inner, depth + 1),
      range: this.positive(range, node),
      ...this.written({ range, step }),
      step: step === undefined ? undefined : this.positive(step, node),
      offset: 0,
      at: undefined,
      from: node.from,
      to: node.to,
    }
  }

  #modified(node: SyntaxNode, inner: SyntaxNode, depth: number, modify: Modifier): Expr {
    return this.#withModifier(node, this.expr(inner, depth + 1), modify)
  }

  /** Gives a modifier to the selector or subquery that it follows, which is the last one of what the grammar gives it. */
  #withModifier(node: SyntaxNode, expr: Expr, modify: Modifier): Expr {
    const span = { from: node.from, to: node.to }
    switch (expr.kind) {
      case 'unary':
        return { ...expr, ...span, expr: this.#withModifier(node, expr.expr, modify) }
      case 'binary':
        return { ...expr, ...span, right: this.#withModifier(node, expr.right, modify) }
      case 'range':
        this.#once(node, expr.selector, modify)
        return { ...expr, selector: { ...expr.selector, ...modify }, from: expr.from, to: node.to }
      case 'selector':
        if ('extended' in modify && modify.extended === 'anchored') this.fail(node.from, 'anchored follows a range only')
        this.#once(node, expr, modify)
        return { ...expr, ...modify, from: expr.from, to: node.to }
      case 'subquery':
        if ('extended' in modify) this.fail(node.from, `${modify.extended} follows no subquery`)
        this.#once(node, expr, modify)
        return { ...expr, ...modify, ...both(expr, modify), from: expr.from, to: node.to }
      case 'number':
      case 'string':
      case 'call':
      case 'aggregate':
      case 'paren':
        return this.fail(node.from, 'offset and @ follow a selector or a subquery only')
    }
  }

  #once(node: SyntaxNode, held: Pick<VectorSelector, 'offset' | 'at' | 'extended'>, modify: Modifier): void {
    const isTwice = 'offset' in modify ? held.offset !== 0 : 'at' in modify ? held.at !== undefined : held.extended !== undefined
    if (isTwice) this.fail(node.from, 'offset and @ may stand once each, and so may anchored or smoothed')
  }

  #modifier(node: SyntaxNode, depth: number): Expr {
    if (node.name === 'OffsetExpr') return this.#offset(node, depth)
    if (node.name === 'StepInvariantExpr') return this.#at(node, depth)
    if (node.name === 'AnchoredExpr') return this.#extended(node, 'anchored', depth)
    if (node.name === 'SmoothedExpr') return this.#extended(node, 'smoothed', depth)
    return this.fail(node.from, `"${this.slice(node).slice(0, 30)}" is not supported here`)
  }

  #extended(node: SyntaxNode, extended: 'anchored' | 'smoothed', depth: number): Expr {
    const [inner] = this.children(node)
    return inner === undefined ? this.fail(node.from, `${extended} follows a selector`) : this.#modified(node, inner, depth, { extended })
  }

  #offset(node: SyntaxNode, depth: number): Expr {
    const [inner, , duration] = this.children(node)
    if (inner === undefined || duration === undefined) return this.fail(node.from, 'offset needs a duration')
    return this.#modified(node, inner, depth, { offset: this.duration(duration), ...this.written({ offset: duration }) })
  }

  #at(node: SyntaxNode, depth: number): Expr {
    const [inner, , ...time] = this.children(node)
    const last = time.at(-1)
    if (inner === undefined || last === undefined) return this.fail(node.from, '@ needs a time in seconds, start() or end()')
    return this.#modified(node, inner, depth, { at: this.#atTime(last, time.length > 1 && time[0] !== undefined ? this.slice(time[0]) : '') })
  }

  #atTime(node: SyntaxNode, sign: string): AtTime {
    const preprocessor = node.name === 'AtModifierPreprocessors' ? this.only(node).name : ''
    if (preprocessor === 'AtStart') return 'start'
    if (preprocessor === 'AtEnd') return 'end'
    const seconds = this.number(node) * (sign === '-' ? -1 : 1)
    return Number.isFinite(seconds) ? Math.round(seconds * 1000) : this.fail(node.from, 'the time of @ must be finite')
  }

  #args(body: SyntaxNode | undefined, depth: number): Expr[] {
    return body === undefined ? [] : this.children(body).map((child) => this.expr(child, depth + 1))
  }

  #call(node: SyntaxNode, depth: number): Call {
    const [name, body] = this.children(node)
    return { kind: 'call', name: name === undefined ? '' : this.slice(name).toLowerCase(), args: this.#args(body, depth), from: node.from, to: node.to }
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
      op: this.slice(op).toLowerCase(),
      expr: second ?? first,
      param: second === undefined ? undefined : first,
      grouping: this.labels(parts[1]),
      without: parts[0]?.name === 'Without',
      from: node.from,
      to: node.to,
    }
  }

  #binary(node: SyntaxNode, depth: number): Expr {
    const children = this.children(node)
    const [left, operator] = children
    const right = children.at(-1)
    const op = OPERATORS[operator?.name ?? '']
    if (left === undefined || right === undefined || operator === undefined || op === undefined) return this.fail(node.from, 'an operator stands between two expressions')
    // The grammar takes a sign before a number as part of it, but a power binds more closely.
    const sign = op === '^' && left.name === 'NumberDurationLiteral' ? /^[+-]/.exec(this.slice(left))?.[0] : undefined
    if (sign !== undefined) {
      const base: Expr = { kind: 'number', ...this.literal(left, 'unsigned'), from: left.from + 1, to: left.to }
      const power: Binary = { kind: 'binary', op, left: base, right: this.expr(right, depth + 1), bool: false, matching: { ...this.#matching(undefined), fill: {} }, from: left.from, to: node.to }
      return { kind: 'unary', op: sign === '-' ? '-' : '+', expr: power, from: node.from, to: node.to }
    }
    const bool = children.some((child) => child.name === 'BoolModifier' && this.children(child).some(({ name }) => name === 'Bool'))
    const clause = children.flatMap((child) => (child.name === 'BoolModifier' || child.name === 'MatchingModifierClause' ? [child, ...this.children(child)] : [])).find(({ name }) => name === 'MatchingModifierClause')
    return {
      kind: 'binary',
      op,
      left: this.expr(left, depth + 1),
      right: this.expr(right, depth + 1),
      bool,
      matching: { ...this.#matching(clause), fill: this.#fill(children.find(({ name }) => name === 'FillModifier')) },
      from: node.from,
      to: node.to,
    }
  }

  /** `fill(0)`, `fill_left(0)`, `fill_right(0)` */
  #fill(modifier: SyntaxNode | undefined): VectorMatching['fill'] {
    let fill: VectorMatching['fill'] = {}
    for (const clause of modifier === undefined ? [] : this.children(modifier)) {
      const value = this.children(clause).at(-1)
      if (value === undefined) this.fail(clause.from, 'fill takes a number')
      const number = this.signed(value)
      if (clause.name !== 'FillRightClause') fill = { ...fill, left: number }
      if (clause.name !== 'FillLeftClause') fill = { ...fill, right: number }
    }
    return fill
  }

  #matching(clause: SyntaxNode | undefined): Omit<VectorMatching, 'fill'> {
    const parts = clause === undefined ? [] : this.children(clause)
    const group = parts.findIndex(({ name }) => name === 'GroupLeft' || name === 'GroupRight')
    const labels = parts.find(({ name }, index) => name === 'GroupingLabels' && (group === -1 || index < group))
    const include = parts.find(({ name }, index) => name === 'GroupingLabels' && group !== -1 && index > group)
    return {
      on: parts.some(({ name }) => name === 'On'),
      labels: this.labels(labels),
      group: group === -1 ? 'none' : parts[group]?.name === 'GroupLeft' ? 'left' : 'right',
      include: this.labels(include),
    }
  }

  #unary(node: SyntaxNode, depth: number): Expr {
    const [op, inner] = this.children(node)
    if (op === undefined || inner === undefined) return this.fail(node.from, 'a sign needs an expression')
    return { kind: 'unary', op: this.slice(op) === '-' ? '-' : '+', expr: this.expr(inner, depth + 1), from: node.from, to: node.to }
  }
}
