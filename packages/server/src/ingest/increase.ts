// The increase of each point since its series' previous one, resets taken out: what rollups add up.
import type { Milliseconds } from '@andon/model'
import { increaseSince } from '../store/histogram-value.ts'
import type { HistogramValue } from '../store/metric-rows.ts'
import type { PreviousHistogram, PreviousSample } from '../store/metrics.ts'

/** A counter that began so recently before its first point is taken to have counted from 0 in this time. */
const YOUNG: Milliseconds = 5 * 60_000

function began(start: Milliseconds, ts: Milliseconds): boolean {
  return start > 0 && start <= ts && ts - start <= YOUNG
}

/**
 * The increase of a cumulative counter.
 *
 * @param previous - the series' last stored point; null when there is none
 * @returns 0 when the point is not newer than the previous one, or nothing is known of what came before
 */
export function sampleIncrease(ts: Milliseconds, start: Milliseconds, value: number, previous: PreviousSample | null): number {
  if (!Number.isFinite(value)) return 0
  if (previous === null) return began(start, ts) ? value : 0
  if (ts <= previous.ts) return 0
  const isReset = value < previous.value || start > previous.ts
  return isReset ? value : value - previous.value
}

/** The same of a cumulative histogram; undefined where there is nothing to roll up. */
export function histogramIncrease(ts: Milliseconds, start: Milliseconds, value: HistogramValue, previous: PreviousHistogram | null): HistogramValue | undefined {
  if (previous === null) return began(start, ts) ? value : undefined
  if (ts <= previous.ts) return undefined
  return start > previous.ts ? value : increaseSince(value, previous.value)
}
