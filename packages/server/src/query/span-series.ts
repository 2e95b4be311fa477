// Series that are computed from spans: the service graph, and rate, errors and durations of services that send no metric of them.
// The names are those of Tempo's metrics generator, which Grafana's service map knows.
// @see https://grafana.com/docs/tempo/latest/metrics-generator/
import { type BucketCounts, type LabelMatcher, type Labels, labelsKey, type MetricType, type Milliseconds, type Seconds, SPAN_SCALE, type TimeRange } from '@andon/model'
import { RE2JS } from 're2js'
import type { Clock } from '../runtime/clock.ts'
import { bucketViews, type SelectedSeries, viewOf } from '../store/bucket-views.ts'
import type { EdgeQuery } from '../store/edges.ts'
import { checkedPattern } from '../store/matchers.ts'
import type { HistogramValue } from '../store/metric-rows.ts'
import { RunningHistogram, RunningSum, type SeenPoints } from '../store/running-sum.ts'
import type { SpanRate } from '../store/spans-rates.ts'
import { type Edge, type EdgeSource, NAMES_KEPT, resolveEdges } from './edges.ts'

/** What rates of spans are read from. */
export interface SpanRateSource {
  read(query: EdgeQuery, signal?: AbortSignal): Promise<readonly SpanRate[]>
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
  /** Series of a record, without their name; several where a label divides it. */
  readonly of: (record: T) => readonly (readonly [labels: Labels, value: MinuteValue])[]
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

const EDGE_SERIES: readonly Definition<Edge>[] = [
  { name: 'traces_service_graph_request_total', type: 'counter', unit: '', help: 'Calls between two nodes of the service map.', of: (edge) => [[edgeLabels(edge), count(edge.calls)]] },
  { name: 'traces_service_graph_request_failed_total', type: 'counter', unit: '', help: 'Failed calls between two nodes of the service map.', of: (edge) => [[edgeLabels(edge), count(edge.errors)]] },
  { name: 'traces_service_graph_request_server_seconds', type: 'histogram', unit: 'seconds', help: 'Durations of calls as the server saw them.', of: (edge) => [[edgeLabels(edge), serverValue(edge)]] },
  {
    name: 'traces_service_graph_request_client_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Durations of calls as the client saw them.',
    of: (edge) => (edge.kind === 'consumer' ? [] : [[edgeLabels(edge), edge]]),
  },
]

const SPAN_SERIES: readonly Definition<SpanRate>[] = [
  {
    name: 'traces_spanmetrics_calls_total',
    type: 'counter',
    unit: '',
    help: 'Spans by operation, of services that send no metric of them.',
    of: (rate) => {
      const labels = spanLabels(rate)
      const all = [
        [{ ...labels, status_code: 'STATUS_CODE_UNSET' }, count(rate.calls - rate.errors)],
        [{ ...labels, status_code: 'STATUS_CODE_ERROR' }, count(rate.errors)],
      ] as const
      return all.filter(([, { calls }]) => calls > 0)
    },
  },
  { name: 'traces_spanmetrics_latency', type: 'histogram', unit: 'seconds', help: 'Durations of spans by operation, of services that send no metric of them.', of: (rate) => [[spanLabels(rate), rate]] },
]

/** How far back the labels of series are looked for where no range is given. */
const LABELS_KEPT: Milliseconds = 7 * 86_400_000
const LABELS: ReadonlySet<string> = new Set(['__name__', 'client', 'server', 'connection_type', 'service', 'span_name', 'span_kind', 'status_code', 'deployment_environment_name', 'service_version'])

/** A condition on a label's value. @throws AndonError bad_query for an expression that is not one of RE2 */
function holds({ operator, value }: LabelMatcher): (text: string) => boolean {
  if (operator === '=' || operator === '!=') return (text) => (text === value) === (operator === '=')
  const pattern = RE2JS.compile(checkedPattern(value))
  return (text) => pattern.matches(text) === (operator === '=~')
}

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

  /** Series that match, as PromQL sees deltas of one minute; also the classic names of histograms. @param range - both ends are included */
  async select(matchers: readonly LabelMatcher[], range: TimeRange, signal?: AbortSignal): Promise<SelectedSeries[]> {
    const plain = await this.#computed(matchers, range, MINUTE, signal)
    const view = viewOf(matchers)
    const viewed = view === undefined ? [] : (await this.#computed(view.matchers, range, MINUTE, signal)).filter(({ type }) => type === 'histogram')
    return [...plain.map((each) => this.#points(each, range)), ...viewed.flatMap((each) => (view === undefined ? [] : bucketViews(this.#points(each, range), view)))]
  }

  /** Label sets of the series that match, computed views left out. A range is taken to begin at most seven days ago. */
  async seriesOf(matchers: readonly LabelMatcher[], { start, end }: TimeRange): Promise<Labels[]> {
    const now = this.#clock.now()
    const range = { start: Math.max(start, now - LABELS_KEPT), end: Math.min(end, now + LABELS_KEPT) }
    return range.start > range.end ? [] : (await this.#computed(matchers, range, undefined)).map(({ labels }) => labels)
  }

  /** What is known of those of them that there are. */
  async metadata(): Promise<SpanMetadata[]> {
    const [hasEdges, hasRates] = await Promise.all([this.#edges.any(), this.#rates.any()])
    return [...(hasEdges ? EDGE_SERIES : []), ...(hasRates ? SPAN_SERIES : [])].map(({ name, type, unit, help }) => ({ name, otelName: name, type, unit, help }))
  }

  /** @param step - of the values; undefined where none are wanted */
  async #computed(matchers: readonly LabelMatcher[], range: TimeRange, step: Milliseconds | undefined, signal?: AbortSignal): Promise<Computed[]> {
    const conditions = matchers.map((matcher) => ({ name: matcher.name, holds: holds(matcher) }))
    // A label that none of them has cannot be asked for.
    if (conditions.some((each) => !LABELS.has(each.name) && !each.holds(''))) return []
    const isNamed = ({ name }: { readonly name: string }): boolean => conditions.every((each) => each.name !== '__name__' || each.holds(name))
    const [ofEdges, ofSpans] = [EDGE_SERIES.filter(isNamed), SPAN_SERIES.filter(isNamed)]
    const query = { range: { start: Math.floor((range.start - MINUTE) / MINUTE) * MINUTE, end: range.end + 1 }, ...(step !== undefined && { step }) }
    const needsBuckets = (list: readonly { readonly type: string }[]): boolean => step !== undefined && list.some(({ type }) => type === 'histogram')
    const [edges, rates] = await Promise.all([
      ofEdges.length === 0 ? [] : this.#readEdges({ ...query, buckets: needsBuckets(ofEdges) }, signal),
      ofSpans.length === 0 ? [] : this.#readRates({ ...query, buckets: needsBuckets(ofSpans) }, signal),
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
  async #readRates(query: EdgeQuery, signal?: AbortSignal): Promise<readonly SpanRate[]> {
    const [rates, measured] = await Promise.all([this.#rates.read(query, signal), this.#rates.measured(query.range, signal)])
    return rates.filter(({ service, kind }) => !measured.has(`${service}\0${kind}`))
  }

  /** Each minute is a delta; the one under way ends now. */
  #points({ labels, type, minutes }: Computed, { start, end }: TimeRange): SelectedSeries {
    const now = this.#clock.now()
    const sum = type === 'counter' ? new RunningSum() : undefined
    const histogram = type === 'histogram' ? new RunningHistogram() : undefined
    for (const [minute, value] of [...minutes].toSorted(([a], [b]) => a - b)) {
      const ts = minute < now ? Math.min(minute + MINUTE, now) : minute + MINUTE
      if (ts < start || ts > end) continue
      sum?.add(ts, minute, value.calls, true, false)
      histogram?.add(ts, minute, histogramOf(value), 'delta', false)
    }
    return selected(labels, type, (sum ?? histogram)?.points, histogram?.values)
  }
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

function gathered<T extends { readonly minute: Milliseconds }>({ name, type, of }: Definition<T>, records: readonly T[]): Computed[] {
  const found = new Map<string, Computed>()
  for (const record of records) {
    for (const [plain, value] of of(record)) {
      const labels = compact(name, plain)
      const key = labelsKey(labels)
      const series = found.get(key) ?? { labels, type, minutes: new Map<Milliseconds, MinuteValue>() }
      found.set(key, series)
      series.minutes.set(record.minute, added(series.minutes.get(record.minute), value))
    }
  }
  return [...found.values()]
}
