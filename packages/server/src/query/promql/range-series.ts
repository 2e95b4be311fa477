// Points of a range vector, floats and histograms apart, and the window of each step.
import type { Labels, Milliseconds } from '@andon/model'
import type { HistogramValue } from '../../store/metric-rows.ts'
import type { SourceSeries } from './context.ts'
import { withHint } from './histogram/arithmetic.ts'
import { FLOAT, type GridElement, HISTOGRAM, type StepGrid, timeAt } from './vector.ts'

export interface FloatPoints {
  readonly ts: Float64Array
  readonly v: Float64Array
  /** Since when the counter counts; 0 where that is not known. */
  readonly start: Float64Array | undefined
}

export interface HistogramPoints {
  readonly ts: Float64Array
  readonly h: readonly HistogramValue[]
  readonly start: Float64Array | undefined
}

/** Points of one series, stale ones left out. */
export interface RangeSeries {
  readonly labels: Labels
  readonly dropName: boolean
  readonly floats: FloatPoints
  /** Absent where there are none. */
  readonly histograms: HistogramPoints | undefined
}

/**
 * What lies in (start, end] of a series: floats lo..hi-1 and histograms hlo..hhi-1. One object is used for all steps
 * of a series.
 */
export interface Window {
  readonly floats: FloatPoints
  lo: number
  hi: number
  readonly histograms: HistogramPoints | undefined
  hlo: number
  hhi: number
  start: Milliseconds
  end: Milliseconds
  /** When the expression is evaluated, which `@` and offset do not move. */
  time: Milliseconds
  readonly range: Milliseconds
}

function pick(from: Float64Array, indices: readonly number[]): Float64Array {
  return Float64Array.from(indices, (index) => from[index] ?? Number.NaN)
}

/** The points that are no stale markers, by kind. */
export function rangeSeries({ labels, ts, v, stale, start, histograms }: SourceSeries): RangeSeries {
  if (histograms === undefined && !stale.includes(1)) return { labels, dropName: false, floats: { ts, v, start }, histograms: undefined }
  const floats: number[] = []
  const native: number[] = []
  for (let index = 0; index < ts.length; index += 1) if (stale[index] !== 1) (histograms?.[index] === undefined ? floats : native).push(index)
  const starts = (indices: readonly number[]): Float64Array | undefined => (start === undefined ? undefined : pick(start, indices))
  return {
    labels,
    dropName: false,
    floats: { ts: pick(ts, floats), v: pick(v, floats), start: starts(floats) },
    histograms: native.length === 0 ? undefined : { ts: pick(ts, native), h: native.flatMap((index) => histograms?.[index] ?? []), start: starts(native) },
  }
}

/** How far a window reaches beyond its range, for `anchored` and `smoothed`. */
export interface Reach {
  readonly before: Milliseconds
  readonly after: Milliseconds
}

const NO_REACH: Reach = { before: 0, after: 0 }

function cursor(ts: Float64Array): (from: Milliseconds, to: Milliseconds) => [lo: number, hi: number] {
  let lo = 0
  let hi = 0
  return (from, to) => {
    while (hi < ts.length && (ts[hi] ?? Infinity) <= to) hi += 1
    // With `@ end()` and an offset times do not fall, but a window may begin where the last one ended.
    while (lo < hi && (ts[lo] ?? Infinity) <= from) lo += 1
    return [lo, hi]
  }
}

/** Moves the window over a series; times are to be asked in order. */
export function windows(series: RangeSeries, range: Milliseconds, reach: Reach = NO_REACH): (end: Milliseconds, time: Milliseconds) => Window {
  const { floats, histograms } = series
  const [ofFloats, ofHistograms] = [cursor(floats.ts), histograms === undefined ? undefined : cursor(histograms.ts)]
  const window: Window = { floats, lo: 0, hi: 0, histograms, hlo: 0, hhi: 0, start: 0, end: 0, time: 0, range }
  return (end, time) => {
    window.start = end - range
    window.end = end
    window.time = time
    const [from, to] = [window.start - reach.before, end + reach.after]
    ;[window.lo, window.hi] = ofFloats(from, to)
    if (ofHistograms !== undefined) [window.hlo, window.hhi] = ofHistograms(from, to)
    return window
  }
}

export function floatCount({ lo, hi }: Window): number {
  return hi - lo
}

export function histogramCount({ hlo, hhi }: Window): number {
  return hhi - hlo
}

export function at(array: Float64Array, index: number): number {
  return array[index] ?? Number.NaN
}

/** Floats of a window, without copying them. */
export function floatsOf({ floats, lo, hi }: Window): Float64Array {
  return floats.v.subarray(lo, hi)
}

export function histogramsOf({ histograms, hlo, hhi }: Window): readonly HistogramValue[] {
  return histograms?.h.slice(hlo, hhi) ?? []
}

/** What a histogram says of the point before it holds no longer where that point may have been left out. */
function unhinted(value: HistogramValue | undefined): HistogramValue[] {
  return value === undefined ? [] : [value.hint === 'gauge' ? value : withHint(value, undefined)]
}

/** The values of an element as points of a range; start times are not known of what was calculated. */
export function rangeFromGrid(each: GridElement, grid: StepGrid): RangeSeries {
  const { labels, dropName, present, values, histograms } = each
  const steps = (kind: number): number[] => [...present.keys()].filter((step) => present[step] === kind)
  const times = (list: readonly number[]): Float64Array => Float64Array.from(list, (step) => timeAt(grid, step))
  const floats = steps(FLOAT)
  const native = histograms === undefined ? [] : steps(HISTOGRAM)
  return {
    labels,
    dropName,
    floats: { ts: times(floats), v: Float64Array.from(floats, (step) => values[step] ?? Number.NaN), start: undefined },
    histograms: native.length === 0 ? undefined : { ts: times(native), h: native.flatMap((step) => unhinted(histograms?.[step])), start: undefined },
  }
}
