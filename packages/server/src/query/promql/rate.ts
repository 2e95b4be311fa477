// rate, increase and delta: the difference over a window, extrapolated to its edges. @see prometheus promql/functions.go extrapolatedRate
import type { HistogramValue } from '../../store/metric-rows.ts'
import { HistogramSum, emptied, multiplied, withHint } from './histogram/arithmetic.ts'
import { isCustom } from './histogram/buckets.ts'
import { wasReset } from './histogram/compare.ts'
import { mixed, mixedSchemas, notCounter, notGauge, type RangeCall, type RangeFunction, reconciled, remarkOverlap } from './range-call.ts'
import { at, floatCount, histogramCount, histogramsOf, type Window } from './range-series.ts'

/** Which of the functions it is. */
export interface RateKind {
  readonly isCounter: boolean
  /** Per second rather than over the whole window. */
  readonly isRate: boolean
}

/**
 * Whether a counter began anew between two points, by its start times. A start at the previous point means a delta, unless
 * the previous start says that it was not known either.
 */
export function startedAnew(previousStart: number, previous: number, start: number, time: number): boolean {
  if (start === 0 || start >= time || start < previous) return false
  return start > previous || (previousStart !== 0 && previousStart < previous)
}

/** Start times of the points of a window. */
class Starts {
  readonly #ts: Float64Array
  readonly #start: Float64Array | undefined
  readonly #lo: number

  constructor(points: { readonly ts: Float64Array; readonly start: Float64Array | undefined }, lo: number) {
    this.#ts = points.ts
    this.#start = points.start
    this.#lo = lo
  }

  /** Whether the counter began anew at the i-th point of the window, i being at least 1. */
  anew(i: number): boolean {
    if (this.#start === undefined) return false
    const index = this.#lo + i
    return startedAnew(at(this.#start, index - 1), at(this.#ts, index - 1), at(this.#start, index), at(this.#ts, index))
  }

  overlaps(i: number): boolean {
    if (this.#start === undefined) return false
    const index = this.#lo + i
    const start = at(this.#start, index)
    return start !== 0 && start < at(this.#ts, index - 1) && start !== at(this.#start, index - 1)
  }

  /** When the counter was 0, if that lies within the window; else undefined. */
  zeroWithin(windowStart: number): number | undefined {
    const start = this.#start === undefined ? 0 : at(this.#start, this.#lo)
    return start !== 0 && start > windowStart && start < at(this.#ts, this.#lo) ? start : undefined
  }
}

function remarkOverlaps(starts: Starts, count: number, call: RangeCall): void {
  for (let i = 1; i < count; i += 1) {
    if (!starts.overlaps(i)) continue
    remarkOverlap(call)
    return
  }
}

interface Extent {
  readonly first: number
  readonly last: number
  readonly count: number
  /** When the counter was 0 within the window. */
  readonly zero: number | undefined
  /** How far before `first` a counter that rises as it did was 0, in seconds. */
  readonly toZero: number
}

/**
 * How much longer a window is than the time between its points, as far as it is taken to go on as between them.
 *
 * @param sampled - from the first to the last point, seconds, as all that follow
 * @param toStart - from the window's start to the first point
 * @param toEnd - from the last point to the window's end
 * @param average - between two points
 * @param toZero - how long before the first point a counter that rises as it did was 0
 */
export function extrapolation(sampled: number, toStart: number, toEnd: number, average: number, toZero: number): number {
  const threshold = average * 1.1
  const before = Math.min(toStart >= threshold ? average / 2 : toStart, toZero)
  return (sampled + before + (toEnd >= threshold ? average / 2 : toEnd)) / sampled
}

/** What the difference is multiplied with. */
export function factor({ first, last, count, zero, toZero }: Extent, window: Pick<Window, 'start' | 'end' | 'range'>, { isRate }: RateKind): number {
  const average = count < 2 ? 0 : (last - first) / 1000 / (count - 1)
  const sampled = (last - (zero ?? first)) / 1000
  const toStart = zero === undefined ? (first - window.start) / 1000 : 0
  return extrapolation(sampled, toStart, (window.end - last) / 1000, average, toZero) * (isRate ? 1000 / window.range : 1)
}

function ofFloats(window: Window, call: RangeCall, kind: RateKind): number | undefined {
  const { floats, lo, hi } = window
  const { ts, v } = floats
  const starts = new Starts(floats, lo)
  const zero = kind.isCounter ? starts.zeroWithin(window.start) : undefined
  if (hi - lo < (zero === undefined ? 2 : 1)) return undefined
  const [begin, end] = [at(v, lo), at(v, hi - 1)]
  let difference = zero === undefined ? end - begin : end
  if (kind.isCounter) {
    for (let index = lo + 1; index < hi; index += 1) if (at(v, index) < at(v, index - 1) || starts.anew(index - lo)) difference += at(v, index - 1)
    if (floats.start !== undefined) remarkOverlaps(starts, hi - lo, call)
  }
  const [first, last] = [at(ts, lo), at(ts, hi - 1)]
  const toZero = kind.isCounter && difference > 0 && begin >= 0 ? ((last - first) / 1000) * (begin / difference) : Infinity
  return difference * factor({ first, last, count: hi - lo, zero, toZero }, window, kind)
}

/** What the first point of a counter holds that counts: nothing when the counter began anew after it, or within the window. */
function baseline([first, second]: readonly HistogramValue[], starts: Starts, fromZero: boolean): HistogramValue | undefined {
  if (first === undefined || fromZero) return first === undefined ? undefined : emptied(first)
  return second !== undefined && (starts.anew(1) || wasReset(second, first)) ? emptied(second) : first
}

/** Adds to a sum of histograms; says so when bounds are given up for it. */
function addTo(sum: HistogramSum, value: HistogramValue, sign: 1 | -1, call: RangeCall): boolean {
  const before = sum.reconciled
  const isAdded = sum.add(sign === 1 ? value : multiplied(value, -1))
  if (sum.reconciled && !before) reconciled(call, sign === 1 ? 'addition' : 'subtraction')
  return isAdded
}

/** The difference of histograms, resets added; undefined when they cannot be subtracted. */
function counterDifference(list: readonly HistogramValue[], starts: Starts, fromZero: boolean, call: RangeCall): HistogramValue | undefined {
  const last = list.at(-1)
  let before = baseline(list, starts, fromZero)
  if (before === undefined || last === undefined) return undefined
  const custom = isCustom(before)
  if (list.slice(1).some((each) => isCustom(each) !== custom)) return mixedSchemas(call)
  // The coarsest of all points sets the resolution.
  const schema = Math.min(before.schema, ...list.slice(1).map((each) => each.schema))
  const sum = new HistogramSum({ ...emptied(last), schema, zeroThreshold: 0 })
  if (!addTo(sum, last, 1, call) || !addTo(sum, before, -1, call)) return mixedSchemas(call)
  for (const [i, now] of list.entries()) {
    if (i > 0 && (starts.anew(i) || wasReset(now, before)) && !addTo(sum, before, 1, call)) return mixedSchemas(call)
    if (i > 0 || fromZero) before = now
  }
  return sum.value()
}

function gaugeDifference(list: readonly HistogramValue[], call: RangeCall): HistogramValue | undefined {
  const [first, last] = [list[0], list.at(-1)]
  if (first === undefined || last === undefined) return undefined
  if (first.hint !== 'gauge' || last.hint !== 'gauge') notGauge(call)
  const sum = new HistogramSum(last)
  if (!sum.add(multiplied(first, -1))) return mixedSchemas(call)
  if (sum.reconciled) reconciled(call, 'subtraction')
  return sum.value()
}

function ofHistograms(window: Window, call: RangeCall, kind: RateKind): HistogramValue | undefined {
  const list = histogramsOf(window)
  const points = window.histograms
  const first = list[0]
  if (points === undefined || first === undefined) return undefined
  const starts = new Starts(points, window.hlo)
  const zero = kind.isCounter ? starts.zeroWithin(window.start) : undefined
  if (list.length < 2 && zero === undefined) return undefined
  if (kind.isCounter && list.some(({ hint }) => hint === 'gauge')) notCounter(call)
  if (kind.isCounter && points.start !== undefined) remarkOverlaps(starts, list.length, call)
  const result = kind.isCounter ? counterDifference(list, starts, zero !== undefined, call) : gaugeDifference(list, call)
  if (result === undefined) return undefined
  const [begin, end] = [at(points.ts, window.hlo), at(points.ts, window.hhi - 1)]
  const toZero = kind.isCounter && result.count > 0 && first.count >= 0 ? ((end - begin) / 1000) * (first.count / result.count) : Infinity
  return withHint(multiplied(result, factor({ first: begin, last: end, count: list.length, zero, toZero }, window, kind)), 'gauge')
}

/** rate, increase or delta over a plain range. */
export function extrapolated(kind: RateKind): RangeFunction {
  return (window, call) => {
    const [floats, histograms] = [floatCount(window), histogramCount(window)]
    if (floats > 0 && histograms > 0) return mixed(call)
    return histograms > 0 ? ofHistograms(window, call, kind) : ofFloats(window, call, kind)
  }
}

interface LastPoint {
  readonly time: number
  readonly start: number
  readonly value: number | HistogramValue
}

/** The last two points of a window, of either kind. */
function lastTwo({ floats, lo, hi, histograms, hlo, hhi }: Window): [LastPoint, LastPoint] | undefined {
  const points: LastPoint[] = []
  for (let index = Math.max(lo, hi - 2); index < hi; index += 1) points.push({ time: at(floats.ts, index), start: floats.start?.[index] ?? 0, value: at(floats.v, index) })
  for (let index = Math.max(hlo, hhi - 2); index < hhi; index += 1) {
    const value = histograms?.h[index]
    if (histograms !== undefined && value !== undefined) points.push({ time: at(histograms.ts, index), start: histograms.start?.[index] ?? 0, value })
  }
  const [before, now] = points.toSorted((a, b) => a.time - b.time).slice(-2)
  return before === undefined || now === undefined ? undefined : [before, now]
}

function instantHistogram(before: LastPoint, now: LastPoint, call: RangeCall, isRate: boolean): HistogramValue | undefined {
  if (typeof before.value === 'number' || typeof now.value === 'number') return mixed(call)
  const hints = [before.value.hint, now.value.hint]
  if (isRate && hints.includes('gauge')) notCounter(call)
  if (!isRate && hints.some((hint) => hint !== 'gauge')) notGauge(call)
  if (isRate && (startedAnew(before.start, before.time, now.start, now.time) || wasReset(now.value, before.value))) return now.value
  const sum = new HistogramSum(now.value)
  if (!sum.add(multiplied(before.value, -1))) return mixedSchemas(call)
  if (sum.reconciled) reconciled(call, 'subtraction')
  return sum.value()
}

/** irate and idelta: of the last two points. */
export function ofLastTwo(isRate: boolean): RangeFunction {
  return (window, call) => {
    const points = lastTwo(window)
    if (points === undefined) return undefined
    const [before, now] = points
    const seconds = (now.time - before.time) / 1000
    if (seconds === 0) return undefined
    if (typeof before.value === 'number' && typeof now.value === 'number') {
      const isReset = isRate && (now.value < before.value || startedAnew(before.start, before.time, now.start, now.time))
      const change = isReset ? now.value : now.value - before.value
      return isRate ? change / seconds : change
    }
    const change = instantHistogram(before, now, call, isRate)
    return change === undefined ? undefined : withHint(multiplied(change, isRate ? 1 / seconds : 1), 'gauge')
  }
}

