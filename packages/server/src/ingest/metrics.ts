// OTLP metrics: decode, check, bound, write.
import { type Bytes, type Labels, type MetricRecord, type Milliseconds, nanosecondsToMilliseconds, type Resource } from '@andon/model'
import { decodeMetrics, decodeMetricsJson, type PartialSuccess } from '@andon/wire'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { ExemplarRow, HistogramRow, MetadataRow, MetricRows, SampleRow, SeriesRow } from '../store/metric-rows.ts'
import type { PreviousHistogram, PreviousSample } from '../store/metrics.ts'
import { stringOf } from '../store/cells.ts'
import { describeSource } from '../store/source.ts'
import type { WriteOptions } from '../store/spans.ts'
import { Batcher } from './batcher.ts'
import { histogramIncrease, sampleIncrease } from './increase.ts'
import { describe, type Described, type HistogramSeriesPoint, pointsOf, type SamplePoint, type SeriesPoint } from './points.ts'
import { attributeLabels, type Placed, type RememberedSeries, SeriesBook } from './series.ts'
import type { IngestContext } from './spans.ts'

/** What metrics are written to, and where the previous point of a counter is read from. */
export interface MetricSink {
  write(rows: MetricRows, options?: WriteOptions): Promise<void>
  previousSamples(series: readonly bigint[], before: Milliseconds): Promise<Map<bigint, PreviousSample>>
  previousHistograms(series: readonly bigint[], before: Milliseconds): Promise<Map<bigint, PreviousHistogram>>
}

/** A point with its series, in time order within a series. */
interface PlacedPoint<P extends SeriesPoint = SeriesPoint> {
  readonly point: P
  readonly series: RememberedSeries
}

/** What one request brings. */
export interface Content {
  readonly points: readonly SeriesPoint[]
  readonly described: readonly Described[]
}

const DAY = 86_400_000
/** A series' row is written again at most once an hour. */
const REFRESH = 3_600_000
const METADATA_REMEMBERED = 50_000

export class MetricIngest {
  readonly #sink: MetricSink
  readonly #context: IngestContext
  readonly #batcher: Batcher<Content>
  readonly #book: SeriesBook
  /** When the metadata of each metric were last written. */
  readonly #metadata = new Map<string, Milliseconds>()
  readonly #accepted: ReturnType<OwnMetrics['counter']>
  readonly #refused: ReturnType<OwnMetrics['counter']>
  readonly #overflow: ReturnType<OwnMetrics['counter']>

  constructor(sink: MetricSink, context: IngestContext) {
    this.#sink = sink
    this.#context = context
    this.#book = new SeriesBook(context.limits)
    this.#accepted = context.own.counter('andon_ingest_points_total', 'Metric points that were stored.')
    this.#refused = context.own.counter('andon_ingest_points_refused_total', 'Metric points that were refused, by reason.')
    this.#overflow = context.own.counter('andon_ingest_series_overflow_total', 'Metric points over the limit of series, by what became of them.')
    context.own.gauge('andon_ingest_series', 'Series that the ingester remembers.', () => this.#book.size)
    // One insert at a time: the increase of a point needs the point before it to be stored.
    this.#batcher = new Batcher({ signal: 'metrics', ...context, store: (contents, batch) => this.#store(contents, batch === undefined ? {} : { batch }) })
  }

  /**
   * Takes one export request; settles when its points are stored.
   *
   * @returns how many points were refused, and why
   * @throws AndonError bad_body, overloaded or unavailable; nothing of the request is then stored
   */
  async accept(body: Uint8Array, content: 'protobuf' | 'json', batch?: string): Promise<PartialSuccess> {
    const metrics = content === 'protobuf' ? decodeMetrics(body) : decodeMetricsJson(new TextDecoder().decode(body))
    const described = metrics.map(describe)
    const points = metrics.flatMap((metric: MetricRecord, index) => pointsOf(metric, described[index] ?? describe(metric)))
    return await this.acceptPoints({ points, described }, body.length, batch)
  }

  /**
   * Takes points, whatever they came as; settles when they are stored.
   *
   * @param bytes - the size of the request, for the bound of the queue
   * @returns how many points were refused, and why
   * @throws AndonError overloaded or unavailable; nothing is then stored
   */
  async acceptPoints({ points, described }: Content, bytes: Bytes, batch?: string): Promise<PartialSuccess> {
    const kept = points.filter(({ ts }) => this.#isInTime(ts))
    if (kept.length > 0 || described.length > 0) await this.#batcher.accept({ points: [...kept, ...targetInfo(kept)], described }, bytes, batch)
    this.#accepted.add(kept.length)
    const rejected = points.length - kept.length
    if (rejected > 0) this.#refused.add(rejected, { reason: 'time' })
    const { limits, retentionDays } = this.#context
    return { rejected, message: rejected === 0 ? '' : `${rejected} points lie more than ${limits.futureMs / 60_000} minutes in the future or before the retention of ${retentionDays} days` }
  }

  /** Settles when no request waits any more. */
  async drained(): Promise<void> {
    await this.#batcher.drained()
  }

  #isInTime(ts: Milliseconds): boolean {
    const { clock, limits, retentionDays } = this.#context
    return ts <= clock.now() + limits.futureMs && ts >= clock.now() - retentionDays * DAY
  }

  async #store(contents: readonly Content[], options: WriteOptions): Promise<void> {
    const now = this.#context.clock.now()
    const placed = this.#place(contents.flatMap(({ points }) => points), now)
    const metadata = this.#newMetadata(contents.flatMap(({ described }) => described), now)
    await this.#lookUpPrevious(placed)
    // Within one insert a point follows the one before it; if the insert fails, none of them happened.
    const before = new Map(placed.map(({ series: { previousSample, previousHistogram }, series }) => [series, { previousSample, previousHistogram }]))
    const rows: MetricRows = {
      metadata,
      series: this.#newSeries(placed, now),
      samples: placed.filter(isSample).map(sampleRow),
      histograms: placed.filter(isHistogram).map(histogramRow),
      exemplars: placed.flatMap(exemplarRows),
    }
    try {
      await this.#sink.write(rows, options)
    } catch (error) {
      for (const [series, previous] of before) Object.assign(series, previous)
      throw error
    }
    for (const series of before.keys()) if (now - series.written > REFRESH) series.written = now
    for (const { name } of metadata) this.#metadata.set(name, now)
  }

  #place(points: readonly SeriesPoint[], now: Milliseconds): PlacedPoint[] {
    const placed: PlacedPoint[] = []
    for (const point of points) {
      const place: Placed = this.#book.place(point, now)
      if (place === undefined) this.#overflow.add(1, { action: 'dropped' })
      else placed.push({ point, series: place.series })
      if (place?.overflow === true) this.#overflow.add(1, { action: 'gathered' })
    }
    return placed.toSorted((a, b) => a.point.ts - b.point.ts)
  }

  #newSeries(placed: readonly PlacedPoint[], now: Milliseconds): SeriesRow[] {
    const due = new Set(placed.map(({ series }) => series).filter(({ written }) => now - written > REFRESH))
    return [...due].map(({ id, type, labels }) => ({ id, type, labels }))
  }

  #newMetadata(described: readonly Described[], now: Milliseconds): MetadataRow[] {
    const due = new Map(described.filter(({ name }) => now - (this.#metadata.get(name) ?? -Infinity) > REFRESH).map((each) => [each.name, each]))
    if (this.#metadata.size + due.size > METADATA_REMEMBERED) this.#metadata.clear()
    return [...due.values()]
  }

  /** Reads the previous points of the counters that are not remembered, strictly before their first new point. */
  async #lookUpPrevious(placed: readonly PlacedPoint[]): Promise<void> {
    const samples = placed.filter(({ point, series }) => point.kind === 'sample' && isCumulative(point) && series.previousSample === undefined)
    const histograms = placed.filter(({ point, series }) => point.kind === 'histogram' && isCumulative(point) && series.previousHistogram === undefined)
    const foundSamples = await this.#sink.previousSamples(idsOf(samples), earliest(samples))
    for (const { series } of samples) series.previousSample = foundSamples.get(series.id) ?? null
    const foundHistograms = await this.#sink.previousHistograms(idsOf(histograms), earliest(histograms))
    for (const { series } of histograms) series.previousHistogram = foundHistograms.get(series.id) ?? null
  }
}

function idsOf(placed: readonly PlacedPoint[]): bigint[] {
  return [...new Set(placed.map(({ series }) => series.id))]
}

function earliest(placed: readonly PlacedPoint[]): Milliseconds {
  return placed.reduce((least, { point }) => Math.min(least, point.ts), Number.MAX_SAFE_INTEGER)
}

/** Only the increase of a cumulative counter or histogram depends on the point before. */
function isCumulative(point: SeriesPoint): boolean {
  if (point.stale) return false
  return point.kind === 'histogram' ? point.form === 'cumulative' : point.type === 'counter' && !point.delta
}

function isSample(placed: PlacedPoint): placed is PlacedPoint<SamplePoint> {
  return placed.point.kind === 'sample'
}

function isHistogram(placed: PlacedPoint): placed is PlacedPoint<HistogramSeriesPoint> {
  return placed.point.kind === 'histogram'
}

function sampleRow({ point, series }: PlacedPoint<SamplePoint>): SampleRow {
  const { ts, start, value, stale, delta } = point
  const row = { id: series.id, ts, start, value, stale, delta }
  if (delta && point.type === 'counter' && !stale) return { ...row, increase: Number.isFinite(value) ? value : 0 }
  // Of increments of what is no counter the rollup keeps no sum: it marks them, so that their mean is not taken for that of a gauge.
  if (delta && !stale) return { ...row, increase: Number.NaN }
  if (!isCumulative(point)) return { ...row, increase: 0 }
  const previous = series.previousSample ?? null
  if (previous === null || ts > previous.ts) series.previousSample = { ts, start, value }
  return { ...row, increase: sampleIncrease(ts, start, value, previous) }
}

function histogramRow({ point, series }: PlacedPoint<HistogramSeriesPoint>): HistogramRow {
  const { ts, start, value, stale, form, min, max } = point
  const row = { id: series.id, ts, start, value, stale, form, min, max }
  if (form === 'delta' && !stale) return { ...row, increase: value }
  if (!isCumulative(point)) return { ...row, increase: undefined }
  const previous = series.previousHistogram ?? null
  if (previous === null || ts > previous.ts) series.previousHistogram = { ts, start, value }
  return { ...row, increase: histogramIncrease(ts, start, value, previous) }
}

function exemplarRows({ point, series }: PlacedPoint): ExemplarRow[] {
  return point.exemplars.map(({ time, value, traceId, spanId, attributes }) => ({
    id: series.id,
    ts: time === 0n ? point.ts : nanosecondsToMilliseconds(time),
    value,
    traceId,
    spanId,
    attributes: attributeLabels(attributes, {}, 200),
  }))
}

const OWN_ATTRIBUTES = new Set(['service.name', 'service.namespace', 'service.instance.id', 'service.version', 'deployment.environment.name'])

/** One point `target_info` for each resource: its attributes that are no labels of every series. */
function targetInfo(points: readonly SeriesPoint[]): SamplePoint[] {
  const latest = new Map<Resource, Milliseconds>()
  for (const { resource, labels, ts } of points) if (labels === undefined) latest.set(resource, Math.max(ts, latest.get(resource) ?? 0))
  return [...latest].flatMap(([resource, ts]) => {
    const entries = Object.entries(resource.attributes).filter(([key]) => !OWN_ATTRIBUTES.has(key))
    if (entries.length === 0) return []
    const attributes: Labels = Object.fromEntries(entries.map(([key, value]) => [key, stringOf(value)]))
    const { job } = describeSource(resource)
    return job === '' ? [] : [{ kind: 'sample', resource, name: 'target_info', attributes, extra: {}, type: 'info', ts, start: 0, stale: false, exemplars: [], value: 1, delta: false }]
  })
}
