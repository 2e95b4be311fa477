// What is watched of every service: how it is asked for, what a change for the worse is, and which changes say the same.
import type { Milliseconds, SignalId, SignalUnit } from '@andon/model'
import { CountDetector, type CountDetectorOptions } from './count-detector.ts'
import type { Detector } from './detector.ts'
import type { Effect } from './effect.ts'
import { COUNTS, GATES, SLICE_MS } from './parameters.ts'
import { ValueDetector } from './value-detector.ts'

export const SIGNALS = ['errors', 'slow', 'p50', 'p95', 'throughput', 'cpu', 'event-loop', 'pool-wait', 'http-edge', 'database-edge', 'heap-floor'] as const
export type SignalName = (typeof SIGNALS)[number]

/** Which series; its signal is one of those that are watched. */
export interface SeriesId extends SignalId {
  readonly signal: SignalName
}

/** Some slices of one series. */
export interface SeriesSlices {
  readonly id: SeriesId
  /** By slice: the value, or how many were bad; NaN where nothing was measured. */
  readonly values: Float64Array
  /** By slice: of how many requests; NaN where that means nothing. */
  readonly counts: Float64Array
}

/** Signals of one family are not two witnesses. */
export type Family = 'errors' | 'latency' | 'slowness' | 'throughput' | 'cpu' | 'event-loop' | 'pool' | 'edge' | 'heap'

export interface Signal {
  readonly name: SignalName
  readonly family: Family
  /** What users notice: pages without a second witness. */
  readonly isIndicator: boolean
  /** From this effect on it is an indicator too; undefined for never. */
  readonly indicatesFrom: number | undefined
  readonly title: string
  readonly unit: SignalUnit
  /** Further labels by which a service has one series each. */
  readonly by: readonly string[]
  /** Of the value, or of the share of bad ones: for pictures and pages. */
  readonly expression: (selector: string, limit: number) => string
  readonly detector: (snapshot?: string) => Detector
  /** Of values only. */
  readonly effect: Effect | undefined
  /** How much worse in share matters; of counts only. */
  readonly points: number | undefined
}

const SECONDS = SLICE_MS / 1000
const SERVER = 'http_server_request_duration_seconds'
const WAIT = 'db_client_connection_wait_time_seconds'
const HTTP_CLIENT = 'http_client_request_duration_seconds'
const DATABASE = 'db_client_operation_duration_seconds'
const FAILED = 'http_response_status_code=~"5.."'
/** How slices of a counter are cut exactly: by interpolation at their ends. */
const WINDOW = `[${SECONDS}s] smoothed`
export const GROUP = ['service_name', 'deployment_environment_name'] as const

export const within = (selector: string, more = ''): string => {
  const inner = [selector, more].filter((part) => part !== '').join(',')
  return inner === '' ? '' : `{${inner}}`
}
const byOf = (more: readonly string[] = []): string => `sum by (${[...GROUP, ...more].join(', ')})`

/** Observations of a histogram in each slice. */
export const increaseOf = (histogram: string, selector: string, more: readonly string[] = []): string => `${byOf(more)} (increase(${histogram}${within(selector)}${WINDOW}))`
const quantileOf = (q: number, histogram: string, selector: string, more: readonly string[] = []): string => `histogram_quantile(${q}, ${increaseOf(histogram, selector, more)})`

const latency = (least: number): Effect => ({ scale: 'log', offset: 1e-4, worse: 'up', factor: 1.5, least })

interface ValueSpec extends Pick<Signal, 'name' | 'family' | 'title' | 'unit' | 'expression'> {
  readonly indicatesFrom?: number
  readonly by?: readonly string[]
  readonly effect: Effect
  readonly leastError: number
  readonly isSlow?: boolean
  readonly requestsPerUnit?: number
}

function value({ effect, leastError, isSlow = false, requestsPerUnit, indicatesFrom, by = [], ...rest }: ValueSpec): Signal {
  const options = { effect, leastError, isSlow, ...(requestsPerUnit !== undefined && { requestsPerUnit }) }
  return { ...rest, by, isIndicator: false, indicatesFrom, effect, points: undefined, detector: (snapshot) => new ValueDetector(options, snapshot) }
}

function count(spec: Pick<Signal, 'name' | 'family' | 'title' | 'expression'>, options: CountDetectorOptions): Signal {
  return { ...spec, unit: 'ratio', by: [], isIndicator: true, indicatesFrom: 0, effect: undefined, points: options.points, detector: (snapshot) => new CountDetector(options, snapshot) }
}

const ALL: readonly Signal[] = [
  count(
    {
      name: 'errors',
      family: 'errors',
      title: 'share of failed requests',
      expression: (selector) => `${byOf()} (rate(${SERVER}_count${within(selector, FAILED)}[1m])) / ${byOf()} (rate(${SERVER}_count${within(selector)}[1m]))`,
    },
    { points: COUNTS.errorPoints, leastShare: COUNTS.leastErrors },
  ),
  count(
    {
      name: 'slow',
      family: 'slowness',
      title: 'share of slow requests',
      expression: (selector, limit) => `histogram_fraction(${limit}, +Inf, ${byOf()} (rate(${SERVER}${within(selector)}[1m])))`,
    },
    { points: COUNTS.slowPoints, factor: COUNTS.slowShareFactor, leastShare: COUNTS.leastSlow, isFollowed: true },
  ),
  value({ name: 'p50', family: 'latency', title: 'median latency', unit: 'seconds', indicatesFrom: GATES.indicatesLatency, effect: latency(0.001), leastError: 0.02, expression: (selector) => quantileOf(0.5, SERVER, selector) }),
  value({ name: 'p95', family: 'slowness', title: '95th percentile of latency', unit: 'seconds', indicatesFrom: GATES.indicatesLatency, effect: latency(0.002), leastError: 0.02, expression: (selector) => quantileOf(0.95, SERVER, selector) }),
  value({
    name: 'throughput',
    family: 'throughput',
    title: 'requests per second',
    unit: 'per second',
    effect: { scale: 'log', offset: 1 / SECONDS, worse: 'down', factor: 1.5, least: 0.1 },
    leastError: 0.02,
    requestsPerUnit: SECONDS,
    // Half of the users are gone.
    indicatesFrom: GATES.indicatesThroughput,
    expression: (selector) => `${byOf()} (increase(${SERVER}_count${within(selector)}${WINDOW})) / ${SECONDS}`,
  }),
  value({
    name: 'cpu',
    family: 'cpu',
    title: 'CPU of the processes',
    unit: 'ratio',
    effect: { scale: 'linear', offset: 0, worse: 'up', factor: 1.5, least: 0.02 },
    leastError: 0.003,
    expression: (selector) => `avg by (${GROUP.join(', ')}) (avg_over_time(process_cpu_utilization_ratio${within(selector)}[20s]))`,
  }),
  value({
    name: 'event-loop',
    family: 'event-loop',
    title: 'delay of the event loop, 99th percentile',
    unit: 'seconds',
    effect: { scale: 'log', offset: 1e-3, worse: 'up', factor: 1.5, least: 0.01 },
    leastError: 0.03,
    expression: (selector) => `max by (${GROUP.join(', ')}) (max_over_time(nodejs_eventloop_delay_p99_seconds${within(selector)}[20s]))`,
  }),
  value({
    name: 'pool-wait',
    family: 'pool',
    title: 'waiting for a connection of the pool, 95th percentile',
    unit: 'seconds',
    effect: { scale: 'log', offset: 1e-3, worse: 'up', factor: 1.5, least: 0.005 },
    leastError: 0.03,
    expression: (selector) => quantileOf(0.95, WAIT, selector),
  }),
  value({
    name: 'http-edge',
    family: 'edge',
    title: 'calls to another service, 95th percentile',
    unit: 'seconds',
    by: ['server_address', 'server_port'],
    effect: latency(0.002),
    leastError: 0.02,
    expression: (selector) => quantileOf(0.95, HTTP_CLIENT, selector, ['server_address', 'server_port']),
  }),
  value({
    name: 'database-edge',
    family: 'edge',
    title: 'calls to a database, 95th percentile',
    unit: 'seconds',
    by: ['db_system_name', 'server_address', 'server_port'],
    effect: latency(0.001),
    leastError: 0.02,
    expression: (selector) => quantileOf(0.95, DATABASE, selector, ['db_system_name', 'server_address', 'server_port']),
  }),
  value({
    name: 'heap-floor',
    family: 'heap',
    title: 'heap after major collections',
    unit: 'bytes',
    effect: { scale: 'log', offset: 1e6, worse: 'up', factor: 1.5, least: 20e6 },
    leastError: 0.02,
    isSlow: true,
    expression: (selector) => `max by (${GROUP.join(', ')}) (max_over_time(andon_heap_floor_bytes${within(selector)}[5m]))`,
  }),
]

const BY_NAME = new Map(ALL.map((signal) => [signal.name, signal]))

/** @throws RangeError for a name that is none */
export function signalOf(name: SignalName): Signal {
  const signal = BY_NAME.get(name)
  if (signal === undefined) throw new RangeError(`there is no signal ${name}`)
  return signal
}

/** How the slices of a signal are read. */
export interface Reading {
  readonly signal: SignalName
  /** The value, or how many were bad. */
  readonly value: string
  /** Of how many requests; '' where that means nothing. */
  readonly count: string
}

const counted = (histogram: string, selector: string, more: readonly string[] = []): string => `histogram_count(${increaseOf(histogram, selector, more)})`

/**
 * What is asked to read the slices of all signals.
 *
 * @param selector - label matchers without braces; '' for all services
 */
export function readings(selector: string): Reading[] {
  const all = counted(SERVER, selector)
  const of = (signal: SignalName, countText: string): Reading => ({ signal, value: signalOf(signal).expression(selector, 0), count: countText })
  return [
    { signal: 'errors', value: `${byOf()} (increase(${SERVER}_count${within(selector, FAILED)}${WINDOW}))`, count: all },
    of('p50', all),
    of('p95', all),
    of('throughput', ''),
    of('cpu', ''),
    of('event-loop', ''),
    of('pool-wait', counted(WAIT, selector)),
    of('http-edge', counted(HTTP_CLIENT, selector, signalOf('http-edge').by)),
    of('database-edge', counted(DATABASE, selector, signalOf('database-edge').by)),
    of('heap-floor', ''),
  ]
}

/** Requests that took longer than a limit, of the services that a selector names. */
export function slowReading(selector: string, limit: number): Reading {
  const all = counted(SERVER, selector)
  return { signal: 'slow', value: `histogram_fraction(${limit}, +Inf, ${increaseOf(SERVER, selector)}) * ${all}`, count: all }
}

/** What takes long for a service: a quantile of a window that ends at the time of asking. */
export function slowLimitExpression(window: Milliseconds): string {
  return `histogram_quantile(${COUNTS.slowQuantile}, ${byOf()} (increase(${SERVER}[${window / 1000}s])))`
}
