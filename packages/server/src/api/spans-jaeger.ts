import { AndonError, type Attributes, type AttributeValue, type Milliseconds, type Nanoseconds, type Resource, type SpanRecord } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { SpanReader, TraceQuery } from '../query/spans.ts'
import { prepareError } from './errors.ts'
import { callRange, duration, oneOf, parseDuration, parseTraceId, type Query, text, texts, whole } from './parameters.ts'

export interface KeyValue {
  readonly key: string
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary'
  readonly value: string | number | boolean
}

export interface JaegerSpan {
  readonly traceID: string
  readonly spanID: string
  readonly flags: number
  readonly operationName: string
  readonly references: readonly { readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM'; readonly traceID: string; readonly spanID: string }[]
  /** Microseconds since the epoch. */
  readonly startTime: number
  /** Microseconds. */
  readonly duration: number
  readonly tags: readonly KeyValue[]
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly KeyValue[] }[]
  readonly processID: string
  readonly warnings: readonly string[] | null
}

export interface JaegerTrace {
  readonly traceID: string
  readonly spans: readonly JaegerSpan[]
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: readonly KeyValue[] }>>
  readonly warnings: null
}

const microseconds = (ns: Nanoseconds): number => Number(ns) / 1000
const jsonText = (value: AttributeValue): string =>
  JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? Number(one) : one instanceof Uint8Array ? Buffer.from(one).toString('base64') : one))

function keyValue(key: string, value: AttributeValue): KeyValue {
  if (typeof value === 'string') return { key, type: 'string', value }
  if (typeof value === 'boolean') return { key, type: 'bool', value }
  // Infinity and NaN are no JSON.
  if (typeof value === 'number') return { key, type: 'float64', value: Number.isFinite(value) ? value : String(value) }
  if (typeof value === 'bigint') return { key, type: 'int64', value: Number.isSafeInteger(Number(value)) ? Number(value) : value.toString() }
  if (value instanceof Uint8Array) return { key, type: 'binary', value: Buffer.from(value).toString('base64') }
  return { key, type: 'string', value: jsonText(value) }
}

const keyValues = (attributes: Attributes): KeyValue[] => Object.entries(attributes).map(([key, value]) => keyValue(key, value))

/** What OTLP keeps beside the attributes, under the tag names of OpenTelemetry's mapping to Jaeger. */
function tagsOf(span: SpanRecord): KeyValue[] {
  const own: KeyValue[] = []
  const add = (key: string, value: string | boolean): void => void (value !== '' && own.push(keyValue(key, value)))
  if (span.kind !== 'unspecified') add('span.kind', span.kind)
  if (span.status.code !== 'unset') add('otel.status_code', span.status.code.toUpperCase())
  if (span.status.code === 'error') add('error', true)
  add('otel.status_description', span.status.message)
  add('otel.scope.name', span.scope.name)
  add('otel.scope.version', span.scope.version)
  add('w3c.tracestate', span.traceState)
  return [...keyValues(span.attributes), ...own]
}

const serviceOf = (resource: Resource): string => {
  const name = resource.attributes['service.name']
  return typeof name === 'string' && name !== '' ? name : 'unknown_service'
}

function spanOf(span: SpanRecord, processID: string): JaegerSpan {
  const parent = span.parentSpanId === '' ? [] : [{ refType: 'CHILD_OF' as const, traceID: span.traceId, spanID: span.parentSpanId }]
  return {
    traceID: span.traceId,
    spanID: span.spanId,
    flags: span.flags & 0xff,
    operationName: span.name,
    references: [...parent, ...span.links.map((link) => ({ refType: 'FOLLOWS_FROM' as const, traceID: link.traceId, spanID: link.spanId }))],
    startTime: Math.floor(microseconds(span.start)),
    duration: Math.round(microseconds(span.end - span.start)),
    tags: tagsOf(span),
    logs: span.events.map((event) => ({
      timestamp: Math.floor(microseconds(event.time)),
      fields: [keyValue('event', event.name), ...keyValues(event.attributes)],
    })),
    processID,
    warnings: null,
  }
}

/**
 * The spans of one trace as Jaeger's JSON: times in microseconds, one process per distinct resource.
 *
 * @param spans - all of one trace, at least one
 * @see jaeger model/json/model.go
 */
export function jaegerTrace(spans: readonly SpanRecord[]): JaegerTrace {
  const processes: Record<string, { serviceName: string; tags: KeyValue[] }> = {}
  const ids = new Map<string, string>()
  const processOf = ({ resource }: SpanRecord): string => {
    const key = jsonText(resource.attributes)
    const known = ids.get(key)
    if (known !== undefined) return known
    const id = `p${ids.size + 1}`
    ids.set(key, id)
    processes[id] = { serviceName: serviceOf(resource), tags: keyValues(resource.attributes).filter((tag) => tag.key !== 'service.name') }
    return id
  }
  return { traceID: spans[0]?.traceId ?? '', spans: spans.map((span) => spanOf(span, processOf(span))), processes, warnings: null }
}

/** Jaeger's envelope of an answer. */
function envelope<T>(data: readonly T[]): { data: readonly T[]; total: number; limit: number; offset: number; errors: null } {
  return { data, total: data.length, limit: 0, offset: 0, errors: null }
}

const LOOKBACK_MS: Milliseconds = 3_600_000
const TRACES_MAX = 200
/** What lists of services and operations look back on; Jaeger's requests for them name no time. */
const NAMES_MS: Milliseconds = 7 * 86_400_000

/** `tags={"key":"value"}` and repeated `tag=key:value`. */
function tagFilter(query: Query): Map<string, string> {
  const tags = new Map<string, string>()
  for (const tag of texts(query, 'tag')) {
    const colon = tag.indexOf(':')
    if (colon <= 0) throw new AndonError('bad_parameter', `tag="${tag.slice(0, 100)}" is not key:value.`)
    tags.set(tag.slice(0, colon), tag.slice(colon + 1))
  }
  const json = text(query, 'tags')
  if (json === undefined) return tags
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch {
    parsed = undefined
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new AndonError('bad_parameter', 'tags must be a JSON object of strings.')
  for (const [key, value] of Object.entries(parsed)) tags.set(key, String(value))
  return tags
}

/** Tags that stand for columns rather than attributes are taken out of `tags`. */
function columnsOf(tags: Map<string, string>): Pick<TraceQuery, 'status' | 'kind'> {
  const error = tags.get('error')
  const code = tags.get('otel.status_code')
  const kind = oneOf({ 'span.kind': tags.get('span.kind') }, 'span.kind', ['internal', 'server', 'client', 'producer', 'consumer'])
  for (const key of ['error', 'otel.status_code', 'span.kind']) tags.delete(key)
  const status = error === 'true' || code === 'ERROR' ? 'error' : error === 'false' || code === 'OK' ? 'ok' : undefined
  return { ...(status === undefined ? {} : { status }), ...(kind === undefined ? {} : { kind }) }
}

/** Reads what Jaeger's UI and Grafana ask for; times in microseconds since the epoch. */
function searchOf(query: Query, now: Milliseconds): TraceQuery {
  const micros = (name: string): Milliseconds | undefined => {
    const value = whole(query, name, { min: 0, max: 8.64e15, otherwise: -1 })
    return value < 0 ? undefined : value / 1000
  }
  const lookback = text(query, 'lookback')
  const end = micros('end') ?? now
  const start = micros('start') ?? end - (lookback === undefined || lookback === 'custom' ? LOOKBACK_MS : parseDuration('lookback', lookback))
  if (start >= end) throw new AndonError('bad_parameter', 'start must be before end.')
  const tags = tagFilter(query)
  const operation = text(query, 'operation')
  const min = duration(query, 'minDuration')
  const max = duration(query, 'maxDuration')
  const service = text(query, 'service')
  if (service === undefined) throw new AndonError('bad_parameter', "The parameter 'service' is required.")
  return {
    range: { start: Math.floor(start), end: Math.ceil(end) },
    service,
    limit: Math.min(TRACES_MAX, whole(query, 'limit', { min: 1, max: 1e6, otherwise: 20 })),
    ...columnsOf(tags),
    ...(operation === undefined || operation === 'all' ? {} : { operation }),
    ...(min === undefined ? {} : { minDurationNs: min * 1e6 }),
    ...(max === undefined ? {} : { maxDurationNs: max * 1e6 }),
    ...(tags.size === 0 ? {} : { attributes: Object.fromEntries(tags) }),
  }
}

const notFound = (): AndonError => new AndonError('not_found', 'trace not found', { hint: 'It may be older than the retention of spans, or was not sampled.' })

/**
 * Jaeger's query API, as Grafana and Jaeger's UI ask it: services, operations, traces, one trace, dependencies.
 *
 * @see https://www.jaegertracing.io/docs/latest/architecture/apis/#http-json ; Grafana indexes data[0] unguarded, so an unknown trace is 404
 */
export function registerJaeger(app: FastifyInstance, { spans, clock, log }: { spans: SpanReader; clock: Pick<Clock, 'now'>; log: Log }): void {
  const lately = (): { start: Milliseconds; end: Milliseconds } => ({ start: clock.now() - NAMES_MS, end: clock.now() + 60_000 })
  void app.register((scope, _options, done) => {
    scope.setErrorHandler((error, request, reply) => {
      const { status, message, hint } = prepareError(error, request, reply, log)
      return reply.send({ data: null, total: 0, limit: 0, offset: 0, errors: [{ code: status, msg: message, hint }] })
    })
    const viewer = { config: { role: 'viewer' as const } }
    scope.get('/api/services', viewer, async () => envelope(await spans.services(lately())))
    scope.get<{ Params: { service: string } }>('/api/services/:service/operations', viewer, async (request) => {
      const operations = await spans.operations(request.params.service, lately())
      return envelope([...new Set(operations.map((one) => one.name))])
    })
    scope.get<{ Querystring: Query }>('/api/operations', viewer, async (request) => {
      const service = text(request.query, 'service')
      if (service === undefined) throw new AndonError('bad_parameter', "The parameter 'service' is required.")
      const operations = await spans.operations(service, lately())
      return envelope(operations.map((one) => ({ name: one.name, spanKind: one.kind })))
    })
    scope.get<{ Querystring: Query }>('/api/traces', viewer, async (request) => {
      const ids = texts(request.query, 'traceID')
      const found =
        ids.length > 0 ? ids.slice(0, TRACES_MAX).map((id) => ({ traceId: parseTraceId(id) })) : await spans.search(searchOf(request.query, clock.now()))
      const traces = []
      for (const one of found) traces.push(await spans.trace(one.traceId, 'start' in one ? one.start : undefined))
      return envelope(traces.filter((trace) => trace.length > 0).map(jaegerTrace))
    })
    scope.get<{ Params: { id: string } }>('/api/traces/:id', viewer, async (request) => {
      const trace = await spans.trace(parseTraceId(request.params.id))
      if (trace.length === 0) throw notFound()
      return envelope([jaegerTrace(trace)])
    })
    scope.get<{ Querystring: Query }>('/api/dependencies', viewer, async (request) => {
      const calls = await spans.calls(callRange(request.query, clock.now()))
      return envelope(calls.map(({ caller, called, calls: count }) => ({ parent: caller, child: called, callCount: Math.round(count) })))
    })
    done()
  })
}
