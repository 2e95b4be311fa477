// Objectives of which not requests are counted, but slices of time: good ones, or each by its share.
import type { Indicator, Milliseconds, Ratio } from '@andon/model'
import { formatDuration } from '@andon/promql'
import { countExpression } from './counts.ts'
import { SLICE_MS } from './detection.ts'

export interface TimeSlices {
  /** How long a slice is; a multiple of 15 seconds, at most `TIME_SLICE_MAX`. Slices begin at multiples of it since 1970. */
  readonly lengthMs: Milliseconds
  /** What share must be good for a slice to be good; undefined where each slice counts by its share. */
  readonly target: Ratio | undefined
}

/** What is counted more rarely would look like telemetry that is missing. */
export const TIME_SLICE_MAX: Milliseconds = 300_000

/** The share of bad ones over the slice that has just ended. */
function shareOf(indicator: Exclude<Indicator, { kind: 'spans' }>, lengthMs: Milliseconds): string {
  const over = (text: string, counter: boolean): string => (counter ? countExpression(text, lengthMs, 'counters') : `sum_over_time((${text})[${formatDuration(lengthMs)}:${formatDuration(SLICE_MS)}])`)
  if (indicator.kind === 'ratio') return `avg_over_time((${indicator.bad})[${formatDuration(lengthMs)}:${formatDuration(SLICE_MS)}])`
  const { good, bad, total, counter } = indicator
  const whole = over(total, counter)
  return good === undefined ? `(${over(bad ?? total, counter)}) / (${whole})` : `1 - (${over(good, counter)}) / (${whole})`
}

/**
 * Counts slices of time instead of what happened in them. A slice in which nothing happened is none.
 *
 * @param indicator - of the shares within slices
 */
export function ofTimeSlices(indicator: Exclude<Indicator, { kind: 'spans' }>, { lengthMs, target }: TimeSlices): Indicator {
  // Nothing divided by nothing is no share: it is left out by being compared.
  const share = `((${shareOf(indicator, lengthMs)}) >= 0)`
  const bad = target === undefined ? `clamp_max(${share}, 1)` : `${share} > bool ${1 - target}`
  const atEnd = `and on() (vector(time()) % ${lengthMs / 1000} == 0)`
  return { kind: 'counts', good: undefined, bad: `(${bad}) ${atEnd}`, total: `(${share} >= bool 0) ${atEnd}`, counter: false }
}
