// Zipkin's API: spans in, and what its UI and Grafana ask.
import { AndonError, type Bytes, type Milliseconds, type SpanRecord } from '@andon/model'
import { decodeZipkin, encodeZipkin, type PartialSuccess } from '@andon/wire'
import type { FastifyInstance } from 'fastify'
import type { SpanReader, TraceQuery } from '../query/spans.ts'
import type { Clock } from '../runtime/clock.ts'
import type { SpanFilter } from '../store/span-filter.ts'
import { type BodyReader, unread } from './body.ts'
import { callRange, parseTraceId, type Query, text, texts, whole } from './parameters.ts'

/** What takes spans; resolves when they are stored. */
export interface ZipkinSink {
  acceptSpans(spans: readonly SpanRecord[], bytes: Bytes): Promise<PartialSuccess>
}

export interface ZipkinDeps {
  readonly ingest: ZipkinSink
  readonly spans: SpanReader
  readonly clock: Pick<Clock, 'now'>
  readonly bodies: BodyReader
}

const TRACES_MAX = 200
const LOOKBACK: Milliseconds = 3_600_000
/** What lists of names look back on; Zipkin's requests for them name no time. */
const NAMES: Milliseconds = 7 * 86_400_000
const VIEWER = { config: { role: 'viewer' } } as const

/** Tags that are kept as what they say rather than as attributes. */
const KEPT_ELSEWHERE: ReadonlyMap<string, SpanFilter> = new Map([
  ['error', { kind: 'compare', field: { intrinsic: 'status' }, operator: '=', value: 'error' }],
  ['otel.status_code', { kind: 'compare', field: { intrinsic: 'status' }, operator: '!=', value: 'unset' }],
  ['otel.scope.name', { kind: 'compare', field: { intrinsic: 'scopeName' }, operator: '!=', value: '' }],
  ['otel.scope.version', { kind: 'compare', field: { intrinsic: 'scopeVersion' }, operator: '!=', value: '' }],
])

/** A tag of this key, whatever its value, or an annotation of this value. */
function hasWord(word: string): SpanFilter {
  const tag: SpanFilter = KEPT_ELSEWHERE.get(word) ?? { kind: 'compare', field: { scope: 'span', key: word }, operator: '!=', value: null }
  return { kind: 'any', of: [tag, { kind: 'compare', field: { intrinsic: 'eventName' }, operator: '=', value: word }] }
}

/** `annotationQuery=error and http.method=GET`: tags with a value, and words that are a tag or an annotation. */
function annotationsOf(query: Query): Pick<TraceQuery, 'attributes' | 'filter'> {
  const parts = (text(query, 'annotationQuery') ?? '').split(/ and /i).map((part) => part.trim()).filter((part) => part !== '')
  const pairs = parts.map((part): [key: string, value: string] => {
    const at = part.indexOf('=')
    if (at === 0) throw new AndonError('bad_parameter', `annotationQuery: "${part.slice(0, 100)}" has no key before its value.`)
    return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
  })
  // As in Zipkin, `key=` is the same as `key`.
  const [words, tags] = [pairs.filter(([, value]) => value === ''), pairs.filter(([, value]) => value !== '')]
  return {
    ...(tags.length > 0 && { attributes: Object.fromEntries(tags) }),
    ...(words.length > 0 && { filter: { kind: 'spans', filter: { kind: 'all', of: words.map(([word]) => hasWord(word)) } } }),
  }
}

/** Times in milliseconds, durations in microseconds. */
function searchOf(query: Query, now: Milliseconds): TraceQuery {
  const end = whole(query, 'endTs', { min: 0, max: 8.64e15, otherwise: now })
  const lookback = whole(query, 'lookback', { min: 1, max: 400 * 86_400_000, otherwise: LOOKBACK })
  const min = whole(query, 'minDuration', { min: 0, max: 1e15, otherwise: 0 })
  const max = whole(query, 'maxDuration', { min: 0, max: 1e15, otherwise: 0 })
  const [service, operation] = [text(query, 'serviceName'), text(query, 'spanName')]
  return {
    range: { start: end - lookback, end },
    limit: Math.min(TRACES_MAX, whole(query, 'limit', { min: 1, max: 1e6, otherwise: 10 })),
    ...(service !== undefined && { service }),
    ...(operation !== undefined && operation !== 'all' && { operation }),
    ...(min > 0 && { minDurationNs: min * 1000 }),
    ...(max > 0 && { maxDurationNs: max * 1000 }),
    ...annotationsOf(query),
  }
}

function registerIngest(app: FastifyInstance, { ingest, bodies }: ZipkinDeps): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', unread)
  app.post('/api/v2/spans', { config: { role: 'ingest' } }, async (request, reply) => {
    const { rejected, message } = await bodies.use(request, (body) => ingest.acceptSpans(decodeZipkin(new TextDecoder().decode(body)), body.length))
    if (rejected > 0) throw new AndonError('bad_body', `${message}; all others are stored.`, { hint: 'What was refused must not be sent again; see docs/reference/limits.md.' })
    return reply.code(202).send()
  })
}

function registerQueries(app: FastifyInstance, { spans, clock }: ZipkinDeps): void {
  const lately = (): { start: Milliseconds; end: Milliseconds } => ({ start: clock.now() - NAMES, end: clock.now() + 60_000 })
  const traces = async (found: readonly { readonly traceId: string; readonly start?: Milliseconds }[]): Promise<object[]> => {
    const all = []
    for (const { traceId, start } of found) all.push(await spans.sentTrace(traceId, start))
    return all.filter((trace) => trace.length > 0).map((trace) => trace.map(encodeZipkin))
  }
  app.get('/api/v2/services', VIEWER, () => spans.services(lately()))
  app.get<{ Querystring: Query }>('/api/v2/spans', VIEWER, async (request) => {
    const service = text(request.query, 'serviceName')
    if (service === undefined) throw new AndonError('bad_parameter', 'serviceName is missing.')
    const operations = await spans.operations(service, lately())
    return [...new Set(operations.map(({ name }) => name))].toSorted()
  })
  app.get<{ Querystring: Query }>('/api/v2/traces', VIEWER, async (request) => await traces(await spans.search(searchOf(request.query, clock.now()))))
  app.get<{ Querystring: Query }>('/api/v2/traceMany', VIEWER, async (request) => {
    const ids = texts(request.query, 'traceIds').flatMap((each) => each.split(','))
    return await traces([...new Set(ids.map(parseTraceId))].slice(0, TRACES_MAX).map((traceId) => ({ traceId })))
  })
  app.get<{ Params: { id: string } }>('/api/v2/trace/:id', VIEWER, async (request) => {
    const trace = await spans.sentTrace(parseTraceId(request.params.id))
    if (trace.length === 0) throw new AndonError('not_found', 'There is no such trace.', { hint: 'It may be older than the retention of spans, or was not sampled.' })
    return trace.map(encodeZipkin)
  })
  app.get<{ Querystring: Query }>('/api/v2/dependencies', VIEWER, async (request) => {
    const calls = await spans.calls(callRange(request.query, clock.now()))
    return calls.map(({ caller, called, calls: count, errors }) => ({ parent: caller, child: called, callCount: Math.round(count), errorCount: Math.round(errors) }))
  })
}

/** POST /api/v2/spans, answered 202 only when stored, and Zipkin's queries. */
export function registerZipkin(app: FastifyInstance, deps: ZipkinDeps): void {
  void app.register((scope, _options, done) => {
    registerIngest(scope, deps)
    registerQueries(scope, deps)
    done()
  })
}
