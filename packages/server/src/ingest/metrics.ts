// OTLP metrics: decode, check, bound, write.
import { type Bytes, type MetricRecord, type Milliseconds, nanosecondsToMilliseconds, type Resource } from '@andon/model'
import { decodeMetricsJson, type PartialSuccess } from '@andon/wire'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { ExemplarRow, HistogramRow, MetadataRow, MetricRows, SampleRow, SeriesRow } from '../store/metric-rows.ts'
import type { PreviousHistogram, PreviousSample } from '../store/metrics.ts'
import type { WriteOptions } from '../store/spans.ts'
import { beginning, bounded, BoundedSources, KEY_MAX } from './attributes.ts'
import { Batcher } from './batcher.ts'
import { columnRows } from './columns-rows.ts'
import { histogramIncrease, sampleIncrease } from './increase.ts'
import { describe, type Described, type HistogramSeriesPoint, pointsOf, type SamplePoint, type SeriesPoint } from './points.ts'
import { refusalOf, Refusals } from './refusals.ts'
import { isCumulativeCounter, type SampleColumns } from './sample-columns.ts'
import { type PlacerNow, SampleReader, type SeriesPlacer } from './sample-reader.ts'
import { attributeLabels, type Placed, type RememberedSeries, SeriesBook } from './series.ts'
import type { IngestContext } from './spans.ts'
import { targetInfos } from './target-info.ts'

/** What metrics are written to, and where the previous point of a counter is read from. */
export interface MetricSink {
  write(rows: MetricRows, options?: WriteOptions): Promise<void>
  /** Of each series the last point strictly before its own time; those without one are absent. */
  previousSamples(before: ReadonlyMap<bigint, Milliseconds>): Promise<Map<bigint, PreviousSample>>
  previousHistograms(before: ReadonlyMap<bigint, Milliseconds>): Promise<Map<bigint, PreviousHistogram>>
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
  /** Histograms that were sent and left out by who read them. */
  readonly refusedHistograms?: number
  /** Samples that have their series already. */
  readonly read?: ReadColumns
}

export interface ReadColumns {
  readonly columns: SampleColumns
  /** The latest samples among the columns of resources that have points, too. */
  readonly latest: ReadonlyMap<Resource, Milliseconds>
  /** Samples among the columns that were sent. */
  readonly kept: number
  readonly placer: PlacerNow
}

/** A request in the queue. */
interface Queued extends Content {
  /** `target_info` of its resources. */
  readonly infos: readonly SamplePoint[]
  /** Points that were dropped because their series were too many; known when it is stored. */
  overflow: number
}

const DAY = 86_400_000
/** UTF-16 units of a unit; a longer one is cut. */
const UNIT_MAX = 63
/** A series' row is written again at most once an hour. */
const REFRESH = 3_600_000
const METADATA_REMEMBERED = 50_000
/** UTF-16 units of a value that an exemplar carries. */
const EXEMPLAR_LABEL_MAX = 200

export class MetricIngest {
  readonly #sink: MetricSink
  readonly #context: IngestContext
  readonly #batcher: Batcher<Queued>
  readonly #sources: BoundedSources
  readonly #book: SeriesBook
  readonly #reader: SampleReader
  /** When the metadata of each metric were last written. */
  readonly #metadata = new Map<string, Milliseconds>()
  readonly #accepted: ReturnType<OwnMetrics['counter']>
  readonly #refused: ReturnType<OwnMetrics['counter']>
  readonly #overflow: ReturnType<OwnMetrics['counter']>
  readonly #exemplars: ReturnType<OwnMetrics['counter']>

  constructor(sink: MetricSink, context: IngestContext) {
    this.#sink = sink
    this.#context = context
    this.#book = new SeriesBook(context.limits)
    this.#sources = new BoundedSources(context.limits)
    this.#reader = new SampleReader(this.placer)
    this.#accepted = context.own.counter('andon_ingest_points_total', 'Metric points that were stored.')
    this.#refused = context.own.counter('andon_ingest_points_refused_total', 'Metric points that were refused, by reason.')
    this.#overflow = context.own.counter('andon_ingest_series_overflow_total', 'Metric points over the limit of series, by what became of them.')
    this.#exemplars = context.own.counter('andon_ingest_exemplars_refused_total', 'Exemplars that were left out because their time lies in the future or before the retention.')
    context.own.gauge('andon_ingest_series', 'Series that the ingester remembers.', () => this.#book.size)
    // One insert at a time: the increase of a point needs the point before it to be stored.
    this.#batcher = new Batcher({ signal: 'metrics', ...context, store: (contents, options) => this.#store(contents, options) })
  }

  /**
   * Takes one export request; settles when its points are stored.
   *
   * @returns how many points were refused, and why
   * @throws AndonError bad_body, too_large, overloaded or unavailable; nothing of the request is then stored
   */
  async accept(body: Uint8Array, content: 'protobuf' | 'json', batch?: string): Promise<PartialSuccess> {
    if (content === 'protobuf') {
      const read = this.#reader.read(body)
      const { points, described } = this.#contentOf(read.metrics)
      return await this.#accept({ points, described: [...described, ...read.described], read }, body.length, { refusals: read.placer.refusals, batch })
    }
    const refusals = new Refusals()
    const metrics = decodeMetricsJson(new TextDecoder().decode(body), () => refusals.add('histogram'))
    return await this.#accept(this.#contentOf(metrics), body.length, { refusals, batch })
  }

  #contentOf(metrics: readonly MetricRecord[]): { points: SeriesPoint[]; described: Described[] } {
    const points: SeriesPoint[] = []
    const described: Described[] = []
    for (const metric of metrics) {
      const one = this.#describe(metric)
      const own = pointsOf({ ...metric, resource: this.#sources.resource(metric.resource) }, one)
      // A name that nothing was measured under is not kept.
      if (own.length > 0 && one.name.length <= KEY_MAX) described.push(one)
      for (const point of own) points.push(point)
    }
    return { points, described }
  }

  #describe(metric: MetricRecord): Described {
    return describe({ ...metric, unit: beginning(metric.unit, UNIT_MAX), description: beginning(metric.description, this.#context.limits.attributeLength) })
  }

  /** For those who read columns of samples. */
  get placer(): SeriesPlacer {
    return { begin: () => this.#placerNow() }
  }

  #placerNow(): PlacerNow {
    const { clock, limits, retentionDays } = this.#context
    const now = clock.now()
    const bounds = { limits, retentionDays, now }
    const [first, last] = [now - retentionDays * DAY, now + limits.futureMs]
    const refusals = new Refusals()
    let dropped = 0
    return {
      refusals,
      dropped: () => dropped,
      isInTime: (ts) => ts >= first && ts <= last,
      isCurrent: (series) => this.#book.isCurrent(series, now),
      isDue: (name) => this.#isDue(name, now),
      bounded: (resource) => this.#sources.resource(resource),
      describe: (metric) => {
        const one = this.#describe(metric)
        return one.name === '' || one.name === '_' || one.name.length > KEY_MAX ? undefined : one
      },
      now,
      find: (point) => {
        const placed = refusalOf(point, bounds) === undefined ? this.#book.place(point, now) : undefined
        return placed === undefined || placed.overflow ? undefined : placed.series
      },
      place: (point) => {
        const refusal = refusalOf(point, bounds)
        if (refusal !== undefined) {
          refusals.add(refusal)
          return undefined
        }
        const placed = this.#placeOne(point, now)
        if (placed === undefined) dropped += 1
        return placed
      },
    }
  }

  /**
   * Takes points, whatever they came as; settles when they are stored.
   *
   * @param bytes - the size of the request, for the bound of the queue
   * @returns how many points were refused, and why
   * @throws AndonError overloaded or unavailable; nothing is then stored
   */
  async acceptPoints(content: Content, bytes: Bytes): Promise<PartialSuccess> {
    return await this.#accept(content, bytes, { refusals: content.read?.placer.refusals ?? new Refusals(), batch: undefined })
  }

  async #accept({ points, described, read, refusedHistograms = 0 }: Content, bytes: Bytes, { refusals, batch }: { refusals: Refusals; batch: string | undefined }): Promise<PartialSuccess> {
    const { clock, limits, retentionDays } = this.#context
    const bounds = { limits, retentionDays, now: clock.now() }
    const kept = points.filter((point) => {
      const refusal = refusalOf(point, bounds)
      if (refusal !== undefined) refusals.add(refusal)
      return refusal === undefined
    })
    refusals.add('histogram', refusedHistograms)
    const { latest, kept: keptBefore, placer } = read ?? NOTHING_READ
    const hasColumns = read !== undefined && read.columns.length > 0
    const queued: Queued = { points: kept, infos: targetInfos(kept, latest).filter((point) => refusalOf(point, bounds) === undefined), described, overflow: 0, ...(hasColumns && { read }) }
    if (kept.length > 0 || described.length > 0 || hasColumns) await this.#batcher.accept(queued, bytes, batch)
    this.#accepted.add(kept.length + keptBefore - queued.overflow)
    for (const [reason, count] of refusals.counts) this.#refused.add(count, { reason })
    // Counted as overflow where it is found.
    refusals.add('series', queued.overflow + (placer?.dropped() ?? 0))
    return { rejected: refusals.total, message: refusals.message(bounds) }
  }

  /** Settles when no request waits any more. */
  async drained(): Promise<void> {
    await this.#batcher.drained()
  }

  async #store(contents: readonly Queued[], options: WriteOptions): Promise<void> {
    const now = this.#context.clock.now()
    const placed = this.#place(contents, now)
    const columns = contents.flatMap(({ read }) => read?.columns ?? [])
    this.#refresh(columns, now)
    const metadata = this.#newMetadata(contents.flatMap(({ described }) => described), now)
    const due = dueSeries(placed, columns, now)
    await this.#lookUpPrevious(placed, columns)
    // Within one insert a point follows the one before it; if the insert fails, none of them happened.
    const { rows: sampleRows, before: beforeColumns } = columnRows(columns)
    const before = new Map(placed.map(({ series: { previousSample, previousHistogram }, series }) => [series, { previousSample, previousHistogram }]))
    const rows: MetricRows = {
      metadata,
      series: [...due].map(({ id, type, labels }): SeriesRow => ({ id, type, labels })),
      samples: placed.filter(isSample).map(sampleRow),
      sampleRows: sampleRows.tsv,
      histograms: placed.filter(isHistogram).map(histogramRow),
      exemplars: placed.flatMap((each) => this.#exemplarRows(each, now)),
    }
    try {
      await this.#sink.write(rows, options)
    } catch (error) {
      // What a table holds has happened, even where a later one failed.
      const { done } = options
      for (const [series, { previousSample, previousHistogram }] of before) {
        if (done?.has('samples') !== true) series.previousSample = previousSample
        if (done?.has('hist') !== true) series.previousHistogram = previousHistogram
      }
      if (done?.has('samples') !== true) beforeColumns.giveBack()
      throw error
    }
    for (const series of due) series.written = now
    for (const { name } of metadata) this.#metadata.set(name, now)
  }

  #place(contents: readonly Queued[], now: Milliseconds): PlacedPoint[] {
    const placed: PlacedPoint[] = []
    const place = (point: SeriesPoint): boolean => {
      const found = this.#placeOne(point, now)
      if (found !== undefined) placed.push({ point, series: found.series })
      return found !== undefined
    }
    for (const content of contents) {
      content.overflow = content.points.filter((point) => !place(point)).length
      content.infos.forEach(place)
    }
    return placed.toSorted((a, b) => a.point.ts - b.point.ts)
  }

  #placeOne(point: SeriesPoint, now: Milliseconds): Placed {
    const found = this.#book.place(point, now)
    if (found === undefined) this.#overflow.add(1, { action: 'dropped' })
    else if (found.overflow) this.#overflow.add(1, { action: 'gathered' })
    return found
  }

  /** Series that were forgotten while their samples waited are remembered anew. */
  #refresh(columns: readonly SampleColumns[], now: Milliseconds): void {
    for (const { series } of columns) for (const [index, each] of series.entries()) {
      if (each.isForgotten) series[index] = this.#book.current(each, now)
      else each.active = now
    }
  }

  #isDue(name: string, now: Milliseconds): boolean {
    return now - (this.#metadata.get(name) ?? -Infinity) > REFRESH
  }

  #newMetadata(described: readonly Described[], now: Milliseconds): MetadataRow[] {
    const due = new Map(described.filter(({ name }) => this.#isDue(name, now)).map((each) => [each.name, each]))
    if (this.#metadata.size + due.size > METADATA_REMEMBERED) for (const [name, written] of this.#metadata) if (now - written > REFRESH) this.#metadata.delete(name)
    // Names beyond these are not described; their points are kept.
    return [...due.values()].slice(0, Math.max(0, METADATA_REMEMBERED - this.#metadata.size))
  }

  /** Reads the previous points of the counters that are not remembered, strictly before their first new point. */
  async #lookUpPrevious(placed: readonly PlacedPoint[], columns: readonly SampleColumns[]): Promise<void> {
    const samples = placed.filter(({ point, series }) => point.kind === 'sample' && isCumulative(point) && series.previousSample === undefined)
    const histograms = placed.filter(({ point, series }) => point.kind === 'histogram' && isCumulative(point) && series.previousHistogram === undefined)
    const times = firstTimes(samples)
    const unknown = addUnknown(columns, times)
    const foundSamples = await this.#sink.previousSamples(times)
    for (const { series } of samples) series.previousSample = foundSamples.get(series.id) ?? null
    for (const series of unknown) series.previousSample = foundSamples.get(series.id) ?? null
    const foundHistograms = await this.#sink.previousHistograms(firstTimes(histograms))
    for (const { series } of histograms) series.previousHistogram = foundHistograms.get(series.id) ?? null
  }

  /** Without those of a time that no point may have: each would have a partition of its own. */
  #exemplarRows({ point, series }: PlacedPoint, now: Milliseconds): ExemplarRow[] {
    if (point.exemplars.length === 0) return []
    const { limits, retentionDays } = this.#context
    const rows = point.exemplars.map(({ time, value, traceId, spanId, attributes }): ExemplarRow => ({
      id: series.id,
      ts: time === 0n ? point.ts : nanosecondsToMilliseconds(time),
      value,
      traceId,
      spanId,
      attributes: attributeLabels(bounded(attributes, limits).attributes, {}, EXEMPLAR_LABEL_MAX),
    }))
    const kept = rows.filter(({ ts }) => ts <= now + limits.futureMs && ts >= now - retentionDays * DAY)
    if (kept.length < rows.length) this.#exemplars.add(rows.length - kept.length)
    return kept
  }
}

const NOTHING_READ = { latest: new Map<Resource, Milliseconds>(), kept: 0, placer: undefined } as const

/** Series whose row is to be written, again or for the first time. */
function dueSeries(placed: readonly PlacedPoint[], columns: readonly SampleColumns[], now: Milliseconds): Set<RememberedSeries> {
  const due = new Set(placed.map(({ series }) => series).filter(({ written }) => now - written > REFRESH))
  for (const { series } of columns) for (const each of series) if (now - each.written > REFRESH) due.add(each)
  return due
}

/** Adds the first times of counters whose previous sample is not remembered, and gives their series. */
function addUnknown(columns: readonly SampleColumns[], times: Map<bigint, Milliseconds>): Set<RememberedSeries> {
  const unknown = new Set<RememberedSeries>()
  for (const { series, ts, flags } of columns) {
    for (const [index, each] of series.entries()) {
      if (each.previousSample !== undefined || !isCumulativeCounter(flags[index] ?? 0)) continue
      const at = ts[index] ?? 0
      times.set(each.id, Math.min(at, times.get(each.id) ?? at))
      unknown.add(each)
    }
  }
  return unknown
}

/** When the first new point of each series was, of points in the order of their times. */
function firstTimes(placed: readonly PlacedPoint[]): Map<bigint, Milliseconds> {
  const times = new Map<bigint, Milliseconds>()
  for (const { point, series } of placed) if (!times.has(series.id)) times.set(series.id, point.ts)
  return times
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
  if (delta && point.type === 'counter' && !stale) return { ...row, increase: value > 0 && value < Infinity ? value : 0 }
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
