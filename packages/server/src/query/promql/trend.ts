// Functions of how the floats of a window go on: deriv, predict_linear, double_exponential_smoothing.
import { AndonError } from '@andon/model'
import { histogramsIgnored, type RangeFunction } from './range-call.ts'
import { at, floatCount, histogramCount, type Window } from './range-series.ts'
import { Sum } from './sum.ts'

/** The least squares line through the floats, with time in seconds from `origin`. */
function regression({ floats, lo, hi }: Window, origin: number): { slope: number; intercept: number } {
  const { ts, v } = floats
  const n = hi - lo
  const begin = at(v, lo)
  if (v.subarray(lo, hi).every((value) => value === begin)) return Number.isFinite(begin) ? { slope: 0, intercept: begin } : { slope: Number.NaN, intercept: Number.NaN }
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

/** A function that needs two floats. */
function ofTwoOrMore(apply: (window: Window, params: readonly number[]) => number): RangeFunction {
  return (window, call) => {
    const floats = floatCount(window)
    if (floats > 0 && histogramCount(window) > 0) histogramsIgnored(call)
    return floats < 2 ? undefined : apply(window, call.params)
  }
}

function checkedFactor(value: number, name: string): number {
  if (!(value > 0 && value < 1)) throw new AndonError('query_failed', `invalid ${name} factor. Expected: 0 < ${name === 'smoothing' ? 'sf' : 'tf'} < 1, got: ${value}`)
  return value
}

/** @see Holt's linear trend, https://en.wikipedia.org/wiki/Exponential_smoothing */
function smoothed({ floats: { v }, lo, hi }: Window, [factor = Number.NaN, trendFactor = Number.NaN]: readonly number[]): number {
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

export const TREND: Readonly<Record<string, RangeFunction>> = {
  // Near the values, so that nothing is lost to rounding.
  deriv: ofTwoOrMore((window) => regression(window, at(window.floats.ts, window.lo)).slope),
  predict_linear: ofTwoOrMore((window, [seconds = Number.NaN]) => {
    const { slope, intercept } = regression(window, window.time)
    return slope * seconds + intercept
  }),
  double_exponential_smoothing: (window, call) => {
    checkedFactor(call.params[0] ?? Number.NaN, 'smoothing')
    checkedFactor(call.params[1] ?? Number.NaN, 'trend')
    return ofTwoOrMore(smoothed)(window, call)
  },
}
