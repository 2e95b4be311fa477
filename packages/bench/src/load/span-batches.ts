// Requests with spans as they come from applications: half of them from our agent, half from OpenTelemetry's SDK for Node.
import { type Attributes, type Resource, type Scope, seeded, type SpanKind, type SpanRecord } from '@andon/model'
import { encodeSpans } from '@andon/wire'
import { halvesOf, type Template, walk, Words } from './template.ts'

/** What the batch processor of OpenTelemetry's SDK sends at most in one request. */
const SPANS_PER_REQUEST = 512

const ROUTES = ['/api/boards/:id', '/api/boards', '/api/cards/:id', '/api/cards/:id/move', '/api/comments', '/api/search', '/api/people/:id', '/login']
const TABLES = ['boards', 'cards', 'comments', 'people', 'sessions']

function scopeOf(name: string, version: string): Scope {
  return { name, version, attributes: {}, droppedAttributes: 0, schemaUrl: '' }
}

/** What the agent says of its process. */
function agentResource(index: number): Resource {
  return {
    attributes: {
      'service.name': `shop-${index % 8}`,
      'service.version': '1.4.2',
      'service.instance.id': `4f1c2d3e-${String(index).padStart(4, '0')}-4a6b-9c8d-7e6f5a4b3c2d`,
      'deployment.environment.name': 'production',
      'host.name': `node-${index % 16}`,
      'process.pid': BigInt(1000 + index),
      'process.runtime.name': 'nodejs',
      'process.runtime.version': '20.19.5',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'andon',
      'telemetry.sdk.version': '0.1.0',
    },
    droppedAttributes: 0,
    schemaUrl: '',
  }
}

/** What OpenTelemetry's SDK says with its detectors for process and host. */
function sdkResource(index: number): Resource {
  return {
    attributes: {
      ...agentResource(index).attributes,
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '2.12.1',
      'process.executable.name': 'node',
      'process.executable.path': '/usr/local/bin/node',
      'process.command': '/srv/app/dist/main.js',
      'process.command_args': ['/usr/local/bin/node', '/srv/app/dist/main.js'],
      'process.owner': 'app',
      'host.arch': 'amd64',
    },
    droppedAttributes: 0,
    schemaUrl: '',
  }
}

interface Drawn {
  readonly route: string
  readonly table: string
  readonly number: number
  readonly failed: boolean
}

/** The attributes of the stable HTTP conventions, as both record them of a request that came in. */
function serverAttributes({ route, number, failed }: Drawn): Attributes {
  return {
    'http.request.method': number % 4 === 0 ? 'POST' : 'GET',
    'url.scheme': 'http',
    'url.path': route.replace(':id', String(number)),
    'server.address': 'shop.example.com',
    'server.port': 443n,
    'client.address': `10.0.${number % 250}.${number % 199}`,
    'network.peer.address': '10.0.0.7',
    'network.peer.port': BigInt(32_768 + (number % 28_000)),
    'network.protocol.version': '1.1',
    'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'http.response.status_code': failed ? 500n : 200n,
    'http.route': route,
  }
}

/** Of a statement, as our agent records it. */
function agentStatement({ table, number }: Drawn): Attributes {
  return {
    'db.system.name': 'postgresql',
    'db.namespace': 'shop',
    'db.query.text': `SELECT id, title, position, updated_at FROM ${table} WHERE board_id = $1 AND archived = $2 ORDER BY position LIMIT $3`,
    'db.operation.name': 'SELECT',
    'db.collection.name': table,
    'server.address': 'postgres',
    'server.port': 5432n,
    'db.response.returned_rows': BigInt(number % 40),
    'andon.db.pool_wait': (number % 97) / 100_000,
    'andon.db.server_time': (number % 983) / 100_000,
    'andon.db.params_hash': `${((number * 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}a1b2c3d4`,
  }
}

/** Of a statement, as instrumentation-pg records it by default. */
function sdkStatement({ table, number }: Drawn): Attributes {
  return {
    'db.system': 'postgresql',
    'db.name': 'shop',
    'db.user': 'app',
    'db.connection_string': 'postgresql://postgres:5432/shop',
    'db.statement': `SELECT id, title, position, updated_at FROM ${table} WHERE board_id = $1 AND archived = $2 ORDER BY position LIMIT $3`,
    'net.peer.name': 'postgres',
    'net.peer.port': 5432n,
    ...(number % 3 === 0 && { 'db.postgresql.plan': 'boards-by-id' }),
  }
}

const hex = (random: () => number, bytes: number): string => Array.from({ length: bytes }, () => Math.floor(random() * 256).toString(16).padStart(2, '0')).join('')

/** One request of an application: a server span, a handler within it, and two to four statements. */
function trace(random: () => number, resource: Resource, isAgent: boolean): SpanRecord[] {
  const traceId = hex(random, 16)
  const drawn = (): Drawn => ({
    route: ROUTES[Math.floor(random() * ROUTES.length)] ?? '',
    table: TABLES[Math.floor(random() * TABLES.length)] ?? '',
    number: Math.floor(random() * 100_000),
    failed: random() < 0.01,
  })
  const scopes = isAgent ? { http: scopeOf('@andon/http', '0.1.0'), pg: scopeOf('@andon/pg', '0.1.0') } : { http: scopeOf('@opentelemetry/instrumentation-http', '0.223.0'), pg: scopeOf('@opentelemetry/instrumentation-pg', '0.76.0') }
  const span = (parentSpanId: string, name: string, kind: SpanKind, attributes: Attributes, scope: Scope): SpanRecord => {
    const start = BigInt(Math.floor(random() * 1e9))
    return { traceId, spanId: hex(random, 8), parentSpanId, traceState: '', flags: 257, name, kind, start, end: start + BigInt(Math.floor(random() * 5e7)), attributes, droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' }, resource, scope }
  }
  const request = drawn()
  const plain = span('', `GET ${request.route}`, 'server', serverAttributes(request), scopes.http)
  const error = { time: plain.start, name: 'exception', attributes: { 'exception.type': 'Error', 'exception.message': `board ${request.number} cannot be read`, 'exception.stacktrace': 'Error: board cannot be read\n    at read (/srv/app/dist/boards.js:41:11)\n    at handle (/srv/app/dist/routes.js:112:7)' }, droppedAttributes: 0 }
  const root: SpanRecord = request.failed ? { ...plain, status: { code: 'error', message: 'board cannot be read' }, events: [error] } : plain
  const handler = span(root.spanId, `handler ${request.route}`, 'internal', { 'code.function.name': 'handle', 'fastify.type': 'request-handler', 'http.route': request.route }, scopes.http)
  const statements = Array.from({ length: 2 + Math.floor(random() * 3) }, () => {
    const each = drawn()
    return span(handler.spanId, isAgent ? `SELECT ${each.table}` : 'pg.query:SELECT shop', 'client', isAgent ? agentStatement(each) : sdkStatement(each), scopes.pg)
  })
  return [root, handler, ...statements]
}

function records(random: () => number, resource: Resource, isAgent: boolean): SpanRecord[] {
  const spans: SpanRecord[] = []
  while (spans.length < SPANS_PER_REQUEST) spans.push(...trace(random, resource, isAgent))
  return spans.slice(0, SPANS_PER_REQUEST)
}

/** The offsets of all times of spans and events, and of all halves of ids. */
function places(bytes: Uint8Array): { readonly times: number[]; readonly traces: number[]; readonly spans: number[] } {
  const found: { times: number[]; traces: number[]; spans: number[] } = { times: [], traces: [], spans: [] }
  const time = (at: number): void => void found.times.push(at)
  const span = (at: number, end: number): void => void (end > at && found.spans.push(at))
  walk(bytes, { 1: { 2: { 2: { 1: (at) => void found.traces.push(at, at + 8), 2: span, 4: span, 7: time, 8: time, 11: { 1: time } } } } })
  return found
}

/** Spans of one second, of one request. */
export interface SpanRecords {
  readonly isAgent: boolean
  readonly spans: readonly SpanRecord[]
}

/** @param count - how many requests, of as many processes of 8 services */
export function spanRecords(count: number): SpanRecords[] {
  const random = seeded(7)
  return Array.from({ length: count }, (_, index) => {
    const isAgent = index % 2 === 0
    return { isAgent, spans: records(random, isAgent ? agentResource(index) : sdkResource(index), isAgent) }
  })
}

/**
 * Requests as OTLP, 512 spans each.
 *
 * @param nowMs - from when on their spans begin; each turn is a second later
 */
export function spanTemplates(count: number, nowMs: () => number): Template[] {
  const random = seeded(11)
  const draw = (): bigint => (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32))
  return spanRecords(count).map(({ spans }) => {
    const bytes = Buffer.from(encodeSpans(spans))
    const { times, traces, spans: ids } = places(bytes)
    const words = { times: new Words(bytes, times), traces: new Words(bytes, traces), spans: new Words(bytes, ids) }
    return {
      bytes,
      items: spans.length,
      stamp: () => {
        // The spans of a request lie within one second, which has just passed.
        words.times.add(halvesOf(BigInt(Math.floor(nowMs()) - 1100) * 1_000_000n))
        words.traces.xor(halvesOf(draw()))
        words.spans.xor(halvesOf(draw()))
      },
    }
  })
}
