// Tempo's searches: traces by TraceQL, and the names and values that Grafana's editor offers.
import { AndonError, type AttributeValue, type Milliseconds, type SpanRecord, type TimeRange } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { FoundTrace, SpanReader, TraceQuery } from '../query/spans.ts'
import { fieldOfTag, INTRINSIC_NAMES, type NamedField } from '../query/traceql/fields.ts'
import { parseTraceQl } from '../query/traceql/parse.ts'
import type { Clock } from '../runtime/clock.ts'
import { EVERY_SPAN, type SpanFilter, spanFilters, type TraceFilter } from '../store/span-filter.ts'
import { parseDuration, type Query, RANGE_MS_MAX, text, whole } from './parameters.ts'

const VIEWER = { config: { role: 'viewer' } } as const
/** What is looked back on where a request names no time. */
const LOOKBACK: Milliseconds = 3_600_000
const TRACES_MAX = 1000
const SPANS_MAX = 100
const NAMES_MAX = 10_000
const SCOPES = ['span', 'resource', 'event', 'link', 'intrinsic'] as const

/** `start` and `end` in seconds since the epoch. */
function rangeOf(query: Query, now: Milliseconds): TimeRange {
  const bounds = { min: 0, max: 8.64e12, otherwise: -1 }
  const [from, to] = [whole(query, 'start', bounds), whole(query, 'end', bounds)]
  // A trace of this very second is not to be missed.
  const end = to < 0 ? now + 1000 : to * 1000 + 1000
  const start = from < 0 ? end - LOOKBACK : from * 1000
  if (start >= end) throw new AndonError('bad_parameter', 'start must be before end.')
  if (end - start > RANGE_MS_MAX) throw new AndonError('bad_parameter', 'start and end are more than 400 days apart.')
  return { start, end }
}

const LEGACY_TAG = /\s*([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)/y

/** `key=value` and `key="a value"`, as searches before TraceQL write them. */
function legacyPairs(tags: string): (readonly [key: string, value: string])[] {
  const pairs: (readonly [string, string])[] = []
  LEGACY_TAG.lastIndex = 0
  for (let at = 0; at < tags.length; at = LEGACY_TAG.lastIndex) {
    const [, key, quoted, plain] = LEGACY_TAG.exec(tags) ?? []
    if (key === undefined) throw new AndonError('bad_parameter', `tags="${tags.slice(0, 100)}" is not key=value or key="a value", separated by spaces.`)
    pairs.push([key, quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(.)/g, '$1')])
  }
  return pairs
}

const LEGACY_NAMES: Readonly<Record<string, string>> = { 'root.name': 'rootName', 'root.service.name': 'rootServiceName' }

/** Without types, a value is found whatever it is. */
function legacyTag([key, value]: readonly [key: string, value: string]): SpanFilter {
  const named = fieldOfTag(LEGACY_NAMES[key] ?? key)
  // What is measured has no text.
  const field = named.type === 'nanoseconds' ? ({ scope: 'any', key } as const) : named.field
  const is = (each: string | number | bigint | boolean): SpanFilter => ({ kind: 'compare', field, operator: '=', value: each })
  if ('intrinsic' in field) return is(value)
  const number = /^-?\d{1,18}$/.test(value) ? BigInt(value) : Number(value)
  const others = [...(value !== '' && (typeof number === 'bigint' || Number.isFinite(number)) ? [number] : []), ...(value === 'true' || value === 'false' ? [value === 'true'] : [])]
  return { kind: 'any', of: [value, ...others].map(is) }
}

/** What is asked before TraceQL: tags, and durations of the whole trace. */
function legacyFilter(query: Query): TraceFilter {
  const duration = (name: string, operator: '>=' | '<='): SpanFilter[] => {
    const value = text(query, name)
    return value === undefined ? [] : [{ kind: 'compare', field: { intrinsic: 'traceDuration' }, operator, value: parseDuration(name, value) * 1e6 }]
  }
  const conditions = [...legacyPairs((text(query, 'tags') ?? '').trim()).map(legacyTag), ...duration('minDuration', '>='), ...duration('maxDuration', '<=')]
  return { kind: 'spans', filter: { kind: 'all', of: conditions } }
}

interface Search {
  readonly query: TraceQuery
  readonly fields: readonly NamedField[]
  readonly spansPerTrace: number
}

function searchOf(query: Query, now: Milliseconds): Search {
  const q = text(query, 'q')
  const { filter, fields } = q === undefined ? { filter: legacyFilter(query), fields: [] } : parseTraceQl(q)
  return {
    query: { range: rangeOf(query, now), filter, limit: Math.min(TRACES_MAX, whole(query, 'limit', { min: 1, max: 1e6, otherwise: 20 })) },
    fields,
    spansPerTrace: Math.min(SPANS_MAX, whole(query, 'spss', { min: 1, max: 1e6, otherwise: 3 })),
  }
}

/** A value as OTLP's JSON writes it; int64 as text. */
function anyValue(value: AttributeValue): object {
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'bigint') return { intValue: String(value) }
  if (typeof value === 'number' && Number.isFinite(value)) return { doubleValue: value }
  return { stringValue: typeof value === 'string' ? value : JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? String(one) : one)) }
}

const SHOWN_INTRINSICS: Readonly<Record<string, (span: SpanRecord) => AttributeValue>> = {
  kind: ({ kind }) => kind,
  status: ({ status }) => status.code,
  statusMessage: ({ status }) => status.message,
  scopeName: ({ scope }) => scope.name,
  scopeVersion: ({ scope }) => scope.version,
}

/** What a named field is of this span; undefined where it has none, or where the answer says it anyway. */
function shownValue({ field }: NamedField, { attributes, resource, ...span }: SpanRecord): AttributeValue | undefined {
  if ('intrinsic' in field) return SHOWN_INTRINSICS[field.intrinsic]?.({ attributes, resource, ...span })
  const own = Object.hasOwn(attributes, field.key) ? attributes[field.key] : undefined
  const ofResource = Object.hasOwn(resource.attributes, field.key) ? resource.attributes[field.key] : undefined
  if (field.scope === 'span') return own
  if (field.scope === 'resource') return ofResource
  return field.scope === 'any' ? (own ?? ofResource) : undefined
}

function spanJson(span: SpanRecord, fields: readonly NamedField[]): object {
  const shown = new Map<string, AttributeValue>()
  for (const field of fields) {
    const value = shownValue(field, span)
    if (value !== undefined) shown.set('intrinsic' in field.field ? field.name : field.field.key, value)
  }
  return {
    spanID: span.spanId,
    name: span.name,
    startTimeUnixNano: String(span.start),
    durationNanos: String(span.end - span.start),
    attributes: [...shown].map(([key, value]) => ({ key, value: anyValue(value) })),
  }
}

function traceJson(trace: FoundTrace, spans: readonly SpanRecord[], fields: readonly NamedField[]): object {
  const spanSet = { spans: spans.map((span) => spanJson(span, fields)), matched: trace.matched }
  return {
    traceID: trace.traceId,
    rootServiceName: trace.rootService,
    rootTraceName: trace.rootName,
    startTimeUnixNano: String(BigInt(Math.round(trace.start)) * 1_000_000n),
    durationMs: Math.floor(trace.durationNs / 1e6),
    spanSets: [spanSet],
    spanSet,
    serviceStats: Object.fromEntries(trace.services.map(({ name, spans: spanCount, errors }) => [name, { spanCount, ...(errors > 0 && { errorCount: errors }) }])),
  }
}

/** The tag of the path; Grafana encodes it twice, and its proxy decodes it once. */
function tagOf({ tag }: { readonly tag: string }): string {
  try {
    return decodeURIComponent(tag)
  } catch {
    return tag
  }
}

/** What narrows names and values: the conditions of a query. While it is being written it can be none yet, and narrows nothing. */
function narrowing(query: Query): SpanFilter {
  const q = text(query, 'q')
  if (q === undefined) return EVERY_SPAN
  try {
    return { kind: 'any', of: spanFilters(parseTraceQl(q).filter) }
  } catch (error) {
    if (error instanceof AndonError && error.code === 'bad_query') return EVERY_SPAN
    throw error
  }
}

interface SearchDeps {
  readonly spans: SpanReader
  readonly clock: Pick<Clock, 'now'>
}

/** Tempo's routes of search, tags and values of tags, both versions. */
export function registerTempoSearch(app: FastifyInstance, deps: SearchDeps): void {
  const { spans, clock } = deps
  app.get<{ Querystring: Query }>('/tempo/api/search', VIEWER, async (request) => {
    const { query, fields, spansPerTrace } = searchOf(request.query, clock.now())
    const found = await spans.search(query)
    const matched = await spans.matchedSpans(query, found.map(({ traceId }) => traceId), spansPerTrace)
    return { traces: found.map((trace) => traceJson(trace, matched.get(trace.traceId) ?? [], fields)), metrics: { inspectedTraces: found.length, completedJobs: 1, totalJobs: 1 } }
  })
  registerTags(app, deps)
  for (const path of ['/tempo/api/metrics/query_range', '/tempo/api/metrics/query', '/tempo/api/metrics/summary']) {
    app.get(path, VIEWER, () => {
      throw new AndonError('bad_query', 'TraceQL metrics are not supported.', {
        hint: 'Ask rates, errors and durations in PromQL: the data source Prometheus of this server has them of every request, not only of traces that were kept.',
      })
    })
  }
}

function registerTags(app: FastifyInstance, { spans, clock }: SearchDeps): void {
  const asked = (query: Query): { range: TimeRange; filter: SpanFilter; limit: number } => ({
    range: rangeOf(query, clock.now()),
    filter: narrowing(query),
    limit: Math.min(NAMES_MAX, whole(query, 'limit', { min: 0, max: 1e9, otherwise: 0 }) || NAMES_MAX),
  })
  const names = async (query: Query): Promise<{ name: string; tags: readonly string[] }[]> => {
    const wanted = text(query, 'scope') ?? 'none'
    const known = { ...(await spans.attributeNames(asked(query))), intrinsic: INTRINSIC_NAMES }
    return SCOPES.filter((scope) => wanted === 'none' || wanted === scope).map((scope) => ({ name: scope, tags: known[scope] }))
  }
  const values = async (tag: string, query: Query): Promise<{ type: string; value: string }[]> => [...(await spans.attributeValues(fieldOfTag(tag).field, asked(query)))]
  app.get<{ Querystring: Query }>('/tempo/api/search/tags', VIEWER, async ({ query }) => {
    const scopes = await names(query)
    return { tagNames: [...new Set(scopes.filter(({ name }) => name !== 'intrinsic' || query['scope'] === 'intrinsic').flatMap(({ tags }) => tags))].toSorted() }
  })
  app.get<{ Querystring: Query }>('/tempo/api/v2/search/tags', VIEWER, async ({ query }) => ({ scopes: await names(query) }))
  app.get<{ Params: { tag: string }; Querystring: Query }>('/tempo/api/search/tag/:tag/values', VIEWER, async ({ params, query }) => ({
    tagValues: [...new Set((await values(tagOf(params), query)).map(({ value }) => value))],
  }))
  app.get<{ Params: { tag: string }; Querystring: Query }>('/tempo/api/v2/search/tag/:tag/values', VIEWER, async ({ params, query }) => ({ tagValues: await values(tagOf(params), query) }))
}
