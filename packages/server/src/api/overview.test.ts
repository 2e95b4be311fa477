import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Evaluator, Grid } from '../query/grid.ts'
import { gridOf } from '../query/grid.ts'
import type { SpanRedSource } from '../query/red.ts'
import { createFixture, HOST, NOW } from './fixture.test.ts'
import type { DashboardData } from './overview.ts'

const MINUTE = 60_000

/** Answers by what stands in the expression: 10 requests a second of which 1 fails, for the service `shop`. */
const metrics: Evaluator = {
  over: (expression, grid) => {
    const flat = (value: number, labels: Record<string, string> = {}): ReturnType<Evaluator['over']> => Promise.resolve([{ labels, values: grid.t.map(() => value) }])
    const labels = expression.includes('service_name)') ? { service_name: 'shop' } : {}
    if (expression.includes('kanban_cache_requests')) return flat(0.75)
    if (expression.includes('kanban_')) return flat(42)
    if (expression.includes('system_cpu')) return flat(0.5)
    if (expression.includes('histogram_quantile') && expression.includes('http_server')) return flat(0.2, labels)
    if (expression.includes('http_response_status_code')) return flat(1, labels)
    if (expression.includes('http_server_request_duration_seconds_count')) return flat(10, labels)
    return Promise.resolve([])
  },
  at: (expression) => {
    const labels = { service_name: 'shop', service_version: '1.2.3', http_request_method: 'GET', http_route: '/cart' }
    if (expression.includes('timestamp')) return Promise.resolve([{ labels, value: (NOW - 4000) / 1000 }])
    const quantile = /histogram_quantile\(([\d.]+)/.exec(expression)?.[1]
    if (quantile !== undefined) return Promise.resolve([{ labels, value: Number(quantile) }])
    if (expression.includes('http_response_status_code')) return Promise.resolve([{ labels, value: 90 }])
    return Promise.resolve([{ labels, value: 900 }])
  },
}

const spans: SpanRedSource = {
  services: () => Promise.resolve(['bank', 'shop']),
  red: (range, step, service) => {
    const t = Array.from({ length: Math.ceil((range.end - range.start) / step) }, (_one, index) => range.start + index * step)
    const flat = (value: number): number[] => t.map(() => value)
    const names = service === undefined ? ['bank', 'shop'] : [service]
    return Promise.resolve(names.map((name) => ({ service: name, t, rate: flat(2), errorRatio: flat(0.5), p50: flat(1), p95: flat(2), p99: flat(3) })))
  },
  redOfOperations: () => Promise.resolve([{ service: 'transfer', t: [NOW], rate: [2], errorRatio: [0.5], p50: [1], p95: [2], p99: [3] }]),
  lastSeen: () => Promise.resolve(new Map([['bank', NOW - 9000]])),
}

async function get<T>(url: string, options: Parameters<typeof createFixture>[0] = { evaluator: metrics, red: spans }): Promise<T> {
  const { app } = await createFixture(options)
  const answer = await app.inject({ url, headers: { host: HOST } })
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json<T>()
}

interface Row {
  readonly service: string
  readonly source: string
  readonly rate: number
  readonly errorRatio: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly version?: string
  readonly lastSeen: number
  readonly spark: Grid & { readonly rate: number[]; readonly p95: number[] }
}

test('overview: one rate per service, from its metrics where it sends them and from its spans where not', async () => {
  const body = await get<{ from: number; to: number; step: number; services: Row[]; freshnessMs: number; own: unknown; business: { operationsPerSecond: number } }>('/api/overview')
  assert.deepEqual([body.to - body.from, body.step, body.freshnessMs], [15 * MINUTE, 15_000, 4000])
  assert.deepEqual(body.services.map((one) => [one.service, one.source]), [['bank', 'spans'], ['shop', 'metrics']])
  const [bank, shop] = body.services
  assert.ok(bank && shop)
  assert.deepEqual([shop.rate, shop.errorRatio, shop.p50, shop.p95, shop.p99, shop.version, shop.lastSeen], [10, 0.1, 0.5, 0.95, 0.99, '1.2.3', NOW - 4000])
  assert.deepEqual([bank.rate, bank.errorRatio, bank.p50, bank.p95, bank.p99, bank.version, bank.lastSeen], [2, 0.5, 1, 2, 3, undefined, NOW - 9000])
  for (const { spark } of body.services) assert.ok(spark.t.length >= 15 && spark.t.length === spark.rate.length && spark.t.length === spark.p95.length)
  assert.equal(body.business.operationsPerSecond, 42)
  assert.deepEqual(body.own, { cpuRatio: 0.1, residentBytes: 1000, storeBytes: 5 })
})

test('overview without any data: no service, no business, no age', async () => {
  const body = await get<Record<string, unknown>>('/api/overview', {})
  assert.deepEqual([body['services'], body['business'], body['freshnessMs']], [[], null, null])
})

test('dashboard data: the asked-for keys with their units, the two "avg" times equal to the honest names', async () => {
  const body = await get<DashboardData>('/api/dashboard?from=now-1h')
  assert.deepEqual(Object.keys(body.systemMetrics), ['cpuUsage', 'memoryUsage', 'diskUsage', 'networkIO'])
  assert.deepEqual([body.systemMetrics.cpuUsage.value, body.systemMetrics.cpuUsage.unit, body.systemMetrics.memoryUsage.value], [0.5, 'ratio', null])
  assert.equal(body.systemMetrics.cpuUsage.series.length, 61)
  assert.equal(body.businessMetrics.avgTaskCreationTime, body.businessMetrics.p95TaskCreationMs)
  assert.equal(body.businessMetrics.avgTaskCreationTime, 0.95)
  assert.deepEqual(body.alerts, [])
  assert.equal(body.trends.t.length, body.trends.series['requestRate']?.length)
  assert.deepEqual(body.summary, { services: 2, requestRate: 12, errorRatio: 2 / 12, p95Seconds: 2, freshnessMs: 4000 })
})

test('a service by its metrics: courses on one grid, routes with their share', async () => {
  const body = await get<Record<string, unknown> & { t: number[]; rate: number[]; operations: unknown[] }>('/api/service/shop')
  assert.deepEqual([body['source'], body['eventLoop'], body['heap'], body.t.length], ['metrics', null, null, 91])
  assert.equal(body.rate.length, body.t.length)
  assert.deepEqual(body.operations, [{ name: 'GET /cart', rate: 1, errorRatio: 0.1, p50: 0.5, p95: 0.95, share: 1 }])
})

test('a service by its spans: the same shape on minutes', async () => {
  const body = await get<Record<string, unknown> & { t: number[]; rate: number[]; operations: unknown[] }>('/api/service/bank', { red: spans })
  assert.deepEqual([body['source'], body['step'], body.rate[0], body.rate.length], ['spans', MINUTE, 2, body.t.length])
  assert.deepEqual(body.operations, [{ name: 'transfer', rate: 2, errorRatio: 0.5, p50: 1, p95: 2, share: null }])
})

test('the grid holds multiples of its step within the range, and not many more than asked for', () => {
  for (const length of [1000, 60_000, 15 * MINUTE, 86_400_000, 400 * 86_400_000]) {
    const range = { start: NOW - length + 1, end: NOW }
    const { t, step } = gridOf(range, 60)
    assert.ok(t.length >= 1 && t.length <= 91, `${length}: ${t.length}`)
    assert.ok(t.every((time) => time > range.start - 1 && time <= range.end))
    assert.ok(t.length === 1 || t.every((time) => time % step === 0))
  }
})
