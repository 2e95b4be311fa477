// Prometheus' HTTP API, as Grafana and promtool ask it.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/
import { AndonError, type ErrorCode, type LabelMatcher, type Labels, type Milliseconds, type TimeRange } from '@andon/model'
import { parse, parseDuration } from '@andon/promql'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Engine, QueryResult } from '../query/engine.ts'
import { resultJson } from './metrics-json.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ScrapedTarget } from '../scrape/index.ts'
import { asAndonError, prepareError } from './errors.ts'
import { type Query, text, texts } from './parameters.ts'

/** What the routes of metadata read; `MetricsStore` is one. */
export interface MetadataSource {
  labelNames(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly string[]>
  labelValues(label: string, matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly string[]>
  seriesOf(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly Labels[]>
  metadata(): Promise<readonly { readonly name: string; readonly type: string; readonly unit: string; readonly help: string }[]>
}

export interface MetricsApiDeps {
  readonly engine: Engine
  readonly metrics: MetadataSource
  readonly targets: () => readonly ScrapedTarget[]
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly version: string
}

const VIEWER = { config: { role: 'viewer' } } as const
const LIVE = { config: { role: 'viewer', live: true } } as const

/** Prometheus' own name of an error, and its status. */
const ERROR_TYPES: Readonly<Partial<Record<ErrorCode, readonly [type: string, status: number]>>> = {
  bad_query: ['bad_data', 400],
  bad_parameter: ['bad_data', 400],
  bad_body: ['bad_data', 400],
  query_failed: ['execution', 422],
  query_too_large: ['execution', 422],
  query_timeout: ['timeout', 503],
  unavailable: ['unavailable', 503],
  overloaded: ['unavailable', 503],
}

/** Parameters of the address and, for a POST, of the form in the body; the body's come first. */
function parameters(request: FastifyRequest): Query {
  const query: Record<string, string | string[]> = {}
  const add = (name: string, value: string): void => {
    const held = query[name]
    query[name] = held === undefined ? value : [...(typeof held === 'string' ? [held] : held), value]
  }
  const search = new URLSearchParams(request.url.split('?').slice(1).join('?'))
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
  for (const [name, value] of form) add(name, value)
  for (const [name, value] of search) if (!form.has(name)) add(name, value)
  return query
}

function required(query: Query, name: string): string {
  const value = text(query, name)
  if (value === undefined) throw new AndonError('bad_parameter', `invalid parameter "${name}": it is missing`)
  return value
}

/** Seconds since the epoch with fractions, or RFC 3339. */
function timeOf(name: string, value: string): Milliseconds {
  const ms = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(value) ? Number(value) * 1000 : Date.parse(value)
  if (!Number.isFinite(ms)) throw new AndonError('bad_parameter', `invalid parameter "${name}": cannot parse "${value.slice(0, 100)}" to a valid timestamp`)
  return Math.round(ms)
}

function stepOf(value: string): Milliseconds {
  const step = parseDuration(value)
  if (step === undefined || !(step > 0)) throw new AndonError('bad_parameter', `invalid parameter "step": "${value.slice(0, 100)}" is not a duration greater than 0`)
  return step
}

/** A signal that is aborted when the one who asked goes away. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort(new AndonError('query_failed', 'the client went away'))
  })
  return controller.signal
}

const FOREVER: TimeRange = { start: 0, end: 8.64e15 }

/** `start` and `end` of a request for metadata; all times when absent. */
function rangeOf(query: Query): TimeRange {
  const start = text(query, 'start')
  const end = text(query, 'end')
  return { start: start === undefined ? FOREVER.start : timeOf('start', start), end: end === undefined ? FOREVER.end : timeOf('end', end) }
}

/** The selectors of `match[]`. */
function matchersOf(query: Query): (readonly LabelMatcher[])[] {
  return texts(query, 'match[]').map((selector) => {
    const expr = parse(selector)
    if (expr.kind !== 'selector') throw new AndonError('bad_parameter', `invalid parameter "match[]": "${selector.slice(0, 100)}" is not a selector`)
    return expr.matchers
  })
}

async function union<T>(selectors: readonly (readonly LabelMatcher[])[], read: (matchers: readonly LabelMatcher[]) => Promise<readonly T[]>): Promise<T[]> {
  const found = await Promise.all((selectors.length === 0 ? [[]] : selectors).map(read))
  return found.flat()
}

/** A label's name as Grafana writes those with dots: `U__http_2e_route`. */
function labelOf(name: string): string {
  if (!name.startsWith('U__')) return name
  return name.slice(3).replaceAll(/_(?:_|([\da-fA-F]+)_)/g, (_, hex?: string) => (hex === undefined ? '_' : String.fromCodePoint(Number.parseInt(hex, 16))))
}

/** Prometheus' query and metadata routes under /api/v1. */
export function registerMetricsApi(app: FastifyInstance, deps: MetricsApiDeps): void {
  void app.register(async (scope) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 1_048_576 }, (_request, body, done) => done(null, new URLSearchParams(String(body))))
    scope.setErrorHandler((error, request, reply) => {
      prepareError(error, request, reply, deps.log)
      const known = asAndonError(error)
      const [type, status] = ERROR_TYPES[known.code] ?? ['internal', 500]
      return reply.code(status).send({ status: 'error', errorType: type, error: known.message, hint: known.hint })
    })
    registerQueries(scope, deps)
    registerMetadata(scope, deps)
  })
}

function success(reply: FastifyReply, data: unknown, { infos = [], warnings = [] }: Partial<Pick<QueryResult, 'infos' | 'warnings'>> = {}): FastifyReply {
  return reply.send({ status: 'success', data, ...(warnings.length > 0 && { warnings }), ...(infos.length > 0 && { infos }) })
}

function registerQueries(app: FastifyInstance, { engine, clock }: MetricsApiDeps): void {
  const instant = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const time = text(query, 'time')
    const result = await engine.instant(required(query, 'query'), time === undefined ? clock.now() : timeOf('time', time), { signal: goneSignal(reply) })
    return success(reply, resultJson(result), result)
  }
  const range = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const [start, end] = [timeOf('start', required(query, 'start')), timeOf('end', required(query, 'end'))]
    const result = await engine.range(required(query, 'query'), start, end, stepOf(required(query, 'step')), { signal: goneSignal(reply) })
    return success(reply, resultJson(result), result)
  }
  app.get('/api/v1/query', LIVE, instant)
  app.post('/api/v1/query', VIEWER, instant)
  app.get('/api/v1/query_range', LIVE, range)
  app.post('/api/v1/query_range', VIEWER, range)
}

function targetJson({ url, labels, health, lastScrape, lastDuration, lastError, job, intervalMs, timeoutMs }: ScrapedTarget): object {
  return {
    discoveredLabels: labels,
    labels,
    scrapePool: job,
    scrapeUrl: url,
    globalUrl: url,
    lastError,
    lastScrape: new Date(lastScrape).toISOString(),
    lastScrapeDuration: lastDuration / 1000,
    health,
    scrapeInterval: `${intervalMs}ms`,
    scrapeTimeout: `${timeoutMs}ms`,
  }
}

function registerMetadata(app: FastifyInstance, { metrics, targets, version }: MetricsApiDeps): void {
  const labels = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const names = await union(matchersOf(query), (matchers) => metrics.labelNames(matchers, rangeOf(query)))
    return success(reply, [...new Set(names)].toSorted())
  }
  const series = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const selectors = matchersOf(query)
    if (selectors.length === 0) throw new AndonError('bad_parameter', 'no match[] parameter provided')
    return success(reply, await union(selectors, (matchers) => metrics.seriesOf(matchers, rangeOf(query))))
  }
  app.get('/api/v1/labels', VIEWER, labels)
  app.post('/api/v1/labels', VIEWER, labels)
  app.get<{ Params: { name: string } }>('/api/v1/label/:name/values', VIEWER, async (request, reply) => {
    const query = parameters(request)
    const values = await union(matchersOf(query), (matchers) => metrics.labelValues(labelOf(request.params.name), matchers, rangeOf(query)))
    return success(reply, [...new Set(values)].toSorted())
  })
  app.get('/api/v1/series', VIEWER, series)
  app.post('/api/v1/series', VIEWER, series)
  app.get('/api/v1/metadata', VIEWER, async (request, reply) => {
    const wanted = text(parameters(request), 'metric')
    const all = (await metrics.metadata()).filter(({ name }) => wanted === undefined || name === wanted)
    return success(reply, Object.fromEntries(all.map(({ name, type, unit, help }) => [name, [{ type: type === 'updown' ? 'gauge' : type, help, unit }]])))
  })
  app.get('/api/v1/targets', LIVE, (_request, reply) => success(reply, { activeTargets: targets().map(targetJson), droppedTargets: [] }))
  // Without features, so that Grafana does not look for a ruler.
  app.get('/api/v1/status/buildinfo', VIEWER, (_request, reply) => success(reply, { version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '', features: {} }))
}
