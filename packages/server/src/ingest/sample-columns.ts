// Samples of series that are known, as columns: of most requests no object is made for a point.
import type { Milliseconds } from '@andon/model'
import { DELTA, STALE } from '../store/metric-write.ts'
import type { RememberedSeries } from './series.ts'

/** Beside the flags of the table: that the sample is one of a counter. */
const COUNTER = 4

/** All arrays are equally long. */
export class SampleColumns {
  readonly series: RememberedSeries[] = []
  readonly ts: Milliseconds[] = []
  readonly start: Milliseconds[] = []
  readonly value: number[] = []
  readonly flags: number[] = []

  get length(): number {
    return this.series.length
  }

  /** Takes back what was added past a length. */
  cut(length: number): void {
    for (const column of [this.series, this.ts, this.start, this.value, this.flags]) column.length = length
  }

  add(series: RememberedSeries, ts: Milliseconds, start: Milliseconds, value: number, flags: number): void {
    this.series.push(series)
    this.ts.push(ts)
    this.start.push(start)
    this.value.push(value)
    this.flags.push(flags)
  }
}

export function flagsOf(isCounter: boolean, isDelta: boolean, isStale: boolean): number {
  return (isStale ? STALE : 0) | (isDelta ? DELTA : 0) | (isCounter ? COUNTER : 0)
}

/** Only the increase of a cumulative counter depends on the sample before. */
export function isCumulativeCounter(flags: number): boolean {
  return flags === COUNTER
}

/** An increment, which needs no sample before it. */
export function isIncrement(flags: number): boolean {
  return (flags & (DELTA | STALE)) === DELTA
}

/** An increment of a counter is its own increase; what is no counter is marked, so that its mean is not taken for that of a gauge. */
export function increaseOfDelta(flags: number, value: number): number {
  if ((flags & COUNTER) === 0) return Number.NaN
  return value > 0 && value < Infinity ? value : 0
}

/** As the table has them. */
export function tableFlags(flags: number): number {
  return flags & ~COUNTER
}
