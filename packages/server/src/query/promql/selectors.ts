// What selectors give: the last point at each step, or the points of a range.
import type { LabelMatcher, Milliseconds } from '@andon/model'
import type { MatrixSelector, VectorSelector } from '@andon/promql'
import { checkSize, countSamples, mapWithBreath, type QueryContext, remarksOn, type SourceSeries } from './context.ts'
import { valueBetween } from './extended-rate.ts'
import { withDetectedHints } from './histogram/detect.ts'
import { mixed, mixedSchemas } from './range-call.ts'
import { type RangeSeries, rangeSeries, type Reach } from './range-series.ts'
import { checkExtent, rolledUpValues } from './rollups.ts'
import { type Times, timesOf } from './times.ts'
import { element, type GridElement, hasAny, set, type StepGrid, type VectorValue } from './vector.ts'

/** The series of a selector with their points in (first - before, last + after], stale ones still among them. */
export async function seriesOf(context: QueryContext, matchers: readonly LabelMatcher[], times: Pick<Times, 'first' | 'last'>, { before, after }: Reach): Promise<readonly SourceSeries[]> {
  const { maxSamples, signal, samples } = context
  await checkExtent(context, matchers, { start: times.first - before + 1, end: times.last + after })
  const options = { maxSamples: Math.max(1, maxSamples - samples), ...(signal !== undefined && { signal }) }
  // Left-open: a point exactly `before` earlier does not belong.
  const found = await context.source.select(matchers, { start: times.first - before + 1, end: times.last + after }, options)
  for (const { ts } of found) countSamples(context, ts.length)
  return context.detectsResets ? found.map(withDetectedHints) : found
}

/** An element with the time of the point that each of its values comes from, and since when that point counts. */
export interface PointElement extends GridElement {
  readonly when: Float64Array
  readonly since: Float64Array
}

/** Writes the last point at or before each time, not older than the lookback; tells where the points come from. */
function writeLastPoints(series: SourceSeries, result: GridElement, times: Times, lookback: Milliseconds, tell?: (step: number, index: number) => void): void {
  const { ts, v, stale, histograms } = series
  const count = result.values.length
  let next = 0
  for (let step = 0; step < count; step += 1) {
    const time = times.at(step)
    while (next < ts.length && (ts[next] ?? Infinity) <= time) next += 1
    const last = next - 1
    if (last < 0 || (ts[last] ?? -Infinity) <= time - lookback || stale[last] === 1) continue
    set(result, step, histograms?.[last] ?? v[last] ?? Number.NaN)
    tell?.(step, last)
  }
}

/** The last point of each series at each time, with where it comes from. */
export async function pointsAt(context: QueryContext, matchers: readonly LabelMatcher[], times: Times, count: number): Promise<PointElement[]> {
  const series = await seriesOf(context, matchers, times, { before: context.lookback, after: 0 })
  checkSize(context, series.length, count)
  const points = await mapWithBreath(context, series, count, (each) => {
    const result: PointElement = { ...element(each.labels, count), when: new Float64Array(count), since: new Float64Array(count) }
    writeLastPoints(each, result, times, context.lookback, (step, index) => {
      result.when[step] = each.ts[index] ?? Number.NaN
      result.since[step] = each.start?.[index] ?? 0
    })
    return result
  })
  return points.filter(hasAny)
}

/** The value at each time, between the points around it; after the last one that one. */
function smoothedPoints(context: QueryContext, series: SourceSeries, times: Times, count: number, selector: VectorSelector): GridElement {
  const result = element(series.labels, count)
  const { lookback } = context
  const { ts, v, stale, histograms } = series
  const call = { series: rangeSeries(series), params: [], remarks: remarksOn(context, selector), extended: 'smoothed' } as const
  const valueAt = (index: number): Parameters<typeof set>[2] => histograms?.[index] ?? v[index] ?? Number.NaN
  let next = 0
  for (let step = 0; step < count; step += 1) {
    const time = times.at(step)
    while (next < ts.length && (ts[next] ?? Infinity) <= time) next += 1
    const [before, from] = [next - 1, ts[next - 1] ?? -Infinity]
    if (before < 0 || from <= time - lookback || stale[before] === 1) continue
    const to = ts[next] ?? Infinity
    if (from === time || to > time + lookback || stale[next] === 1) {
      set(result, step, valueAt(before))
      continue
    }
    const [a, b] = [valueAt(before), valueAt(next)]
    const value = valueBetween(a, b, (time - from) / (to - from))
    if (value !== undefined) set(result, step, value)
    else if (typeof a === typeof b) mixedSchemas(call)
    else mixed(call)
  }
  return result
}

export async function evaluateSelector(context: QueryContext, selector: VectorSelector, grid: StepGrid): Promise<VectorValue> {
  const rolled = await rolledUpValues(context, selector, grid)
  if (rolled !== undefined) return { type: 'vector', elements: rolled }
  const times = timesOf(selector, grid, context)
  const isSmoothed = selector.extended === 'smoothed'
  const series = await seriesOf(context, selector.matchers, times, { before: context.lookback, after: isSmoothed ? context.lookback : 0 })
  checkSize(context, series.length, grid.count)
  const elements = await mapWithBreath(context, series, grid.count, (each) => {
    if (isSmoothed) return smoothedPoints(context, each, times, grid.count, selector)
    const result = element(each.labels, grid.count)
    writeLastPoints(each, result, times, context.lookback)
    return result
  })
  return { type: 'vector', elements: elements.filter(hasAny) }
}

/** The series of a range vector, and the end of each step's window. */
export interface RangeVector {
  readonly series: RangeSeries[]
  readonly range: Milliseconds
  readonly times: Times
  readonly extended: 'anchored' | 'smoothed' | undefined
}

/** How far beyond its range a selector reads. */
export function reachOf(extended: 'anchored' | 'smoothed' | undefined, lookback: Milliseconds): Reach {
  return { before: extended === undefined ? 0 : lookback, after: extended === 'smoothed' ? lookback : 0 }
}

export async function evaluateRange(context: QueryContext, { selector, range }: MatrixSelector, grid: StepGrid): Promise<RangeVector> {
  const times = timesOf(selector, grid, context)
  const { before, after } = reachOf(selector.extended, context.lookback)
  const series = await seriesOf(context, selector.matchers, times, { before: range + before, after })
  return { series: series.map(rangeSeries), range, times, extended: selector.extended }
}
