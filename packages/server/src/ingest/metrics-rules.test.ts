// Rules of what points mean that need the whole way into the tables: restarts, repetitions, times, limits.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import type { Attributes, Exemplar, LabelMatcher, MetricData, MetricRecord } from '@andon/model'
import { encodeMetrics, encodeMetricsJson } from '@andon/wire'
import { FakeClock } from '../runtime/clock.ts'
import { defaultLimits } from '../runtime/limits.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { Engine } from '../query/engine.ts'
import { openStore, type Store } from '../store/index.ts'
import { MetricIngest } from './metrics.ts'

/** The engine's own clock decides what has expired, and the times of this test are fixed. */
const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
const zero = Date.UTC(2026, 5, 1)
const DAY = 86_400_000
const clock = new FakeClock(zero + 3_600_000)
const range = { start: zero, end: zero + 7_200_000 }
const folders: string[] = []
let store: Store
let ingest: MetricIngest
let own: OwnMetrics

async function open(): Promise<void> {
  store = await openStore({ dataDir: folders.at(-1) ?? '', log: silentLog, clock, retention: forever })
  use({})
}

function use(limits: Partial<typeof defaultLimits>, retentionDays = 3650): void {
  own = new OwnMetrics()
  ingest = new MetricIngest(store.metrics, { clock, limits: { ...defaultLimits, gatherMs: 0, ...limits }, own, retentionDays })
}

async function restart(): Promise<void> {
  await store.close()
  await open()
}

beforeEach(async () => {
  if (folders.length > 0) await store.close()
  folders.push(mkdtempSync(join(tmpdir(), 'andon-rules-')))
  await open()
})
after(async () => {
  await store.close()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const at = (second: number): bigint => BigInt(zero + second * 1000) * 1_000_000n

function metric(data: MetricData, more: Partial<MetricRecord> = {}): MetricRecord {
  return { name: 'hits', description: '', unit: '', data, resource: { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' }, scope, ...more }
}

type Point = readonly [start: number, second: number, value: number]

function counter(points: readonly Point[], temporality: 'delta' | 'cumulative', attributes: Attributes = {}): MetricRecord {
  return metric({ type: 'sum', monotonic: true, temporality, points: points.map(([start, second, value]) => ({ attributes, start: at(start), time: at(second), flags: 0, exemplars: [], value })) })
}

function histogram(points: readonly Point[], temporality: 'delta' | 'cumulative', attributes: Attributes = {}, counts?: readonly number[]): MetricRecord {
  const data: MetricData = {
    type: 'histogram',
    temporality,
    points: points.map(([start, second, count]) => ({ attributes, start: at(start), time: at(second), flags: 0, exemplars: [], count, sum: count, min: undefined, max: undefined, bounds: [1], counts: counts ?? [count, 0] })),
  }
  return metric(data, { name: 'wait' })
}

const send = async (metrics: readonly MetricRecord[], batch?: string): Promise<{ rejected: number; message: string }> => await ingest.accept(encodeMetrics(metrics), 'protobuf', batch)
const userIs = (value: string): LabelMatcher => ({ name: 'user', operator: '=', value })
const batch = (sequence: number): string => `${'ab'.repeat(16)}/${sequence}`
const named = (name: string, ...more: readonly LabelMatcher[]): LabelMatcher[] => [{ name: '__name__', operator: '=', value: name }, ...more]

async function rolledUp(name: string, ...more: readonly LabelMatcher[]): Promise<[number, number]> {
  const { minutes, hours } = await store.metrics.rolledUpIncrease(named(name, ...more), range)
  return [minutes, hours]
}

function counted(name: string): Record<string, number> {
  const samples = own.render().find((family) => family.name === name)?.samples ?? []
  return Object.fromEntries(samples.map(({ labels, value }) => [Object.values(labels).join(), value]))
}

test('after a restart each series goes on from its own previous point, however far apart the times of one request lie', async () => {
  await send([counter([[0, 50, 10], [0, 60, 20], [0, 90, 50]], 'cumulative', { user: 'ahead' }), counter([[0, 50, 1], [0, 60, 2]], 'cumulative', { user: 'behind' })])
  await restart()
  await send([counter([[0, 100, 57]], 'cumulative', { user: 'ahead' }), counter([[0, 70, 3]], 'cumulative', { user: 'behind' })])
  assert.deepEqual([await rolledUp('hits_total', userIs('ahead')), await rolledUp('hits_total', userIs('behind'))], [[57, 57], [3, 3]])
})

test('the same for histograms, and for a counter that was reset while the server was away', async () => {
  await send([histogram([[0, 50, 4], [0, 60, 6]], 'cumulative'), counter([[0, 50, 10]], 'cumulative')])
  await restart()
  await send([histogram([[0, 70, 9]], 'cumulative'), counter([[65, 70, 3]], 'cumulative')])
  assert.deepEqual([await rolledUp('wait'), await rolledUp('hits_total')], [[9, 9], [13, 13]])
})

test('temporality may change over a restart, of counters and histograms', async () => {
  await send([counter([[0, 50, 10]], 'cumulative'), histogram([[0, 50, 10]], 'cumulative')])
  await send([counter([[50, 60, 4]], 'delta'), histogram([[50, 60, 4]], 'delta')])
  await restart()
  await send([counter([[0, 70, 16]], 'cumulative'), histogram([[0, 70, 16]], 'cumulative')])
  await send([counter([[70, 80, 1]], 'delta'), histogram([[70, 80, 1]], 'delta')])
  assert.deepEqual([await rolledUp('hits_total'), await rolledUp('wait')], [[21, 21], [21, 21]], '10, 4, 16 - 10, 1')
})

test('different requests whose rollups are equal both count, with a number and without', async () => {
  await send([histogram([[40, 50, 2]], 'delta'), counter([[40, 50, 2]], 'delta')])
  await send([histogram([[50, 60, 2]], 'delta'), counter([[50, 60, 2]], 'delta')])
  await send([histogram([[60, 70, 2]], 'delta'), counter([[60, 70, 2]], 'delta')], batch(1))
  await send([histogram([[70, 80, 2]], 'delta'), counter([[70, 80, 2]], 'delta')], batch(2))
  assert.deepEqual([await rolledUp('wait'), await rolledUp('hits_total')], [[8, 8], [8, 8]])
})

test('a numbered batch of counters, histograms and exemplars counts once over a restart, rollups included', async () => {
  const withExemplar = metric({ type: 'sum', monotonic: true, temporality: 'delta', points: [{ attributes: {}, start: at(40), time: at(50), flags: 0, exemplars: [exemplarAt(at(45))], value: 2 }] })
  const request = [withExemplar, histogram([[40, 50, 3]], 'delta')]
  await send(request, batch(1))
  await restart()
  await send(request, batch(1))
  await send(request, batch(1))
  assert.deepEqual([await rolledUp('hits_total'), await rolledUp('wait')], [[2, 2], [3, 3]])
  assert.deepEqual((await store.metrics.exemplars(named('hits_total'), range)).map(({ exemplars }) => exemplars.length), [1])
})

/** The value of an expression at a second of the test. */
async function evaluated(expression: string, second: number): Promise<number> {
  const result = await new Engine(store.metrics, defaultLimits).instant(expression, zero + second * 1000)
  assert.ok(result.type === 'vector' && result.samples.length === 1, expression)
  return result.samples[0]?.value ?? Number.NaN
}

test('a rare increment has a rate and a value at once; cumulative points have the rate that Prometheus gives them', async () => {
  await send([counter([[40, 50, 5]], 'delta')])
  assert.equal(await evaluated('hits_total', 60), 5)
  // From 0 at 40 to 5 at 50: to the left the counter cannot fall below 0, to the right half a step is added.
  assert.ok((await evaluated('increase(hits_total[1m])', 60)) >= 5)
  assert.ok((await evaluated('rate(hits_total[1m])', 60)) >= 5 / 60)
  await send([counter([[50, 60, 3]], 'delta')])
  assert.equal(await evaluated('hits_total', 60), 8)
  assert.ok((await evaluated('increase(hits_total[1m])', 60)) >= 8)
  await send([counter([[0, 50, 105], [0, 60, 108]], 'cumulative', { kind: 'cumulative' })])
  assert.equal(await evaluated('hits_total{kind="cumulative"}', 60), 108)
  // Two points 10 s apart, the first 50 s after the start of the window: extrapolated by half a step to the left.
  assert.equal(await evaluated('increase(hits_total{kind="cumulative"}[1m])', 60), 4.5)
  assert.equal(await evaluated('{"hits", kind="cumulative"}', 60), 108, 'by the OpenTelemetry name')
})

test('older names of system metrics are answered from those of the conventions', async () => {
  await send(['system.cpu.utilization', 'system.filesystem.utilization'].map((name) => metric({ type: 'gauge', points: [{ attributes: {}, start: 0n, time: at(50), flags: 0, exemplars: [], value: 0.5 }] }, { name, unit: '1' })))
  const names = ['system.cpu.usage', 'system.disk.usage', 'system.cpu.utilization', 'nothing']
  const found = await store.metrics.getMetrics(names, range)
  assert.deepEqual(names.map((name) => found[name]?.flatMap(({ points }) => points.map(([, value]) => value))), [[0.5], [0.5], [0.5], []])
})

test('an increment below nothing, or none at all, changes no rollup', async () => {
  await send([counter([[40, 50, 5], [50, 60, -3], [60, 70, Number.NaN], [70, 80, Infinity]], 'delta')])
  assert.deepEqual(await rolledUp('hits_total'), [5, 5])
})

test('points out of time, without a name, with too many labels or of a form that is none are refused each, counted by reason, and the rest is stored', async () => {
  use({ attributes: 4 }, 15)
  const gauge = (seconds: number, more: Partial<MetricRecord> = {}, attributes: Attributes = {}): MetricRecord =>
    metric({ type: 'gauge', points: [{ attributes, start: 0n, time: at(seconds), flags: 0, exemplars: [], value: seconds }] }, { name: 'queue', ...more })
  const exponential = (more: object): MetricRecord =>
    metric({ type: 'exponentialHistogram', temporality: 'delta', points: [{ attributes: {}, start: 0n, time: at(50), flags: 0, exemplars: [], count: 1, sum: 1, min: undefined, max: undefined, scale: 0, zeroCount: 0, zeroThreshold: 0, positive: { offset: 0, counts: [1] }, negative: { offset: 0, counts: [] }, ...more }] })
  const now = 3600
  const requests = [
    gauge(now + 600), gauge(now + 601), gauge(now - 15 * 86_400), gauge(now - 15 * 86_400 - 1), metric({ type: 'gauge', points: [{ attributes: {}, start: 0n, time: (1n << 64n) - 1n, flags: 0, exemplars: [], value: 1 }] }, { name: 'queue' }),
    gauge(50, { name: '' }), gauge(51, { name: '...' }), gauge(52, { name: 'n'.repeat(2000) }), gauge(53, { unit: 'u'.repeat(2000) }),
    gauge(54, {}, { a: 1n, b: 2n, c: 3n, d: 4n, e: 5n }), gauge(55, {}, { ['k'.repeat(1025)]: 'x' }), gauge(56, {}, { a: 'x'.repeat(9000), b: 'y'.repeat(9000) }),
    exponential({}), exponential({ scale: 21 }), exponential({ scale: -11 }), exponential({ zeroThreshold: Number.NaN }), exponential({ positive: { offset: 2 ** 31 - 1, counts: [1, 1] } }),
    histogram([[40, 50, 1]], 'delta', {}, [1, 2, 3]),
  ]
  for (const content of ['protobuf', 'json'] as const) {
    const body = content === 'protobuf' ? encodeMetrics(requests) : Buffer.from(encodeMetricsJson(requests))
    const { rejected, message } = await ingest.accept(body, content)
    assert.equal(rejected, 14, message)
    assert.match(message, /^3 points lie more than 10 minutes in the future or before the retention of 15 days; 3 points have no name, .*; 3 points have more than 4 labels, .*; 5 points are histograms whose counts, buckets or bounds do not fit each other$/)
  }
  assert.deepEqual(counted('andon_ingest_points_refused_total'), { time: 6, name: 6, labels: 6, histogram: 10 })
  const series = await store.metrics.seriesOf(named('queue'), { start: zero - 20 * DAY, end: zero + DAY })
  assert.deepEqual(series.map(({ __name__: name = '' }) => name.length).toSorted((a, b) => a - b), [5, 69], 'the one name, and the one whose unit was cut')
  const described = (await store.metrics.metadata()).map(({ name }) => name)
  assert.equal(described.includes(`queue_${'u'.repeat(63)}`), true, 'a unit is cut, because it is a part of the name')
})

test('over the limit of series, what was dropped is told by partial success and counted; increments are gathered', async () => {
  use({ seriesPerMetric: 2 })
  const users = ['a', 'b', 'c', 'd']
  const gauges = users.map((user) => metric({ type: 'gauge', points: [{ attributes: { user }, start: 0n, time: at(50), flags: 0, exemplars: [], value: 1 }] }, { name: 'queue' }))
  assert.deepEqual(await send(gauges), { rejected: 2, message: '2 points are of series over the limit of their service and metric, or of all series' })
  assert.equal((await send(users.map((user) => counter([[40, 50, 1]], 'delta', { user })))).rejected, 0)
  assert.equal((await send(users.map((user) => histogram([[0, 50, 1]], 'cumulative', { user })))).rejected, 2)
  assert.deepEqual(counted('andon_ingest_series_overflow_total'), { dropped: 4, gathered: 2 })
  const overflow = await store.metrics.seriesOf(named('hits_total', { name: 'otel_metric_overflow', operator: '=', value: 'true' }), range)
  assert.equal(overflow.length, 1)
  assert.deepEqual(await rolledUp('hits_total'), [4, 4])
})

function exemplarAt(time: bigint): Exemplar {
  return { time, value: 1, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), attributes: {} }
}

test('exemplars whose time no point may have are left out and counted; an exemplar without a time is of its point', async () => {
  const times = [0n, at(49), (1n << 64n) - 1n, 1n << 63n, at(3600 + 601), at(-3651 * 86_400)]
  const data: MetricData = { type: 'gauge', points: [{ attributes: {}, start: 0n, time: at(50), flags: 0, exemplars: times.map(exemplarAt), value: 1 }] }
  assert.equal((await send([metric(data, { name: 'queue' })])).rejected, 0)
  assert.deepEqual((await store.metrics.exemplars(named('queue'), range)).flatMap(({ exemplars }) => exemplars.map(({ ts }) => (ts - zero) / 1000)), [49, 50])
  assert.deepEqual(counted('andon_ingest_exemplars_refused_total'), { '': 4 })
})

test('a point that counts since after its own time, or since a time that is none, counts since a time that is not known', async () => {
  const starts = [at(60), (1n << 64n) - 1n]
  const data: MetricData = { type: 'sum', monotonic: true, temporality: 'delta', points: starts.map((start, index) => ({ attributes: {}, start, time: at(50 + index), flags: 0, exemplars: [], value: 1 })) }
  await send([metric(data)])
  const [series] = await store.metrics.select(named('hits_total'), range)
  assert.deepEqual([...(series?.ts ?? [])].map((ts) => (ts - zero) / 1000), [50, 51])
})

test('a batch that was kept back for more than a hundred days is stored whole', async () => {
  const points = Array.from({ length: 150 }, (_, day): Point => [-day * 86_400, -day * 86_400, 1])
  assert.equal((await send([metric({ type: 'gauge', points: points.map(([, second, value]) => ({ attributes: {}, start: 0n, time: at(second), flags: 0, exemplars: [], value })) }, { name: 'queue' })])).rejected, 0)
  const [series] = await store.metrics.select(named('queue'), { start: zero - 200 * DAY, end: zero })
  assert.equal(series?.ts.length, 150)
})

test('counts beyond what a column of whole numbers holds are stored', async () => {
  const huge = 2 ** 64 - 2048
  await send([metric({ type: 'exponentialHistogram', temporality: 'delta', points: [{ attributes: {}, start: at(40), time: at(50), flags: 0, exemplars: [], count: huge, sum: 1e308, min: Number.NaN, max: Number.NaN, scale: 20, zeroCount: huge, zeroThreshold: 0, positive: { offset: -5, counts: Array.from({ length: 160 }, () => huge) }, negative: { offset: 0, counts: [] } }] }, { name: 'wait' })])
  const [series] = await store.metrics.select(named('wait'), range)
  assert.equal(series?.histograms?.at(-1)?.count, huge)
})

test('attributes of the resource that are no label stand in target_info, bounded like all attributes', async () => {
  use({ attributes: 4 })
  const attributes = { 'service.name': 'shop', 'host.name': 'h', 'cloud.region': 'eu', long: 'x'.repeat(9000), dropped: 1n }
  await send([{ ...counter([[40, 50, 1]], 'delta'), resource: { attributes, droppedAttributes: 0, schemaUrl: '' } }])
  const [info] = await store.metrics.seriesOf(named('target_info'), range)
  assert.deepEqual([info?.['host_name'], info?.['cloud_region'], info?.['long']?.length, info?.['dropped']], ['h', 'eu', 8192, undefined])
})

test('names that nothing was measured under are not kept', async () => {
  await send([metric({ type: 'gauge', points: [] }, { name: 'empty' })])
  assert.deepEqual(await store.metrics.metadata(), [])
})
