import { AndonError, type Attributes, type AttributeValue, type Nanoseconds, nanosecondsToMilliseconds, type Resource, SPAN_KINDS, type SpanRecord } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import type { FoundTrace, SpanReader, TraceQuery, TraceSummary } from '../query/spans.ts'
import { parseTraceQl } from '../query/traceql/parse.ts'
import { duration, oneOf, parseTraceId, type Query, text, texts, timeRange, whole } from './parameters.ts'

/** An attribute's value in JSON: int64 as a number where it fits a double exactly, else as text; bytes as base64. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }
export type JsonAttributes = Readonly<Record<string, JsonValue>>

/** One span of a trace; times in microseconds from the start of the trace. */
export interface TraceSpan {
  readonly id: string
  readonly parent: string | null
  readonly service: string
  readonly name: string
  readonly kind: SpanRecord['kind']
  readonly startOffsetUs: number
  readonly durationUs: number
  readonly status: SpanRecord['status']['code']
  readonly statusMessage: string
  readonly attributes: JsonAttributes
  /** Index into the trace's `resources`. */
  readonly resource: number
  readonly scope: { readonly name: string; readonly version: string }
  readonly events: readonly { readonly offsetUs: number; readonly name: string; readonly attributes: JsonAttributes }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: JsonAttributes }[]
}

/** GET /api/spans/trace/:id. */
export interface TraceBody {
  readonly traceId: string
  /** Milliseconds since the epoch, of the earliest span. */
  readonly start: number
  /** From the earliest start to the latest end; text, because it may not fit a double. */
  readonly durationNs: string
  readonly spans: readonly TraceSpan[]
  readonly resources: readonly JsonAttributes[]
}

function jsonValue(value: AttributeValue): JsonValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map((one: AttributeValue) => jsonValue(one))
  return jsonAttributes(Object.fromEntries(Object.entries(value)))
}

const jsonAttributes = (attributes: Attributes): JsonAttributes => Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, jsonValue(value)]))

/** Microseconds between two times, to the nanosecond. */
const offset = (time: Nanoseconds, start: Nanoseconds): number => Number(time - start) / 1000

/**
 * The spans of one trace for the waterfall, in the order of their starts.
 *
 * @param spans - all of one trace, at least one
 */
export function traceBody(spans: readonly SpanRecord[]): TraceBody {
  const sorted = spans.toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
  const start = sorted[0]?.start ?? 0n
  const end = sorted.reduce((latest, span) => (span.end > latest ? span.end : latest), start)
  const resources: JsonAttributes[] = []
  const indexes = new Map<string, number>()
  const indexOf = (resource: Resource): number => {
    const attributes = jsonAttributes(resource.attributes)
    const key = JSON.stringify(attributes)
    const index = indexes.get(key) ?? resources.push(attributes) - 1
    indexes.set(key, index)
    return index
  }
  return {
    traceId: sorted[0]?.traceId ?? '',
    start: nanosecondsToMilliseconds(start),
    durationNs: (end - start).toString(),
    resources,
    spans: sorted.map((span) => {
      const service = span.resource.attributes['service.name']
      return {
        id: span.spanId,
        parent: span.parentSpanId === '' ? null : span.parentSpanId,
        service: typeof service === 'string' ? service : 'unknown_service',
        name: span.name,
        kind: span.kind,
        startOffsetUs: offset(span.start, start),
        durationUs: offset(span.end, span.start),
        status: span.status.code,
        statusMessage: span.status.message,
        attributes: jsonAttributes(span.attributes),
        resource: indexOf(span.resource),
        scope: { name: span.scope.name, version: span.scope.version },
        events: span.events.map((event) => ({ offsetUs: offset(event.time, start), name: event.name, attributes: jsonAttributes(event.attributes) })),
        links: span.links.map((link) => ({ traceId: link.traceId, spanId: link.spanId, attributes: jsonAttributes(link.attributes) })),
      }
    }),
  }
}

const TRACES_MAX = 1000

/** Repeated `attr=key=value`. */
function attributeFilter(query: Query): Record<string, string> {
  return Object.fromEntries(
    texts(query, 'attr').map((pair) => {
      const at = pair.indexOf('=')
      if (at <= 0) throw new AndonError('bad_parameter', `attr="${pair.slice(0, 100)}" is not key=value.`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

function searchOf(query: Query, now: number): TraceQuery {
  const service = text(query, 'service')
  const operation = text(query, 'operation')
  const status = oneOf(query, 'status', ['ok', 'error'])
  const kind = oneOf(query, 'kind', SPAN_KINDS)
  const traceQl = text(query, 'q')
  const min = duration(query, 'minDuration')
  const max = duration(query, 'maxDuration')
  const attributes = attributeFilter(query)
  return {
    range: timeRange(query, now),
    limit: whole(query, 'limit', { min: 1, max: TRACES_MAX, otherwise: 100 }),
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
    ...(status === undefined ? {} : { status }),
    ...(kind === undefined ? {} : { kind }),
    ...(traceQl === undefined ? {} : { filter: parseTraceQl(traceQl).filter }),
    ...(min === undefined ? {} : { minDurationNs: min * 1e6 }),
    ...(max === undefined ? {} : { maxDurationNs: max * 1e6 }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  }
}

/** A found trace without what only the next page needs. */
function summaryBody({ latest: _latest, matched, ...summary }: FoundTrace): TraceSummary & { readonly matched: number } {
  return { ...summary, matched }
}

/** Our own routes of traces: search, facets of the search, one trace. */
export function registerSpans(app: FastifyInstance, { spans, clock }: { spans: SpanReader; clock: Pick<Clock, 'now'> }): void {
  app.get<{ Querystring: Query }>('/api/spans/search', { config: { role: 'viewer', live: true } }, async (request) => {
    const search = searchOf(request.query, clock.now())
    const { traces, next } = await spans.page(search, text(request.query, 'cursor'))
    return { from: search.range.start, to: search.range.end, traces: traces.map(summaryBody), truncated: next !== null, next }
  })
  app.get<{ Querystring: Query }>('/api/spans/facets', { config: { role: 'viewer' } }, async (request) => {
    const range = timeRange(request.query, clock.now())
    return { from: range.start, to: range.end, services: await spans.facets(range) }
  })
  app.get<{ Params: { id: string } }>('/api/spans/trace/:id', { config: { role: 'viewer' } }, async (request) => {
    const traceId = parseTraceId(request.params.id)
    const trace = await spans.trace(traceId)
    if (trace.length === 0) {
      throw new AndonError('not_found', `There is no trace ${traceId}.`, { hint: 'It may be older than the retention of spans, or was not sampled.' })
    }
    return traceBody(trace)
  })
}
