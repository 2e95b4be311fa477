// The tables metric_meta, series, samples, hist and exemplars with their rollups: what is written to them and read from them.
import { type LabelMatcher, type Labels, type MetricSeries, type MetricType, type Milliseconds, type TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { number, stringOf, textRecord } from './cells.ts'
import { bucketViews, type SelectedSeries, type View, viewOf } from './bucket-views.ts'
import { notStored, ofBothKinds } from './both-kinds.ts'
import type { Database } from './database.ts'
import { type DeltaAnswer, deltaHistograms, type DeltaRequest } from './delta-histograms.ts'
import { groupedSeries, HISTOGRAM_WEIGHT, isHistogram, type KnownSeries, metricType, SeriesIndex, USUAL_INTERVAL } from './known-series.ts'
import { HISTOGRAM_CELLS, pointsOf, readHistograms, typed } from './metric-read.ts'
import type { HistogramValue, MetricRows } from './metric-rows.ts'
import { EXEMPLAR_COLUMNS, exemplarTsv, HISTOGRAM_COLUMNS, histogramTsv, META_COLUMNS, metadataTsv, SAMPLE_COLUMNS, sampleTsv, SERIES_COLUMNS, seriesTsv } from './metric-write.ts'
import { type HistogramCells, PointReader } from './point-reader.ts'
import { type RateAnswer, type RateRequest, rateSums } from './rate-sums.ts'
import { RunningHistogram } from './running-sum.ts'
import { once, type WriteOptions } from './spans.ts'
import { allShards, i64, ids, name, Param, type Sql, sql } from './sql.ts'

/** What is known of a metric. */
export interface Metadata {
  readonly name: string
  readonly otelName: string
  readonly type: MetricType
  readonly unit: string
  readonly help: string
}

/** The last point of a counter strictly before a time. */
export interface PreviousSample {
  readonly ts: Milliseconds
  readonly start: Milliseconds
  readonly value: number
}

export interface PreviousHistogram {
  readonly ts: Milliseconds
  readonly start: Milliseconds
  readonly value: HistogramValue
}

export interface SelectOptions {
  readonly signal?: AbortSignal
  /** Past it AndonError query_too_large; 50 million when absent. */
  readonly maxSamples?: number
}

/** Where a value was measured: `trace_id` and `span_id`, where they are known, among its labels. */
export interface StoredExemplar {
  readonly ts: Milliseconds
  readonly value: number
  readonly labels: Labels
}

export interface SeriesExemplars {
  readonly labels: Labels
  readonly exemplars: readonly StoredExemplar[]
}

function exemplarLabels(trace: string, span: string, attributes: Labels): Labels {
  return { ...attributes, ...(/[^0]/.test(trace) && { trace_id: trace }), ...(/[^0]/.test(span) && { span_id: span.padStart(16, '0') }) }
}

const SAMPLES_MAX = 50_000_000
/** Points that are read at a time where their series are worked on one after another. */
const PART_POINTS = 1_000_000
const DAY = 86_400_000

/** Names that older callers ask for. */
export const METRIC_ALIASES: Readonly<Record<string, string>> = {
  'system.cpu.usage': 'system.cpu.utilization',
  'system.disk.usage': 'system.filesystem.utilization',
}

export class MetricsStore {
  readonly #database: Database
  readonly #clock: Clock
  readonly #index: SeriesIndex

  readonly #points: PointReader

  constructor(database: Database, clock: Clock, index: SeriesIndex = new SeriesIndex(database, clock)) {
    this.#database = database
    this.#clock = clock
    this.#index = index
    this.#points = new PointReader(database)
  }

  /** Stores the rows of one request, or of several gathered ones; settles when they are stored. */
  async write(rows: MetricRows, options: WriteOptions = {}): Promise<void> {
    const seconds = Math.floor(this.#clock.now() / 1000)
    await this.#database.insert('metric_meta', META_COLUMNS, metadataTsv(rows.metadata, seconds))
    await this.#writeSeries(rows, seconds)
    await once(options, 'samples', (dedup) => this.#database.insert('samples_in', SAMPLE_COLUMNS, sampleTsv(rows.samples, rows.sampleRows), dedup))
    await once(options, 'hist', (dedup) => this.#database.insert('hist_in', HISTOGRAM_COLUMNS, histogramTsv(rows.histograms), dedup))
    await once(options, 'exemplars', (dedup) => this.#database.insert('exemplars', EXEMPLAR_COLUMNS, exemplarTsv(rows.exemplars), dedup))
  }

  async #writeSeries({ series }: MetricRows, seconds: number): Promise<void> {
    if (series.length === 0) return
    this.#index.forget()
    try {
      await this.#database.insert('series', SERIES_COLUMNS, seriesTsv(series, seconds))
    } finally {
      this.#index.forget()
    }
  }

  /** The last point of each counter strictly before its own time, at most a day before; those without one are absent. */
  async previousSamples(before: ReadonlyMap<bigint, Milliseconds>): Promise<Map<bigint, PreviousSample>> {
    if (before.size === 0) return new Map()
    const rows = await this.#database.query(
      allShards(sql`SELECT id, toUnixTimestamp64Milli(max(ts)), toUnixTimestamp64Milli(argMax(start, ts)), argMax(v, ts) FROM andon.samples
        WHERE ${earlierThan(before)} AND flags = 0 GROUP BY id`),
      ([id, ts, start, value]) => [BigInt(stringOf(id)), { ts: number(ts), start: number(start), value: number(value) }] as const,
    )
    return new Map(rows)
  }

  /** The same for cumulative histograms. */
  async previousHistograms(before: ReadonlyMap<bigint, Milliseconds>): Promise<Map<bigint, PreviousHistogram>> {
    if (before.size === 0) return new Map()
    const bytes = await this.#database.binary(
      allShards(sql`SELECT ${HISTOGRAM_CELLS} FROM andon.hist WHERE ${earlierThan(before)} AND form = 'cumulative' AND flags = 0 ORDER BY id, ts DESC LIMIT 1 BY id`),
    )
    return new Map([...readHistograms(bytes)].map(({ id, ts, start, value }) => [id, { ts, start, value }]))
  }

  /**
   * Series that match, with their points in the range as PromQL sees them: deltas as running sums, histograms as native
   * ones, and `_bucket`, `_sum`, `_count` computed from them where these names are asked for.
   *
   * @param matchers - `__name__` may be the Prometheus or the OpenTelemetry name
   * @param range - both ends are included
   * @throws AndonError query_too_large past the limits of series or samples
   */
  async select(matchers: readonly LabelMatcher[], range: TimeRange, options: SelectOptions = {}): Promise<SelectedSeries[]> {
    const plain = await this.#known(matchers, range, options.signal)
    const view = viewOf(matchers)
    const viewed = view === undefined ? [] : (await this.#known(view.matchers, range, options.signal)).filter(isHistogram)
    // What is a histogram now may have been sent as floats before.
    const floats = await this.#samples(plain, range, options)
    const native = plain.filter(isHistogram)
    // Counts and sums need no buckets.
    const cells = native.length === 0 && view?.suffix !== '_bucket' ? 'counts' : 'buckets'
    const histograms = await this.#histograms([...native, ...viewed], range, cells, options)
    const viewedIds = new Set(viewed.map(({ id }) => id))
    const whole = histograms.filter(({ id }) => !viewedIds.has(id)).map(({ series }) => series)
    return [...ofBothKinds(floats, whole), ...notStored(views(histograms, view, viewedIds), floats)]
  }

  /**
   * Rates of the series that match, added up by group in the database.
   *
   * @returns undefined where that would not be exact (histograms, counters that began within the window), or not worth it
   */
  async rateSums(request: RateRequest, { signal }: SelectOptions = {}): Promise<RateAnswer | undefined> {
    const { matchers, first, step, count, range } = request
    const window = { start: first - range, end: first + step * (count - 1) }
    const known = await this.#known(matchers, window, signal)
    const view = viewOf(matchers)
    const viewed = view === undefined ? [] : await this.#known(view.matchers, window, signal)
    const points = known.length * Math.ceil((window.end - window.start) / USUAL_INTERVAL)
    if (known.length === 0 || points < request.leastPoints || [...known, ...viewed].some(isHistogram)) return undefined
    return await rateSums(this.#database, groupedSeries(known, request.groupOf), request, signal)
  }

  /**
   * Floats of the series that match, some series at a time, the next ones read while those are worked on.
   *
   * @param leastPoints - below so many, as estimated, it is not worth it
   * @returns undefined where there are fewer, or native histograms
   */
  async floatParts(matchers: readonly LabelMatcher[], range: TimeRange, leastPoints: number, options: SelectOptions = {}): Promise<AsyncIterable<readonly SelectedSeries[]> | undefined> {
    const known = await this.#known(matchers, range, options.signal)
    const view = viewOf(matchers)
    const viewed = view === undefined ? [] : await this.#known(view.matchers, range, options.signal)
    const each = Math.ceil((range.end - range.start) / USUAL_INTERVAL)
    if (known.length === 0 || known.length * each < leastPoints || [...known, ...viewed].some(isHistogram)) return undefined
    return this.#parts(known, Math.max(1, Math.floor(PART_POINTS / each)), range, options)
  }

  async *#parts(known: readonly KnownSeries[], size: number, range: TimeRange, options: SelectOptions): AsyncGenerator<readonly SelectedSeries[]> {
    const read = (from: number): Promise<SelectedSeries[]> => this.#samples(known.slice(from, from + size), range, options)
    let next = read(0)
    for (let from = size; from < known.length + size; from += size) {
      const part = await next
      if (from < known.length) {
        next = read(from)
        // Whoever stops in between does not wait for it.
        next.catch(() => undefined)
      }
      yield part
    }
  }

  /**
   * Increments of the histograms that match, added up cell by cell in the database.
   *
   * @returns undefined where they are not all increments of one layout, or it is not worth it
   */
  async deltaHistograms(request: DeltaRequest, { signal }: SelectOptions = {}): Promise<DeltaAnswer | undefined> {
    const { matchers, origin, cell, count } = request
    if (viewOf(matchers) !== undefined) return undefined
    const known = await this.#known(matchers, { start: origin, end: origin + cell * count }, signal)
    const points = known.length * Math.ceil((cell * count) / USUAL_INTERVAL) * HISTOGRAM_WEIGHT
    if (known.length === 0 || points < request.leastPoints || !known.every(isHistogram)) return undefined
    return await deltaHistograms(this.#database, known, request, signal)
  }

  async #known(matchers: readonly LabelMatcher[], range: TimeRange, signal?: AbortSignal): Promise<readonly KnownSeries[]> {
    return await this.#index.find(matchers, range, signal)
  }

  async #samples(series: readonly KnownSeries[], range: TimeRange, { maxSamples = SAMPLES_MAX, signal }: SelectOptions): Promise<SelectedSeries[]> {
    const runs = await this.#points.samples(series.map(({ id }) => id), range, { most: maxSamples, signal })
    return series.flatMap(({ id, type, labels }) => {
      const run = runs.get(id)
      return run === undefined ? [] : [{ labels, type, ...pointsOf(run) }]
    })
  }

  async #histograms(series: readonly KnownSeries[], range: TimeRange, cells: HistogramCells, { maxSamples = SAMPLES_MAX, signal }: SelectOptions): Promise<{ id: bigint; series: SelectedSeries }[]> {
    const found = await this.#points.histograms(series.map(({ id }) => id), range, cells, { most: maxSamples, signal })
    return series.flatMap(({ id, type, labels }) => {
      const rows = found.get(id)
      if (rows === undefined) return []
      const sum = new RunningHistogram()
      for (const { ts, start, value, form, stale } of rows) sum.add(ts, start, value, form, stale)
      return [{ id, series: { labels, type, ...typed(sum.points), histograms: sum.values } }]
    })
  }

  /**
   * What the rollups of five minutes and of one hour hold of the counters that match, or of the counts of histograms, added
   * up over the buckets that begin in the range.
   */
  async rolledUpIncrease(matchers: readonly LabelMatcher[], range: TimeRange): Promise<{ minutes: number; hours: number }> {
    const chosen = ids((await this.#known(matchers, range)).map(({ id }) => id))
    const when = sql`ts >= toDateTime(${i64(Math.floor(range.start / 1000))}) AND ts < toDateTime(${i64(Math.ceil(range.end / 1000))})`
    const sumOf = async (suffix: string): Promise<number> => {
      const statement = sql`SELECT (SELECT sum(inc) FROM ${name(`andon.samples_${suffix}`)} WHERE id IN ${chosen} AND ${when}) + (SELECT sum(n) FROM ${name(`andon.hist_${suffix}`)} WHERE id IN ${chosen} AND ${when})`
      const [sum = 0] = await this.#database.query(statement, ([value]) => number(value))
      return sum
    }
    return { minutes: await sumOf('5m'), hours: await sumOf('1h') }
  }

  /**
   * Label sets of the series that match, computed views left out.
   *
   * @param most - some of them, so many at most; all when absent
   * @throws AndonError query_too_large where all are wanted and they are too many
   */
  async seriesOf(matchers: readonly LabelMatcher[], range: TimeRange, most?: number): Promise<Labels[]> {
    return most === undefined ? (await this.#known(matchers, range)).map(({ labels }) => labels) : await this.#index.labels(matchers, range, most)
  }

  /** Names of labels of the series that match, the first `most` in order, with `__name__`. */
  async labelNames(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<string[]> {
    return await this.#index.labelNames(matchers, range, most)
  }

  /** Values of a label of the series that match, the first `most` in order. */
  async labelValues(label: string, matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<string[]> {
    return await this.#index.labelValues(label, matchers, range, most)
  }

  /**
   * Exemplars of the series that match, by series in order of time; of a histogram also where its buckets, its sum or its
   * count are asked for. At most 10,000, the newest.
   *
   * @param range - both ends are included
   */
  async exemplars(matchers: readonly LabelMatcher[], range: TimeRange): Promise<SeriesExemplars[]> {
    const view = viewOf(matchers)
    const series = [...(await this.#known(matchers, range)), ...(view === undefined ? [] : await this.#known(view.matchers, range))]
    if (series.length === 0) return []
    const rows = await this.#database.query(
      sql`SELECT id, toUnixTimestamp64Milli(ts), v, lower(hex(trace_id)), lower(hex(span_id)), (mapKeys(attrs), mapValues(attrs)) FROM andon.exemplars
        WHERE id IN ${ids(series.map(({ id }) => id))} AND ts >= fromUnixTimestamp64Milli(${i64(Math.ceil(range.start))})
        AND ts <= fromUnixTimestamp64Milli(${i64(Math.floor(range.end))}) ORDER BY ts DESC LIMIT 10000`,
      ([id, ts, value, trace, span, attributes]): readonly [bigint, StoredExemplar] => [BigInt(stringOf(id)), { ts: number(ts), value: number(value), labels: exemplarLabels(stringOf(trace), stringOf(span), textRecord(attributes)) }],
    )
    const found = new Map<bigint, StoredExemplar[]>()
    for (const [id, exemplar] of rows.toReversed()) found.set(id, [...(found.get(id) ?? []), exemplar])
    return series.flatMap(({ id, labels }) => {
      const exemplars = found.get(id)
      found.delete(id)
      return exemplars === undefined ? [] : [{ labels, exemplars }]
    })
  }

  /** What is known of each metric, in the order of the names. */
  async metadata(): Promise<Metadata[]> {
    const statement = sql`SELECT name, argMax(otel_name, last_seen), argMax(type, last_seen), argMax(unit, last_seen), argMax(help, last_seen) FROM andon.metric_meta GROUP BY name ORDER BY name`
    return await this.#database.query(statement, ([metric, otelName, type, unit, help]) => ({
      name: stringOf(metric),
      otelName: stringOf(otelName),
      type: metricType(stringOf(type)),
      unit: stringOf(unit),
      help: stringOf(help),
    }))
  }

  /**
   * Series by the name that was asked for, the asked-for interface.
   *
   * @param names - OpenTelemetry's, Prometheus' or the older names of system metrics
   * @returns for each name its series; [] when there is none. A histogram gives the mean of each point.
   */
  async getMetrics(names: readonly string[], range: TimeRange): Promise<Record<string, MetricSeries[]>> {
    const result: Record<string, MetricSeries[]> = {}
    for (const asked of names) {
      const series = await this.select([{ name: '__name__', operator: '=', value: METRIC_ALIASES[asked] ?? asked }], { start: range.start, end: range.end - 1 })
      result[asked] = series.map(({ labels, ts, v, stale, histograms }) => ({
        labels,
        points: [...ts].flatMap((time, index) => {
          if (stale[index] === 1) return []
          const histogram = histograms?.[index]
          return [[time, histogram === undefined ? (v[index] ?? Number.NaN) : histogram.sum / histogram.count] as const]
        }),
      }))
    }
    return result
  }
}

/** Points of series of at most a day before a time, each series before its own. */
function earlierThan(before: ReadonlyMap<bigint, Milliseconds>): Sql {
  const series = ids([...before.keys()])
  const times = [...before.values()].map(Math.round)
  const [earliest, latest] = times.reduce(([least, most], time) => [Math.min(least, time), Math.max(most, time)], [Infinity, -Infinity])
  return sql`id IN ${series} AND ts >= fromUnixTimestamp64Milli(${i64(earliest - DAY)}) AND ts < fromUnixTimestamp64Milli(${i64(latest)})
    AND ts < fromUnixTimestamp64Milli(transform(id, ${series}, ${new Param('Array(Int64)', times.map(BigInt))}, toInt64(0)))`
}

/** The computed series of those histograms that were read for them. */
function views(histograms: readonly { id: bigint; series: SelectedSeries }[], view: View | undefined, wanted: ReadonlySet<bigint>): SelectedSeries[] {
  return view === undefined ? [] : histograms.filter(({ id }) => wanted.has(id)).flatMap(({ series }) => bucketViews(series, view))
}
