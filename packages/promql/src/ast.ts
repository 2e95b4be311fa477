// The nodes of a PromQL expression.
import type { LabelMatcher, Milliseconds } from '@andon/model'

/** Where a node stands in the text: offsets in UTF-16 units, `to` exclusive. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** The time of `@`: seconds since the Unix epoch as milliseconds, or an end of the query's range. */
export type AtTime = Milliseconds | 'start' | 'end'

export interface NumberLiteral extends Span {
  readonly kind: 'number'
  readonly value: number
  /** Written as a length of time, `5m`, whose seconds it is. */
  readonly isDuration?: true
}

export interface StringLiteral extends Span {
  readonly kind: 'string'
  readonly value: string
}

/** Durations that depend on a query which is not known, such as `step()`, as they are written; their value is NaN. */
export interface Written {
  readonly written?: { readonly range?: string; readonly step?: string; readonly offset?: string }
}

/** `name{label="value"} offset 5m @ 0` */
export interface VectorSelector extends Span, Written {
  readonly kind: 'selector'
  readonly matchers: readonly LabelMatcher[]
  readonly offset: Milliseconds
  readonly at: AtTime | undefined
  /** `anchored`: the window begins with the last point before it. `smoothed`: values at times between points are interpolated. */
  readonly extended?: 'anchored' | 'smoothed'
}

/** A selector over a range, `x[5m]`; offset and @ stand in the selector. */
export interface MatrixSelector extends Span, Written {
  readonly kind: 'range'
  readonly selector: VectorSelector
  readonly range: Milliseconds
}

/** `expr[1h:30s]`; without a step the engine's default holds. */
export interface Subquery extends Span, Written {
  readonly kind: 'subquery'
  readonly expr: Expr
  readonly range: Milliseconds
  readonly step: Milliseconds | undefined
  readonly offset: Milliseconds
  readonly at: AtTime | undefined
}

export interface Call extends Span {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expr[]
}

export interface Aggregate extends Span {
  readonly kind: 'aggregate'
  readonly op: string
  readonly expr: Expr
  /** Of topk, bottomk, quantile, count_values, limitk and limit_ratio. */
  readonly param: Expr | undefined
  readonly grouping: readonly string[]
  /** Whether `grouping` names the labels to drop rather than those to keep. */
  readonly without: boolean
}

/** `</` and `>/` keep what a histogram holds below, or above, a value. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2' | '==' | '!=' | '>' | '<' | '>=' | '<=' | 'and' | 'or' | 'unless' | '</' | '>/'

/** How elements of two vectors find each other. */
export interface VectorMatching {
  /** Whether `labels` are the ones that must agree (on) or the ones that need not (ignoring). */
  readonly on: boolean
  readonly labels: readonly string[]
  readonly group: 'none' | 'left' | 'right'
  /** Labels taken from the "one" side. */
  readonly include: readonly string[]
  /** The value of an element that one side lacks; without one, such elements have no result. */
  readonly fill: { readonly left?: number; readonly right?: number }
}

export interface Binary extends Span {
  readonly kind: 'binary'
  readonly op: BinaryOperator
  readonly left: Expr
  readonly right: Expr
  readonly bool: boolean
  readonly matching: VectorMatching
}

export interface Unary extends Span {
  readonly kind: 'unary'
  readonly op: '+' | '-'
  readonly expr: Expr
}

export interface Paren extends Span {
  readonly kind: 'paren'
  readonly expr: Expr
}

export type Expr = NumberLiteral | StringLiteral | VectorSelector | MatrixSelector | Subquery | Call | Aggregate | Binary | Unary | Paren

export type ValueType = 'scalar' | 'string' | 'instant vector' | 'range vector'
