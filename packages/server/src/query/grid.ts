import type { Labels, Milliseconds, Seconds, TimeRange } from '@andon/model'

/** Values aligned to a list of times; null where there is none. */
export type Values = readonly (number | null)[]

/** The times at which a range is shown: multiples of `step`, so that a moving range shows the same points again. */
export interface Grid {
  readonly t: readonly Milliseconds[]
  readonly step: Milliseconds
}

const STEPS: readonly Seconds[] = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400]

/**
 * The grid of a range.
 *
 * @param points - about how many times to answer; never more than 1.5 times as many within 400 days
 * @param minStep - no step is shorter; a service's metrics arrive every 10 seconds
 */
export function gridOf(range: TimeRange, points: number, minStep: Milliseconds = 10_000): Grid {
  const wanted = Math.max(minStep, (range.end - range.start) / points)
  const step = (STEPS.find((seconds) => seconds * 1000 >= wanted) ?? Math.ceil(wanted / 86_400_000) * 86_400) * 1000
  const t: Milliseconds[] = []
  for (let time = Math.ceil(range.start / step) * step; time <= range.end; time += step) t.push(time)
  // A range shorter than a step has its end as its only time.
  return { t: t.length === 0 ? [range.end] : t, step }
}

/** A series as an expression answers it over a grid. */
export interface GridSeries {
  readonly labels: Labels
  /** Aligned to the grid. */
  readonly values: Values
}

/** Evaluates PromQL; what it answers has no value where the expression has none. */
export interface Evaluator {
  /** Over each time of the grid. */
  over(expression: string, grid: Grid): Promise<readonly GridSeries[]>
  /**
   * At one time.
   *
   * @param maxAge - how old an answer to the same expression, at a time not later, may be; none when left out
   */
  at(expression: string, time: Milliseconds, maxAge?: Milliseconds): Promise<readonly { readonly labels: Labels; readonly value: number }[]>
}

/** A length of time as PromQL writes it. */
export function promDuration(ms: Milliseconds): string {
  return `${Math.max(1, Math.round(ms))}ms`
}

const HOUR: Milliseconds = 3_600_000
const FIVE_MINUTES: Milliseconds = 300_000
/** What is told of a whole range may be older than its newest datum by this share of the range, and never by more than half a minute. */
const AGE_SHARE = 1 / 240
const AGE_MAX: Milliseconds = 30_000

/**
 * A whole range as one window. That of a long one is moved by less than a hundredth of its length, to where buckets of rollups end;
 * its end never moves back, so that it holds what was measured last.
 *
 * @returns the window as PromQL writes it, its length, the time to ask at, and how old an answer may be
 */
export function wholeWindow({ start, end }: TimeRange): { readonly window: string; readonly length: Milliseconds; readonly time: Milliseconds; readonly maxAge: Milliseconds } {
  const length = end - start
  const unit = length >= 100 * HOUR ? HOUR : length >= 100 * FIVE_MINUTES ? FIVE_MINUTES : 1
  const whole = Math.max(1, Math.round(length / unit)) * unit
  return { window: promDuration(whole), length: whole, time: Math.ceil(end / unit) * unit, maxAge: Math.min(AGE_MAX, length * AGE_SHARE) }
}

/** Text within a double-quoted PromQL string. */
export function promString(text: string): string {
  return JSON.stringify(text)
}

/**
 * The expression for a quantile of a histogram's observations over a window, over all series with the same values of `by`. The only
 * place that decides how quantiles are asked for.
 *
 * @param selector - within the braces, '' for all series
 */
export function quantileExpression(q: number, histogram: string, window: string, { selector = '', by = [] }: { selector?: string; by?: readonly string[] } = {}): string {
  const grouping = by.length === 0 ? '' : ` by (${by.join(', ')}) `
  return `histogram_quantile(${q}, sum${grouping}(rate(${histogram}${selector === '' ? '' : `{${selector}}`}[${window}])))`
}

/** The mean of what is there; null when nothing is. */
export function meanOf(values: Values): number | null {
  const there = values.filter((value) => value !== null)
  return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length
}

/** The newest value; null when there is none. */
export function lastOf(values: Values): number | null {
  return values.findLast((value) => value !== null) ?? null
}

/** Nulls for every time of a grid. */
export function nothing(grid: Grid): Values {
  return grid.t.map(() => null)
}
