import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import type { Attributes, LabelMatcher, MetricData, MetricRecord } from '@andon/model'
import { encodeMetrics } from '@andon/wire'
import { FakeClock } from '../runtime/clock.ts'
import { defaultLimits } from '../runtime/limits.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { openTestStore } from '../store/fixture.test.ts'
import type { Store } from '../store/index.ts'
import { MetricIngest, type MetricSink } from './metrics.ts'

/** The engine's own clock decides what has expired, and the times of this test are fixed. */
const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
const zero = Date.UTC(2026, 5, 1)
const clock = new FakeClock(zero + 3_600_000)
const range = { start: zero, end: zero + 7_200_000 }
let folder = ''
let store: Store
let ingest: MetricIngest

async function open(): Promise<void> {
  store = await openTestStore({ dataDir: folder, log: silentLog, clock, retention: forever })
  ingest = newIngest(store.metrics)
}

function newIngest(sink: MetricSink, limits: Partial<typeof defaultLimits> = {}): MetricIngest {
  return new MetricIngest(sink, { clock, limits: { ...defaultLimits, gatherMs: 0, ...limits }, own: new OwnMetrics(), retentionDays: 3650 })
}

beforeEach(async () => {
  if (folder !== '') await store.close()
  folder = mkdtempSync(join(tmpdir(), 'andon-ingest-'))
  await open()
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const resource = { attributes: { 'service.name': 'shop', 'service.instance.id': 'a:1', 'host.name': 'a' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

/** Nanoseconds of a second of the test. */
const at = (second: number): bigint => BigInt(zero + second * 1000) * 1_000_000n

function metric(name: string, data: MetricData): MetricRecord {
  return { name, description: '', unit: '', data, resource, scope }
}

function counter(points: readonly (readonly [start: number, second: number, value: number])[], temporality: 'delta' | 'cumulative', attributes: Attributes = {}): MetricRecord {
  return metric('hits', {
    type: 'sum',
    monotonic: true,
    temporality,
    points: points.map(([start, second, value]) => ({ attributes, start: start < 0 ? 0n : at(start), time: at(second), flags: 0, exemplars: [], value })),
  })
}

async function send(metrics: readonly MetricRecord[], batch?: string): Promise<{ rejected: number; message: string }> {
  return await ingest.accept(encodeMetrics(metrics), 'protobuf', batch)
}

async function seen(name: string): Promise<[second: number, value: number][]> {
  const [series] = await store.metrics.select([{ name: '__name__', operator: '=', value: name }], range)
  return [...(series?.ts ?? [])].map((ts, index) => [(ts - zero) / 1000, series?.v[index] ?? Number.NaN])
}

/** What the rollups of five minutes and of one hour add up to. */
async function rolledUp(name = 'hits_total'): Promise<[number, number]> {
  const { minutes, hours } = await store.metrics.rolledUpIncrease([{ name: '__name__', operator: '=', value: name }], range)
  return [minutes, hours]
}

const batch = (sequence: number): string => `${'ab'.repeat(16)}/${sequence}`

test('PromQL sees deltas as a running sum, with a point at the start of each interval', async () => {
  await send([counter([[40, 50, 5]], 'delta')], batch(1))
  assert.deepEqual(await seen('hits_total'), [[40, 0], [50, 5]])
  await send([counter([[50, 60, 3]], 'delta')], batch(2))
  assert.deepEqual(await seen('hits_total'), [[40, 0], [50, 5], [60, 8]])
  assert.deepEqual(await seen('hits'), [[40, 0], [50, 5], [60, 8]], 'by the OpenTelemetry name')
  assert.deepEqual(await rolledUp(), [8, 8])
})

test('cumulative points stay as they are; rollups hold their increases with resets taken out', async () => {
  await send([counter([[0, 50, 105], [0, 60, 108]], 'cumulative')])
  await send([counter([[0, 70, 110]], 'cumulative')])
  await send([counter([[75, 80, 4]], 'cumulative')])
  assert.deepEqual(await seen('hits_total'), [[50, 105], [60, 108], [70, 110], [80, 4]])
  assert.deepEqual(await rolledUp(), [114, 114], '105 + 3 + 2, then 4 after the reset')
})

test('a counter of which nothing is known before its first point has no increase yet', async () => {
  await send([counter([[-1, 50, 1_000_000], [-1, 60, 1_000_003]], 'cumulative')])
  assert.deepEqual(await rolledUp(), [3, 3])
})

test('the increase goes on over a restart of the server', async () => {
  await send([counter([[0, 50, 10]], 'cumulative')])
  await store.close()
  await open()
  await send([counter([[0, 60, 14]], 'cumulative')])
  assert.deepEqual(await rolledUp(), [14, 14])
})

test('a numbered batch counts once, in the raw table and in both rollups, also after a restart', async () => {
  const request = [counter([[40, 50, 5]], 'delta')]
  await send(request, batch(7))
  await send(request, batch(7))
  await store.close()
  await open()
  await send(request, batch(7))
  assert.deepEqual(await seen('hits_total'), [[40, 0], [50, 5]])
  assert.deepEqual(await rolledUp(), [5, 5])
})

test('a point that comes late or again adds nothing to the rollup', async () => {
  await send([counter([[0, 50, 10]], 'cumulative')])
  await send([counter([[0, 60, 20]], 'cumulative')])
  await send([counter([[0, 50, 10]], 'cumulative')])
  await send([counter([[0, 60, 20]], 'cumulative')])
  assert.deepEqual(await rolledUp(), [20, 20])
  assert.deepEqual(await seen('hits_total'), [[50, 10], [60, 20]])
})

test('a source may switch its temporality', async () => {
  await send([counter([[0, 50, 10]], 'cumulative')])
  await send([counter([[50, 60, 4]], 'delta')])
  await send([counter([[0, 70, 16]], 'cumulative')])
  assert.deepEqual(await seen('hits_total'), [[50, 10], [60, 4], [70, 16]])
  assert.equal((await rolledUp())[0], 20, '10, then 4, then 16 - 10')
})

test('the remembered point advances only when the insert has returned', async () => {
  let fail = true
  const failing: MetricSink = {
    write: (rows, options) => (fail ? Promise.reject(new Error('disk')) : store.metrics.write(rows, options)),
    previousSamples: (...all) => store.metrics.previousSamples(...all),
    previousHistograms: (...all) => store.metrics.previousHistograms(...all),
  }
  ingest = newIngest(failing)
  fail = false
  await send([counter([[0, 50, 10]], 'cumulative')])
  fail = true
  await assert.rejects(send([counter([[0, 60, 15]], 'cumulative')]), { code: 'unavailable' })
  fail = false
  await send([counter([[0, 60, 15]], 'cumulative')])
  assert.deepEqual(await rolledUp(), [15, 15])
})

test('points out of range are refused by partial success, the others are stored', async () => {
  const answer = await send([counter([[40, 50, 5], [0, 3600 + 11 * 60, 1]], 'delta')])
  assert.equal(answer.rejected, 1)
  assert.match(answer.message, /1 points lie more than 10 minutes in the future/)
  assert.deepEqual(await seen('hits_total'), [[40, 0], [50, 5]])
})

test('a request that is not OTLP is refused and harms no other', async () => {
  const bad = ingest.accept(Uint8Array.of(10, 200, 1), 'protobuf')
  const good = send([counter([[40, 50, 5]], 'delta')])
  await assert.rejects(bad, { code: 'bad_body' })
  await good
  assert.deepEqual(await seen('hits_total'), [[40, 0], [50, 5]])
})

test('of gathered requests the one that the store does not take fails alone', async () => {
  const picky: MetricSink = {
    write: (rows, options) => (rows.series.some((series) => series.labels['poison'] === 'yes') ? Promise.reject(new Error('no')) : store.metrics.write(rows, options)),
    previousSamples: (...all) => store.metrics.previousSamples(...all),
    previousHistograms: (...all) => store.metrics.previousHistograms(...all),
  }
  ingest = newIngest(picky)
  const results = await Promise.allSettled([
    send([counter([[40, 50, 5]], 'delta')]),
    send([counter([[40, 50, 1]], 'delta', { poison: 'yes' })]),
    send([counter([[50, 60, 3]], 'delta')]),
  ])
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  assert.deepEqual(await seen('hits_total'), [[40, 0], [50, 5], [60, 8]])
})

test('over the limit of series, increments go to one series and cumulative values are dropped', async () => {
  ingest = newIngest(store.metrics, { seriesPerMetric: 3 })
  const users = ['a', 'b', 'c', 'd', 'e']
  await send(users.map((user) => counter([[40, 50, 1]], 'delta', { user })))
  const series = await store.metrics.select([{ name: '__name__', operator: '=', value: 'hits_total' }], range)
  const overflow = series.find((each) => each.labels['otel_metric_overflow'] === 'true')
  assert.equal(series.length, 4)
  assert.equal(overflow?.v.at(-1), 2)
  await send(users.map((user) => counter([[0, 60, 100]], 'cumulative', { user: `${user}2` })))
  assert.equal((await store.metrics.select([{ name: '__name__', operator: '=', value: 'hits_total' }], range)).length, 4)
})

test('labels say who sent; other attributes of the resource stand in target_info', async () => {
  await send([counter([[40, 50, 5]], 'delta', { 'http.route': '/a', job: 'mine' })])
  const [hits] = await store.metrics.seriesOf([{ name: '__name__', operator: '=', value: 'hits_total' }], range)
  assert.deepEqual({ ...hits }, { __name__: 'hits_total', exported_job: 'mine', http_route: '/a', instance: 'a:1', job: 'shop', service_name: 'shop' })
  const [info] = await store.metrics.seriesOf([{ name: '__name__', operator: '=', value: 'target_info' }], range)
  assert.equal(info?.['host_name'], 'a')
})

const explicit = (second: number, counts: readonly number[], temporality: 'delta' | 'cumulative'): MetricRecord =>
  metric('wait', {
    type: 'histogram',
    temporality,
    points: [{ attributes: {}, start: at(second - 10), time: at(second), flags: 0, exemplars: [], count: counts.reduce((a, b) => a + b, 0), sum: 6, min: undefined, max: undefined, bounds: [1, 5], counts }],
  })

const matcher = (value: string): LabelMatcher[] => [{ name: '__name__', operator: '=', value }]

test('a histogram with bounds is seen as a native one and by the classic names', async () => {
  await send([explicit(50, [1, 2, 3], 'delta')])
  await send([explicit(60, [1, 0, 0], 'delta')])
  const [native] = await store.metrics.select(matcher('wait'), range)
  assert.deepEqual(native?.histograms?.map((histogram) => histogram?.count), [0, 6, 7])
  const buckets = await store.metrics.select(matcher('wait_bucket'), range)
  assert.deepEqual(buckets.map(({ labels: { le }, v }) => [le, [...v]]), [['1', [0, 1, 2]], ['5', [0, 3, 4]], ['+Inf', [0, 6, 7]]])
  assert.deepEqual((await seen('wait_count')).at(-1), [60, 7])
  assert.deepEqual((await seen('wait_sum')).at(-1), [60, 12])
  assert.deepEqual(await rolledUp('wait'), [7, 7])
})

test('an exponential histogram interpolates the buckets that are asked for', async () => {
  await send([
    metric('http.server.request.duration', {
      type: 'exponentialHistogram',
      temporality: 'delta',
      points: [{ attributes: {}, start: at(40), time: at(50), flags: 0, exemplars: [], count: 4, sum: 1, min: 0.1, max: 0.4, scale: 0, zeroCount: 1, zeroThreshold: 0, positive: { offset: -3, counts: [1, 2] }, negative: { offset: 0, counts: [] } }],
    }),
  ])
  const [half] = await store.metrics.select([{ name: '__name__', operator: '=', value: 'http_server_request_duration_bucket' }, { name: 'le', operator: '=', value: '0.5' }], range)
  assert.deepEqual([...(half?.v ?? [])], [0, 4])
  const [quarter] = await store.metrics.select([{ name: '__name__', operator: '=', value: 'http_server_request_duration_bucket' }, { name: 'le', operator: '=', value: '0.25' }], range)
  assert.equal(quarter?.v.at(-1), 2, 'the zero bucket and (0.125, 0.25]')
})
