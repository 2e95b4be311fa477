// A service that sends spans and nothing else, in the store: its slices hold what its spans say, and a service with metrics is read from these.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bucketIndex, type Labels, SPAN_SCALE, seriesId, type SpanRecord } from '@andon/model'
import fc from 'fast-check'
import { shownExpression } from './detect/shown.ts'
import { type SeriesSlices, signalOf, type SignalName } from './detect/signals.ts'
import { seriesKey, SliceReader, type SliceTable } from './detect/slices.ts'
import { slowerThan } from './detect/span-slices.ts'
import { spanOf } from './ingest/call-spans.test.ts'
import { AllSeries } from './query/all-series.ts'
import { engineEvaluator } from './query/engine-evaluator.ts'
import { Engine } from './query/engine.ts'
import { SpanSeries } from './query/span-series.ts'
import { FakeClock } from './runtime/clock.ts'
import { defaultLimits } from './runtime/limits.ts'
import { silentLog } from './runtime/log.ts'
import { openTestStore } from './store/fixture.test.ts'
import type { Store } from './store/index.ts'

const START = Date.UTC(2026, 0, 5, 12)
const SLICES = 40
const FAULT = 20
const SECOND = 15
const dataDir = mkdtempSync(join(tmpdir(), 'andon-span-slices-'))
const clock = new FakeClock(START + SLICES * 15_000)
let store: Store | undefined

const at = (ms: number): bigint => BigInt(ms) * 1_000_000n

let ids = 0
/** A request that ended at a time, with a statement and a call within it. */
function request(service: string, end: number, ms: number, failed: boolean): SpanRecord[] {
  ids += 10
  const times = { start: at(end - ms), end: at(end) }
  const root = spanOf(service, { trace: ids, span: ids }, { kind: 'server', ...times, status: { code: failed ? 'error' : 'unset', message: '' } })
  const database = spanOf(service, { trace: ids, span: ids + 1, parent: ids }, { kind: 'client', start: times.start, end: at(end - ms + Math.round(ms / 2)), attributes: { 'db.system': 'mysql', 'db.name': 'shop' } })
  const call = spanOf(service, { trace: ids, span: ids + 2, parent: ids }, { kind: 'client', start: times.start, end: at(end - ms + 10), attributes: { 'server.address': 'cart.local', 'server.port': 80n } })
  return [root, database, call]
}

before(async () => {
  store = await openTestStore({ dataDir, log: silentLog, clock, retention: { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 } })
  const spans: SpanRecord[] = []
  for (let slice = 0; slice < SLICES; slice += 1) {
    const isBad = slice >= FAULT
    // Ten requests a slice, the last of which ends within its last millisecond; from the fault on they take four times as long, and every other one fails.
    for (let n = 1; n <= 10; n += 1) spans.push(...request('legacy', START + slice * 15_000 + n * 1500 - 1, isBad ? 160 : 40, isBad && n % 2 === 0))
    spans.push(...request('shop', START + slice * 15_000 + 5000, 40, false))
  }
  await store.spans.write(spans)
  const labels: Labels = { __name__: 'http_server_request_duration_seconds', http_response_status_code: '200', service_name: 'shop' }
  await store.metrics.write({ series: [{ id: seriesId(labels), type: 'histogram', labels }], metadata: [], samples: [], histograms: [], exemplars: [] })
})

after(async () => {
  await store?.close()
  rmSync(dataDir, { recursive: true, force: true })
})

function reader(): SliceReader {
  assert.ok(store)
  return new SliceReader(engineEvaluator(new Engine(store.metrics, defaultLimits)), store.spanSlices)
}

function find({ series }: SliceTable, signal: SignalName): SeriesSlices {
  const found = series.filter(({ id }) => id.signal === signal)
  assert.equal(found.length, 1, `${signal}: ${found.map(({ id }) => seriesKey(id)).join(' ')}`)
  assert.ok(found[0])
  return found[0]
}

const near = (value: number | undefined, expected: number, by = 0.1): boolean => value !== undefined && Math.abs(value / expected - 1) < by

test('slices of a service with spans alone say its errors, latency, throughput and calls, each request once', async () => {
  const slices = reader()
  const table = await slices.read({ start: START, end: START + SLICES * 15_000 })
  assert.deepEqual(new Set(table.series.map(({ id }) => id.service)), new Set(['legacy']), 'another one is read from its metrics')
  assert.equal(slices.isFromSpans('legacy'), true)
  assert.equal(slices.isFromSpans('shop'), false)
  const errors = find(table, 'errors')
  assert.deepEqual([...errors.counts], Array.from({ length: SLICES }, () => 10))
  assert.deepEqual([...errors.values], Array.from({ length: SLICES }, (_, slice) => (slice < FAULT ? 0 : 5)))
  for (const [signal, well, ill] of [['p50', 0.04, 0.16], ['p95', 0.04, 0.16], ['throughput', 10 / SECOND, 10 / SECOND], ['database-edge', 0.02, 0.08], ['http-edge', 0.01, 0.01]] as const) {
    const { values } = find(table, signal)
    assert.ok(near(values[0], well) && near(values[FAULT - 1], well) && near(values[FAULT], ill) && near(values[SLICES - 1], ill), `${signal}: ${values.join(' ')}`)
  }
  assert.equal(find(table, 'database-edge').id.key, 'mysql/shop')
  assert.equal(find(table, 'http-edge').id.key, 'cart.local:80')
})

test('what is slow is learned from the spans of the time before', async () => {
  const slices = reader()
  await slices.read({ start: START + FAULT * 15_000 - 30_000, end: START + FAULT * 15_000 - 15_000 })
  const limit = slices.slowLimit({ service: 'legacy', environment: '' })
  assert.ok(limit !== undefined && limit > 0.04 && limit < 0.16, String(limit))
  const slow = find(await slices.read({ start: START, end: START + SLICES * 15_000 }), 'slow')
  assert.ok(near(slow.values[SLICES - 1], 10, 0.2) && (slow.values[0] ?? 9) < 1, slow.values.join(' '))
})

test('the history of a service with spans alone begins with its first minute', async () => {
  const range = { start: START - 5 * 3_600_000, end: START + 3_600_000 }
  assert.equal(await reader().firstData(range), START)
  assert.equal(await reader().firstData({ start: range.start, end: START - 3_600_000 }), START - 3_600_000)
})

test('what is shown of each signal has values', async () => {
  assert.ok(store)
  const engine = new Engine(new AllSeries(store.metrics, new SpanSeries(store.edges, store.spanRates, clock)), defaultLimits)
  const evaluator = engineEvaluator(engine)
  for (const signal of ['errors', 'slow', 'p50', 'p95', 'throughput'] as const) {
    const expression = shownExpression(signalOf(signal), { service: 'legacy', environment: '' }, { slowLimit: 0.1, isFromSpans: true })
    const [found] = await evaluator.at(expression, START + SLICES * 15_000)
    assert.ok(found !== undefined && found.value > 0, expression)
  }
})

test('how many took longer than a limit lies within a bucket of the truth', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1e-4, max: 100, noNaN: true }), { minLength: 1, maxLength: 200 }), fc.double({ min: 1e-3, max: 50, noNaN: true }), (durations, limit) => {
      const buckets = new Map<number, number>()
      for (const each of durations) buckets.set(bucketIndex(each, SPAN_SCALE), (buckets.get(bucketIndex(each, SPAN_SCALE)) ?? 0) + 1)
      const found = slowerThan(buckets, limit)
      const width = 2 ** (1 / 8)
      const [least, most] = [durations.filter((each) => each > limit * width).length, durations.filter((each) => each > limit / width).length]
      assert.ok(found >= least - 1e-6 && found <= most + 1e-6, `${least} <= ${found} <= ${most}`)
    }),
  )
})
