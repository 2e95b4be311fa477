// rate, increase and delta over anchored and smoothed ranges: no extrapolation; the values at the edges are the last
// point before, or interpolated. @see prometheus promql/functions.go extendedRate
import type { HistogramValue } from '../../store/metric-rows.ts'
import { added, between, multiplied, subtracted, withHint } from './histogram/arithmetic.ts'
import { isCustom } from './histogram/buckets.ts'
import { wasReset } from './histogram/compare.ts'
import { mixed, mixedSchemas, notCounter, notGauge, type RangeCall, type RangeFunction } from './range-call.ts'
import type { RateKind } from './rate.ts'
import { at, floatCount, histogramCount, type Window } from './range-series.ts'

/** What can be done with values of one kind; undefined where two do not fit. */
interface Algebra<T> {
  readonly minus: (a: T, b: T) => T | undefined
  readonly plus: (a: T, b: T) => T | undefined
  readonly times: (a: T, factor: number) => T
  readonly between: (a: T, b: T, share: number) => T | undefined
  readonly isReset: (now: T, before: T) => boolean
}

const FLOATS: Algebra<number> = {
  minus: (a, b) => a - b,
  plus: (a, b) => a + b,
  times: (a, factor) => a * factor,
  between: (a, b, share) => a + (b - a) * share,
  isReset: (now, before) => now < before,
}

const HISTOGRAMS: Algebra<HistogramValue> = {
  minus: (a, b) => subtracted(a, b)?.value,
  plus: (a, b) => added(a, b)?.value,
  times: multiplied,
  between,
  isReset: wasReset,
}

/** The value at a time between two points; a counter that began anew rises from 0. */
export function interpolated<T>(algebra: Algebra<T>, [before, after]: readonly [T, T], share: number, isCounter: boolean): T | undefined {
  return isCounter && algebra.isReset(after, before) ? algebra.times(after, share) : algebra.between(before, after, share)
}

/** The same for values of which the kind is known only at run time; undefined for one of each. */
export function valueBetween(before: number | HistogramValue, after: number | HistogramValue, share: number): number | HistogramValue | undefined {
  if (typeof before === 'number' || typeof after === 'number') return typeof before === 'number' && typeof after === 'number' ? FLOATS.between(before, after, share) : undefined
  if (isCustom(before) !== isCustom(after)) return undefined
  return interpolated(HISTOGRAMS, [before, after], share, before.hint !== 'gauge' && after.hint !== 'gauge')
}

interface Points<T> {
  readonly ts: Float64Array
  readonly get: (index: number) => T | undefined
  readonly first: number
  readonly last: number
}

/** Narrows the points of a window to those that matter: from the last one at or before its start on. */
function edges(ts: Float64Array, lo: number, hi: number, { start, end }: Window, isSmoothed: boolean): { first: number; last: number } | undefined {
  if (hi <= lo) return undefined
  let last = hi - 1
  let first = lo
  while (first + 1 < hi && at(ts, first + 1) <= start) first += 1
  if (isSmoothed) {
    last = lo
    while (last < hi - 1 && at(ts, last) < end) last += 1
  }
  if (at(ts, last) <= start || (isSmoothed && at(ts, first) > end)) return undefined
  return { first, last }
}

/** The value at an edge: interpolated over the points i and i+1, or that of point i. */
function valueAtEdge<T>(points: Points<T>, index: number, time: number | undefined, algebra: Algebra<T>, isCounter: boolean): T | undefined {
  const before = points.get(index)
  if (time === undefined || before === undefined) return before
  const after = points.get(index + 1)
  const share = (time - at(points.ts, index)) / (at(points.ts, index + 1) - at(points.ts, index))
  return after === undefined ? undefined : interpolated(algebra, [before, after], share, isCounter)
}

/** What counted before each reset within the window. */
function corrected<T>(points: Points<T>, ends: { left: T; right: T; isLeftBetween: boolean }, window: Window, algebra: Algebra<T>, result: T): T | undefined {
  let [from, to, total]: [number, number, T | undefined] = [points.first, points.last, result]
  if (at(points.ts, from) <= window.start) from += 1
  if (at(points.ts, to) >= window.end) to -= 1
  let before: T | undefined = ends.left
  // The value between two points lies on the way to the second already.
  if (ends.isLeftBetween) {
    if (points.first + 1 >= points.last) return result
    before = points.get(points.first + 1)
    from = points.first + 2
  }
  for (let index = from; index <= to && total !== undefined; index += 1) {
    const now = points.get(index)
    if (now !== undefined && before !== undefined && now !== before && algebra.isReset(now, before)) total = algebra.plus(total, before)
    before = now
  }
  if (total !== undefined && before !== undefined && ends.right !== before && algebra.isReset(ends.right, before)) total = algebra.plus(total, before)
  return total
}

function change<T>(points: Points<T>, window: Window, algebra: Algebra<T>, isSmoothed: boolean, isCounter: boolean): T | undefined {
  const { ts, first, last } = points
  const isLeftBetween = isSmoothed && at(ts, first) < window.start
  const isRightBetween = isSmoothed && last > first && at(ts, last) > window.end
  const left = valueAtEdge(points, first, isLeftBetween ? window.start : undefined, algebra, isCounter)
  const right = isRightBetween ? valueAtEdge(points, last - 1, window.end, algebra, isCounter) : points.get(last)
  if (left === undefined || right === undefined) return undefined
  const result = algebra.minus(right, left)
  return result === undefined || !isCounter ? result : corrected(points, { left, right, isLeftBetween }, window, algebra, result)
}

function ofHistograms(window: Window, call: RangeCall, { isCounter, isRate }: RateKind): HistogramValue | undefined {
  const { histograms, hlo, hhi } = window
  const found = histograms === undefined ? undefined : edges(histograms.ts, hlo, hhi, window, call.extended === 'smoothed')
  if (histograms === undefined || found === undefined) return undefined
  const list = histograms.h.slice(found.first, found.last + 1)
  if (isCounter && list.some(({ hint }) => hint === 'gauge')) notCounter(call)
  if (!isCounter && (list[0]?.hint !== 'gauge' || list.at(-1)?.hint !== 'gauge')) notGauge(call)
  const isAnyCustom = list.some(isCustom)
  if (isAnyCustom && !list.every(isCustom)) return mixedSchemas(call)
  const result = change({ ts: histograms.ts, get: (index) => histograms.h[index], ...found }, window, HISTOGRAMS, call.extended === 'smoothed', isCounter)
  return result === undefined ? undefined : withHint(multiplied(result, isRate ? 1000 / window.range : 1), 'gauge')
}

/** rate, increase or delta over an anchored or smoothed range, whose window reaches beyond its start, and its end. */
export function extendedRate(kind: RateKind): RangeFunction {
  return (window, call) => {
    const [floats, histograms] = [floatCount(window), histogramCount(window)]
    if (floats > 0 && histograms > 0) return mixed(call)
    if (histograms > 0) return ofHistograms(window, call, kind)
    const { ts, v } = window.floats
    const found = edges(ts, window.lo, window.hi, window, call.extended === 'smoothed')
    if (found === undefined) return undefined
    const result = change({ ts, get: (index) => v[index], ...found }, window, FLOATS, call.extended === 'smoothed', kind.isCounter)
    return result === undefined ? undefined : result / (kind.isRate ? window.range / 1000 : 1)
  }
}
