// Which instrumentations are on.
import http from 'node:http'
import type { AgentMeterProvider } from '../metrics/meter.ts'
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
import { applyPatches, askedForBuiltin, forgetModules, patchLoaded, wantedNames, watchModules } from './load.ts'
import { forgetOutcomes, note } from './outcomes.ts'
import { PgInstrumentation } from './pg.ts'
import { PgMetrics } from './pg-pool.ts'
import { PublishedInstrumentations } from './published.ts'
import { instrumentRedis } from './redis.ts'
import { reportSoon } from './report.ts'
import { instrumentSqlite } from './sqlite.ts'
import { UndiciInstrumentation } from './undici.ts'

/** Turns the instrumentations on, for modules that are loaded from now on or were before. @returns what ends them */
export function startInstrumentations(tracerProvider: AgentTracerProvider, meterProvider: AgentMeterProvider): () => void {
  // Otherwise the packages speak the older conventions, with milliseconds.
  process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] ??= 'http,database'
  const tracer = tracerProvider.getTracer('@andon/agent/http', VERSION)
  const meter = meterProvider.getMeter('@andon/agent/http', VERSION)
  const published = new PublishedInstrumentations(tracerProvider, meterProvider)
  const ends = [new HttpServerInstrumentation(tracer, meter).start(), startHttpClient(new HttpClientInstrumentation(tracer, meter)), instrumentFastify(), new UndiciInstrumentation(tracer, meter).start()]
  published.announceAll()
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
