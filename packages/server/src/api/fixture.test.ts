import assert from 'node:assert/strict'
import type { Resource, Scope, SpanRecord } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import { ControlBook } from '../control/control-book.ts'
import { FakeLog } from '../control/fake-log.test.ts'
import { KnownAgents } from '../control/known-agents.ts'
import { BusinessReader } from '../query/business.ts'
import { CoverageReader } from '../query/coverage.ts'
import type { Evaluator } from '../query/grid.ts'
import { ProfileReader, type ProfileReads } from '../query/profiles.ts'
import { RedReader, type SpanRedSource } from '../query/red.ts'
import { SaturationReader } from '../query/saturation.ts'
import { type FoundTrace, type SpanAttributeSource, SpanReader, type SpanSearchSource, type SpanSource } from '../query/spans.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { BodyReader } from './body.ts'
import { Guard, type Token } from './guard.ts'
import { tellingRoutes } from './telling-fixture.test.ts'
import { createApi } from './index.ts'
import type { EdgesDeps } from './edges.ts'
import { LIVE_LIMITS, LiveHub } from './live.ts'
import type { OtlpSink } from './otlp.ts'
import type { ExceptionsDeps } from './exceptions.ts'
import type { StallsDeps } from './stalls.ts'
import type { StatementsDeps } from './statements.ts'

export const NOW: number = Date.UTC(2026, 0, 1, 12)
export const PORT = 4318
export const HOST: string = `127.0.0.1:${PORT}`

const resource: Resource = { attributes: { 'service.name': 'shop', 'host.cpus': 4n }, droppedAttributes: 0, schemaUrl: '' }
const scope: Scope = { name: 'test', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

/** A span of the service `shop` that begins `offsetUs` after noon. */
export function spanOf(id: string, parent: string, offsetUs: number, more: Partial<SpanRecord> = {}): SpanRecord {
  const start = BigInt(NOW) * 1_000_000n + BigInt(offsetUs) * 1000n
  return {
    traceId: 'a'.repeat(32),
    spanId: id.repeat(16),
    parentSpanId: parent === '' ? '' : parent.repeat(16),
    traceState: '',
    flags: 1,
    name: `op ${id}`,
    kind: 'server',
    start,
    end: start + 1_500_000n,
    attributes: {},
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 'unset', message: '' },
    resource,
    scope,
    ...more,
  }
}

/** Keeps what it is given, or throws what it is told to. */
export class FakeSink implements OtlpSink {
  readonly got: { body: Uint8Array; content: string; batch: string | undefined }[] = []
  answer: () => { rejected: number; message: string } = () => ({ rejected: 0, message: '' })

  accept(body: Uint8Array, content: string, batch?: string): Promise<{ rejected: number; message: string }> {
    this.got.push({ body, content, batch })
    return Promise.resolve().then(() => this.answer())
  }
}

export interface Fixture {
  readonly app: FastifyInstance
  readonly clock: FakeClock
  readonly sink: FakeSink
  readonly searches: unknown[]
  readonly expressions: string[]
  readonly hub: LiveHub
  readonly guard: Guard
}

export interface FixtureOptions {
  readonly host?: string
  readonly tokens?: readonly Token[]
  readonly allowedHosts?: readonly string[]
  readonly spans?: readonly SpanRecord[]
  readonly found?: readonly FoundTrace[]
  readonly attributes?: SpanAttributeSource
  readonly evaluator?: Evaluator
  readonly red?: SpanRedSource
  readonly profiles?: ProfileReads
  readonly stalls?: StallsDeps['stalls']
  readonly map?: EdgesDeps['map']
  readonly statements?: StatementsDeps['statements']
  readonly errors?: ExceptionsDeps['errors']
  readonly dashboard?: string
  /** Routes in place of those of the telling half. */
  readonly more?: (app: FastifyInstance, parts: { readonly guard: Guard; readonly clock: FakeClock }) => void
}

/** The whole API over fakes of store and ingest. */
export async function createFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const clock = new FakeClock(NOW)
  const sink = new FakeSink()
  const searches: unknown[] = []
  const expressions: string[] = []
  const source: SpanSource = {
    trace: (id) => Promise.resolve((options.spans ?? []).filter((span) => span.traceId === id)),
    services: () => Promise.resolve(['shop', 'bank']),
    operations: (service) => Promise.resolve([{ name: `GET /${service}`, kind: 'server' }]),
  }
  const search: SpanSearchSource = {
    search: (query) => {
      searches.push(query)
      return Promise.resolve((options.found ?? []).slice(0, query.limit))
    },
    matchedSpans: (_query, traces, perTrace) => Promise.resolve(new Map(traces.map((id) => [id, (options.spans ?? []).filter((span) => span.traceId === id).slice(0, perTrace)]))),
  }
  const attributes: SpanAttributeSource = options.attributes ?? { names: () => Promise.resolve({ span: [], resource: [], event: [], link: [] }), values: () => Promise.resolve([]) }
  const evaluator: Evaluator = {
    over: (expression, grid) => {
      expressions.push(expression)
      return options.evaluator?.over(expression, grid) ?? Promise.resolve([])
    },
    at: (expression, time) => options.evaluator?.at(expression, time) ?? Promise.resolve([]),
  }
  const red = new RedReader(evaluator, options.red ?? { services: () => Promise.resolve([]), red: () => Promise.resolve([]), redOfOperations: () => Promise.resolve([]), lastSeen: () => Promise.resolve(new Map()) })
  const guard = new Guard({ host: options.host ?? '127.0.0.1', port: () => PORT, allowedHosts: options.allowedHosts ?? [], tokens: options.tokens ?? [], clock })
  let hub: LiveHub | undefined
  const app = await createApi({
    guard,
    log: silentLog,
    clock,
    otlp: { spans: sink, metrics: sink, exceptions: sink, bodies: new BodyReader({ bodyBytes: 10_000, inflatedBytes: 20_000, inFlightBytes: 100_000 }) },
    zipkin: { acceptSpans: (spans) => sink.accept(Buffer.from(String(spans.length)), 'zipkin') },
    written: { accept: (body, version) => sink.accept(body, `remote write ${version}`).then((result) => ({ ...result, samples: 1, histograms: 0, exemplars: 0 })) },
    spans: new SpanReader({ spans: source, search, attributes, calls: { between: () => Promise.resolve([{ caller: 'shop', called: 'bank', calls: 2.5, errors: 1 }]) } }),
    profiles: {
      ingest: { accept: (body, sender, batch) => sink.accept(body, `profile of ${sender.service}`, batch).then(() => ({ samples: 1 })) },
      reader: new ProfileReader(options.profiles ?? { merged: () => Promise.resolve({ stacks: [], other: { stacks: 0, value: 0 }, profiles: 0, rollup: null, isExpired: false }), sets: () => Promise.resolve([]) }),
    },
    overview: {
      red,
      business: new BusinessReader(evaluator),
      saturation: new SaturationReader(evaluator),
      clock,
      activeAlerts: () => [],
      own: () => Promise.resolve({ cpuRatio: 0.1, residentBytes: 1000, storeBytes: 5 }),
    },
    status: {
      version: '0.0.0',
      clock,
      startedAt: NOW,
      store: () => Promise.resolve({ bytes: 5 }),
      disk: () => ({ state: 'ok' }),
      ready: () => true,
      live: () => ({ ...hub?.counts() }),
      limits: { bodyBytes: 10_000 },
      metrics: () => [{ name: 'andon_ingest_test_total', type: 'counter', help: 'A test.', samples: [{ name: 'andon_ingest_test_total', labels: {}, value: 3 }] }],
    },
    agents: { control: await ControlBook.open(new FakeLog(clock), clock), agents: await KnownAgents.open({ write: () => Promise.resolve(), heardSince: () => Promise.resolve([]) }, clock), breaches: () => Promise.resolve([]), adaptations: () => Promise.resolve([]) },
    coverage: new CoverageReader({
      inventory: { services: () => Promise.resolve([]), items: () => Promise.resolve([]) },
      called: { peers: () => Promise.resolve([]), statements: () => Promise.resolve([]) },
      spans: source,
      metrics: { seriesOf: () => Promise.resolve([]) },
    }),
    stalls: options.stalls ?? (() => Promise.resolve([])),
    map: options.map ?? { read: () => Promise.resolve({ nodes: [], edges: [] }) },
    statements: options.statements ?? { list: () => Promise.resolve({ totalSeconds: 0, statements: [] }), one: () => Promise.resolve(undefined) },
    errors: options.errors ?? { list: () => Promise.resolve([]), one: () => Promise.resolve(undefined) },
    live: (server) =>
      (hub = new LiveHub(
        async (url, signal) => {
          const { statusCode, body } = await server.inject({ method: 'GET', url, signal, headers: guard.internalHeaders() })
          return { status: statusCode, body }
        },
        clock,
        LIVE_LIMITS,
      )),
    dashboard: options.dashboard,
    more: (server) => {
      if (options.more === undefined) tellingRoutes(server, guard, clock)
      else options.more(server, { guard, clock })
    },
  })
  assert.ok(hub)
  return { app, clock, sink, searches, expressions, hub, guard }
}
