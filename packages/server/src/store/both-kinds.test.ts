import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type LabelMatcher, seriesId } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestStore } from './fixture.test.ts'
import type { Store } from './index.ts'
import type { HistogramRow, HistogramValue, SampleRow } from './metric-rows.ts'

const now = Date.UTC(2026, 5, 1, 12)
const folder = mkdtempSync(join(tmpdir(), 'andon-kinds-'))
let store: Store

const custom: HistogramValue = { schema: -53, zeroThreshold: 0, zeroCount: 0, count: 3, sum: 4, positive: new Map([[0, 1], [1, 2]]), negative: new Map(), bounds: [1, 5] }
const classic = { __name__: 'size_bucket', le: '1', job: 'a' }
const [native, lone] = [{ __name__: 'size', job: 'a' }, { __name__: 'size', job: 'b' }]

function sample(labels: Record<string, string>, ts: number, value: number): SampleRow {
  return { id: seriesId(labels), ts, start: 0, value, stale: false, delta: false, increase: 0 }
}

function histogram(labels: Record<string, string>, ts: number, value: HistogramValue): HistogramRow {
  return { id: seriesId(labels), ts, start: 0, form: value.hint === 'gauge' ? 'gauge' : 'cumulative', value, min: Infinity, max: -Infinity, stale: false, increase: undefined }
}

before(async () => {
  store = await openTestStore({ dataDir: folder, log: silentLog, clock: new FakeClock(now), retention: { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 } })
  await store.metrics.write({
    series: [
      { id: seriesId(classic), type: 'counter', labels: classic },
      { id: seriesId(native), type: 'histogram', labels: native },
      { id: seriesId(lone), type: 'histogram', labels: lone },
    ],
    samples: [sample(classic, now - 1000, 7), sample(native, now - 4000, 9)],
    histograms: [histogram(native, now - 3000, custom), histogram(native, now - 2000, { ...custom, hint: 'reset' }), histogram(native, now - 1000, { ...custom, hint: 'same' }), histogram(lone, now - 1000, { ...custom, hint: 'gauge' })],
    metadata: [],
    exemplars: [],
  })
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const named = (value: string, job: string): LabelMatcher[] => [
  { name: '__name__', operator: '=', value },
  { name: 'job', operator: '=', value: job },
]
const range = { start: now - 60_000, end: now }

test('floats and histograms of one series come as one, and each histogram with what is known of its counter', async () => {
  const [series, ...others] = await store.metrics.select(named('size', 'a'), range)
  assert.equal(others.length, 0)
  assert.ok(series)
  assert.deepEqual([...series.ts], [now - 4000, now - 3000, now - 2000, now - 1000])
  assert.equal(series.v[0], 9)
  assert.deepEqual((series.histograms ?? []).map((value) => value && (value.hint ?? 'unknown')), [undefined, 'unknown', 'reset', 'same'])
  const [gauge] = await store.metrics.select(named('size', 'b'), range)
  assert.equal(gauge?.histograms?.[0]?.hint, 'gauge')
})

test('buckets are computed of histograms that are not stored as classic ones too', async () => {
  const stored = await store.metrics.select(named('size_bucket', 'a'), range)
  assert.deepEqual(stored.map(({ labels, v }) => [labels['le'], v[0]]), [['1', 7]])
  const computed = await store.metrics.select(named('size_bucket', 'b'), range)
  assert.deepEqual(computed.map(({ labels, v }) => [labels['le'], v[0]]), [['1', 1], ['5', 3], ['+Inf', 3]])
})
