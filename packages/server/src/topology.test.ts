// The service map, statements and errors over HTTP: sent as the official SDK sends them, asked as Grafana asks.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { MetricRecord } from '@andon/model'
import { encodeExceptions, encodeMetrics } from '@andon/wire'
import { App } from './app.ts'
import { testOptions } from './fixture.test.ts'
import { silentLog } from './runtime/log.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'andon-topology-'))
const open = async (): Promise<App> => {
  const app = new App(testOptions(dataDir), { log: silentLog })
  await app.start()
  return app
}
let app: App

before(async () => {
  app = await open()
})
after(async () => {
  await app.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A service with the official SDK, which hands out the bytes it would send. */
function service(name: string, version = '1'): { tracer: Tracer; bytes: () => Uint8Array } {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ resource: resourceFromAttributes({ 'service.name': name, 'service.version': version }), spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return {
    tracer: provider.getTracer('test'),
    bytes: () => {
      const bytes = ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans())
      exporter.reset()
      return bytes ?? assert.fail('nothing to send')
    },
  }
}

const process128 = randomBytes(16).toString('hex')
let sequence = 0

async function post(path: string, body: Uint8Array, batch = `${process128}/${(sequence += 1)}`): Promise<void> {
  const response = await fetch(`${app.url}${path}`, { method: 'POST', body: Buffer.from(body), headers: { 'content-type': 'application/x-protobuf', 'andon-batch': batch } })
  assert.equal(response.status, 200, await response.text())
}

async function json<T>(path: string): Promise<T> {
  const response = await fetch(`${app.url}${path}`)
  const text = await response.text()
  assert.equal(response.status, 200, `${path}: ${text}`)
  return JSON.parse(text) as T
}

type Result = readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[]
const ask = async (query: string): Promise<Result> => (await json<{ data: { result: Result } }>(`/api/v1/query?query=${encodeURIComponent(query)}`)).data.result

interface Map {
  readonly nodes: readonly { readonly name: string; readonly kind: string; readonly rate: number | null }[]
  readonly edges: readonly { readonly client: string; readonly server: string; readonly kind: string; readonly calls: number; readonly errorRatio: number; readonly p95: number | null; readonly serverP95: number | null }[]
}

const shop = service('shop')
const cart = service('cart')
/** Within one minute, which is over. */
const at = Math.floor((Date.now() - 150_000) / 60_000) * 60_000 + 5000

/** `shop` serves a request, calls `cart`, which runs a statement three times. */
function request(isFailed: boolean): void {
  const root = shop.tracer.startSpan('GET /checkout', { kind: SpanKind.SERVER, startTime: at, attributes: { 'http.route': '/checkout' } }, ROOT_CONTEXT)
  const call = shop.tracer.startSpan('POST', { kind: SpanKind.CLIENT, startTime: at + 1, attributes: { 'server.address': 'cart.internal', 'server.port': 8080 } }, trace.setSpan(ROOT_CONTEXT, root))
  const remote = trace.setSpanContext(ROOT_CONTEXT, { ...call.spanContext(), isRemote: true })
  const served = cart.tracer.startSpan('POST /cart', { kind: SpanKind.SERVER, startTime: at + 2, attributes: { 'http.route': '/cart' } }, remote)
  for (let index = 0; index < 3; index += 1) {
    const query = cart.tracer.startSpan(
      'SELECT items',
      { kind: SpanKind.CLIENT, startTime: at + 3, attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'carts', 'db.query.text': `SELECT * FROM items WHERE id = ${index}`, 'db.response.returned_rows': 2, 'code.function.name': 'items' } },
      trace.setSpan(ROOT_CONTEXT, served),
    )
    query.end(at + 13)
  }
  if (isFailed) {
    for (const span of [served, call, root]) span.setStatus({ code: SpanStatusCode.ERROR })
    served.recordException({ name: 'TypeError', message: 'item 7 is not there', stack: 'TypeError: item 7 is not there\n    at items (/srv/cart.js:7:1)' }, at + 20)
  }
  served.end(at + 42)
  call.end(at + 52)
  root.end(at + 62)
}

test('a trace of two services in four batches, the server first, each sent twice: every call counts once', async () => {
  for (const isFailed of [false, true]) {
    request(isFailed)
    for (const { bytes } of [cart, shop]) {
      const body = bytes()
      const batch = `${process128}/${(sequence += 1)}`
      await post('/v1/traces', body, batch)
      await post('/v1/traces', body, batch)
    }
  }
  const { nodes, edges } = await json<Map>('/api/service-map')
  assert.deepEqual(
    edges.map(({ client, server, kind, calls, errorRatio }) => [client, server, kind, calls, errorRatio]),
    [
      ['cart', 'postgresql/carts', 'database', 6, 0],
      ['shop', 'cart', 'service', 2, 0.5],
    ],
  )
  assert.deepEqual(nodes.map(({ name, kind }) => [name, kind]), [['cart', 'service'], ['postgresql/carts', 'database'], ['shop', 'service']])
  const called = edges[1]
  assert.ok(called?.p95 !== undefined && called.p95 !== null && Math.abs(called.p95 - 0.051) < 0.005, String(called?.p95))
  assert.ok(called.serverP95 !== null && Math.abs(called.serverP95 - 0.04) < 0.004, String(called.serverP95))
})

test('after a restart a repeated batch still counts once, and what was matched is there', async () => {
  await app.stop()
  app = await open()
  request(false)
  const bodies = [shop.bytes(), cart.bytes()]
  const [first, second] = [`${process128}/${(sequence += 1)}`, `${process128}/${(sequence += 1)}`]
  await post('/v1/traces', bodies[0] ?? assert.fail(), first)
  await app.stop()
  app = await open()
  await post('/v1/traces', bodies[0] ?? assert.fail(), first)
  await post('/v1/traces', bodies[1] ?? assert.fail(), second)
  const { edges } = await json<Map>('/api/service-map?service=shop')
  assert.deepEqual(edges.map(({ client, server, calls }) => [client, server, calls]), [['shop', 'cart', 3]])
})

test("Grafana's service map gets its answers under Tempo's names", async () => {
  const graph = async (metric: string): Promise<unknown[]> =>
    (await ask(`sum by (client, server) (rate(${metric}[600s]))`)).map(({ metric: { client, server }, value }) => [client, server, Math.round(Number(value[1]) * 600 * 100) / 100])
  const total = await graph('traces_service_graph_request_total')
  assert.deepEqual(total.map((row) => (Array.isArray(row) ? row.slice(0, 2) : [])), [['cart', 'postgresql/carts'], ['shop', 'cart']])
  // A rate over a window is extrapolated to its ends, as Prometheus does.
  assert.ok(Number((total[1] as unknown[])[2]) >= 3 && Number((total[1] as unknown[])[2]) <= 4.5, JSON.stringify(total))
  const [failed] = await ask('sum by (client, server) (increase(traces_service_graph_request_failed_total{client="shop"}[10m])) / sum by (client, server) (increase(traces_service_graph_request_total[10m]))')
  assert.ok(Math.abs(Number(failed?.value[1]) - 1 / 3) < 1e-9, JSON.stringify(failed))
  const groups = await ask('group by (client, connection_type, server) (traces_service_graph_request_total)')
  assert.deepEqual(new Set(groups.map(({ metric: { client, server, connection_type: type } }) => `${client} ${server} ${type ?? ''}`)), new Set(['cart postgresql/carts database', 'shop cart ']))
  const mean = await ask('sum by (client, server) (rate(traces_service_graph_request_server_seconds_sum{client="shop"}[10m])) / sum by (client, server) (rate(traces_service_graph_request_server_seconds_count[10m]))')
  assert.ok(Math.abs(Number(mean[0]?.value[1]) - 0.04) < 1e-6, JSON.stringify(mean))
  const p90 = await ask('histogram_quantile(.9, sum(rate(traces_service_graph_request_server_seconds_bucket{client="shop"}[10m])) by (le, client, server))')
  assert.ok(Number(p90[0]?.value[1]) > 0.025 && Number(p90[0]?.value[1]) <= 0.05, JSON.stringify(p90))
  const native = await ask('histogram_quantile(0.5, sum by (client) (rate(traces_service_graph_request_client_seconds{server="cart"}[10m])))')
  assert.ok(Math.abs(Number(native[0]?.value[1]) - 0.051) < 0.005, JSON.stringify(native))
})

test('rate, errors and durations of spans have the names that Grafana asks for', async () => {
  const calls = await ask('topk(5, sum(rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[600s])) by (span_name))')
  assert.deepEqual(calls.map(({ metric }) => metric['span_name'] ?? '').toSorted(), ['GET /checkout', 'POST /cart'])
  const errors = await ask('sum by (service) (increase(traces_spanmetrics_calls_total{status_code="STATUS_CODE_ERROR",span_kind="SPAN_KIND_SERVER"}[10m])) / sum by (service) (increase(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[10m]))')
  for (const { value } of errors) assert.ok(Math.abs(Number(value[1]) - 1 / 3) < 1e-9, JSON.stringify(errors))
  assert.equal(errors.length, 2)
  const latency = await ask('histogram_quantile(.9, sum(rate(traces_spanmetrics_latency_bucket{span_name=~"GET /checkout"}[600s])) by (le))')
  assert.ok(Number(latency[0]?.value[1]) > 0.05 && Number(latency[0]?.value[1]) <= 0.075, JSON.stringify(latency))
})

const data = async (path: string): Promise<unknown> => (await json<{ data: unknown }>(path)).data

test('labels, values, series and metadata list them', async () => {
  const names = (await data('/api/v1/label/__name__/values')) as string[]
  for (const name of ['traces_service_graph_request_total', 'traces_service_graph_request_failed_total', 'traces_service_graph_request_server_seconds', 'traces_service_graph_request_client_seconds', 'traces_spanmetrics_calls_total', 'traces_spanmetrics_latency']) assert.ok(names.includes(name), name)
  const match = encodeURIComponent('{__name__=~"traces_service_graph_request_server_seconds_sum|traces_service_graph_request_total|traces_service_graph_request_failed_total"}')
  assert.deepEqual(await data(`/api/v1/labels?match[]=${match}`), ['__name__', 'client', 'connection_type', 'server'])
  assert.deepEqual(await data('/api/v1/label/server/values?match[]=traces_service_graph_request_total'), ['cart', 'postgresql/carts'])
  assert.deepEqual(await data(`/api/v1/series?match[]=${encodeURIComponent('traces_spanmetrics_latency{service="shop",span_kind="SPAN_KIND_SERVER"}')}`), [{ __name__: 'traces_spanmetrics_latency', service: 'shop', span_kind: 'SPAN_KIND_SERVER', span_name: 'GET /checkout', service_version: '1' }])
  const metadata = (await data('/api/v1/metadata?metric=traces_spanmetrics_latency')) as Record<string, { type: string; unit: string }[]>
  assert.deepEqual(metadata['traces_spanmetrics_latency']?.map(({ type, unit }) => [type, unit]), [['histogram', 'seconds']])
  assert.equal((await fetch(`${app.url}/api/v1/query?query=${encodeURIComponent('{client=~"("}')}`)).status, 400)
})

test('a service that sends a metric of its requests shows no second rate; what is stored is not computed once more', async () => {
  const time = BigInt(Date.now()) * 1_000_000n
  const resource = { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' }
  const scope = { name: 'test', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
  const point = { attributes: {}, start: time - 10_000_000_000n, time, flags: 0, exemplars: [] }
  const metrics: MetricRecord[] = [
    { name: 'http.server.request.duration', description: '', unit: 's', resource, scope, data: { type: 'histogram', temporality: 'delta', points: [{ ...point, count: 1, sum: 1, min: 1, max: 1, bounds: [1], counts: [1, 0] }] } },
    { name: 'traces_service_graph_request_total', description: '', unit: '', resource, scope, data: { type: 'sum', monotonic: true, temporality: 'cumulative', points: [{ ...point, value: 5, attributes: { client: 'shop', server: 'cart' } }] } },
  ]
  await post('/v1/metrics', encodeMetrics(metrics))
  const kinds = await ask('group by (service, span_kind) (last_over_time(traces_spanmetrics_calls_total[10m]))')
  assert.deepEqual(kinds.map(({ metric: { service: of, span_kind: kind } }) => `${of} ${kind}`).toSorted(), ['cart SPAN_KIND_CLIENT', 'cart SPAN_KIND_SERVER', 'shop SPAN_KIND_CLIENT'])
  assert.deepEqual((await ask('last_over_time(traces_service_graph_request_total{client="shop",server="cart"}[10m])')).map(({ value }) => value[1]), ['5'])
})

test('statements are listed by their time, and one is told by route, caller and example', async () => {
  const { statements } = await json<{ statements: Record<string, unknown>[] }>('/api/statements')
  assert.equal(statements.length, 1)
  const { id, p95, p50, ...first } = statements[0] ?? assert.fail()
  assert.deepEqual({ ...first, rate: undefined, totalSeconds: Math.round(Number(first['totalSeconds']) * 1e6) / 1e6, meanSeconds: Math.round(Number(first['meanSeconds']) * 1e6) / 1e6 }, {
    service: 'cart', system: 'postgresql', text: 'SELECT * FROM items WHERE id = ?', operation: 'SELECT', collections: ['items'], calls: 9, rate: undefined, errorRatio: 0,
    totalSeconds: 0.09, meanSeconds: 0.01, share: 1, waits: 0, waitSeconds: 0, serverMeanSeconds: null, rowsMean: 2, perTraceMax: 3,
  })
  assert.ok(Number(p50) > 0.008 && Number(p95) < 0.012, `${String(p50)} ${String(p95)}`)
  const one = await json<{ routes: { route: string; calls: number }[]; callers: { caller: string }[]; versions: { version: string }[]; examples: { traceId: string; perTrace: number }[]; t: number[]; course: { rate: (number | null)[] } }>(`/api/statements/${String(id)}?service=cart`)
  assert.deepEqual([one.routes.map(({ route, calls }) => [route, calls]), one.callers.map(({ caller }) => caller), one.versions.map(({ version }) => version)], [[['/cart', 9]], ['items'], ['1']])
  assert.deepEqual(one.examples.map(({ perTrace }) => perTrace), [3, 3, 3])
  assert.equal((await json<{ spans: unknown[] }>(`/api/spans/trace/${one.examples[0]?.traceId}`)).spans.length, 6)
  assert.equal(one.course.rate.length, one.t.length)
  assert.equal(one.course.rate.filter((rate) => rate !== null).length, 1)
  assert.deepEqual((await json<{ statements: unknown[] }>('/api/statements?service=shop')).statements, [])
  for (const [path, status] of [['/api/statements/7', 404], ['/api/statements/x', 400], ['/api/statements/18446744073709551616', 400], ['/api/errors/7', 404], ['/api/errors/-1', 400]] as const) assert.equal((await fetch(`${app.url}${path}`)).status, status, path)
})

test('errors are grouped whatever their ids and lines, told by version, and lead to their traces', async () => {
  const resource = { attributes: { 'service.name': 'cart', 'service.version': '2' }, droppedAttributes: 0, schemaUrl: '' }
  const scope = { name: 'test', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
  const error = (type: string, n: number, line: number): Parameters<typeof encodeExceptions>[0][number] => ({
    time: BigInt(Date.now()) * 1_000_000n, type, message: `item ${n} is not there`, stack: `${type}: item ${n} is not there\n    at items (/srv/cart.js:${line}:1)`, handled: false, traceId: '', spanId: '', attributes: { 'http.route': '/cart' }, resource, scope,
  })
  await post('/v1/logs', encodeExceptions([error('TypeError', 8, 70), error('TypeError', 9, 80), error('RangeError', 1, 5)]))
  const { groups } = await json<{ groups: { id: string; type: string; count: number; unhandled: number; newIn: string | null; isNew: boolean; routes: string[]; versions: { version: string }[] }[] }>('/api/errors?service=cart')
  assert.deepEqual(
    groups.map(({ type, count, unhandled, newIn, isNew, routes, versions }) => [type, count, unhandled, newIn, isNew, routes, versions.map(({ version }) => version)]),
    [
      ['TypeError', 3, 2, null, false, ['/cart'], ['1', '2']],
      ['RangeError', 1, 1, '2', true, ['/cart'], ['2']],
    ],
  )
  assert.deepEqual((await json<{ groups: { type: string }[] }>('/api/errors?since=2')).groups.map(({ type }) => type), ['RangeError'])
  const one = await json<{ events: { traceId: string; message: string; stack: string; version: string }[]; counts: number[]; byRoute: unknown[] }>(`/api/errors/${groups[0]?.id}?limit=10`)
  assert.deepEqual([one.events.length, one.counts.reduce((sum, count) => sum + count, 0), one.byRoute], [3, 3, [{ route: '/cart', count: 3 }]])
  const traced = one.events.find(({ traceId }) => traceId !== '')
  assert.match(traced?.stack ?? '', /at items/)
  assert.equal((await json<{ spans: unknown[] }>(`/api/spans/trace/${traced?.traceId}`)).spans.length, 6)
})
