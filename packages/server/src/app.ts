import { AndonError, type Milliseconds } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import { BodyReader } from './api/body.ts'
import { Guard } from './api/guard.ts'
import { createApi } from './api/index.ts'
import { GrpcServer } from './api/otlp-grpc.ts'
import { LIVE_LIMITS, LiveHub } from './api/live.ts'
import { registerMetricsApi } from './api/metrics.ts'
import { registerTelling } from './api/telling.ts'
import { findDashboard } from './api/pages.ts'
import { findPortHolder } from './api/port-holder.ts'
import { OwnCpu, ownUse } from './api/status.ts'
import type { Options } from './config.ts'
import { ControlBook } from './control/control-book.ts'
import { KnownAgents } from './control/known-agents.ts'
import { EventIngest } from './ingest/events.ts'
import { ExceptionIngest } from './ingest/exceptions.ts'
import { MetricIngest } from './ingest/metrics.ts'
import { ProfileIngest } from './ingest/profiles.ts'
import { RemoteWriteIngest } from './ingest/remote-write.ts'
import { type IngestContext, SpanIngest } from './ingest/spans.ts'
import { AllSeries } from './query/all-series.ts'
import { BusinessReader } from './query/business.ts'
import { CoverageReader } from './query/coverage.ts'
import { ServiceMapReader } from './query/edges.ts'
import { Engine } from './query/engine.ts'
import { engineEvaluator } from './query/engine-evaluator.ts'
import { ErrorReader } from './query/exceptions.ts'
import { MetadataReader } from './query/metadata.ts'
import { ProfileReader } from './query/profiles.ts'
import { RecentAnswers } from './query/recent-answers.ts'
import { RedReader } from './query/red.ts'
import { SaturationReader } from './query/saturation.ts'
import { ServiceCallReader } from './query/service-calls.ts'
import { SpanSeries } from './query/span-series.ts'
import { SpanReader } from './query/spans.ts'
import { StatementReader } from './query/statements.ts'
import { type Clock, systemClock } from './runtime/clock.ts'
import type { Log } from './runtime/log.ts'
import { OwnMetrics } from './runtime/own-metrics.ts'
import { Scraper } from './ingest/scrape/index.ts'
import { BreachAlerts } from './rules/breaches.ts'
import { DiskGuard } from './store/disk-guard.ts'
import { openStore, type Store } from './store/index.ts'
import { readTellingFiles, Telling, type TellingFiles } from './telling.ts'
import { ownVersion } from './version.ts'

/** How long requests under way may take to end before their connections are cut. */
const STOP_MS: Milliseconds = 10_000
/** OTLP's ports by HTTP and by gRPC. */
const DEFAULT_PORT = 4318
const GRPC_PORT = 4317

export interface AppDeps {
  readonly log: Log
  readonly clock?: Clock
}

/** What runs between start and stop. */
interface Running {
  readonly store: Store
  readonly api: FastifyInstance
  readonly grpc: GrpcServer
  readonly scraper: Scraper
  readonly telling: Telling
  readonly drained: () => Promise<unknown>
}

/**
 * One server of Andon: new, start, reload, stop. Every part is made and connected here and nowhere else. Owns its data directory
 * or its connections to ClickHouse, its port and its timers from start to stop.
 */
export class App {
  readonly #options: Options
  readonly #log: Log
  readonly #clock: Clock
  readonly #guard: Guard
  #running: Running | undefined
  #stopping: Promise<void> | undefined
  #ready = false
  #port = 0
  #grpcPort: number | undefined

  /** @throws AndonError bad_config when it would listen beyond loopback without a token */
  constructor(options: Options, { log, clock = systemClock }: AppDeps) {
    this.#options = options
    this.#log = log
    this.#clock = clock
    const { host, allowedHosts, tokens } = options
    this.#guard = new Guard({ host, port: () => this.#port, allowedHosts, tokens, clock })
  }

  /** Where OTLP over gRPC is taken; undefined where it is not. */
  get grpcPort(): number | undefined {
    return this.#grpcPort
  }

  /** Where it listens; a port that the system chooses is known after `start`. */
  get url(): string {
    const { host } = this.#options
    const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
    return `http://${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${this.#port === 0 ? this.#options.port : this.#port}`
  }

  /**
   * Opens the store and listens; settles when requests are answered.
   *
   * @throws AndonError port_in_use, store_locked, bad_config, bad_rules, unavailable where a ClickHouse server cannot be reached; then nothing is left open
   */
  async start(): Promise<void> {
    const { dataDir, clickhouse, retention } = this.#options
    const files = readTellingFiles(this.#options)
    const store = await openStore({ dataDir, server: clickhouse, log: this.#log, clock: this.#clock, retention })
    let running: Running | undefined
    try {
      running = { store, ...(await this.#connect(store, files)) }
      this.#running = running
      await this.#listen(running.api)
      await this.#listenGrpc(running)
      running.scraper.start()
      running.telling.start()
      this.#ready = true
    } catch (error) {
      this.#running = undefined
      await running?.drained()
      await store.close()
      throw error
    }
  }

  /**
   * Takes tokens, allowed hosts, rules, objectives, routes of alerts and runbooks from other options, their files read anew; all else
   * needs a new start. Settles when they hold; what is known of alerts whose rules stay is kept.
   *
   * @throws AndonError bad_config, bad_rules; then nothing has changed
   */
  async reload(options: Pick<Options, 'tokens' | 'allowedHosts' | 'rules' | 'objectives' | 'alerting'>): Promise<void> {
    const files = readTellingFiles(options)
    this.#guard.reload(options)
    await this.#running?.telling.reload(files, options)
  }

  /** Takes no more requests, ends those under way, stores what they brought, closes the store. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#ready = false
    const running = this.#running
    if (running === undefined) return
    const cut = this.#clock.after(STOP_MS, () => {
      running.api.server.closeAllConnections()
      running.grpc.cut()
    })
    await Promise.all([running.api.close(), running.grpc.close(), running.scraper.stop(), running.telling.stop()])
    cut()
    await running.drained()
    await running.store.close()
    this.#running = undefined
  }

  async #connect(store: Store, files: TellingFiles): Promise<Omit<Running, 'store'>> {
    const clock = this.#clock
    const { limits, retention } = this.#options
    const own = new OwnMetrics()
    const room = await DiskGuard.open({ disk: store.disk, state: store.state, clock, log: this.#log, own, options: this.#options.disk })
    const kept = (retentionDays: number): IngestContext => ({ clock, limits, own, room, retentionDays })
    const spanDays = kept(retention.spansDays)
    const spans = new SpanIngest(store, spanDays)
    const metrics = new MetricIngest(store.metrics, kept(retention.rawDays))
    const externalUrl = this.#options.externalUrl === '' ? this.url : this.#options.externalUrl
    // Made before who takes it: nothing is taken before it listens.
    const late: { telling?: Telling } = {}
    const breaches = new BreachAlerts({ receiver: { accept: async (alerts) => await late.telling?.alerts.accept(alerts) }, externalUrl })
    const exceptions = new ExceptionIngest(store.exceptions, new EventIngest({ state: store.state, inventory: store.inventory, stalls: store.stalls, breaches, ...spanDays }), kept(retention.errorsDays), this.#log)
    const profiles = new ProfileIngest(store.profiles, kept(retention.profilesDays))
    const scraper = new Scraper({ jobs: this.#options.scrape, maxBytes: limits.inflatedBytes }, { sink: metrics, clock, fetch })
    const series = new AllSeries(store.metrics, new SpanSeries(store.edges, store.spanRates, clock))
    const engine = new Engine(series, limits, { rateSums: series, floatParts: store.metrics, deltaHistograms: store.metrics, rollups: store.rollups })
    const evaluator = new RecentAnswers(engineEvaluator(engine), clock)
    const agents = await KnownAgents.open(store.agents, clock, (error) => this.#log.warn('the agents could not be written', { error: String(error) }))
    const red = new RedReader(evaluator, store.spans)
    const cpu = new OwnCpu(clock)
    // A server may be away; the rest of the page is then shown without.
    const storeBytes = (): Promise<number | null> =>
      store.bytes().then(
        (bytes) => bytes,
        () => null,
      )
    const spanReader = new SpanReader({ spans: store.spans, search: store.spanSearch, attributes: store.spanAttributes, calls: new ServiceCallReader(store.edges) })
    const statements = new StatementReader(store.statements)
    const errors = new ErrorReader(store.exceptions)
    const telling = await Telling.open(this.#options, files, { store, engine, evaluator, metrics, sources: { spans: spanReader, errors, statements }, clock, log: this.#log, own, guard: this.#guard, externalUrl })
    late.telling = telling
    let hub: LiveHub | undefined
    const startedAt = clock.now()
    own.gauge('andon_process_resident_memory_bytes', 'Memory that this process holds.', () => process.memoryUsage.rss())
    own.gauge('andon_process_start_time_seconds', 'When this process was started, since the Unix epoch.', () => startedAt / 1000)
    own.gauge('andon_live_streams', 'Open live streams.', () => hub?.counts().streams ?? 0)
    own.gauge('andon_live_paths', 'Distinct paths that live streams watch.', () => hub?.counts().paths ?? 0)
    own.gauge('andon_live_dropped', 'Live results that slow receivers missed, since the start.', () => hub?.counts().dropped ?? 0)
    const bodies = new BodyReader({ bodyBytes: limits.bodyBytes, inflatedBytes: limits.inflatedBytes, inFlightBytes: limits.queueBytes })
    own.gauge('andon_ingest_in_flight_bytes', 'Bodies of telemetry that are being read, unpacked or stored.', () => bodies.inFlightBytes)
    const api = await createApi({
      guard: this.#guard,
      log: this.#log,
      clock,
      otlp: { spans, metrics, exceptions, bodies },
      written: new RemoteWriteIngest(metrics, { limits, own }),
      zipkin: spans,
      spans: spanReader,
      profiles: { ingest: profiles, reader: new ProfileReader(store.profiles) },
      overview: {
        red,
        business: new BusinessReader(evaluator),
        saturation: new SaturationReader(evaluator),
        clock,
        activeAlerts: () => telling.alerts.getActiveAlerts(),
        own: () => ownUse(cpu, storeBytes),
      },
      status: {
        version: ownVersion(),
        clock,
        startedAt,
        store: () => store.status(),
        disk: () => room.status(),
        ready: () => this.#ready,
        live: () => ({ ...hub?.counts() }),
        limits: { ...limits },
        metrics: () => own.render(),
      },
      agents: {
        control: await ControlBook.open(store.state, clock),
        agents,
        breaches: (instance, limit) => store.state.history('breach', instance, limit),
        adaptations: (instance, limit) => store.state.history('adaptation', instance, limit),
      },
      coverage: new CoverageReader({ inventory: store.inventory, called: store.called, spans: store.spans, metrics: store.metrics }),
      stalls: (query) => store.stalls.list(query),
      map: new ServiceMapReader(store.edges, red),
      statements,
      errors,
      live: (server) => (hub = this.#liveHub(server)),
      dashboard: this.#options.dashboardDir ?? findDashboard(),
      more: (server) => {
        registerMetricsApi(server, { engine, metrics: new MetadataReader(series, () => clock.now()), targets: () => scraper.states(), rules: () => telling.rules.groups, clock, externalLabels: this.#options.rules.externalLabels, retentionDays: retention.rawDays, log: this.#log, version: ownVersion() })
        registerTelling(server, telling.api)
      },
    })
    const grpc = new GrpcServer({ spans, metrics, exceptions, bodies, clock, log: this.#log, check: (authorization) => this.#guard.checkIngest(authorization) })
    return { api, grpc, scraper, telling, drained: () => Promise.all([spans.drained(), metrics.drained(), exceptions.drained(), profiles.drained(), agents.stop(), room.stop()]) }
  }

  #liveHub(server: FastifyInstance): LiveHub {
    const run = async (url: string, signal: AbortSignal): Promise<{ status: number; body: string }> => {
      const { statusCode, body } = await server.inject({ method: 'GET', url, signal, headers: this.#guard.internalHeaders() })
      return { status: statusCode, body }
    }
    return new LiveHub(run, this.#clock, { ...LIVE_LIMITS, intervalMs: this.#options.liveIntervalMs })
  }

  /** Beside the port that everyone knows stands the other one that everyone knows; what was asked for must be had. */
  async #listenGrpc({ api, grpc }: Running): Promise<void> {
    const { host, port, grpcPort } = this.#options
    if (grpcPort === 'off' || (grpcPort === 'auto' && port !== DEFAULT_PORT)) return
    const wanted = grpcPort === 'auto' ? GRPC_PORT : grpcPort
    try {
      this.#grpcPort = await grpc.listen(host, wanted)
    } catch (error) {
      if (isInUse(error) && grpcPort === 'auto') {
        this.#log.warn('OTLP over gRPC is not taken: its port is held by another process', { port: wanted })
        return
      }
      await api.close()
      throw isInUse(error) ? await portInUse(host, wanted, error) : error
    }
  }

  async #listen(api: FastifyInstance): Promise<void> {
    const { host, port } = this.#options
    try {
      await api.listen({ host, port })
    } catch (error) {
      await api.close()
      throw isInUse(error) ? await portInUse(host, port, error) : error
    }
    const address = api.server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : port
  }
}

function isInUse(error: unknown): error is Error {
  return error instanceof Error && Reflect.get(error, 'code') === 'EADDRINUSE'
}

async function portInUse(host: string, port: number, cause: Error): Promise<AndonError> {
  const holder = await findPortHolder(port)
  const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`
  return new AndonError('port_in_use', `Port ${port} of ${host} is held by ${who}.`, {
    cause,
    hint: 'Stop it, or choose another port: --port 4319, ANDON_PORT=4319, or listen.port in andon.yaml.',
  })
}
