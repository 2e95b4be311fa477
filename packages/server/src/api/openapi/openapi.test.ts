// The document says what the routes do: each of both has the other, and real answers are of the schemas.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance } from 'fastify'
import { registerMetricsApi } from '../metrics.ts'
import { silentLog } from '../../runtime/log.ts'
import { FakeClock } from '../../runtime/clock.ts'
import { Engine } from '../../query/engine.ts'
import { createFixture, type Fixture, HOST, NOW, spanOf } from '../fixture.test.ts'
import { tellingRoutes } from '../telling-fixture.test.ts'
import { answerOf, conforms, type Document, pathOf } from './conforms.test.ts'
import { operationKey } from './document.ts'
import { OPERATIONS, TELLING_OPERATIONS } from './index.ts'

const noSeries = { select: () => Promise.resolve([]) }

const none = (): Promise<never[]> => Promise.resolve([])

/** Prometheus' routes as well, over nothing: only that they are there matters here. */
function prometheus(app: FastifyInstance): void {
  const metrics = { labelNames: none, labelValues: none, seriesOf: none, metadata: none, exemplars: none }
  registerMetricsApi(app, { engine: new Engine(noSeries, { querySamples: 1, querySteps: 1, queryMs: 1000 }), metrics, targets: () => [], rules: () => [], clock: new FakeClock(NOW), log: silentLog, version: '0' })
}

const stall = { time: NOW, seconds: 1, cpuSeconds: 0.5, kind: 'cpu' as const, stack: 'at f', share: 1, samples: 2, route: '/', traceId: '', spanId: '', env: '', version: '', instance: '' }
const point = { labels: { service_name: 'shop', instance: 'one', service_version: '1', http_request_method: 'GET', http_route: '/' } }

const red = { rate: 1, errorRatio: null, p50: 0.1, p95: null }
const cost = { calls: 2.5, rate: 1, errorRatio: null, totalSeconds: 1, meanSeconds: 0.4, p50: 0.1, p95: null, waits: 1, waitSeconds: 0.1, serverMeanSeconds: null, rowsMean: 2, perTraceMax: 3 }
const statement = { id: '7', system: 'postgresql', text: 'SELECT 1', operation: 'SELECT', collections: ['a'] }
const group = { id: '8', service: 'shop', type: 'TypeError', message: 'm', count: 1.5, unhandled: 0, firstSeen: NOW, lastSeen: NOW, routes: ['/'], versions: [{ version: '1', firstSeen: NOW, lastSeen: NOW, count: 1 }], newIn: null, isNew: false }
const seen = { time: NOW, service: 'shop', env: '', version: '', instance: '', route: '/', type: 'TypeError', message: 'm', stack: '', handled: true, weight: 1, traceId: '', spanId: '', attributes: { a: 'b' } }

/** Every route answers something that has all its parts. */
async function fixture(): Promise<Fixture> {
  return await createFixture({
    more: (app, { guard, clock }) => {
      prometheus(app)
      tellingRoutes(app, guard, clock)
    },
    spans: [
      spanOf('1', '', 0, { attributes: { big: 9_007_199_254_740_993n, list: ['a', 1n], none: null }, events: [{ time: BigInt(NOW) * 1_000_000n, name: 'e', attributes: { n: 1n }, droppedAttributes: 0 }], links: [{ traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), traceState: '', flags: 0, attributes: {}, droppedAttributes: 0 }] }),
      spanOf('2', '1', 10),
    ],
    found: [1, 2].map((index) => ({ traceId: String(index).padStart(32, '0'), start: NOW, durationNs: 1, rootService: 'shop', rootName: 'GET /', spanCount: 1, errorCount: 0, matched: 1, latest: 5n, services: [{ name: 'shop', spans: 1, errors: 0 }] })),
    evaluator: {
      over: (_expression, grid) => Promise.resolve([{ ...point, values: grid.t.map((_time, index) => (index === 0 ? null : 0.5)) }]),
      at: () => Promise.resolve([{ ...point, value: NOW / 1000 }]),
    },
    profiles: {
      merged: () => Promise.resolve({ stacks: [{ stack: [{ name: 'f', file: 'a.js', line: 1 }, { name: 'g', file: '', line: 0 }], value: 5 }], other: { stacks: 1, value: 2 }, profiles: 2, rollup: { start: NOW - 600_000, end: NOW - 300_000 }, isExpired: false }),
      sets: () => Promise.resolve([{ service: 'shop', type: 'cpu', profiles: 1, samples: 2, first: NOW, last: NOW, until: NOW }]),
    },
    stalls: () => Promise.resolve([stall]),
    map: { read: () => Promise.resolve({ nodes: [{ name: 'shop', kind: 'service', source: 'metrics', ...red }], edges: [{ client: 'shop', server: 'db', kind: 'database', env: '', calls: 2.5, rate: 1, errorRatio: 0, p50: 0.1, p95: null, serverP50: null, serverP95: null }] }) },
    statements: {
      list: () => Promise.resolve({ totalSeconds: 1, statements: [{ ...statement, service: 'shop', ...cost, share: 1 }] }),
      one: () =>
        Promise.resolve({
          ...statement,
          ...cost,
          t: [NOW],
          course: { rate: [1], errorRatio: [null], meanSeconds: [1], p95: [1] },
          routes: [{ ...cost, route: '/' }],
          callers: [{ ...cost, caller: 'f' }],
          versions: [{ ...cost, version: '1' }],
          examples: [{ traceId: '', spanId: '', time: NOW, seconds: 1, perTrace: 2, isFailed: false }],
        }),
    },
    errors: { list: () => Promise.resolve([group]), one: () => Promise.resolve({ ...group, t: [NOW], counts: [1.5], byRoute: [{ route: '/', count: 1.5 }], events: [seen] }) },
  })
}

const CONTROL = { sampling: 0.5, thresholds: [{ rule: 'r', metric: 'm', operator: 'gt', value: 1 }], expires: NOW + 60_000 }

/** A request of each of our own routes that answers JSON; those that need something done before are asked after it. */
const REQUESTS: Readonly<Record<string, string | { readonly url: string; readonly body: object }>> = {
  'GET /api/spans/search': '/api/spans/search?limit=1',
  'GET /api/spans/facets': '/api/spans/facets',
  'GET /api/spans/trace/:id': `/api/spans/trace/${'a'.repeat(32)}`,
  'GET /api/profiles': '/api/profiles',
  'GET /api/profiles/flame': '/api/profiles/flame?service=shop',
  'GET /api/dashboard': '/api/dashboard',
  'GET /api/overview': '/api/overview',
  'PUT /api/service/:name/control': { url: '/api/service/shop/control', body: CONTROL },
  'GET /api/service/:name/control': '/api/service/shop/control',
  'GET /api/service/:name': '/api/service/shop',
  'GET /api/service/:name/stalls': '/api/service/shop/stalls',
  'GET /api/coverage': '/api/coverage',
  'GET /api/agents': '/api/agents',
  'PUT /api/agents/:instance/control': { url: '/api/agents/one/control', body: CONTROL },
  'GET /api/agents/:instance/control': '/api/agents/one/control',
  'GET /api/agents/:instance/breaches': '/api/agents/one/breaches',
  'GET /api/agents/:instance/adaptations': '/api/agents/one/adaptations',
  'GET /api/status': '/api/status',
  'GET /api/service-map': '/api/service-map',
  'GET /api/statements': '/api/statements',
  'GET /api/statements/:id': '/api/statements/7',
  'GET /api/errors': '/api/errors',
  'GET /api/errors/:id': '/api/errors/8',
}
/** Answers that other tests hold against the document, or that need a body of their own. */
const ELSEWHERE: readonly string[] = ['POST /api/login', 'POST /api/profiles']

async function documentOf({ app }: Fixture): Promise<Document> {
  const answer = await app.inject({ url: '/api/openapi.json', headers: { host: HOST } })
  assert.equal(answer.statusCode, 200)
  return answer.json<Document>()
}

test('every route has an operation, and every operation a route', async () => {
  const { guard } = await fixture()
  const routes = guard.routes.map(operationKey)
  const undescribed = routes.filter((key) => OPERATIONS[key] === undefined)
  assert.deepEqual(undescribed, [], `describe these routes in a file of api/openapi and join it in api/openapi/index.ts: '${undescribed[0] ?? ''}': { summary: '…', parameters: rangeParameters(), answer: { schema: object({ ...RANGE, … }) } }`)
  assert.deepEqual(Object.keys(OPERATIONS).filter((key) => !routes.includes(key)), [], 'these routes are gone: take their operations out of api/openapi')
})

test('the document is OpenAPI 3.1: paths with their parameters, roles, errors', async () => {
  const fixed = await fixture()
  const document = await documentOf(fixed)
  assert.match(document.openapi, /^3\.1\./)
  const ids = new Set<string>()
  for (const { method, path, role } of fixed.guard.routes) {
    const operation = document.paths[pathOf(`${method} ${path}`)]?.[method.toLowerCase()]
    assert.ok(operation, path)
    ids.add(operation.operationId)
    assert.deepEqual([operation['x-role'], operation.security.length], [role, role === 'open' ? 0 : 2], path)
    const named = operation.parameters.filter((each) => each.in === 'path')
    assert.deepEqual(named.map(({ name }) => name), [...pathOf(`${method} ${path}`).matchAll(/\{(\w+)\}/g)].map(([, name]) => name), path)
    assert.ok(named.every(({ required }) => required), path)
    assert.equal(new Set(operation.parameters.map(({ name }) => name)).size, operation.parameters.length, path)
    for (const status of [...(role === 'open' ? [] : ['401', '403']), '400', '500']) assert.ok(operation.responses[status], `${path} ${status}`)
  }
  assert.equal(ids.size, fixed.guard.routes.length, 'operationId is unique')
})

test('real answers are of their schemas, errors too', async () => {
  const fixed = await fixture()
  const document = await documentOf(fixed)
  // What is told has tests of its answers beside its routes.
  const json = Object.entries(OPERATIONS).filter(([key, { answer }]) => !(key in TELLING_OPERATIONS) && typeof answer === 'object' && 'schema' in answer).map(([key]) => key)
  assert.deepEqual(json.filter((key) => REQUESTS[key] === undefined && !ELSEWHERE.includes(key)), [], 'add a request of these to REQUESTS, whose answer has all parts (give the fixture what they read)')
  const heard = 'service=shop&instance=one&version=0.1.0&revision=0&can=sampling'
  await fixed.app.inject({ method: 'POST', url: '/v1/traces', headers: { host: HOST, 'content-type': 'application/x-protobuf', 'andon-instance': heard }, payload: Buffer.alloc(0) })
  for (const [key, request] of Object.entries(REQUESTS)) {
    const [method = ''] = key.split(' ')
    const { url, body } = typeof request === 'string' ? { url: request, body: undefined } : request
    const answer = await fixed.app.inject({ method: method as 'GET', url, headers: { host: HOST }, ...(body !== undefined && { payload: body }) })
    assert.equal(answer.statusCode, 200, `${key}: ${answer.body}`)
    conforms(document, answerOf(document, key), answer.json(), key)
  }
  for (const url of ['/api/spans/search?limit=0', '/api/spans/trace/1', '/api/nowhere']) {
    conforms(document, document.components.schemas['Error'], (await fixed.app.inject({ url, headers: { host: HOST } })).json(), url)
  }
})

test('a schema that is too narrow is noticed', () => {
  const answer = OPERATIONS['GET /api/spans/facets']?.answer
  assert.ok(typeof answer === 'object' && 'schema' in answer)
  const validate = new Ajv2020({ strict: true }).compile(answer.schema)
  assert.ok(validate({ from: 1, to: 2, services: [] }))
  for (const wrong of [{ from: 1, to: 2 }, { from: 1, to: 2, services: [], more: 1 }, { from: '1', to: 2, services: [] }, { from: 1, to: 2, services: [{ name: 'a' }] }]) assert.ok(!validate(wrong), JSON.stringify(wrong))
})
