import fastify, { type FastifyInstance } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { SpanReader } from '../query/spans.ts'
import { type AgentsDeps, noteAgent, registerAgents } from './agents.ts'
import { type CoverageDeps, registerCoverage } from './coverage.ts'
import { type EdgesDeps, registerEdges } from './edges.ts'
import { answerUnreadable, registerErrors, sendError } from './errors.ts'
import { type ExceptionsDeps, registerExceptions } from './exceptions.ts'
import { type Guard, registerGuard } from './guard.ts'
import { type LiveHub, registerLive } from './live.ts'
import { type OtlpDeps, registerOtlp } from './otlp.ts'
import { registerOpenApi } from './openapi/index.ts'
import { type OverviewDeps, registerOverview } from './overview.ts'
import { registerPages } from './pages.ts'
import { type ProfilesDeps, registerProfiles } from './profiles.ts'
import { registerRemoteWrite, type RemoteWriteSink } from './remote-write.ts'
import { registerSpans } from './spans.ts'
import { registerJaeger } from './spans-jaeger.ts'
import { registerStalls, type StallsDeps } from './stalls.ts'
import { registerStatements, type StatementsDeps } from './statements.ts'
import { registerTempo } from './spans-tempo.ts'
import { registerZipkin, type ZipkinSink } from './spans-zipkin.ts'
import { registerStatus, type StatusDeps } from './status.ts'

/** What the routes stand on; made by app.ts, or by a test. */
export interface ApiDeps {
  readonly guard: Guard
  readonly log: Log
  readonly clock: Clock
  readonly otlp: Omit<OtlpDeps, 'log' | 'note'>
  readonly written: RemoteWriteSink
  readonly zipkin: ZipkinSink
  readonly spans: SpanReader
  readonly profiles: Pick<ProfilesDeps, 'ingest' | 'reader'>
  readonly overview: OverviewDeps
  readonly status: StatusDeps
  readonly agents: Omit<AgentsDeps, 'guard' | 'clock'>
  readonly coverage: CoverageDeps['coverage']
  readonly stalls: StallsDeps['stalls']
  readonly map: EdgesDeps['map']
  readonly statements: StatementsDeps['statements']
  readonly errors: ExceptionsDeps['errors']
  /** Makes the hub of live streams, which asks this server's own routes. */
  readonly live: (app: FastifyInstance) => LiveHub
  /** The built dashboard, if there is one. */
  readonly dashboard: string | undefined
  /** Further routes: the Prometheus API. */
  readonly more: (app: FastifyInstance) => void
}

/** How long a request may take to arrive. */
const REQUEST_MS = 120_000

/**
 * All routes on one server that does not listen yet. The guard stands before every one of them; closing the server ends all streams.
 *
 * @throws Error when a route names no role
 */
export async function createApi(deps: ApiDeps): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: 1_048_576,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 1000 },
    // What is refused before there is a route, such as an address that cannot be decoded.
    frameworkErrors: (error, request, reply) => sendError(error, request, reply, deps.log),
    clientErrorHandler: answerUnreadable,
  })
  const { clock, log, spans } = deps
  registerErrors(app, log)
  registerGuard(app, deps.guard)
  const hub = deps.live(app)
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    hub.stop()
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    // A connection that is kept alive would hold up the end.
    if (closing) reply.header('connection', 'close')
    done(null, payload)
  })
  registerLive(app, hub)
  const agents: AgentsDeps = { ...deps.agents, guard: deps.guard, clock }
  registerOtlp(app, { ...deps.otlp, log, note: (request) => noteAgent(request, agents) })
  const { bodies } = deps.otlp
  registerRemoteWrite(app, { written: deps.written, bodies, log })
  registerProfiles(app, { ...deps.profiles, clock, bodies, note: (request) => noteAgent(request, agents) })
  registerAgents(app, agents)
  registerCoverage(app, { coverage: deps.coverage, clock })
  registerStalls(app, { stalls: deps.stalls, clock })
  registerEdges(app, { map: deps.map, clock })
  registerStatements(app, { statements: deps.statements, clock })
  registerExceptions(app, { errors: deps.errors, clock })
  registerSpans(app, { spans, clock })
  registerJaeger(app, { spans, clock, log })
  registerTempo(app, { spans, clock, log })
  registerZipkin(app, { ingest: deps.zipkin, spans, clock, bodies })
  registerOverview(app, deps.overview)
  registerStatus(app, deps.status)
  registerOpenApi(app, { guard: deps.guard, version: deps.status.version })
  deps.more(app)
  await registerPages(app, deps.dashboard)
  await app.ready()
  return app
}
