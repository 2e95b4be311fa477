// Series that are computed from spans: the service graph, and rate, errors and durations of services that send no metric of them.
// The names are those of Tempo's metrics generator, which Grafana's service map knows.
// @see https://grafana.com/docs/tempo/latest/metrics-generator/
import { type BucketCounts, type LabelMatcher, type Labels, labelsKey, type MetricType, type Milliseconds, type Seconds, SPAN_SCALE, type TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { bucketViews, type SelectedSeries, type View, viewOf } from '../store/bucket-views.ts'
import type { EdgeQuery } from '../store/edges.ts'
import type { HistogramValue } from '../store/metric-rows.ts'
import { RunningHistogram, RunningSum, type SeenPoints } from '../store/running-sum.ts'
import type { SpanRate, SpanRateQuery } from '../store/spans-rates.ts'
import { type Edge, type EdgeSource, NAMES_KEPT, resolveEdges } from './edges.ts'
import { valueMatch } from './promql/label-match.ts'

/** What rates of spans are read from. */
export interface SpanRateSource {
  read(query: SpanRateQuery, signal?: AbortSignal): Promise<readonly SpanRate[]>
  measured(range: TimeRange, signal?: AbortSignal): Promise<ReadonlySet<string>>
  any(): Promise<boolean>
}

/** What edges are read from, and whether there are any. */
export interface GraphSource extends EdgeSource {
  any(): Promise<boolean>
}

export interface SpanMetadata {
  readonly name: string
  readonly otelName: string
  readonly type: MetricType
  readonly unit: string
  readonly help: string
}

/** One minute of a series. */
interface MinuteValue {
  readonly calls: number
  readonly seconds: Seconds
  readonly buckets: BucketCounts
}

interface Computed {
  readonly labels: Labels
  readonly type: 'counter' | 'histogram'
  readonly minutes: Map<Milliseconds, MinuteValue>
}

/** How series are made of records. */
interface Definition<T> {
  readonly name: string
  readonly type: 'counter' | 'histogram'
  readonly unit: string
  readonly help: string
  /** Tells records of different series apart, faster than their labels do. */
  readonly key: (record: T) => string
  /** The series that records of one key have, without their name; several where a label divides them. */
  readonly labels: (record: T) => readonly Labels[]
  /** A record's value in each of them; undefined where it has none. */
  readonly values: (record: T) => readonly (MinuteValue | undefined)[]
}

const MINUTE: Milliseconds = 60_000
const NONE: BucketCounts = new Map()
const CONNECTIONS: Readonly<Record<Edge['kind'], string>> = { service: '', database: 'database', cache: 'database', queue: 'messaging_system', consumer: 'messaging_system', external: 'virtual_node' }

const count = (calls: number): MinuteValue => ({ calls, seconds: 0, buckets: NONE })

function edgeLabels({ client, server, kind, env }: Edge): Labels {
  return { client, server, connection_type: CONNECTIONS[kind], deployment_environment_name: env }
}

function spanLabels({ service, name, kind, env, version }: SpanRate): Labels {
  return { service, span_name: name, span_kind: `SPAN_KIND_${kind.toUpperCase()}`, deployment_environment_name: env, service_version: version }
}

/** As the server saw it; what sends no spans is seen by its clients alone. */
function serverValue({ kind, calls, seconds, buckets, serverCalls, serverSeconds, serverBuckets }: Edge): MinuteValue {
  return kind === 'service' || kind === 'consumer' ? { calls: serverCalls, seconds: serverSeconds, buckets: serverBuckets } : { calls, seconds, buckets }
}

const edgeKey = ({ client, server, kind, env }: Edge): string => `${client}\0${server}\0${kind}\0${env}`
const spanKey = ({ service, env, version, kind, name }: SpanRate): string => `${service}\0${env}\0${version}\0${kind}\0${name}`

function edgeSeries(name: string, unit: '' | 'seconds', help: string, value: (edge: Edge) => MinuteValue | undefined): Definition<Edge> {
  return { name, type: unit === '' ? 'counter' : 'histogram', unit, help, key: edgeKey, labels: (edge) => [edgeLabels(edge)], values: (edge) => [value(edge)] }
}

const EDGE_SERIES: readonly Definition<Edge>[] = [
  edgeSeries('traces_service_graph_request_total', '', 'Calls between two nodes of the service map.', ({ calls }) => count(calls)),
  edgeSeries('traces_service_graph_request_failed_total', '', 'Failed calls between two nodes of the service map.', ({ errors }) => count(errors)),
  edgeSeries('traces_service_graph_request_server_seconds', 'seconds', 'Durations of calls as the server saw them.', serverValue),
  edgeSeries('traces_service_graph_request_client_seconds', 'seconds', 'Durations of calls as the client saw them.', (edge) => (edge.kind === 'consumer' ? undefined : edge)),
]

const someOf = (calls: number): MinuteValue | undefined => (calls > 0 ? count(calls) : undefined)

const SPAN_SERIES: readonly Definition<SpanRate>[] = [
  {
    name: 'traces_spanmetrics_calls_total',
    type: 'counter',
    unit: '',
    help: 'Spans by operation, of services that send no metric of them.',
    key: spanKey,
    labels: (rate) => ['STATUS_CODE_UNSET', 'STATUS_CODE_ERROR'].map((status) => ({ ...spanLabels(rate), status_code: status })),
    values: ({ calls, errors }) => [someOf(calls - errors), someOf(errors)],
  },
  {
    name: 'traces_spanmetrics_latency',
    type: 'histogram',
    unit: 'seconds',
    help: 'Durations of spans by operation, of services that send no metric of them.',
    key: spanKey,
    labels: (rate) => [spanLabels(rate)],
    values: (rate) => [rate],
  },
]

/** How far back the labels of series are looked for where no range is given. */
const LABELS_KEPT: Milliseconds = 7 * 86_400_000
const LABELS: ReadonlySet<string> = new Set(['__name__', 'client', 'server', 'connection_type', 'service', 'span_name', 'span_kind', 'status_code', 'deployment_environment_name', 'service_version'])

/** Without labels of no value, which are the same as absent ones. */
function compact(name: string, labels: Labels): Labels {
  return { __name__: name, ...Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')) }
}

/** Series that are computed from what the store keeps of spans. Holds nothing; may be called concurrently. */
export class SpanSeries {
  readonly #edges: GraphSource
  readonly #rates: SpanRateSource
  readonly #clock: Pick<Clock, 'now'>

  constructor(edges: GraphSource, rates: SpanRateSource, clock: Pick<Clock, 'now'>) {
    this.#edges = edges
    this.#rates = rates
    this.#clock = clock
  }

  /**
   * Series that match, as PromQL sees deltas of one minute, or of more over a day and longer; also the classic names of histograms.
   *
   * @param range - both ends are included
   * @throws AndonError query_too_large
   */
  async select(matchers: readonly LabelMatcher[], range: TimeRange, signal?: AbortSignal): Promise<SelectedSeries[]> {
    const step = stepOf(range)
    const plain = await this.#computed(matchers, range, { step, buckets: true }, signal)
    const view = viewOf(matchers)
    const viewed = view === undefined ? [] : (await this.#computed(view.matchers, range, { step, buckets: view.suffix === '_bucket' }, signal)).filter(({ type }) => type === 'histogram')
    const points = plain.map((each) => this.#points(each, range, step))
    if (view === undefined) return points
    if (view.suffix === '_bucket') return [...points, ...viewed.flatMap((each) => this.#buckets(each, range, step, view))]
    return [...points, ...viewed.map((each) => this.#points(partOf(each, view.suffix), range, step))]
  }

  /** Label sets of the series that match, computed views left out. A range is taken to begin at most seven days ago. */
  async seriesOf(matchers: readonly LabelMatcher[], { start, end }: TimeRange): Promise<Labels[]> {
    const now = this.#clock.now()
    const range = { start: Math.max(start, now - LABELS_KEPT), end: Math.min(end, now + LABELS_KEPT) }
    return range.start > range.end ? [] : (await this.#computed(matchers, range, { step: undefined, buckets: false })).map(({ labels }) => labels)
  }

  /** What is known of those of them that there are. */
  async metadata(): Promise<SpanMetadata[]> {
    const [hasEdges, hasRates] = await Promise.all([this.#edges.any(), this.#rates.any()])
    return [...(hasEdges ? EDGE_SERIES : []), ...(hasRates ? SPAN_SERIES : [])].map(({ name, type, unit, help }) => ({ name, otelName: name, type, unit, help }))
  }

  /** @param of - how long the values are added up, undefined for one over the whole range, and whether those of histograms need their buckets */
  async #computed(matchers: readonly LabelMatcher[], range: TimeRange, of: { readonly step: Milliseconds | undefined; readonly buckets: boolean }, signal?: AbortSignal): Promise<Computed[]> {
    const conditions = matchers.map((matcher) => ({ name: matcher.name, holds: valueMatch(matcher) }))
    // A label that none of them has cannot be asked for.
    if (conditions.some((each) => !LABELS.has(each.name) && !each.holds(''))) return []
    const isNamed = ({ name }: { readonly name: string }): boolean => conditions.every((each) => each.name !== '__name__' || each.holds(name))
    const [ofEdges, ofSpans] = [EDGE_SERIES.filter(isNamed), SPAN_SERIES.filter(isNamed)]
    const step = of.step ?? MINUTE
    const query = { range: { start: Math.floor((range.start - step) / step) * step, end: range.end + 1 }, ...(of.step !== undefined && { step }) }
    const needsBuckets = (list: readonly { readonly type: string }[]): boolean => of.buckets && list.some(({ type }) => type === 'histogram')
    const equal = (label: string): string | undefined => matchers.find(({ name, operator }) => name === label && operator === '=')?.value
    const [client, service] = [equal('client'), equal('service')]
    const [edges, rates] = await Promise.all([
      ofEdges.length === 0 ? [] : this.#readEdges({ ...query, buckets: needsBuckets(ofEdges), ...(client !== undefined && { client }) }, signal),
      ofSpans.length === 0 ? [] : this.#readRates({ ...query, buckets: needsBuckets(ofSpans), ...(service !== undefined && { service }) }, signal),
    ])
    const all = [...ofEdges.flatMap((each) => gathered(each, edges)), ...ofSpans.flatMap((each) => gathered(each, rates))]
    return all.filter(({ labels }) => conditions.every((each) => each.holds(labels[each.name] ?? '')))
  }

  async #readEdges(query: EdgeQuery, signal?: AbortSignal): Promise<readonly Edge[]> {
    const { start, end } = query.range
    const [records, named] = await Promise.all([this.#edges.read(query, signal), this.#edges.named({ start: start - NAMES_KEPT, end }, signal)])
    return resolveEdges(records, named)
  }

  /** Of services whose rates no metric tells: one service never shows two. */
  async #readRates(query: SpanRateQuery, signal?: AbortSignal): Promise<readonly SpanRate[]> {
    const [rates, measured] = await Promise.all([this.#rates.read(query, signal), this.#rates.measured(query.range, signal)])
    return rates.filter(({ service, kind }) => !measured.has(`${service}\0${kind}`))
  }

  #points(computed: Computed, range: TimeRange, step: Milliseconds): SelectedSeries {
    const { labels, type } = computed
    const sum = type === 'counter' ? new RunningSum() : undefined
    const histogram = type === 'histogram' ? new RunningHistogram() : undefined
    for (const { minute, ts, value } of this.#deltas(computed, range, step)) {
      sum?.add(ts, minute, value.calls, true, false)
      histogram?.add(ts, minute, histogramOf(value), 'delta', false)
    }
    return selected(labels, type, (sum ?? histogram)?.points, histogram?.values)
  }

  /** The classic buckets of a histogram: those of each delta added up, which is the same as those of the sum, and faster. */
  #buckets(computed: Computed, range: TimeRange, step: Milliseconds, view: View): SelectedSeries[] {
    const deltas = this.#deltas(computed, range, step)
    const nothing = new Float64Array(deltas.length)
    const series = { ts: Float64Array.from(deltas, ({ ts }) => ts), v: nothing, stale: new Uint8Array(deltas.length), start: nothing, histograms: deltas.map(({ value }) => histogramOf(value)) }
    return bucketViews({ labels: computed.labels, type: 'histogram', ...series }, view).map(({ labels, v }) => {
      const sum = new RunningSum()
      for (const [index, { minute, ts }] of deltas.entries()) sum.add(ts, minute, v[index] ?? 0, true, false)
      return selected(labels, 'counter', sum.points, undefined)
    })
  }

  /** Each step is a delta; the one under way ends now. */
  #deltas({ minutes }: Computed, { start, end }: TimeRange, step: Milliseconds): { readonly minute: Milliseconds; readonly ts: Milliseconds; readonly value: MinuteValue }[] {
    const now = this.#clock.now()
    return [...minutes]
      .toSorted(([a], [b]) => a - b)
      .map(([minute, value]) => ({ minute, ts: minute < now ? Math.min(minute + step, now) : minute + step, value }))
      .filter(({ ts }) => ts >= start && ts <= end)
  }
}

const DAY: Milliseconds = 86_400_000
/** How long values are added up over ranges up to so long, so that a series has some thousand points. */
const STEPS: readonly (readonly [range: Milliseconds, step: Milliseconds])[] = [
  [DAY + 3_600_000, MINUTE],
  [8 * DAY, 5 * MINUTE],
  [32 * DAY, 30 * MINUTE],
]

function stepOf({ start, end }: TimeRange): Milliseconds {
  return STEPS.find(([range]) => end - start <= range)?.[1] ?? 120 * MINUTE
}

/** The classic series of a histogram's sum or count, for which its buckets are not needed. */
function partOf({ labels, minutes }: Computed, suffix: string): Computed {
  const values = [...minutes].map(([minute, { calls, seconds }]) => [minute, { calls: suffix === '_sum' ? seconds : calls, seconds: 0, buckets: NONE }] as const)
  return { labels: { ...labels, __name__: `${labels['__name__'] ?? ''}${suffix}` }, type: 'counter', minutes: new Map(values) }
}

function selected(labels: Labels, type: MetricType, points: SeenPoints | undefined, histograms: readonly (HistogramValue | undefined)[] | undefined): SelectedSeries {
  return {
    labels,
    type,
    ts: Float64Array.from(points?.ts ?? []),
    v: Float64Array.from(points?.v ?? []),
    stale: Uint8Array.from(points?.stale ?? []),
    start: Float64Array.from(points?.start ?? []),
    ...(histograms !== undefined && { histograms }),
  }
}

function histogramOf({ calls, seconds, buckets }: MinuteValue): HistogramValue {
  return { schema: SPAN_SCALE, zeroThreshold: 0, zeroCount: 0, count: calls, sum: seconds, positive: buckets, negative: NONE, bounds: [] }
}

function added(a: MinuteValue | undefined, b: MinuteValue): MinuteValue {
  if (a === undefined) return b
  const buckets = new Map(a.buckets)
  for (const [index, n] of b.buckets) buckets.set(index, (buckets.get(index) ?? 0) + n)
  return { calls: a.calls + b.calls, seconds: a.seconds + b.seconds, buckets }
}

function gathered<T extends { readonly minute: Milliseconds }>({ name, type, key, labels, values }: Definition<T>, records: readonly T[]): Computed[] {
  const found = new Map<string, readonly Computed[]>()
  for (const record of records) {
    const of = key(record)
    let series = found.get(of)
    if (series === undefined) found.set(of, (series = labels(record).map((each) => ({ labels: compact(name, each), type, minutes: new Map<Milliseconds, MinuteValue>() }))))
    for (const [index, value] of values(record).entries()) {
      const minutes = series[index]?.minutes
      if (value !== undefined) minutes?.set(record.minute, added(minutes.get(record.minute), value))
    }
  }
  return merged([...found.values()].flat().filter(({ minutes }) => minutes.size > 0))
}

/** Keys that differ may have the same labels, as a database and a cache of one name. */
function merged(series: readonly Computed[]): Computed[] {
  const byLabels = new Map<string, Computed>()
  for (const each of series) {
    const key = labelsKey(each.labels)
    const held = byLabels.get(key)
    if (held === undefined) byLabels.set(key, each)
    else for (const [minute, value] of each.minutes) held.minutes.set(minute, added(held.minutes.get(minute), value))
  }
  return [...byLabels.values()]
}
