// Functions over a window of points, as prometheus promql/functions.go defines them.
import { quantile } from '@andon/model'

/** Points lo..hi-1 of a series lie within (time - range, time]; hi > lo. Times in milliseconds. */
export interface Window {
  readonly ts: Float64Array
  readonly v: Float64Array
  readonly lo: number
  readonly hi: number
  /** The end of the window. */
  readonly time: number
  readonly range: number
}

/** A function's value, or undefined where it has none. `params` are its scalar arguments at this time. */
export type RangeFunction = (window: Window, params: readonly number[]) => number | undefined

function at(array: Float64Array, index: number): number {
  return array[index] ?? Number.NaN
}

/** Compensated sums. @see Neumaier 1974 */
class Sum {
  #sum = 0
  #compensation = 0

  add(value: number): void {
    const total = this.#sum + value
    if (Number.isFinite(total)) this.#compensation += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - total + value : value - total + this.#sum
    this.#sum = total
  }

  get value(): number {
    return Number.isFinite(this.#sum) ? this.#sum + this.#compensation : this.#sum
  }
}

/** The sum of values, compensated. */
export function sum(values: Iterable<number>): number {
  const total = new Sum()
  for (const value of values) total.add(value)
  return total.value
}

function slice({ v, lo, hi }: Window): Float64Array {
  return v.subarray(lo, hi)
}

/** rate, increase and delta: the difference over the window, extrapolated to its edges where points lie near them. */
function extrapolated(window: Window, isCounter: boolean, isRate: boolean): number | undefined {
  const { ts, v, lo, hi, time, range } = window
  if (hi - lo < 2) return undefined
  const [first, last] = [at(v, lo), at(v, hi - 1)]
  let result = last - first
  if (isCounter) for (let index = lo + 1; index < hi; index += 1) if (at(v, index) < at(v, index - 1)) result += at(v, index - 1)
  let toStart = (at(ts, lo) - (time - range)) / 1000
  let toEnd = (time - at(ts, hi - 1)) / 1000
  const sampled = (at(ts, hi - 1) - at(ts, lo)) / 1000
  const average = sampled / (hi - lo - 1)
  const threshold = average * 1.1
  if (toStart >= threshold) toStart = average / 2
  // A counter was not below 0: the extrapolation stops where it would be.
  if (isCounter && result > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / result))
  if (toEnd >= threshold) toEnd = average / 2
  const factor = (sampled + toStart + toEnd) / sampled
  return result * factor * (isRate ? 1000 / range : 1)
}

function instant({ ts, v, lo, hi }: Window, isRate: boolean): number | undefined {
  if (hi - lo < 2) return undefined
  const [last, previous] = [at(v, hi - 1), at(v, hi - 2)]
  const difference = isRate && last < previous ? last : last - previous
  const seconds = (at(ts, hi - 1) - at(ts, hi - 2)) / 1000
  if (seconds === 0) return undefined
  return isRate ? difference / seconds : difference
}

function mean(window: Window): number {
  const values = slice(window)
  const total = sum(values)
  // A sum that overflows: the mean is built up step by step.
  if (!Number.isFinite(total) && values.every(Number.isFinite)) return values.reduce((m, value, index) => m + (value / (index + 1) - m / (index + 1)), 0)
  return total / values.length
}

function variance(window: Window): number {
  const values = slice(window)
  let count = 0
  let average = 0
  const squares = new Sum()
  for (const value of values) {
    count += 1
    const delta = value - average
    average += delta / count
    squares.add(delta * (value - average))
  }
  return squares.value / count
}

/** The least squares line through the points, with time in seconds from `origin`. */
function regression({ ts, v, lo, hi }: Window, origin: number): { slope: number; intercept: number } {
  const n = hi - lo
  const first = at(v, lo)
  if (slice({ ts, v, lo, hi, time: 0, range: 0 }).every((value) => value === first)) return { slope: Number.isFinite(first) ? 0 : Number.NaN, intercept: Number.isFinite(first) ? first : Number.NaN }
  const [x, y, xy, xx] = [new Sum(), new Sum(), new Sum(), new Sum()]
  for (let index = lo; index < hi; index += 1) {
    const seconds = (at(ts, index) - origin) / 1000
    x.add(seconds)
    y.add(at(v, index))
    xy.add(seconds * at(v, index))
    xx.add(seconds * seconds)
  }
  const slope = (xy.value - (x.value * y.value) / n) / (xx.value - (x.value * x.value) / n)
  return { slope, intercept: y.value / n - (slope * x.value) / n }
}

function extreme(window: Window, better: (a: number, b: number) => boolean): number {
  let best = window.lo
  for (let index = window.lo + 1; index < window.hi; index += 1) {
    if (better(at(window.v, index), at(window.v, best)) || Number.isNaN(at(window.v, best))) best = index
  }
  return best
}

const greater = (a: number, b: number): boolean => a > b
const less = (a: number, b: number): boolean => a < b
const greaterOrEqual = (a: number, b: number): boolean => a >= b
const lessOrEqual = (a: number, b: number): boolean => a <= b

function occurrences(window: Window, happened: (now: number, before: number) => boolean): number {
  let times = 0
  for (let index = window.lo + 1; index < window.hi; index += 1) if (happened(at(window.v, index), at(window.v, index - 1))) times += 1
  return times
}

/** The q-quantile as PromQL has it: beyond 0..1 infinite. */
export function promQuantile(values: readonly number[], q: number): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  // NaN sorts first, as in Prometheus.
  return quantile(values.toSorted((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b)), q)
}

function smoothed({ v, lo, hi }: Window, factor: number, trendFactor: number): number | undefined {
  if (hi - lo < 2) return undefined
  let previous = 0
  let level = at(v, lo)
  let trend = at(v, lo + 1) - at(v, lo)
  for (let index = lo + 1; index < hi; index += 1) {
    if (index > lo + 1) trend = trendFactor * (level - previous) + (1 - trendFactor) * trend
    previous = level
    level = factor * at(v, index) + (1 - factor) * (level + trend)
  }
  return level
}

export const RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: (window) => extrapolated(window, true, true),
  increase: (window) => extrapolated(window, true, false),
  delta: (window) => extrapolated(window, false, false),
  irate: (window) => instant(window, true),
  idelta: (window) => instant(window, false),
  avg_over_time: mean,
  sum_over_time: (window) => sum(slice(window)),
  count_over_time: ({ lo, hi }) => hi - lo,
  min_over_time: (window) => at(window.v, extreme(window, less)),
  max_over_time: (window) => at(window.v, extreme(window, greater)),
  last_over_time: ({ v, hi }) => at(v, hi - 1),
  first_over_time: ({ v, lo }) => at(v, lo),
  present_over_time: () => 1,
  stddev_over_time: (window) => Math.sqrt(variance(window)),
  stdvar_over_time: variance,
  quantile_over_time: (window, [q = Number.NaN]) => promQuantile([...slice(window)], q),
  mad_over_time: (window) => {
    const middle = promQuantile([...slice(window)], 0.5)
    return promQuantile([...slice(window)].map((value) => Math.abs(value - middle)), 0.5)
  },
  changes: (window) => occurrences(window, (now, before) => now !== before && !(Number.isNaN(now) && Number.isNaN(before))),
  resets: (window) => occurrences(window, less),
  deriv: (window) => (window.hi - window.lo < 2 ? undefined : regression(window, at(window.ts, window.lo)).slope),
  predict_linear: (window, [seconds = Number.NaN]) => {
    if (window.hi - window.lo < 2) return undefined
    const { slope, intercept } = regression(window, window.time)
    return slope * seconds + intercept
  },
  double_exponential_smoothing: (window, [factor = Number.NaN, trend = Number.NaN]) => smoothed(window, factor, trend),
  ts_of_first_over_time: ({ ts, lo }) => at(ts, lo) / 1000,
  ts_of_last_over_time: ({ ts, hi }) => at(ts, hi - 1) / 1000,
  ts_of_max_over_time: (window) => at(window.ts, extreme(window, greaterOrEqual)) / 1000,
  ts_of_min_over_time: (window) => at(window.ts, extreme(window, lessOrEqual)) / 1000,
}

/** Functions over ranges whose result keeps the metric's name. */
export const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time'])
