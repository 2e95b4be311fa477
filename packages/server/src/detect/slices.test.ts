// What is read of the store: delta histograms as our agent sends them, cut into slices of 15 s although they come every 10 s.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Labels, seriesId } from '@andon/model'
import { Engine } from '../query/engine.ts'
import { engineEvaluator } from '../query/engine-evaluator.ts'
import { FakeClock } from '../runtime/clock.ts'
import { defaultLimits } from '../runtime/limits.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestStore } from '../store/fixture.test.ts'
import type { Store } from '../store/index.ts'
import type { HistogramRow, HistogramValue, SampleRow } from '../store/metric-rows.ts'
import { SLICE_MS } from './parameters.ts'
import type { SeriesSlices, SignalName } from './signals.ts'
import { publicId, SliceReader, type SliceTable } from './slices.ts'

const START = Date.UTC(2026, 0, 5, 12)
const SOURCE = { service_name: 'shop', deployment_environment_name: 'prod', instance: 'a:1', job: 'shop' }
const dataDir = mkdtempSync(join(tmpdir(), 'andon-slices-'))
let store: Store | undefined

/** Some requests of one duration each. */
function observed(count: number, seconds: number): HistogramValue {
  return { schema: 3, zeroThreshold: 0, zeroCount: 0, count, sum: count * seconds, positive: new Map([[Math.ceil(Math.log2(seconds) * 8) - 1, count]]), negative: new Map(), bounds: [] }
}

function histograms(labels: Labels, of: (index: number) => HistogramValue): HistogramRow[] {
  const id = seriesId(labels)
  return Array.from({ length: 60 }, (_, index) => ({ id, ts: START + 3000 + (index + 1) * 10_000, start: START + 3000 + index * 10_000, form: 'delta', value: of(index), min: Infinity, max: -Infinity, stale: false, increase: undefined }))
}

before(async () => {
  store = await openTestStore({ dataDir, log: silentLog, clock: new FakeClock(START + 600_000), retention: { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 } })
  const well = { __name__: 'http_server_request_duration_seconds', http_response_status_code: '200', ...SOURCE }
  const failed = { ...well, http_response_status_code: '500' }
  const cpu = { __name__: 'process_cpu_utilization_ratio', ...SOURCE }
  const rows = [...histograms(well, (index) => observed(100, index < 30 ? 0.02 : 0.08)), ...histograms(failed, (index) => observed(index < 30 ? 0 : 10, 0.02))]
  const samples: SampleRow[] = Array.from({ length: 60 }, (_, index) => ({ id: seriesId(cpu), ts: START + 3000 + (index + 1) * 10_000, start: 0, value: 0.25, stale: false, delta: false, increase: 0 }))
  const series = [{ id: seriesId(well), type: 'histogram', labels: well }, { id: seriesId(failed), type: 'histogram', labels: failed }, { id: seriesId(cpu), type: 'gauge', labels: cpu }] as const
  await store.metrics.write({ series, metadata: [], samples, histograms: rows, exemplars: [] })
})

after(async () => {
  await store?.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const find = ({ series }: SliceTable, signal: SignalName): SeriesSlices => {
  const found = series.find(({ id }) => id.signal === signal)
  assert.ok(found, signal)
  return found
}

const sum = (values: Float64Array): number => values.reduce((all, value) => all + value, 0)

test('slices hold what was sent, each request once', async () => {
  assert.ok(store)
  const engine = new Engine(store.metrics, defaultLimits, { floatParts: store.metrics, deltaHistograms: store.metrics })
  const reader = new SliceReader(engineEvaluator(engine))
  const table = await reader.read({ start: START + 60_000, end: START + 540_000 })
  assert.equal(table.count, 32)
  const errors = find(table, 'errors')
  assert.deepEqual({ ...errors.id }, { service: 'shop', environment: 'prod', signal: 'errors', key: '' })
  assert.match(publicId(errors.id), /^[\da-f]{16}$/)
  // 100 requests in ten seconds, and 10 failed ones more from 303 s on.
  const failed = ((540 - 303) / 10) * 10
  assert.ok(Math.abs(sum(errors.values) - failed) < 1e-6, `${sum(errors.values)} failed`)
  assert.ok(Math.abs(sum(errors.counts) - (480 * 10 + failed)) < 1e-6, `${sum(errors.counts)} requests`)
  const p50 = find(table, 'p50')
  assert.ok(Math.abs((p50.values[3] ?? 0) / 0.02 - 1) < 0.1 && Math.abs((p50.values[25] ?? 0) / 0.08 - 1) < 0.1, p50.values.join(' '))
  assert.ok(Math.abs((find(table, 'throughput').values[5] ?? 0) - 10) < 1e-6)
  assert.ok(find(table, 'cpu').values.every((value) => Math.abs(value - 0.25) < 1e-9))
  const slow = find(table, 'slow')
  assert.ok((slow.values[3] ?? 9) < 1 && (reader.slowLimit({ service: 'shop', environment: 'prod' }) ?? 0) > 0.02)
  assert.equal(table.start % SLICE_MS, 0)
})

test('long times without data are passed over, to the hour', async () => {
  assert.ok(store)
  const reader = new SliceReader(engineEvaluator(new Engine(store.metrics, defaultLimits)))
  const range = { start: START - 5 * 3_600_000 - 60_000, end: START + 3_600_000 }
  assert.equal(await reader.firstData(range), START)
  const empty = { start: range.start, end: START - 3_600_000 }
  assert.equal(await reader.firstData(empty), empty.end)
})

test('of one service alone nothing else is read', async () => {
  assert.ok(store)
  const reader = new SliceReader(engineEvaluator(new Engine(store.metrics, defaultLimits)))
  assert.deepEqual((await reader.read({ start: START + 60_000, end: START + 90_000 }, 'other')).series, [])
})
