// Whether an alert has ceased because all is well, or because nobody tells any more.
import type { LabelMatcher, Labels, Milliseconds } from '@andon/model'
import { type Expr, parse, print, type VectorSelector } from '@andon/promql'

/** What an expression gives: its labels and its value. */
export interface Element {
  readonly labels: Labels
  readonly value: number
}

/** What rules ask. */
export type InstantQuery = (expression: string, time: Milliseconds) => Promise<readonly Element[]>

/** How far back an instant vector looks. */
const LOOKBACK: Milliseconds = 5 * 60_000

/** A selector of an expression, with the range that it is read over. */
export interface Read {
  readonly selector: VectorSelector
  /** Undefined where the newest value is read. */
  readonly range: Milliseconds | undefined
}

const ABSENCE: ReadonlySet<string> = new Set(['absent', 'absent_over_time'])

/** All that an expression reads. What asks for absence says nothing about missing telemetry, and is left out. */
export function readsOf(expr: Expr): Read[] {
  switch (expr.kind) {
    case 'selector':
      return [{ selector: expr, range: undefined }]
    case 'range':
      return [{ selector: expr.selector, range: expr.range }]
    case 'subquery':
    case 'paren':
    case 'unary':
      return readsOf(expr.expr)
    case 'aggregate':
      return [...readsOf(expr.expr), ...(expr.param === undefined ? [] : readsOf(expr.param))]
    case 'call':
      return ABSENCE.has(expr.name) ? [] : expr.args.flatMap(readsOf)
    case 'binary':
      return [...readsOf(expr.left), ...readsOf(expr.right)]
    case 'number':
    case 'string':
      return []
  }
}

/** A selector that also asks for the labels of an alert's element. */
function narrowed(selector: VectorSelector, element: Labels): VectorSelector {
  const own: LabelMatcher[] = Object.entries(element)
    .filter(([name, value]) => name !== '__name__' && value !== '' && !selector.matchers.some((matcher) => matcher.name === name && matcher.operator === '='))
    .map(([name, value]) => ({ name, operator: '=', value }))
  return { ...selector, matchers: [...selector.matchers, ...own] }
}

/** A call over a range of a selector, as text. */
export function over(call: string, selector: VectorSelector, range: Milliseconds): string {
  return `${call}(${print({ kind: 'range', selector, range, from: 0, to: 0 })})`
}

/** Finds out for one rule; selectors are read from its expression once. */
export class MissingTelemetry {
  readonly #reads: readonly Read[]
  readonly #query: InstantQuery

  constructor(expression: string, query: InstantQuery) {
    this.#reads = readsOf(parse(expression))
    this.#query = query
  }

  /**
   * Whether a series behind an element that was there when it was last seen has fallen silent. One that ended in order, with a stale
   * marker, has not, and neither has one that the labels of the element do not find.
   *
   * @param seenAt - when the element was last there
   */
  async isMissing(element: Labels, seenAt: Milliseconds, time: Milliseconds): Promise<boolean> {
    for (const { selector, range } of this.#reads) {
      const series = narrowed(selector, element)
      const newest = print(series)
      const read = range === undefined ? newest : over('count_over_time', series, range)
      if ((await this.#has(read, time)) || !(await this.#has(read, seenAt))) continue
      const hasEnded = !(await this.#has(newest, time)) && (await this.#has(over('last_over_time', series, LOOKBACK), time))
      if (!hasEnded) return true
    }
    return false
  }

  async #has(expression: string, time: Milliseconds): Promise<boolean> {
    return (await this.#query(`count(${expression})`, time)).length > 0
  }
}
