// A store of series in memory: for tests of rules, and for Prometheus' own test files.
import { type LabelMatcher, type Labels, labelsKey } from '@andon/model'
import type { CounterHint, HistogramValue } from '../../store/metric-rows.ts'
import { CUSTOM_BOUNDS } from '../../store/metric-rows.ts'
import type { SeriesSource, SourceSeries } from '../promql/context.ts'
import { wasReset } from '../promql/histogram/compare.ts'
import { labelMatch } from '../promql/label-match.ts'
import { labelsOf, type Load, type Noted, startsOf, valuesOf } from './notation.ts'

export interface Point {
  readonly time: number
  readonly value: number | HistogramValue | 'stale'
  readonly start: number
}

export interface LoadedSeries {
  readonly labels: Labels
  readonly points: Map<number, Point>
}

function hinted(value: HistogramValue, hint: CounterHint | undefined): HistogramValue {
  const { hint: _, ...rest } = value
  return hint === undefined ? rest : { ...rest, hint }
}

/** As Prometheus' store gives histograms back: it knows of a point whether its counter went on since the one before. */
export function withStoreHints(points: readonly Point[]): Point[] {
  let before: HistogramValue | undefined
  return points.map((point) => {
    const { value } = point
    if (typeof value === 'number' || value === 'stale') {
      before = undefined
      return point
    }
    const previous = before
    before = value
    if (value.hint !== undefined) return point
    const goesOn = previous !== undefined && previous.hint !== 'gauge' && !wasReset(value, previous)
    return { ...point, value: hinted(value, goesOn ? 'same' : undefined) }
  })
}

function sourceSeries({ labels, points }: LoadedSeries): SourceSeries {
  const ordered = withStoreHints([...points.values()].toSorted((a, b) => a.time - b.time))
  const native = ordered.map(({ value }) => (typeof value === 'object' ? value : undefined))
  return {
    labels,
    ts: Float64Array.from(ordered, ({ time }) => time),
    v: Float64Array.from(ordered, ({ value }) => (typeof value === 'number' ? value : Number.NaN)),
    stale: Uint8Array.from(ordered, ({ value }) => (value === 'stale' ? 1 : 0)),
    start: Float64Array.from(ordered, ({ start }) => start),
    ...(native.some((value) => value !== undefined) && { histograms: native }),
  }
}

/** The points of a series from one time to another, both included. */
export function slice({ labels, ts, v, stale, start, histograms }: SourceSeries, from: number, to: number): SourceSeries {
  const lo = ts.findIndex((time) => time >= from)
  const hi = ts.findLastIndex((time) => time <= to) + 1
  const [begin, end] = lo === -1 ? [0, 0] : [lo, hi]
  const native = histograms?.slice(begin, end)
  return {
    labels,
    ts: ts.slice(begin, end),
    v: v.slice(begin, end),
    stale: stale.slice(begin, end),
    ...(start !== undefined && { start: start.slice(begin, end) }),
    ...(native?.some((value) => value !== undefined) === true && { histograms: native }),
  }
}

function at(each: LoadedSeries | undefined, time: number): number {
  const value = each?.points.get(time)?.value
  return typeof value === 'number' ? value : 0
}

/** Classic histograms as native ones with custom buckets, under the name without `_bucket`. */
function customHistograms(series: Iterable<LoadedSeries>): LoadedSeries[] {
  const found = new Map<string, { labels: Labels; buckets: [number, LoadedSeries][]; count?: LoadedSeries; sum?: LoadedSeries }>()
  for (const each of series) {
    const { __name__: name = '', le = '', ...labels } = each.labels
    const [, base = '', suffix] = /^(.*)_(bucket|count|sum)$/.exec(name) ?? []
    if (suffix === undefined) continue
    const key = labelsKey({ ...labels, __name__: base })
    const group = found.get(key) ?? { labels: { ...labels, __name__: base }, buckets: [] }
    found.set(key, group)
    if (suffix === 'bucket') group.buckets.push([le === '+Inf' ? Infinity : Number(le), each])
    else group[suffix === 'count' ? 'count' : 'sum'] = each
  }
  return [...found.values()].filter(({ buckets }) => buckets.length > 0).map(({ labels, buckets, count, sum }) => {
    const ordered = buckets.toSorted(([a], [b]) => a - b)
    const times = new Set(ordered.flatMap(([, each]) => [...each.points.keys()]))
    const points = new Map([...times].map((time) => {
      let below = 0
      const positive = new Map<number, number>()
      for (const [index, [, each]] of ordered.entries()) {
        const total = at(each, time)
        if (total !== below) positive.set(index, total - below)
        below = total
      }
      const value = { schema: CUSTOM_BOUNDS, zeroThreshold: 0, zeroCount: 0, count: count === undefined ? below : at(count, time), sum: at(sum, time), positive, negative: new Map(), bounds: ordered.map(([limit]) => limit).filter(Number.isFinite) }
      return [time, { time, value, start: 0 }] as const
    }))
    return { labels, points }
  })
}

/** Holds all its points; what is added later than another at the same time replaces it. */
export class MemorySource implements SeriesSource {
  readonly loaded: Map<string, LoadedSeries> = new Map()
  #source: SourceSeries[] | undefined

  clear(): void {
    this.loaded.clear()
    this.#source = undefined
  }

  #seriesOf(labels: Labels): LoadedSeries {
    const key = labelsKey(labels)
    const held = this.loaded.get(key)
    if (held !== undefined) return held
    const series: LoadedSeries = { labels, points: new Map() }
    this.loaded.set(key, series)
    return series
  }

  /** @param from - the time of the first values, in milliseconds */
  load({ step, series, nhcb }: Load, from = 0): void {
    const starts = new Map<string, (number | undefined)[]>()
    const touched = new Set<LoadedSeries>()
    for (const { metric, values } of series) {
      if (metric.endsWith('@st')) {
        starts.set(labelsKey(labelsOf(metric.slice(0, -3))), startsOf(values))
        continue
      }
      const labels = labelsOf(metric)
      const offsets = starts.get(labelsKey(labels)) ?? []
      const target = this.#seriesOf(labels)
      touched.add(target)
      valuesOf(values).forEach((value, index) => this.#add(target, from + index * step, value, offsets[index]))
    }
    if (nhcb) for (const each of customHistograms(touched)) for (const point of each.points.values()) this.#seriesOf(each.labels).points.set(point.time, point)
    this.#source = undefined
  }

  /** Adds one point of a series. */
  add(labels: Labels, time: number, value: number | 'stale'): void {
    this.#seriesOf(labels).points.set(time, { time, value, start: 0 })
    this.#source = undefined
  }

  #add(target: LoadedSeries, time: number, noted: Noted, offset: number | undefined): void {
    if (noted === undefined) return
    const value = typeof noted === 'object' ? noted.value : noted
    target.points.set(time, { time, value, start: offset === undefined ? 0 : time + offset })
  }

  select(matchers: readonly LabelMatcher[], range: { start: number; end: number }): Promise<readonly SourceSeries[]> {
    const all = (this.#source ??= [...this.loaded.values()].map(sourceSeries))
    const conditions = matchers.map(labelMatch)
    return Promise.resolve(all.filter(({ labels }) => conditions.every((holds) => holds(labels))).map((each) => slice(each, range.start, range.end)))
  }
}
