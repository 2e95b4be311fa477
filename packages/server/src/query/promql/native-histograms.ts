// Native histograms: rates over windows, sums over elements, quantiles.
import { bucketUpperBound, type Labels, labelsKey } from '@andon/model'
import { combine, compatible, increaseSince } from '../../store/histogram-value.ts'
import { type Buckets, CUSTOM_BOUNDS, type HistogramValue } from '../../store/metric-rows.ts'
import { element, type GridElement, histogramElement, type RangeSeries, set, withoutName } from './vector.ts'

function scaled(buckets: Buckets, factor: number): Buckets {
  return new Map([...buckets].map(([index, count]) => [index, count * factor]))
}

/** A histogram whose counts and sum are multiplied. */
function times(value: HistogramValue, factor: number): HistogramValue {
  return {
    ...value,
    zeroCount: value.zeroCount * factor,
    count: value.count * factor,
    sum: value.sum * factor,
    positive: scaled(value.positive, factor),
    negative: scaled(value.negative, factor),
  }
}

/** The window lo..hi-1 of a series of histograms within (time - range, time]. */
export interface HistogramWindow {
  readonly ts: Float64Array
  readonly histograms: readonly (HistogramValue | undefined)[]
  readonly lo: number
  readonly hi: number
  readonly time: number
  readonly range: number
}

/** What came within a window, resets taken out, extrapolated to its edges as rates of floats are. */
function extrapolated({ ts, histograms, lo, hi, time, range }: HistogramWindow, isRate: boolean): HistogramValue | undefined {
  const first = histograms[lo]
  if (hi - lo < 2 || first === undefined) return undefined
  let result: HistogramValue | undefined
  for (let index = lo + 1; index < hi; index += 1) {
    const [before, now] = [histograms[index - 1], histograms[index]]
    if (before === undefined || now === undefined) return undefined
    const increase = increaseSince(now, before)
    if (result !== undefined && !compatible(result, increase)) return undefined
    result = result === undefined ? increase : combine(result, increase, 1)
  }
  if (result === undefined) return undefined
  const at = (index: number): number => ts[index] ?? Number.NaN
  const sampled = (at(hi - 1) - at(lo)) / 1000
  const average = sampled / (hi - lo - 1)
  let toStart = (at(lo) - (time - range)) / 1000
  let toEnd = (time - at(hi - 1)) / 1000
  if (toStart >= average * 1.1) toStart = average / 2
  if (result.count > 0) toStart = Math.min(toStart, sampled * (first.count / result.count))
  if (toEnd >= average * 1.1) toEnd = average / 2
  return times(result, ((sampled + toStart + toEnd) / sampled) * (isRate ? 1000 / range : 1))
}

/** Functions over ranges that histograms have, by name; others leave histograms out. */
export const HISTOGRAM_RANGE_FUNCTIONS: Readonly<Record<string, (window: HistogramWindow) => HistogramValue | undefined>> = {
  rate: (window) => extrapolated(window, true),
  increase: (window) => extrapolated(window, false),
  last_over_time: ({ histograms, hi }) => histograms[hi - 1],
}

/** Applies one of these functions to a series at each step. */
export function overWindows(series: RangeSeries, labels: Labels, steps: number, windowAt: (step: number) => Omit<HistogramWindow, 'ts' | 'histograms'>, name: string): GridElement {
  const apply = HISTOGRAM_RANGE_FUNCTIONS[name]
  const result = histogramElement(labels, steps)
  for (let step = 0; step < steps; step += 1) {
    const window = windowAt(step)
    const value = window.hi > window.lo ? apply?.({ ts: series.ts, histograms: series.histograms ?? [], ...window }) : undefined
    if (value === undefined) continue
    result.histograms[step] = value
    result.present[step] = 1
  }
  return result
}

/** The sum, or the mean, of the elements of a group; undefined at steps whose histograms cannot be added. */
export function summed(labels: Labels, members: readonly GridElement[], steps: number, isMean: boolean): GridElement {
  const result = histogramElement(labels, steps)
  for (let step = 0; step < steps; step += 1) {
    const here = members.flatMap(({ histograms }) => histograms?.[step] ?? [])
    const [first, ...rest] = here
    if (first === undefined || rest.some((each) => !compatible(first, each))) continue
    const total = rest.reduce((sum, each) => combine(sum, each, 1), first)
    result.histograms[step] = isMean ? times(total, 1 / here.length) : total
    result.present[step] = 1
  }
  return result
}

interface Span {
  readonly low: number
  readonly high: number
  readonly count: number
}

function ordered(buckets: Buckets): [index: number, count: number][] {
  return [...buckets].filter(([, count]) => count > 0).toSorted(([a], [b]) => a - b)
}

/** The buckets from the lowest to the highest, those without counts left out. */
export function spans(value: HistogramValue): Span[] {
  const { schema, bounds } = value
  const limits = (index: number): [number, number] =>
    schema === CUSTOM_BOUNDS ? [bounds[index - 1] ?? -Infinity, bounds[index] ?? Infinity] : [bucketUpperBound(index - 1, schema), bucketUpperBound(index, schema)]
  const positive = ordered(value.positive).map(([index, count]) => ({ low: limits(index)[0], high: limits(index)[1], count }))
  const negative = ordered(value.negative).map(([index, count]) => ({ low: -limits(index)[1], high: -limits(index)[0], count })).toReversed()
  const zero = value.zeroCount > 0 ? [{ low: negative.length > 0 ? -value.zeroThreshold : 0, high: value.zeroThreshold, count: value.zeroCount }] : []
  return [...negative, ...zero, ...positive]
}

/** Within a bucket: geometric where it lies on one side of zero and is finite, else linear. */
function within({ low, high, count }: Span, rank: number, isExponential: boolean): number {
  if (high === Infinity) return low
  if (low === -Infinity) return high
  const share = rank / count
  if (isExponential && low > 0) return low * (high / low) ** share
  if (isExponential && high < 0) return -(-low * (high / low) ** share)
  return low + (high - low) * share
}

/**
 * The q-quantile of a native histogram.
 *
 * @returns in the unit of the values; off by at most one bucket. -Infinity and +Infinity for q below 0 and above 1, NaN when empty
 */
export function nativeQuantile(value: HistogramValue, q: number): number {
  if (Number.isNaN(q) || value.count === 0) return Number.NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  const rank = q * value.count
  let seen = 0
  let last = Number.NaN
  for (const span of spans(value)) {
    // The lowest bucket of explicit bounds begins at 0 when its limit is positive.
    const bucket = span.low === -Infinity && span.high > 0 ? { ...span, low: 0 } : span
    if (seen + bucket.count >= rank) return within(bucket, rank - seen, value.schema !== CUSTOM_BOUNDS)
    seen += bucket.count
    last = bucket.high
  }
  return last
}

/** A number of each histogram, as elements of floats; their names are dropped. */
export function numbersOf(elements: readonly GridElement[], steps: number, number: (value: HistogramValue, step: number) => number): GridElement[] {
  const results = new Map<string, GridElement>()
  for (const { labels, histograms } of elements) {
    if (histograms === undefined) continue
    const unnamed = withoutName(labels)
    const key = labelsKey(unnamed)
    const result = results.get(key) ?? element(unnamed, steps)
    results.set(key, result)
    histograms.forEach((value, step) => {
      if (value !== undefined) set(result, step, number(value, step))
    })
  }
  return [...results.values()]
}
