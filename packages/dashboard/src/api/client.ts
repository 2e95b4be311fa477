import type { Milliseconds, Ratio, Seconds } from '@andon/model'

// One typed function per route of the server. Numbers arrive in the units named here; null means "not measured".

/** Values aligned to a list of times. */
export type Values = readonly (number | null)[]

/** Absolute ends and step of an answer, milliseconds. */
export interface Answered {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly step: Milliseconds
}

/** One row of the overview's table. */
export interface ServiceRow {
  readonly service: string
  readonly language?: string
  readonly version?: string
  /** Where rate, errors and durations come from: the service's own metrics, or its spans. */
  readonly source: 'metrics' | 'spans'
  /** Requests per second. */
  readonly rate: number | null
  readonly errorRatio: Ratio | null
  readonly p50: Seconds | null
  readonly p95: Seconds | null
  readonly p99: Seconds | null
  readonly spark: { readonly t: readonly Milliseconds[]; readonly rate: Values; readonly p95: Values }
  readonly lastSeen: Milliseconds
}

/** The business metrics of the kanban; `spark` holds a list per key, aligned to `spark.t`. */
export interface BusinessMetrics {
  readonly taskCreationP95Ms: Milliseconds | null
  readonly boardLoadP95Ms: Milliseconds | null
  readonly cacheHitRatio: Ratio | null
  readonly operationsPerSecond: number | null
  readonly spark?: Readonly<Record<string, Values>>
}

/** GET /api/overview. */
export interface Overview extends Answered {
  readonly services: readonly ServiceRow[]
  readonly business: BusinessMetrics | null
  /** Age of the newest datum; null when there is none. */
  readonly freshnessMs: Milliseconds | null
  readonly own: { readonly cpuRatio: Ratio | null; readonly residentBytes: number | null; readonly storeBytes: number | null }
}

/** A measurement of the host with its course. */
export interface Gauge {
  readonly value: number | null
  readonly unit: 'ratio' | 'bytesPerSecond'
  readonly series: readonly (readonly [Milliseconds, number | null])[]
}

/** The part of GET /api/dashboard that the overview shows. */
export interface DashboardData {
  readonly systemMetrics: Readonly<Record<string, Gauge>>
}

/** GET /api/service/:name; lists are aligned to `t`. */
export interface ServiceDetail extends Answered {
  /** Operations are known only of services that send metrics of their requests. */
  readonly source?: 'metrics' | 'spans'
  readonly t: readonly Milliseconds[]
  readonly rate: Values
  readonly errorRatio: Values
  readonly p50: Values
  readonly p95: Values
  readonly p99: Values
  readonly operations: readonly OperationRow[]
  readonly eventLoop?: { readonly p50?: Values; readonly p99?: Values; readonly utilization?: Values } | null
  readonly heap?: { readonly used?: Values; readonly limit?: Values } | null
  readonly cpu?: Values | null
  /** Seconds of garbage collection per second. */
  readonly gc?: Values | null
  readonly instances?: readonly { readonly instance: string; readonly version: string | null; readonly lastSeen: Milliseconds }[]
}

/** One operation of a service over the whole range. */
export interface OperationRow {
  readonly name: string
  readonly rate: number | null
  readonly errorRatio: Ratio | null
  readonly p50: Seconds | null
  readonly p95: Seconds | null
  /** Of the time spent in all operations of the service. */
  readonly share: Ratio | null
}

/** One critical operation that has been registered or called. */
export interface CoveredOperation {
  readonly kind: 'route' | 'job' | 'handler' | 'dependency' | 'statement'
  readonly name: string
  readonly metrics: boolean
  readonly traces: boolean
}

/** One service of GET /api/coverage: the last day. */
export interface ServiceCoverage {
  readonly service: string
  /** Whether the service says what it registers; else what was never called is not known. */
  readonly reports: boolean
  readonly total: number
  /** Operations with metrics or traces. */
  readonly covered: number
  readonly share: Ratio | null
  readonly operations: readonly CoveredOperation[]
}

/** A block of the event loop. */
export interface StallRow {
  /** When it ended. */
  readonly time: Milliseconds
  readonly seconds: Seconds
  readonly cpuSeconds: Seconds
  /** Whether the process worked meanwhile or waited. */
  readonly kind: 'cpu' | 'waiting'
  readonly instance: string
  /** '' where they are not known. */
  readonly route: string
  readonly traceId: string
  readonly spanId: string
  /** Lines of `at function (file:line)`, the running function first; '' where no profile was taken meanwhile. */
  readonly stack: string
  /** Of the profiler's samples within the block. */
  readonly share: Ratio
}

/** GET /api/service/:name/stalls, the newest first. */
export interface Stalls {
  readonly stalls: readonly StallRow[]
}

/** One found trace. */
export interface TraceSummary {
  readonly traceId: string
  readonly start: Milliseconds
  /** Nanoseconds. */
  readonly durationNs: number
  readonly rootService: string
  readonly rootName: string
  readonly spanCount: number
  readonly errorCount: number
  readonly services: readonly { readonly name: string; readonly spans: number }[]
}

/** GET /api/spans/search. */
export interface SearchAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly traces: readonly TraceSummary[]
  /** True when more traces match than were sent. */
  readonly truncated: boolean
}

/** GET /api/spans/facets. */
export interface Facets {
  readonly services: readonly { readonly name: string; readonly operations: readonly string[] }[]
}

/** One span of GET /api/spans/trace/:id; times in microseconds from the start of the trace. */
export interface TraceSpan {
  readonly id: string
  readonly parent: string | null
  readonly service: string
  readonly name: string
  readonly kind: string
  readonly startOffsetUs: number
  readonly durationUs: number
  readonly status: string
  readonly statusMessage: string
  readonly attributes: Readonly<Record<string, unknown>>
  /** Index into the trace's `resources`. */
  readonly resource: number
  readonly scope: { readonly name: string; readonly version: string }
  readonly events: readonly { readonly offsetUs: number; readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Readonly<Record<string, unknown>> }[]
}

/** GET /api/spans/trace/:id. */
export interface Trace {
  readonly traceId: string
  readonly start: Milliseconds
  readonly durationNs: string
  readonly spans: readonly TraceSpan[]
  /** Attributes of each resource. */
  readonly resources: readonly Readonly<Record<string, unknown>>[]
}

/** An answer of the server that is an error, or none at all (status 0: no connection). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly hint: string

  constructor(status: number, code: string, message: string, hint: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.hint = hint
  }
}

const field = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)
const text = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise)

/** The error that an answer of the server carries, in its envelope `{error: {code, message, hint}}`. */
export function errorOf(status: number, body: unknown): ApiError {
  const error = field(body, 'error')
  const code = text(field(error, 'code'), `http_${status}`)
  return new ApiError(status, code, text(field(error, 'message'), `The server answered with status ${status}.`), text(field(error, 'hint'), ''))
}

/**
 * Reads one route of the server as JSON.
 *
 * @param path - from the root of the server, with its query
 * @param signal - aborts the request; the promise then rejects with the browser's AbortError
 * @throws ApiError when the server cannot be reached (status 0) or answers with an error
 */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { headers: { accept: 'application/json' }, ...(signal === undefined ? {} : { signal }) })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new ApiError(0, 'unreachable', 'The server of Andon does not answer.', 'Is it running? Start it with: npx andon serve')
  }
  if (!response.ok) throw errorOf(response.status, await response.json().catch(() => null))
  // Server and page are one version and stand in one repository: the shape is the route's contract, not checked again here.
  const body: T = await response.json()
  return body
}

const withTime = (path: string, time: { from: string; to: string }): string => {
  const params = new URLSearchParams({ from: time.from, to: time.to })
  return `${path}?${params.toString().replaceAll('%3A', ':')}`
}

interface Time {
  readonly from: string
  readonly to: string
}

export const overviewPath = (time: Time): string => withTime('/api/overview', time)
export const dashboardPath = (time: Time): string => withTime('/api/dashboard', time)
export const servicePath = (name: string, time: Time): string => withTime(`/api/service/${encodeURIComponent(name)}`, time)
export const stallsPath = (name: string, time: Time): string => withTime(`/api/service/${encodeURIComponent(name)}/stalls`, time)
export const coveragePath = (name: string): string => `/api/coverage?service=${encodeURIComponent(name)}`
export const facetsPath = (time: Time): string => withTime('/api/spans/facets', time)
export const tracePath = (traceId: string): string => `/api/spans/trace/${encodeURIComponent(traceId)}`
export const STATUS_PATH = '/api/status'

/** What a search of traces asks for; durations as text with a unit, attributes as `key=value`. */
export interface SearchFilter {
  readonly service?: string
  readonly operation?: string
  readonly status?: string
  readonly minDuration?: string
  readonly maxDuration?: string
  readonly attr?: readonly string[]
}

/** The path of a search; `limit` bounds the answer. */
export function searchPath(time: Time, filter: SearchFilter, limit: number): string {
  const params = new URLSearchParams({ from: time.from, to: time.to, limit: String(limit) })
  for (const key of ['service', 'operation', 'status', 'minDuration', 'maxDuration'] as const) {
    const value = filter[key]
    if (value !== undefined) params.set(key, value)
  }
  for (const one of filter.attr ?? []) params.append('attr', one)
  return `/api/spans/search?${params.toString().replaceAll('%3A', ':')}`
}
