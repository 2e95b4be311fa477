// What Grafana's data sources Prometheus, Tempo, Jaeger and Zipkin send, call by call, against the whole server; Grafana itself is not run.
// Read from Grafana's source: pkg/promlib, pkg/tsdb/{tempo,jaeger,zipkin}, public/app/plugins/datasource/{tempo,jaeger,zipkin}.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Attributes, MetricRecord, Resource, SpanRecord } from '@andon/model'
import { decodeSpans, encodeMetrics, encodeSpans } from '@andon/wire'
import { answerOf, conforms, type Document } from './api/openapi/conforms.test.ts'
import { App } from './app.ts'
import { readOptions } from './config.ts'
import { silentLog } from './runtime/log.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'andon-grafana-'))
const app = new App(readOptions({ flags: { 'listen.port': '0', data_dir: dataDir } }), { log: silentLog })
await app.start()
after(async () => {
  await app.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const now = Math.floor(Date.now() / 1000) * 1000 - 60_000
const ns = (ms: number): bigint => BigInt(now + ms) * 1_000_000n
const scope = { name: 'test', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const of = (service: string, more: Attributes = {}): Resource => ({ attributes: { 'service.name': service, 'service.instance.id': 'one', ...more }, droppedAttributes: 0, schemaUrl: '' })
const [shop, bank] = [of('shop', { 'host.name': 'alpha' }), of('bank')]
const TRACE = 'a'.repeat(32)

function span(id: string, parent: string, more: Partial<SpanRecord>): SpanRecord {
  return {
    traceId: TRACE, spanId: id.repeat(16), parentSpanId: parent === '' ? '' : parent.repeat(16), traceState: '', flags: 1, name: 'GET /cart', kind: 'server', start: ns(0), end: ns(300),
    attributes: {}, droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' }, resource: shop, scope, ...more,
  }
}

const spans = [
  span('1', '', { end: ns(1300), attributes: { 'http.status_code': 500n, 'http.route': '/cart', 'app/cart.size': 3n }, status: { code: 'error', message: 'bank failed' } }),
  span('2', '1', { name: 'POST', kind: 'client', start: ns(10), end: ns(200) }),
  span('3', '2', { name: 'POST /pay', start: ns(20), end: ns(190), resource: bank, attributes: { 'http.status_code': 200n } }),
  span('4', '', { traceId: 'b'.repeat(32), name: 'GET /rates', resource: bank, start: ns(500), end: ns(501), attributes: { 'http.status_code': 200n } }),
]

function metrics(): MetricRecord[] {
  const bounds = [0.1, 1]
  const at = (seconds: number): MetricRecord => {
    const point = { start: ns((seconds - 10) * 1000), time: ns(seconds * 1000), flags: 0, attributes: { 'http.request.method': 'GET', 'http.route': '/cart', 'http.response.status_code': 200n } }
    const exemplars = [{ time: ns(seconds * 1000), value: 0.4, traceId: TRACE, spanId: '1'.repeat(16), attributes: {} }]
    return {
      name: 'http.server.request.duration', description: 'How long requests took.', unit: 's', resource: shop, scope,
      data: { type: 'histogram', temporality: 'delta', points: [{ ...point, exemplars, count: 3, sum: 0.6, min: 0.05, max: 0.4, bounds, counts: [2, 1, 0] }] },
    }
  }
  return [-40, -30, -20, -10, 0].map(at)
}

async function send(path: string, body: Uint8Array): Promise<void> {
  const answer = await fetch(app.url + path, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: Buffer.from(body) })
  assert.equal(answer.status, 200, await answer.text())
}
await send('/v1/traces', encodeSpans(spans))
await send('/v1/metrics', encodeMetrics(metrics()))

interface Answer<T> {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly json: T
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<Answer<T>> {
  const response = await fetch(app.url + path, init)
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return { status: response.status, type, text, json: (type.includes('json') ? JSON.parse(text) : undefined) as T }
}

const query = (parameters: Readonly<Record<string, string | number>>): string => new URLSearchParams(Object.entries(parameters).map(([key, value]): [string, string] => [key, String(value)])).toString()
/** Grafana's client sends queries as a form, with its parameters in the order of their names. */
const form = <T>(path: string, parameters: Readonly<Record<string, string | number>>): Promise<Answer<T>> =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: query(parameters) })
/** Data in Prometheus' envelope. */
interface Success<T> {
  readonly status: 'success'
  readonly data: T
  readonly warnings?: readonly string[]
}
const seconds = { start: now / 1000 - 30, end: now / 1000 }
const COUNT = 'http_server_request_duration_seconds_count'

test('Prometheus: save and test', async () => {
  const { status, json } = await form<Success<{ resultType: string; result: [number, string] }>>('/api/v1/query', { query: '1+1', time: 4 })
  assert.deepEqual([status, json], [200, { status: 'success', data: { resultType: 'scalar', result: [4, '2'] } }])
  const build = await ask<Success<{ version: string; features: object }>>('/api/v1/status/buildinfo')
  // Features would make it take this server for Mimir and look for a ruler.
  assert.deepEqual([build.status, build.json.data.features], [200, {}])
  assert.match(build.json.data.version, /^\d/)
  for (const path of ['/-/healthy', '/-/ready']) assert.equal((await ask(path)).status, 200, path)
})

test('Prometheus: panels, by form and by address, with timeout and limit', async () => {
  type Matrix = Success<{ resultType: string; result: { metric: Record<string, string>; values: [number, string][] }[] }>
  const expression = `sum by (http_route) (rate(${COUNT}{service_name="shop"}[1m]))`
  const range = { ...seconds, query: expression, step: 15, timeout: '60s' }
  const { status, json } = await form<Matrix>('/api/v1/query_range', range)
  assert.deepEqual([status, json.data.resultType, json.data.result.map(({ metric }) => metric)], [200, 'matrix', [{ http_route: '/cart' }]])
  assert.ok(Number(json.data.result[0]?.values.at(-1)?.[1]) > 0)
  assert.deepEqual((await ask<Matrix>(`/api/v1/query_range?${query(range)}`)).json, json)
  const vector = await form<Success<{ resultType: string; result: { value: [number, string] }[] }>>('/api/v1/query', { query: `sum(${COUNT})`, time: seconds.end })
  assert.deepEqual([vector.json.data.resultType, vector.json.data.result[0]?.value[0]], ['vector', seconds.end])
  const cut = await form<Success<{ result: unknown[] }>>('/api/v1/query', { query: 'http_server_request_duration_seconds_bucket', time: seconds.end, limit: 1 })
  assert.deepEqual([cut.json.data.result.length, cut.json.warnings], [1, ['results truncated due to limit']])
  assert.equal((await form('/api/v1/query', { query: '1', time: 1, timeout: 'soon' })).status, 400)
})

test('Prometheus: exemplars, which lead to the trace', async () => {
  interface Exemplars {
    readonly seriesLabels: Record<string, string>
    readonly exemplars: readonly { readonly labels: Record<string, string>; readonly value: string; readonly timestamp: number }[]
  }
  const { json } = await form<Success<Exemplars[]>>('/api/v1/query_exemplars', { ...seconds, query: `histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{service_name="shop"}[1m])))` })
  const [found] = json.data.flatMap(({ exemplars }) => exemplars)
  assert.ok(found)
  assert.deepEqual([found.labels['trace_id'], found.value], [TRACE, '0.4'])
  assert.ok(found.timestamp >= seconds.start && found.timestamp <= seconds.end)
})

test('Prometheus: names, values, series, metadata, with match[] and limit', async () => {
  const times = { start: seconds.start, end: seconds.end, limit: 40_000 }
  const labels = await form<Success<string[]>>('/api/v1/labels', times)
  assert.ok(labels.json.data.includes('http_route'))
  // Suggestions come by GET, with the selector of the query so far; here of a series that is computed of a histogram.
  const suggested = ['__name__', 'http_request_method', 'http_response_status_code', 'http_route', 'instance', 'job', 'service_name']
  assert.deepEqual((await ask<Success<string[]>>(`/api/v1/labels?${query({ ...times, 'match[]': COUNT })}`)).json.data, suggested)
  assert.deepEqual((await ask<Success<string[]>>(`/api/v1/labels?${query({ ...times, 'match[]': COUNT, limit: 2 })}`)).json, { status: 'success', data: suggested.slice(0, 2), warnings: ['results truncated due to limit'] })
  const bucket = 'http_server_request_duration_seconds_bucket'
  assert.ok((await ask<Success<string[]>>(`/api/v1/labels?${query({ ...times, 'match[]': bucket })}`)).json.data.includes('le'))
  assert.deepEqual((await ask<Success<string[]>>(`/api/v1/label/le/values?${query({ ...times, 'match[]': bucket })}`)).json.data, ['+Inf', '0.1', '1'])
  assert.deepEqual((await ask<Success<string[]>>(`/api/v1/label/http_route/values?${query({ ...times, 'match[]': `{__name__="${COUNT}",service_name="shop"}` })}`)).json.data, ['/cart'])
  assert.ok((await ask<Success<string[]>>(`/api/v1/label/__name__/values?${query(times)}`)).json.data.includes(COUNT))
  assert.deepEqual((await ask<Success<string[]>>(`/api/v1/label/U__http_2e_route/values?${query(times)}`)).json.data, [], 'an escaped name is one with dots')
  const series = await form<Success<Record<string, string>[]>>('/api/v1/series', { ...times, 'match[]': `${COUNT}{service_name="shop"}` })
  assert.deepEqual(series.json.data.map((each) => [each['__name__'], each['http_route']]), [[COUNT, '/cart']])
  assert.deepEqual((await form<Success<unknown[]>>('/api/v1/series', { ...times, 'match[]': 'http_server_request_duration_count' })).json.data, [], 'no such histogram')
  assert.deepEqual((await ask<Success<unknown>>(`/api/v1/series?${query({ ...times, 'match[]': COUNT })}`)).json.data, series.json.data)
  const metadata = await ask<Success<Record<string, { type: string; help: string }[]>>>('/api/v1/metadata?limit=40000')
  assert.deepEqual(metadata.json.data['http_server_request_duration_seconds']?.map(({ type, help }) => [type, help]), [['histogram', 'How long requests took.']])
  assert.deepEqual(Object.keys((await ask<Success<object>>('/api/v1/metadata?limit=1')).json.data).length, 1)
})

test('Prometheus: rules and alerts, and errors in its envelope', async () => {
  const rules = await ask<Success<{ groups: unknown[] }>>('/api/v1/rules')
  const alerts = await ask<Success<{ alerts: unknown[] }>>('/api/v1/alerts')
  assert.deepEqual([rules.status, Array.isArray(rules.json.data.groups), alerts.status, Array.isArray(alerts.json.data.alerts)], [200, true, 200, true])
  const { status, json } = await form<{ status: string; errorType: string; error: string }>('/api/v1/query_range', { ...seconds, query: 'sum(', step: 15 })
  assert.deepEqual([status, json.status, json.errorType], [400, 'error', 'bad_data'])
  assert.ok(json.error.length > 0)
})

/** Requests of Grafana's data source Tempo, whose address is that of the server and /tempo. */
const tempo = <T>(path: string, accept = 'application/json'): Promise<Answer<T>> => ask(`/tempo${path}`, { headers: { accept } })
const times = { start: now / 1000 - 3600, end: now / 1000 + 60 }
interface Found {
  readonly traces: readonly {
    readonly traceID: string
    readonly rootServiceName: string
    readonly rootTraceName: string
    readonly startTimeUnixNano: string
    readonly durationMs: number
    readonly spanSets: readonly { readonly matched: number; readonly spans: readonly { readonly spanID: string; readonly name: string; readonly startTimeUnixNano: string; readonly durationNanos: string; readonly attributes: readonly { readonly key: string; readonly value: object }[] }[] }[]
    readonly serviceStats: Record<string, { readonly spanCount: number; readonly errorCount?: number }>
  }[]
}
const search = (q: string): Promise<Answer<Found>> => tempo(`/api/search?${query({ q, limit: 20, spss: 3, ...times })}`)

test('Tempo: save and test, and which version it is', async () => {
  assert.deepEqual([(await tempo('/api/echo')).text, (await tempo<{ version: string }>('/api/status/buildinfo')).json.version >= '2.2.0'], ['echo', true])
})

test("Tempo: what the search builder asks, answered in Grafana's form", async () => {
  const { status, json } = await search('{resource.service.name="shop" && name="GET /cart" && duration>1s && status=error && span.http.status_code=500}')
  assert.equal(status, 200)
  const [trace] = json.traces
  assert.ok(trace)
  assert.deepEqual(
    [trace.traceID, trace.rootServiceName, trace.rootTraceName, trace.startTimeUnixNano, trace.durationMs],
    [TRACE, 'shop', 'GET /cart', String(ns(0)), 1300],
  )
  assert.deepEqual(trace.serviceStats, { shop: { spanCount: 2, errorCount: 1 }, bank: { spanCount: 1 } })
  assert.deepEqual(trace.spanSets, [
    {
      matched: 1,
      spans: [
        {
          spanID: '1'.repeat(16),
          name: 'GET /cart',
          startTimeUnixNano: String(ns(0)),
          durationNanos: '1300000000',
          // Grafana's backend reads int64 as text.
          attributes: [
            { key: 'service.name', value: { stringValue: 'shop' } },
            { key: 'status', value: { stringValue: 'error' } },
            { key: 'http.status_code', value: { intValue: '500' } },
          ],
        },
      ],
    },
  ])
  const ids = async (q: string): Promise<string> => (await search(q)).json.traces.map(({ traceID }) => traceID[0]).join('')
  assert.deepEqual(
    await Promise.all(['{}', '{traceDuration>1s}', '{(resource.service.name="shop" || resource.service.name="bank") && kind=client}', '{.http.status_code>=500 || rootName="GET /rates"}', '{span.app/cart.size=3}', '{resource.service.name=~"no.*"}'].map(ids)),
    ['ba', 'a', 'a', 'ba', 'a', ''],
  )
  const selected = await search('{resource.service.name="bank"} | select(span.http.status_code)')
  assert.deepEqual(selected.json.traces[0]?.spanSets[0]?.spans[0]?.attributes.map(({ key }) => key), ['service.name', 'http.status_code'])
})

test('Tempo: what TraceQL is not supported is a 400 whose text says what to do; Grafana shows it', async () => {
  for (const [path, words] of [
    [`/api/search?${query({ q: '{} >> {status=error}', ...times })}`, /structural operator >> is not supported at column 4.*single spans/],
    [`/api/search?${query({ q: '{resource.service.name=shop}', ...times })}`, /texts stand in quotes/],
    [`/api/metrics/query_range?${query({ q: '{} | rate()', step: '60s', ...times })}`, /TraceQL metrics are not supported\. .*PromQL/],
  ] as const) {
    const { status, type, text } = await tempo(path)
    assert.deepEqual([status, type], [400, 'text/plain; charset=utf-8'], path)
    assert.match(text, words)
  }
})

test('Tempo: searches before TraceQL', async () => {
  const found = await tempo<Found>(`/api/search?${query({ tags: ' service.name="shop" name="GET /cart" http.status_code=500', minDuration: '1s', maxDuration: '2s', limit: 20, ...times })}`)
  assert.deepEqual(found.json.traces.map(({ traceID }) => traceID), [TRACE])
  assert.deepEqual((await tempo<Found>(`/api/search?${query({ tags: 'http.status_code=404', ...times })}`)).json.traces, [])
  assert.equal((await tempo(`/api/search?${query({ tags: 'nothing', ...times })}`)).status, 400)
})

test('Tempo: tags and their values, both versions', async () => {
  interface Scopes {
    readonly scopes: readonly { readonly name: string; readonly tags: readonly string[] }[]
  }
  const { json } = await tempo<Scopes>(`/api/v2/search/tags?${query({ limit: 5000, ...times })}`)
  const tags = Object.fromEntries(json.scopes.map((each) => [each.name, each.tags]))
  assert.deepEqual(tags['span'], ['app/cart.size', 'http.route', 'http.status_code'])
  assert.deepEqual(tags['resource'], ['host.name', 'service.instance.id', 'service.name'])
  for (const name of ['duration', 'kind', 'name', 'rootName', 'rootServiceName', 'status', 'statusMessage', 'traceDuration']) assert.ok(tags['intrinsic']?.includes(name), name)
  assert.deepEqual((await tempo<Scopes>('/api/v2/search/tags?scope=resource')).json.scopes.map(({ name }) => name), ['resource'])
  assert.ok((await tempo<{ tagNames: string[] }>('/api/search/tags')).json.tagNames.includes('service.name'))
  const values = async (tag: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> => (await tempo<{ tagValues: unknown }>(`/api/v2/search/tag/${tag}/values?${query({ limit: 5000, ...more })}`)).json.tagValues
  assert.deepEqual(await values('resource.service.name'), [{ type: 'string', value: 'bank' }, { type: 'string', value: 'shop' }])
  assert.deepEqual(await values('span.http.status_code', { q: '{resource.service.name="shop"}' }), [{ type: 'int', value: '500' }])
  assert.deepEqual(await values('status', { q: '{resource.service.name="shop" && ' }), [{ type: 'keyword', value: 'unset' }, { type: 'keyword', value: 'error' }], 'while a query is being written it narrows nothing')
  // The name is encoded twice on its way through Grafana.
  assert.deepEqual(await values(encodeURIComponent(encodeURIComponent('span.app/cart.size'))), [{ type: 'int', value: '3' }])
  assert.deepEqual((await tempo<{ tagValues: string[] }>('/api/search/tag/service.name/values')).json.tagValues, ['bank', 'shop'])
})

async function bytes(path: string): Promise<Buffer> {
  const response = await fetch(`${app.url}/tempo${path}?${query(times)}`, { headers: { accept: 'application/protobuf' } })
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'application/protobuf'])
  return Buffer.from(await response.arrayBuffer())
}

test('Tempo: a trace by its id, in both versions as protobuf and JSON; an unknown one is 404 in both', async () => {
  const names = ['GET /cart', 'POST', 'POST /pay']
  assert.deepEqual(decodeSpans(await bytes(`/api/traces/${TRACE}`)).map(({ name }) => name), names)
  // TraceByIDResponse { Trace trace = 1 }, of which nothing but the trace is set.
  const second = await bytes(`/api/v2/traces/${TRACE}`)
  assert.equal(second[0], 0x0a)
  let [length, at] = [0, 1]
  for (let shift = 0; ; shift += 7) {
    const byte = second[at] ?? 0
    at += 1
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  assert.equal(second.length - at, length)
  assert.deepEqual(decodeSpans(second.subarray(at)).map(({ name }) => name), names)
  assert.ok((await tempo<{ trace: { resourceSpans: unknown[] } }>(`/api/v2/traces/${TRACE}`)).json.trace.resourceSpans.length > 0)
  assert.ok((await tempo<{ batches: unknown[] }>(`/api/traces/${TRACE}`)).json.batches.length > 0)
  for (const version of ['', '/v2']) assert.equal((await tempo(`/api${version}/traces/${'f'.repeat(32)}`, 'application/protobuf')).status, 404)
})

/** Jaeger's envelope. */
interface Envelope<T> {
  readonly data: T
  readonly total: number
}
interface JaegerTrace {
  readonly traceID: string
  readonly processes: Record<string, { readonly serviceName: string }>
  readonly spans: readonly { readonly startTime: number; readonly duration: number; readonly references: readonly object[]; readonly tags: readonly object[]; readonly logs: readonly object[]; readonly flags: number }[]
}

test('Jaeger: services, operations, a search, a trace, dependencies', async () => {
  const data = async <T>(path: string): Promise<T> => (await ask<Envelope<T>>(path)).json.data
  assert.deepEqual(await data('/api/services'), ['bank', 'shop'])
  assert.deepEqual(await data('/api/services/shop/operations'), ['GET /cart', 'POST'])
  const [start, end] = [(now - 3_600_000) * 1000, (now + 60_000) * 1000]
  const found = await data<JaegerTrace[]>(`/api/traces?${query({ end, limit: 20, maxDuration: '2s', minDuration: '1s', operation: 'GET /cart', service: 'shop', start, tags: '{"error":"true","http.status_code":"500"}' })}`)
  assert.deepEqual(found.map(({ traceID }) => traceID), [TRACE])
  assert.deepEqual(await data(`/api/traces?${query({ end, service: 'shop', start, tags: '{"http.status_code":"404"}' })}`), [])
  const [trace] = await data<JaegerTrace[]>(`/api/traces/${TRACE}?${query({ start, end })}`)
  assert.ok(trace)
  assert.deepEqual(Object.values(trace.processes).map(({ serviceName }) => serviceName).toSorted(), ['bank', 'shop'])
  // Grafana reads them into int64.
  for (const { startTime, duration, flags } of trace.spans) assert.ok([startTime, duration, flags].every(Number.isInteger))
  assert.equal((await ask(`/api/traces/${'f'.repeat(32)}`)).status, 404)
  assert.deepEqual(await data(`/api/dependencies?${query({ endTs: now + 60_000, lookback: 3_600_000 })}`), [{ parent: 'shop', child: 'bank', callCount: 1 }])
})

test('Zipkin: services, names, traces, a trace, dependencies', async () => {
  const body = async <T>(path: string): Promise<T> => (await ask<T>(path)).json
  assert.deepEqual(await body('/api/v2/services'), ['bank', 'shop'])
  assert.deepEqual(await body('/api/v2/spans?serviceName=shop'), ['GET /cart', 'POST'])
  const found = await body<{ traceId: string; duration: number }[][]>(`/api/v2/traces?${query({ serviceName: 'shop', spanName: 'GET /cart' })}`)
  assert.deepEqual(found.map(([first]) => first?.traceId), [TRACE])
  const trace = await body<{ id: string; timestamp: number; duration: number; localEndpoint: { serviceName: string } }[]>(`/api/v2/trace/${TRACE}`)
  assert.deepEqual(trace.map(({ localEndpoint }) => localEndpoint.serviceName), ['shop', 'shop', 'bank'])
  for (const { timestamp, duration } of trace) assert.ok(Number.isInteger(timestamp) && Number.isInteger(duration))
  assert.equal((await ask('/api/v2/trace/1')).status, 404)
  assert.deepEqual(await body(`/api/v2/dependencies?${query({ endTs: now + 60_000, lookback: 3_600_000 })}`), [{ parent: 'shop', child: 'bank', callCount: 1, errorCount: 0 }])
})

test('our own API: what the whole server answers is what its OpenAPI document says', async () => {
  const document = (await ask<Document>('/api/openapi.json')).json
  for (const [key, path] of [
    ['GET /api/spans/search', '/api/spans/search?from=now-1h&limit=1'],
    ['GET /api/spans/facets', '/api/spans/facets?from=now-1h'],
    ['GET /api/spans/trace/:id', `/api/spans/trace/${TRACE}`],
    ['GET /api/overview', '/api/overview?from=now-1h'],
    ['GET /api/dashboard', '/api/dashboard?from=now-1h'],
    ['GET /api/service/:name', '/api/service/shop?from=now-1h'],
    ['GET /api/service/:name', '/api/service/bank?from=now-1h'],
    ['GET /api/service/:name/stalls', '/api/service/shop/stalls'],
    ['GET /api/service-map', '/api/service-map?from=now-1h'],
    ['GET /api/statements', '/api/statements'],
    ['GET /api/errors', '/api/errors'],
    ['GET /api/coverage', '/api/coverage'],
    ['GET /api/profiles', '/api/profiles'],
    ['GET /api/profiles/flame', '/api/profiles/flame?service=shop'],
    ['GET /api/agents', '/api/agents'],
    ['GET /api/status', '/api/status'],
  ] as const) {
    const { status, json, text } = await ask<unknown>(path)
    assert.equal(status, 200, `${path}: ${text}`)
    conforms(document, answerOf(document, key), json, path)
  }
  const page = (await ask<{ traces: unknown[]; next: string }>('/api/spans/search?from=now-1h&limit=1')).json
  const rest = (await ask<{ traces: { traceId: string }[]; next: string | null }>(`/api/spans/search?from=now-1h&limit=1&cursor=${page.next}`)).json
  assert.deepEqual([page.traces.length, rest.traces.map(({ traceId }) => traceId), rest.next], [1, [TRACE], null])
})
