// What is recorded of a running server, by its PromQL over HTTP.
import type { Milliseconds } from '@andon/model'
import { bucketOf, type HistogramSlice, sliceOf } from '../scoring/histogram.ts'
import { STEP_MS } from '../scoring/stretch.ts'
import type { RecordedSeries, Recording } from './recording.ts'

/** Labels that a series is told apart by: from the stored name to the name in the recording. */
type Kept = Readonly<Record<string, string>>

interface Counted {
  readonly name: string
  readonly unit: string
  readonly metric: string
  /** Further matchers. */
  readonly where?: string
  readonly by: Kept
}

const ROUTE = { http_request_method: 'method', http_route: 'route' } as const
const DATABASE = { db_system_name: 'edge' } as const
const HTTP = { server_address: 'edge' } as const

/** Counters, of which the increase in each slice is recorded. */
const COUNTERS: readonly Counted[] = [
  { name: 'requests', unit: '1', metric: 'http_server_request_duration_seconds_count', by: { ...ROUTE, http_response_status_code: 'status' } },
  { name: 'edge.errors', unit: '1', metric: 'db_client_operation_duration_seconds_count', where: 'error_type!=""', by: DATABASE },
  { name: 'edge.errors', unit: '1', metric: 'http_client_request_duration_seconds_count', where: 'error_type!=""', by: HTTP },
  { name: 'cpu', unit: 's', metric: 'process_cpu_time_seconds_total', by: {} },
  { name: 'gc', unit: 's', metric: 'v8js_gc_duration_seconds_sum', by: {} },
  { name: 'stalls', unit: '1', metric: 'andon_eventloop_stall_duration_seconds_count', by: {} },
  { name: 'cache', unit: '1', metric: 'kanban_cache_requests_total', by: { cache_type: 'type', result: 'result' } },
  { name: 'operations', unit: '1', metric: 'kanban_operations_total', by: { operation: 'operation', result: 'result' } },
]

/** Histograms, of which what came in each slice is recorded. */
const HISTOGRAMS: readonly Counted[] = [
  { name: 'latency', unit: 's', metric: 'http_server_request_duration_seconds', by: {} },
  { name: 'route.latency', unit: 's', metric: 'http_server_request_duration_seconds', by: ROUTE },
  { name: 'edge.latency', unit: 's', metric: 'db_client_operation_duration_seconds', by: DATABASE },
  { name: 'edge.latency', unit: 's', metric: 'http_client_request_duration_seconds', by: HTTP },
  { name: 'pool.wait', unit: 's', metric: 'db_client_connection_wait_time_seconds', by: {} },
]

/** Gauges: their greatest value in each slice. `SELECTOR` stands for the service. */
const GAUGES: readonly { readonly name: string; readonly unit: string; readonly expression: string }[] = [
  ...['mean', 'p50', 'p90', 'p99', 'max'].map((which) => ({ name: `loop.${which}`, unit: 's', expression: `max(max_over_time(nodejs_eventloop_delay_${which}_seconds{SELECTOR}[15s]))` })),
  { name: 'loop.utilization', unit: '1', expression: 'max(max_over_time(nodejs_eventloop_utilization_ratio{SELECTOR}[15s]))' },
  { name: 'cpu.utilization', unit: '1', expression: 'avg(avg_over_time(process_cpu_utilization_ratio{SELECTOR}[20s]))' },
  { name: 'heap.floor', unit: 'By', expression: 'max(last_over_time(andon_heap_floor_bytes{SELECTOR}[5m]))' },
  { name: 'heap.used', unit: 'By', expression: 'sum(max_over_time(v8js_memory_heap_used_bytes{SELECTOR}[15s]))' },
  { name: 'resident', unit: 'By', expression: 'max(max_over_time(process_memory_usage_bytes{SELECTOR}[15s]))' },
  { name: 'pool.pending', unit: '1', expression: 'sum(max_over_time(db_client_connection_pending_requests{SELECTOR}[15s]))' },
  { name: 'pool.used', unit: '1', expression: 'sum(max_over_time(db_client_connection_count{SELECTOR,db_client_connection_state="used"}[15s]))' },
  { name: 'pool.max', unit: '1', expression: 'sum(max_over_time(db_client_connection_max{SELECTOR}[15s]))' },
  { name: 'machine.cpu', unit: '1', expression: '1 - max(min_over_time(system_cpu_utilization_ratio{SELECTOR,cpu_mode="idle"}[15s]))' },
]

type Bucket = readonly [rule: number, lower: string, upper: string, count: string]

interface Matrix {
  readonly metric: Readonly<Record<string, string>>
  readonly values?: readonly (readonly [seconds: number, value: string])[]
  readonly histograms?: readonly (readonly [seconds: number, value: { readonly count: string; readonly sum: string; readonly buckets?: readonly Bucket[] }])[]
}

/** Asks a server over grids. @throws Error with the server's words */
class Asker {
  readonly #url: string
  readonly #start: Milliseconds
  readonly #end: Milliseconds

  /** @param start - one step before the first slice's end, which the first increase is taken from */
  constructor(url: string, start: Milliseconds, end: Milliseconds) {
    this.#url = url
    this.#start = start
    this.#end = end
  }

  get slices(): number {
    return (this.#end - this.#start) / STEP_MS
  }

  async ask(query: string): Promise<readonly Matrix[]> {
    const parameters = new URLSearchParams({ query, start: String(this.#start / 1000), end: String(this.#end / 1000), step: String(STEP_MS / 1000) })
    const response = await fetch(`${this.#url}/api/v1/query_range?${parameters.toString()}`, { signal: AbortSignal.timeout(60_000) })
    if (!response.ok) throw new Error(`${query}: ${response.status} ${await response.text()}`)
    const { data }: { data: { result: readonly Matrix[] } } = JSON.parse(await response.text())
    return data.result
  }

  /** The place of a point: 0 is the start. */
  at(seconds: number): number {
    return Math.round((seconds * 1000 - this.#start) / STEP_MS)
  }
}

function keptOf(metric: Readonly<Record<string, string>>, by: Kept): Record<string, string> {
  return Object.fromEntries(Object.entries(by).flatMap(([stored, name]) => (metric[stored] === undefined ? [] : [[name, metric[stored]]])))
}

/**
 * How much a counter grew in each slice. The server shows increments as sums that run over what it read; a series that is silent for
 * long is absent and goes on where it was, and one that was not there yet began at 0.
 */
export function increases(points: readonly (readonly [place: number, sum: number])[], slices: number): number[] {
  const grown = Array.from({ length: slices }, () => 0)
  let last = points[0]?.[0] === 0 ? points[0][1] : 0
  for (const [place, sum] of points) {
    if (place === 0) continue
    // Less than before is a counter that began anew.
    grown[place - 1] = sum < last ? sum : sum - last
    last = sum
  }
  return grown
}

async function counted(asker: Asker, { name, unit, metric, where, by }: Counted, selector: string): Promise<RecordedSeries[]> {
  const found = new Map<string, { labels: Record<string, string>; values: number[] }>()
  for (const series of await asker.ask(`${metric}{${selector}${where === undefined ? '' : `,${where}`}}`)) {
    const labels = keptOf(series.metric, by)
    const key = JSON.stringify(labels)
    const grown = increases((series.values ?? []).map(([seconds, value]) => [asker.at(seconds), Number(value)]), asker.slices)
    const before = found.get(key)?.values
    found.set(key, { labels, values: before === undefined ? grown : before.map((value, index) => value + (grown[index] ?? 0)) })
  }
  return [...found.values()].map(({ labels, values }) => ({ name, unit, labels, values: values.map((value) => Number(value.toPrecision(6))) }))
}

/** A histogram as running sums: its count, its sum, and each bucket's. */
interface Sums {
  count: number[]
  sum: number[]
  readonly buckets: Map<number, number[]>
}

function addHistogram(into: Sums, { histograms = [] }: Matrix, asker: Asker): void {
  const places = histograms.map(([seconds, value]) => [asker.at(seconds), value] as const)
  const add = (list: number[], of: (value: (typeof places)[number][1]) => number): number[] => {
    const grown = increases(places.map(([place, value]) => [place, of(value)]), asker.slices)
    return list.map((value, index) => value + (grown[index] ?? 0))
  }
  into.count = add(into.count, ({ count }) => Number(count))
  into.sum = add(into.sum, ({ sum }) => Number(sum))
  // By bucket of ours; one around zero holds what took no time that could be measured.
  const rebinned = new Map(places.map(([, value]) => [value, bucketsOf(value.buckets ?? [])]))
  const indexes = new Set([...rebinned.values()].flatMap((buckets) => [...buckets.keys()]))
  for (const index of indexes) into.buckets.set(index, add(into.buckets.get(index) ?? into.count.map(() => 0), (value) => rebinned.get(value)?.get(index) ?? 0))
}

function bucketsOf(buckets: readonly Bucket[]): Map<number, number> {
  const found = new Map<number, number>()
  for (const [, lower, upper, count] of buckets) {
    const [low, high] = [Number(lower), Number(upper)]
    const index = bucketOf(low > 0 ? Math.sqrt(low * high) : Math.max(high, 1e-9))
    found.set(index, (found.get(index) ?? 0) + Number(count))
  }
  return found
}

async function distributions(asker: Asker, { name, unit, metric, by }: Counted, selector: string): Promise<RecordedSeries[]> {
  const found = new Map<string, { labels: Record<string, string>; sums: Sums }>()
  const zeros = (): number[] => Array.from({ length: asker.slices }, () => 0)
  for (const series of await asker.ask(`${metric}{${selector}}`)) {
    const labels = keptOf(series.metric, by)
    const key = JSON.stringify(labels)
    const held = found.get(key) ?? { labels, sums: { count: zeros(), sum: zeros(), buckets: new Map() } }
    found.set(key, held)
    addHistogram(held.sums, series, asker)
  }
  return [...found.values()].map(({ labels, sums: { count, sum, buckets } }) => {
    const slices = count.map((all, index): HistogramSlice => sliceOf(all, sum[index] ?? 0, new Map([...buckets].map(([bucket, list]) => [bucket, list[index] ?? 0]))))
    return { name, unit, labels, histograms: slices }
  })
}

async function gauge(asker: Asker, { name, unit, expression }: (typeof GAUGES)[number], selector: string): Promise<RecordedSeries[]> {
  const [series] = await asker.ask(expression.replaceAll('SELECTOR', selector))
  if (series === undefined) return []
  const values: (number | null)[] = Array.from({ length: asker.slices }, () => null)
  for (const [seconds, value] of series.values ?? []) {
    const place = asker.at(seconds)
    if (place > 0 && Number.isFinite(Number(value))) values[place - 1] = Number(Number(value).toPrecision(6))
  }
  return [{ name, unit, labels: {}, values }]
}

/**
 * Reads what a server has of a service.
 *
 * @param start - end of the slice before the first; a multiple of STEP_MS
 * @param end - end of the last slice; a multiple of STEP_MS
 * @throws Error when the server does not answer
 */
export async function readSlices(url: string, service: string, start: Milliseconds, end: Milliseconds): Promise<Recording> {
  const asker = new Asker(url, start, end)
  const selector = `service_name=${JSON.stringify(service)}`
  const series: RecordedSeries[] = []
  for (const each of COUNTERS) series.push(...(await counted(asker, each, selector)))
  for (const each of HISTOGRAMS) series.push(...(await distributions(asker, each, selector)))
  for (const each of GAUGES) series.push(...(await gauge(asker, each, selector)))
  return { format: 1, stepMs: STEP_MS, start: start + STEP_MS, slices: asker.slices, series }
}
