// What a range vector shows of a series when it is asked for by itself.
import type { HistogramValue } from '../../store/metric-rows.ts'
import { valueBetween } from './extended-rate.ts'
import type { RangeSeries } from './range-series.ts'

interface Point<T> {
  readonly time: number
  readonly value: T
}

type Guard<T extends number | HistogramValue> = (value: number | HistogramValue) => value is T

/** The value at a time between two points; where there is one only, that one's. */
function edge<T extends number | HistogramValue>(a: Point<T> | undefined, b: Point<T> | undefined, time: number, isValue: Guard<T>): Point<T>[] {
  const only = a ?? b
  if (a === undefined || b === undefined) return only === undefined ? [] : [{ ...only, time }]
  const value = valueBetween(a.value, b.value, (time - a.time) / (b.time - a.time))
  return value !== undefined && isValue(value) ? [{ time, value }] : []
}

/** The points of an anchored or smoothed window: one at each edge, and those between. */
function framed<T extends number | HistogramValue>(points: readonly Point<T>[], { start, end }: { start: number; end: number }, isSmoothed: boolean, isValue: Guard<T>): Point<T>[] {
  const inside = points.filter(({ time }) => time > start && time <= end)
  const before = points.findLast(({ time }) => time <= start)
  const after = isSmoothed ? points.find(({ time }) => time > end) : undefined
  const [first, last] = [inside[0] ?? after, inside.at(-1) ?? (isSmoothed ? before : undefined)]
  if (first === undefined || last === undefined) return []
  const left = isSmoothed && before !== undefined && before.time < start ? edge(before, first, start, isValue) : edge(before ?? first, undefined, start, isValue)
  const right = last.time === end ? [last] : edge(last, after, end, isValue)
  return [...left, ...inside.filter(({ time }) => time < end), ...right]
}

/** A series as its window shows it. A window that is not anchored or smoothed shows its points as they are. */
export function extendedWindow(series: RangeSeries, window: { start: number; end: number }, extended: 'anchored' | 'smoothed' | undefined): RangeSeries {
  const { floats, histograms } = series
  const isSmoothed = extended === 'smoothed'
  const floatPoints = [...floats.ts].map((time, index) => ({ time, value: floats.v[index] ?? Number.NaN }))
  const histogramPoints = (histograms?.h ?? []).map((value, index) => ({ time: histograms?.ts[index] ?? Number.NaN, value }))
  const within = ({ time }: Point<unknown>): boolean => time > window.start && time <= window.end
  const [shown, native] =
    extended === undefined
      ? [floatPoints.filter(within), histogramPoints.filter(within)]
      : [framed(floatPoints, window, isSmoothed, (value) => typeof value === 'number'), framed(histogramPoints, window, isSmoothed, (value): value is HistogramValue => typeof value !== 'number')]
  return {
    ...series,
    floats: { ts: Float64Array.from(shown, ({ time }) => time), v: Float64Array.from(shown, ({ value }) => value), start: undefined },
    histograms: native.length === 0 ? undefined : { ts: Float64Array.from(native, ({ time }) => time), h: native.map(({ value }) => value), start: undefined },
  }
}
