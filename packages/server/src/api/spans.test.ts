import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FoundTrace } from '../query/spans.ts'
import type { ErrorBody } from './errors.ts'
import { createFixture, HOST, NOW, spanOf } from './fixture.test.ts'
import type { TraceBody } from './spans.ts'
import type { JaegerTrace } from './spans-jaeger.ts'

interface Envelope<T> {
  readonly data: readonly T[]
  readonly total: number
  readonly limit: number
  readonly offset: number
  readonly errors: unknown
}

const TRACE = 'a'.repeat(32)
const spans = [
  spanOf('2', '1', 250, { name: 'SELECT', kind: 'client', attributes: { rows: 9_007_199_254_740_993n, few: 3n, ratio: 0.5, list: ['a', 1n] } }),
  spanOf('1', '', 0, {
    name: 'GET /cart',
    status: { code: 'error', message: 'boom' },
    events: [{ time: BigInt(NOW) * 1_000_000n + 100_500n, name: 'retry', attributes: { n: 1n }, droppedAttributes: 0 }],
    links: [{ traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), traceState: '', flags: 0, attributes: {}, droppedAttributes: 0 }],
  }),
]
interface Got<T> {
  readonly status: number
  readonly body: T
  readonly searches: unknown[]
}

async function get<T>(url: string, options: Parameters<typeof createFixture>[0] = { spans }): Promise<Got<T>> {
  const { app, searches } = await createFixture(options)
  const answer = await app.inject({ url, headers: { host: HOST } })
  return { status: answer.statusCode, body: answer.json<T>(), searches }
}
const summary = (index: number): FoundTrace => ({
  traceId: String(index).padStart(32, '0'),
  start: NOW,
  durationNs: 1,
  rootService: 'shop',
  rootName: 'GET /',
  spanCount: 1,
  errorCount: 0,
  services: [],
  latest: BigInt(NOW - index) * 1_000_000n,
  matched: 1,
})

test('a trace: spans in the order of their starts, offsets in microseconds, exact int64, one resource', async () => {
  const { status, body } = await get<TraceBody>(`/api/spans/trace/${TRACE}`)
  assert.equal(status, 200)
  assert.deepEqual([body.traceId, body.start, body.durationNs, body.resources], [TRACE, NOW, '1750000', [{ 'service.name': 'shop', 'host.cpus': 4 }]])
  assert.deepEqual(body.spans.map((span) => [span.id, span.parent, span.startOffsetUs, span.durationUs, span.resource]), [
    ['1'.repeat(16), null, 0, 1500, 0],
    ['2'.repeat(16), '1'.repeat(16), 250, 1500, 0],
  ])
  assert.deepEqual(body.spans[1]?.attributes, { rows: '9007199254740993', few: 3, ratio: 0.5, list: ['a', 1] })
  assert.deepEqual(body.spans[0]?.events, [{ offsetUs: 100.5, name: 'retry', attributes: { n: 1 } }])
})

test('an unknown trace is 404, what is no trace id 400', async () => {
  assert.deepEqual([(await get<ErrorBody>(`/api/spans/trace/${'f'.repeat(32)}`)).body.error.code, (await get<ErrorBody>('/api/spans/trace/xyz')).body.error.code], ['not_found', 'bad_parameter'])
})

test('a search says what it asked for and whether there is more', async () => {
  const query = 'from=now-1h&to=now&service=shop&operation=GET%20/&status=error&minDuration=1.5ms&maxDuration=2s&attr=a=b=c&attr=d=&kind=server&limit=2'
  const { body, searches } = await get<{ traces: unknown[]; truncated: boolean }>(`/api/spans/search?${query}`, { found: [summary(1), summary(2), summary(3)] })
  assert.deepEqual(searches, [
    {
      range: { start: NOW - 3_600_000, end: NOW },
      limit: 3,
      service: 'shop',
      operation: 'GET /',
      status: 'error',
      kind: 'server',
      minDurationNs: 1.5e6,
      maxDurationNs: 2e9,
      attributes: { a: 'b=c', d: '' },
    },
  ])
  assert.deepEqual([body.traces.length, body.truncated], [2, true])
})

test('a search goes on where its page ended, and takes TraceQL', async () => {
  const found = [summary(1), summary(2), summary(3)]
  const first = await get<{ traces: { traceId: string; matched: number }[]; next: string | null }>('/api/spans/search?limit=2', { found })
  const next = `${BigInt(NOW - 2) * 1_000_000n}-${String(2).padStart(32, '0')}`
  assert.deepEqual([first.body.next, first.body.traces.map(({ traceId, matched }) => [traceId.slice(-1), matched])], [next, [['1', 1], ['2', 1]]])
  const second = await get<{ next: string | null; truncated: boolean }>(`/api/spans/search?limit=2&cursor=${next}&q=${encodeURIComponent('{duration>1s}')}`, { found: [summary(3)] })
  const [asked] = second.searches
  assert.deepEqual(asked, {
    range: { start: NOW - 900_000, end: NOW },
    limit: 3,
    filter: { kind: 'spans', filter: { kind: 'compare', field: { intrinsic: 'duration' }, operator: '>', value: 1e9 } },
    after: { latest: BigInt(NOW - 2) * 1_000_000n, traceId: String(2).padStart(32, '0') },
  })
  assert.deepEqual([second.body.next, second.body.truncated], [null, false])
})

test('each wrong parameter of a search is named', async () => {
  for (const [query, word] of [
    ['from=yesterday', 'from'],
    ['from=now&to=now-1h', 'from'],
    ['from=0', '400 days'],
    ['limit=0', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['status=maybe', 'status'],
    ['minDuration=5', 'minDuration'],
    ['attr=x', 'attr'],
    ['kind=strange', 'kind'],
    ['cursor=x', 'cursor'],
    ['cursor=9223372036854775808-00000000000000000000000000000001', 'cursor'],
    ['q={name=}', 'column 7'],
  ] as const) {
    const { status, body } = await get<ErrorBody>(`/api/spans/search?${query}`)
    assert.equal(status, 400, query)
    assert.ok(body.error.message.includes(word), body.error.message)
  }
})

test('facets: services and operations in order', async () => {
  const { body } = await get<{ services: unknown }>('/api/spans/facets')
  assert.deepEqual(body.services, [{ name: 'bank', operations: ['GET /bank'] }, { name: 'shop', operations: ['GET /shop'] }])
})

test('Jaeger: a trace in its JSON', async () => {
  const { body } = await get<Envelope<JaegerTrace>>(`/api/traces/${TRACE}`)
  assert.deepEqual([body.total, body.limit, body.offset, body.errors], [1, 0, 0, null])
  const [trace] = body.data
  assert.ok(trace)
  assert.deepEqual(trace.processes, { p1: { serviceName: 'shop', tags: [{ key: 'host.cpus', type: 'int64', value: 4 }] } })
  const root = trace.spans.find((span) => span.operationName === 'GET /cart')
  assert.ok(root)
  assert.deepEqual([root.startTime, root.duration, root.processID, root.flags], [NOW * 1000, 1500, 'p1', 1])
  assert.deepEqual(root.references, [{ refType: 'FOLLOWS_FROM', traceID: 'b'.repeat(32), spanID: 'c'.repeat(16) }])
  const tags = Object.fromEntries(root.tags.map((tag) => [tag.key, tag.value]))
  assert.deepEqual([tags['span.kind'], tags['error'], tags['otel.status_code'], tags['otel.status_description']], ['server', true, 'ERROR', 'boom'])
  assert.deepEqual(root.logs, [{ timestamp: NOW * 1000 + 100, fields: [{ key: 'event', type: 'string', value: 'retry' }, { key: 'n', type: 'int64', value: 1 }] }])
  const child = trace.spans.find((span) => span.operationName === 'SELECT')
  assert.ok(child)
  assert.deepEqual(child.references, [{ refType: 'CHILD_OF', traceID: TRACE, spanID: '1'.repeat(16) }])
  assert.ok(child.tags.some((tag) => tag.key === 'rows' && tag.value === '9007199254740993'))
})

test('Jaeger: an unknown trace is 404 in its envelope, as Grafana needs', async () => {
  const { status, body } = await get<Envelope<null>>(`/api/traces/${'f'.repeat(32)}`)
  assert.equal(status, 404)
  const hint = 'It may be older than the retention of spans, or was not sampled.'
  assert.deepEqual(body, { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: 404, msg: 'trace not found', hint }] })
})

test('Jaeger: a search in microseconds, with tags that stand for columns', async () => {
  const tags = encodeURIComponent('{"error":"true","http.route":"/cart","span.kind":"client"}')
  const query = `service=shop&operation=GET&tags=${tags}&minDuration=100us&limit=5&start=${(NOW - 1000) * 1000}&end=${NOW * 1000}`
  const { status, searches } = await get(`/api/traces?${query}`, { found: [] })
  assert.equal(status, 200)
  assert.deepEqual(searches, [
    {
      range: { start: NOW - 1000, end: NOW },
      service: 'shop',
      limit: 5,
      operation: 'GET',
      status: 'error',
      kind: 'client',
      minDurationNs: 100_000,
      attributes: { 'http.route': '/cart' },
    },
  ])
  assert.equal((await get('/api/traces?tags={')).status, 400)
  assert.equal((await get('/api/traces?service=a&tags={')).status, 400)
})

test('Jaeger: services and operations', async () => {
  assert.deepEqual((await get<Envelope<string>>('/api/services')).body.data, ['bank', 'shop'])
  assert.deepEqual((await get<Envelope<string>>('/api/services/shop/operations')).body.data, ['GET /shop'])
  assert.deepEqual((await get<Envelope<unknown>>('/api/operations?service=shop')).body.data, [{ name: 'GET /shop', spanKind: 'server' }])
})
