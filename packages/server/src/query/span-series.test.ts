import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRecord, LabelMatcher } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import type { EdgeQuery } from '../store/edges.ts'
import type { SpanRate } from '../store/spans-rates.ts'
import { Engine } from './engine.ts'
import { SpanSeries } from './span-series.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const NOW = Date.UTC(2026, 5, 1, 12)
const LIMITS = { querySamples: 1_000_000, querySteps: 1000, queryMs: 10_000 }

function edge(minutesAgo: number, calls: number, more: Partial<EdgeRecord> = {}): EdgeRecord {
  return { client: 'shop', server: '', peer: 'cart', kind: 'service', env: '', minute: NOW - minutesAgo * MINUTE, calls, errors: 0, unseenErrors: 0, seconds: calls, buckets: new Map([[0, calls]]), serverCalls: 0, serverSeconds: 0, serverBuckets: new Map(), ...more }
}

function rate(minutesAgo: number, calls: number, more: Partial<SpanRate> = {}): SpanRate {
  return { service: 'shop', env: '', version: '', kind: 'server', name: 'GET /', minute: NOW - minutesAgo * MINUTE, calls, errors: 0, seconds: calls, buckets: new Map([[0, calls]]), ...more }
}

type Asked = Omit<EdgeQuery, 'client'> & { readonly client?: string; readonly service?: string }

interface Fixture {
  readonly series: SpanSeries
  readonly asked: Asked[]
  readonly clock: FakeClock
  readonly ask: (expression: string) => Promise<string[]>
}

function fixture(edges: readonly EdgeRecord[], rates: readonly SpanRate[] = [], measured: readonly string[] = []): Fixture {
  const asked: Asked[] = []
  const clock = new FakeClock(NOW)
  const series = new SpanSeries(
    { read: (query) => Promise.resolve((asked.push(query), edges)), named: () => Promise.resolve([]), any: () => Promise.resolve(edges.length > 0) },
    { read: (query) => Promise.resolve((asked.push(query), rates)), measured: () => Promise.resolve(new Set(measured)), any: () => Promise.resolve(rates.length > 0) },
    clock,
  )
  const engine = new Engine({ select: (matchers, range, { signal }) => series.select(matchers, range, signal) }, LIMITS)
  return {
    series,
    asked,
    clock,
    ask: async (expression) => {
      const result = await engine.instant(expression, clock.now())
      return result.type === 'vector' ? result.samples.map(({ labels, value }) => `${Object.values(labels).join(' ')} ${value}`) : []
    },
  }
}

const named = (name: string, ...more: LabelMatcher[]): LabelMatcher[] => [{ name: '__name__', operator: '=', value: name }, ...more]

test('each minute is a delta that ends with it; the one under way ends now', async () => {
  const { series, clock } = fixture([edge(3, 6), edge(2, 6), edge(0, 2)])
  await clock.advance(30_000)
  const [total] = await series.select(named('traces_service_graph_request_total'), { start: NOW - 10 * MINUTE, end: clock.now() })
  assert.deepEqual([...(total?.ts ?? [])].map((ts) => (ts - NOW) / MINUTE), [-3, -2, -1, 0, 0.5])
  assert.deepEqual([...(total?.v ?? [])], [0, 6, 12, 12, 14])
})

test('a window needs two of the points: the start and the end of a minute', async () => {
  const { ask } = fixture([edge(1, 60)])
  assert.deepEqual(await ask('increase(traces_service_graph_request_total[1m])'), [])
  assert.deepEqual(await ask('increase(traces_service_graph_request_total[2m]) > 0'), ['shop cart virtual_node 60'])
})

test('sums and counts of histograms are the same with their buckets and without', async () => {
  const { ask, asked } = fixture([edge(2, 4), edge(1, 6)])
  const [sum] = await ask('increase(traces_service_graph_request_client_seconds_sum[3m])')
  assert.ok(asked.every(({ buckets }) => !buckets))
  assert.deepEqual(await ask('histogram_sum(increase(traces_service_graph_request_client_seconds[3m]))'), [sum])
  assert.deepEqual(await ask('increase(traces_service_graph_request_client_seconds_count[3m])'), await ask('increase(traces_service_graph_request_client_seconds_bucket{le="+Inf"}[3m])').then((rows) => rows.map((row) => row.replace(' +Inf', ''))))
})

test('long ranges are read in longer steps', async () => {
  const { series, asked } = fixture([edge(1, 1)])
  for (const days of [1, 7, 30, 90]) await series.select(named('traces_service_graph_request_total'), { start: NOW - days * DAY, end: NOW })
  assert.deepEqual(asked.map(({ step }) => (step ?? 0) / MINUTE), [1, 5, 30, 120])
  for (const { range, step } of asked) assert.equal(range.start % (step ?? 1), 0)
})

test('a selector that cannot match reads nothing; one of a client or a service reads only that', async () => {
  const { series, asked } = fixture([edge(1, 1), edge(1, 1, { client: 'bank' })], [rate(1, 1)])
  const range = { start: NOW - 5 * MINUTE, end: NOW }
  assert.deepEqual(await series.select([{ name: 'job', operator: '=', value: 'shop' }], range), [])
  assert.deepEqual(await series.select(named('up'), range), [])
  assert.equal(asked.length, 0)
  const found = await series.select(named('traces_service_graph_request_total', { name: 'client', operator: '=', value: 'shop' }), range)
  assert.deepEqual(found.map(({ labels }) => labels['client']), ['shop'])
  await series.select(named('traces_spanmetrics_calls_total', { name: 'service', operator: '=', value: 'shop' }), range)
  assert.deepEqual(asked.map(({ client, service }) => client ?? service), ['shop', 'shop'])
})

test('weights make fractions; failed spans are told apart; kinds that a metric tells are left out', async () => {
  const { ask } = fixture([], [rate(1, 7.5, { errors: 2.5 }), rate(1, 3, { kind: 'client', name: 'call' })], ['shop\0client'])
  assert.deepEqual((await ask('increase(traces_spanmetrics_calls_total[2m])')).toSorted(), ['shop GET / SPAN_KIND_SERVER STATUS_CODE_ERROR 2.5', 'shop GET / SPAN_KIND_SERVER STATUS_CODE_UNSET 5'])
  const [p50] = await ask('histogram_quantile(0.5, rate(traces_spanmetrics_latency_bucket[2m]))')
  assert.match(p50 ?? '', /^shop GET \/ SPAN_KIND_SERVER (?:[12]\.\d*|1)$/)
})

test('a database and a cache of one name are one series', async () => {
  const { ask } = fixture([edge(1, 1, { kind: 'database', server: 'redis', peer: '' }), edge(1, 2, { kind: 'cache', server: 'redis', peer: '' })])
  assert.deepEqual(await ask('increase(traces_service_graph_request_total[2m])'), ['shop redis database 3'])
})
