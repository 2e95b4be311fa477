// Prometheus' HTTP API, as Grafana and promtool ask it.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/
import { AndonError, type ErrorCode, type Labels, labelsKey } from '@andon/model'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../query/engine.ts'
import type { MetadataReader } from '../query/metadata.ts'
import { resultJson } from './metrics-json.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ScrapedTarget } from '../ingest/scrape/index.ts'
import { asAndonError, prepareError } from './errors.ts'
import { registerExemplars } from './metrics-exemplars.ts'
import { registerFederation } from './metrics-federation.ts'
import { limited, limitedResult, limitOf, matchersOf, mostOf, parameters, querySignal, rangeOf, required, stepOf, success, timeOf, typeName, union } from './metrics-request.ts'
import { registerMetricsStatus } from './metrics-status.ts'
import { registerSyntax } from './metrics-syntax.ts'
import { registerTargets } from './metrics-targets.ts'
import { text } from './parameters.ts'
import { registerRules, type RulesApiDeps } from './rules.ts'

export interface MetricsApiDeps {
  readonly engine: Engine
  readonly metrics: Pick<MetadataReader, 'labelNames' | 'labelValues' | 'seriesOf' | 'exemplars' | 'metadata'>
  readonly targets: () => readonly ScrapedTarget[]
  readonly rules: RulesApiDeps['groups']
  readonly clock: Pick<Clock, 'now'>
  /** Of what is federated; none when absent. */
  readonly externalLabels?: Labels
  /** How long samples are kept; not told when absent. */
  readonly retentionDays?: number
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
  not_found: ['not_found', 404],
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
      const [type, status] = ERROR_TYPES[known.code] ?? [known.status < 500 ? 'bad_data' : 'internal', known.status]
      return reply.code(status).send({ status: 'error', errorType: type, error: known.message, hint: known.hint })
    })
    registerQueries(scope, deps)
    registerMetadata(scope, deps)
    registerExemplars(scope, deps.metrics)
    registerFederation(scope, deps)
    registerRules(scope, { groups: deps.rules })
    registerSyntax(scope)
    registerTargets(scope, deps)
    registerMetricsStatus(scope, deps)
  })
}

function registerQueries(app: FastifyInstance, { engine, clock }: MetricsApiDeps): void {
  const instant = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const time = text(query, 'time')
    const at = time === undefined ? clock.now() : timeOf('time', time)
    const result = limitedResult(query, await engine.instant(required(query, 'query'), at, { signal: querySignal(reply, query) }))
    return success(reply, resultJson(result), result)
  }
  const range = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const [start, end] = [timeOf('start', required(query, 'start')), timeOf('end', required(query, 'end'))]
    const found = await engine.range(required(query, 'query'), start, end, stepOf(required(query, 'step')), { signal: querySignal(reply, query) })
    const result = limitedResult(query, found)
    return success(reply, resultJson(result), result)
  }
  app.get('/api/v1/query', LIVE, instant)
  app.post('/api/v1/query', VIEWER, instant)
  app.get('/api/v1/query_range', LIVE, range)
  app.post('/api/v1/query_range', VIEWER, range)
}

function registerMetadata(app: FastifyInstance, { metrics }: MetricsApiDeps): void {
  const labels = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const names = await union(matchersOf(query), (matchers) => metrics.labelNames(matchers, rangeOf(query), mostOf(query)))
    return limited(reply, query, [...new Set(names)].toSorted())
  }
  const series = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const selectors = matchersOf(query)
    if (selectors.length === 0) throw new AndonError('bad_parameter', 'no match[] parameter provided')
    const found = await union(selectors, (matchers) => metrics.seriesOf(matchers, rangeOf(query), mostOf(query)))
    return limited(reply, query, [...new Map(found.map((each) => [labelsKey(each), each])).values()])
  }
  app.get('/api/v1/labels', VIEWER, labels)
  app.post('/api/v1/labels', VIEWER, labels)
  app.get<{ Params: { name: string } }>('/api/v1/label/:name/values', VIEWER, async (request, reply) => {
    const query = parameters(request)
    const values = await union(matchersOf(query), (matchers) => metrics.labelValues(labelOf(request.params.name), matchers, rangeOf(query), mostOf(query)))
    return limited(reply, query, [...new Set(values)].toSorted())
  })
  app.get('/api/v1/series', VIEWER, series)
  app.post('/api/v1/series', VIEWER, series)
  app.get('/api/v1/metadata', VIEWER, async (request, reply) => {
    const query = parameters(request)
    const wanted = text(query, 'metric')
    const all = (await metrics.metadata()).filter(({ name }) => wanted === undefined || name === wanted).slice(0, limitOf(query))
    return success(reply, Object.fromEntries(all.map(({ name, type, unit, help }) => [name, [{ type: typeName(type), help, unit }]])))
  })
}
