// Functions of all the points in a window: *_over_time, changes, resets.
import type { HistogramValue } from '../../store/metric-rows.ts'
import { divided, HistogramSum } from './histogram/arithmetic.ts'
import { equal, wasReset } from './histogram/compare.ts'
import { collided, histogramsIgnored, mixed, mixedSchemas, type RangeCall, type RangeFunction, reconciled } from './range-call.ts'
import { startedAnew } from './rate.ts'
import { at, floatCount, floatsOf, histogramCount, histogramsOf, type Window } from './range-series.ts'
import { Sum } from './sum.ts'

/** The sum of floats, compensated. */
export function sum(values: Iterable<number>): number {
  const held = new Sum()
  for (const value of values) held.add(value)
  return held.value
}

/** Adds to a value that is held with what rounding lost. @see Neumaier 1974 */
function increased(value: number, [held, lost]: readonly [number, number]): [held: number, lost: number] {
  const next = held + value
  if (!Number.isFinite(next)) return [next, 0]
  return [next, lost + (Math.abs(held) >= Math.abs(value) ? held - next + value : value - next + held)]
}

/** The mean, compensated; from where the sum would overflow it is built up step by step. */
export function mean(values: ArrayLike<number> & Iterable<number>): number {
  let held: [number, number] = [0, 0]
  let [seen, isIncremental] = [0, false]
  for (const value of values) {
    seen += 1
    if (!isIncremental) {
      const next = increased(value, held)
      if (seen === 1 || Number.isFinite(next[0]) || Number.isNaN(next[0])) {
        held = next
        continue
      }
      isIncremental = true
      held = [held[0] / (seen - 1), held[1] / (seen - 1)]
    }
    const share = (seen - 1) / seen
    held = increased(value / seen, [share * held[0], share * held[1]])
  }
  return isIncremental ? held[0] + held[1] : held[0] / seen + held[1] / seen
}

/** The population variance, compensated. @see Welford 1962 */
export function variance(values: ArrayLike<number> & Iterable<number>): number {
  const [average, squares] = [new Sum(), new Sum()]
  let seen = 0
  for (const value of values) {
    seen += 1
    const delta = value - average.value
    average.add(delta / seen)
    squares.add(delta * (value - average.value))
  }
  return squares.value / seen
}

/** The q-quantile as PromQL has it: beyond 0..1 infinite, NaN lowest, and NaN where an infinite value takes part with a weight of 0. */
export function promQuantile(values: readonly number[], q: number): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  const sorted = values.toSorted((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b))
  const rank = q * (sorted.length - 1)
  const lower = Math.max(0, Math.floor(rank))
  const weight = rank - Math.floor(rank)
  const [low, high] = [sorted[lower] ?? Number.NaN, sorted[Math.min(sorted.length - 1, lower + 1)] ?? Number.NaN]
  return low * (1 - weight) + high * weight
}

/** A function of floats only: histograms are left out, and said so where both are. */
function ofFloats(apply: (values: Float64Array, window: Window, call: RangeCall) => number): RangeFunction {
  return (window, call) => {
    if (floatCount(window) === 0) return undefined
    if (histogramCount(window) > 0) histogramsIgnored(call)
    return apply(floatsOf(window), window, call)
  }
}

/** Where the best of the floats is; NaN gives way to any number. */
function extreme(values: Float64Array, better: (a: number, b: number) => boolean): number {
  let best = 0
  for (let index = 1; index < values.length; index += 1) if (better(at(values, index), at(values, best)) || Number.isNaN(at(values, best))) best = index
  return best
}

const greater = (a: number, b: number): boolean => a > b
const less = (a: number, b: number): boolean => a < b
const greaterOrEqual = (a: number, b: number): boolean => a >= b
const lessOrEqual = (a: number, b: number): boolean => a <= b

/** The sum, or the mean, of histograms; undefined when they do not fit together. */
export function histogramTotal(list: readonly HistogramValue[], isMean: boolean): { value: HistogramValue; sum: HistogramSum } | undefined {
  const [begin, ...rest] = list
  if (begin === undefined) return undefined
  const whole = new HistogramSum(begin)
  for (const each of rest) if (!whole.add(each)) return undefined
  if (!isMean) return { value: whole.value(), sum: whole }
  if (!whole.overflows) return { value: divided(whole.value(), list.length), sum: whole }
  // A sum that overflows: the mean is made of parts of each.
  const parts = new HistogramSum(divided(begin, list.length))
  for (const each of rest) parts.add(divided(each, list.length))
  return { value: parts.value(), sum: whole }
}

/** sum_over_time and avg_over_time, which histograms have too, but not together with floats. */
function total(ofValues: (values: Float64Array) => number, isMean: boolean): RangeFunction {
  return (window, call) => {
    const [floats, histograms] = [floatCount(window), histogramCount(window)]
    if (histograms === 0) return floats === 0 ? undefined : ofValues(floatsOf(window))
    if (floats > 0) return mixed(call)
    const result = histogramTotal(histogramsOf(window), isMean)
    if (result === undefined) return mixedSchemas(call)
    if (result.sum.collided) collided(call.remarks, 'aggregation')
    if (result.sum.reconciled) reconciled(call, 'aggregation')
    return result.value
  }
}

function pointCount(window: Window): number | undefined {
  const points = floatCount(window) + histogramCount(window)
  return points === 0 ? undefined : points
}

interface Point {
  readonly time: number
  readonly value: number | HistogramValue
}

function floatAt({ floats, lo, hi }: Window, index: number): Point | undefined {
  return index >= lo && index < hi ? { time: at(floats.ts, index), value: at(floats.v, index) } : undefined
}

function histogramAt({ histograms, hlo, hhi }: Window, index: number): Point | undefined {
  const value = index >= hlo && index < hhi ? histograms?.h[index] : undefined
  return value === undefined ? undefined : { time: histograms?.ts[index] ?? Number.NaN, value }
}

function first(window: Window): Point | undefined {
  const [a, b] = [floatAt(window, window.lo), histogramAt(window, window.hlo)]
  return a !== undefined && (b === undefined || a.time < b.time) ? a : b
}

function last(window: Window): Point | undefined {
  const [a, b] = [floatAt(window, window.hi - 1), histogramAt(window, window.hhi - 1)]
  return a !== undefined && (b === undefined || a.time > b.time) ? a : b
}

interface StartedPoint extends Point {
  readonly start: number
}

function* floatPoints({ floats, lo, hi }: Window): Generator<StartedPoint> {
  for (let index = lo; index < hi; index += 1) yield { time: at(floats.ts, index), value: at(floats.v, index), start: floats.start?.[index] ?? 0 }
}

function* histogramPoints({ histograms, hlo, hhi }: Window): Generator<StartedPoint> {
  if (histograms === undefined) return
  for (const [offset, value] of histograms.h.slice(hlo, hhi).entries()) yield { time: at(histograms.ts, hlo + offset), value, start: histograms.start?.[hlo + offset] ?? 0 }
}

/** All points in the order of their times; of an anchored range those from the last one at or before its start. */
function inOrder(window: Window, isAnchored: boolean): StartedPoint[] {
  const points = [...floatPoints(window), ...histogramPoints(window)]
  if (window.hhi > window.hlo) points.sort((a, b) => a.time - b.time)
  if (!isAnchored) return points
  if ((points.at(-1)?.time ?? -Infinity) <= window.start) return []
  const anchor = points.findLastIndex(({ time }) => time <= window.start)
  return anchor === -1 ? points : points.slice(anchor)
}

/** How often something happened from one point to the next. */
function occurrences(happened: (now: StartedPoint, before: StartedPoint) => boolean): RangeFunction {
  return (window, { extended }) => {
    const points = inOrder(window, extended === 'anchored')
    if (points.length === 0) return undefined
    let [times, before] = [0, points[0]]
    for (const now of points.slice(1)) {
      if (before !== undefined && happened(now, before)) times += 1
      before = now
    }
    return times
  }
}

function isChange({ value: now }: Point, { value: before }: Point): boolean {
  if (typeof now === 'number' && typeof before === 'number') return now !== before && !(Number.isNaN(now) && Number.isNaN(before))
  return typeof now === 'number' || typeof before === 'number' || !equal(now, before)
}

function isReset(now: StartedPoint, before: StartedPoint): boolean {
  if (startedAnew(before.start, before.time, now.start, now.time)) return true
  if (typeof now.value === 'number' && typeof before.value === 'number') return now.value < before.value
  return typeof now.value === 'number' || typeof before.value === 'number' || wasReset(now.value, before.value)
}

function deviation(values: Float64Array): number {
  const list = [...values]
  if (list.some(Number.isNaN)) return Number.NaN
  const middle = promQuantile(list, 0.5)
  return promQuantile(list.map((value) => Math.abs(value - middle)), 0.5)
}

export const OVER_TIME: Readonly<Record<string, RangeFunction>> = {
  avg_over_time: total(mean, true),
  sum_over_time: total(sum, false),
  count_over_time: pointCount,
  present_over_time: (window) => (pointCount(window) === undefined ? undefined : 1),
  min_over_time: ofFloats((values) => at(values, extreme(values, less))),
  max_over_time: ofFloats((values) => at(values, extreme(values, greater))),
  first_over_time: (window) => first(window)?.value,
  last_over_time: (window) => last(window)?.value,
  stddev_over_time: ofFloats((values) => Math.sqrt(variance(values))),
  stdvar_over_time: ofFloats(variance),
  quantile_over_time: ofFloats((values, _, { params: [q = Number.NaN] }) => promQuantile([...values], q)),
  mad_over_time: ofFloats(deviation),
  ts_of_first_over_time: (window) => seconds(first(window)),
  ts_of_last_over_time: (window) => seconds(last(window)),
  ts_of_max_over_time: ofFloats((values, { floats, lo }) => at(floats.ts, lo + extreme(values, greaterOrEqual)) / 1000),
  ts_of_min_over_time: ofFloats((values, { floats, lo }) => at(floats.ts, lo + extreme(values, lessOrEqual)) / 1000),
  changes: occurrences(isChange),
  resets: occurrences(isReset),
}

function seconds(point: Point | undefined): number | undefined {
  return point === undefined ? undefined : point.time / 1000
}

