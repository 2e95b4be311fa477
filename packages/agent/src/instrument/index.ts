// Which instrumentations are on.
import http from 'node:http'
import type { AgentMeterProvider } from '../metrics/meter.ts'
import { isSwitchedOn, type Switches, warnUnknown } from '../options/instrumentations.ts'
import type { AgentTracerProvider } from '../tracer.ts'
import { VERSION } from '../version.ts'
import { recordDatabases } from './databases.ts'
import { watchEcmaScript } from './esm.ts'
import { instrumentExpress } from './express.ts'
import { instrumentFastify } from './fastify.ts'
import { HttpClientInstrumentation } from './http-client.ts'
import { HttpServerInstrumentation } from './http-server.ts'
import { instrumentJobs, recordJobs } from './jobs.ts'
import { instrumentKoa } from './koa.ts'
import { instrumentMysql2 } from './mysql2.ts'
import { applyPatches, askedForBuiltin, forgetModules, leaveAlone, patchLoaded, wantedNames, watchModules } from './load.ts'
import { forgetOutcomes, note } from './outcomes.ts'
import { PgInstrumentation } from './pg.ts'
import { PgMetrics } from './pg-pool.ts'
import { PublishedInstrumentations } from './published.ts'
import { PUBLISHED } from './published-packages.ts'
import { instrumentRedis } from './redis.ts'
import { reportSoon } from './report.ts'
import { instrumentSqlite } from './sqlite.ts'
import { UndiciInstrumentation } from './undici.ts'

/** Our own by their names, with what each patches. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  http: [],
  undici: [],
  fastify: [],
  express: ['express', 'router'],
  koa: ['koa'],
  pg: ['pg', 'pg-pool'],
  mysql2: ['mysql2'],
  ioredis: ['ioredis'],
  redis: ['@redis/client'],
  'better-sqlite3': ['better-sqlite3'],
  sqlite: ['node:sqlite'],
  bullmq: ['bullmq'],
  'node-cron': ['node-cron'],
}

/** The names by which an instrumentation is switched on or off; `runtime-node` is that of the metrics of the runtime. */
export const INSTRUMENTATIONS: readonly string[] = [...Object.keys(OWN), ...PUBLISHED.map(({ name }) => name), 'runtime-node']

/** Turns the instrumentations on, for modules that are loaded from now on or were before. @returns what ends them */
export function startInstrumentations(tracerProvider: AgentTracerProvider, meterProvider: AgentMeterProvider, switches: Switches): () => void {
  warnUnknown(switches, INSTRUMENTATIONS)
  const isOn = (name: string): boolean => isSwitchedOn(switches, name)
  for (const [name, patched] of Object.entries(OWN)) if (!isOn(name)) leaveAlone(patched)
  // Otherwise the packages speak the older conventions, with milliseconds.
  process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] ??= 'http,database'
  const tracer = tracerProvider.getTracer('@andon/agent/http', VERSION)
  const meter = meterProvider.getMeter('@andon/agent/http', VERSION)
  const published = new PublishedInstrumentations(tracerProvider, meterProvider)
  const ends = isOn('http') ? [new HttpServerInstrumentation(tracer, meter).start(), startHttpClient(new HttpClientInstrumentation(tracer, meter))] : []
  if (isOn('fastify')) ends.push(instrumentFastify())
  if (isOn('undici')) ends.push(new UndiciInstrumentation(tracer, meter).start())
  published.announceAll(isOn)
  const pg = new PgMetrics(tracerProvider.getTracer('@andon/agent/pg', VERSION), meterProvider.getMeter('@andon/agent/pg', VERSION))
  pg.watchPools()
  new PgInstrumentation(pg).start()
  for (const instrument of [instrumentExpress, instrumentKoa, instrumentRedis, instrumentMysql2, instrumentSqlite, instrumentJobs]) instrument()
  ends.push(recordJobs(tracerProvider.getTracer('@andon/agent/jobs', VERSION)))
  ends.push(recordDatabases(tracerProvider.getTracer('@andon/agent/database', VERSION), meterProvider.getMeter('@andon/agent/database', VERSION)))
  watchModules()
  watchEcmaScript(wantedNames(), applyPatches, askedForBuiltin)
  patchLoaded()
  ends.push(() => published.end(), reportSoon(), forgetModules, forgetOutcomes)
  return () => {
    for (const end of ends) end()
  }
}

/** Verifies that the requests of an importer are seen; another tool may have put its own in a place that does not change. */
function startHttpClient(client: HttpClientInstrumentation): () => void {
  const { request } = http
  const end = client.start()
  note({ name: 'http', version: '', path: '', by: 'andon', reason: http.request === request ? 'patch failed' : undefined, detail: '' })
  return end
}
