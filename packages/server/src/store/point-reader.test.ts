// Reads that are joined give what each gives alone.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type MetricType, seriesId } from '@andon/model'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestStore } from './fixture.test.ts'
import type { Store } from './index.ts'
import type { HistogramRow, SampleRow } from './metric-rows.ts'

const now = Date.UTC(2026, 5, 1, 12)
const folder = mkdtempSync(join(tmpdir(), 'andon-points-'))
let store: Store

const KINDS: readonly MetricType[] = ['gauge', 'counter', 'histogram', 'histogram']
const SERIES = Array.from({ length: 12 }, (_, index) => ({ labels: { __name__: `m${index % 4}`, job: String(index) }, type: KINDS[index % 4] ?? 'gauge' }))
const [POINTS, STEP] = [120, 15_000]
const FIRST = now - POINTS * STEP

function rowsOf(index: number): { samples: SampleRow[]; histograms: HistogramRow[] } {
  const { labels, type } = SERIES[index] ?? { labels: {}, type: 'gauge' }
  const id = seriesId(labels)
  const times = Array.from({ length: POINTS }, (_, at) => FIRST + at * STEP + index)
  if (type === 'histogram') {
    return {
      samples: [],
      histograms: times.map((ts, at) => ({ id, ts, start: ts - STEP, form: index % 3 === 0 ? 'delta' : 'cumulative', value: { schema: 3, zeroThreshold: 0, zeroCount: 0, count: at, sum: at / 2, positive: new Map([[at % 5, at]]), negative: new Map(), bounds: [] }, min: Infinity, max: -Infinity, stale: at % 17 === 0, increase: undefined })),
    }
  }
  return { samples: times.map((ts, at) => ({ id, ts, start: ts - STEP, value: at * 1.5, stale: at % 13 === 0, delta: type === 'counter' && index % 2 === 1, increase: 0 })), histograms: [] }
}

before(async () => {
  store = await openTestStore({ dataDir: folder, log: silentLog, clock: new FakeClock(now), retention: { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 } })
  const rows = SERIES.map((_, index) => rowsOf(index))
  await store.metrics.write({ series: SERIES.map(({ labels, type }) => ({ id: seriesId(labels), type, labels })), samples: rows.flatMap(({ samples }) => samples), histograms: rows.flatMap(({ histograms }) => histograms), metadata: [], exemplars: [] })
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

test('selectors that are asked together are answered as one after the other', { timeout: 120_000 }, async () => {
  const one = fc.record({ name: fc.constantFrom('m0', 'm1', 'm2', 'm3', 'm2_count', 'm3_bucket'), from: fc.integer({ min: -10, max: POINTS * STEP }), length: fc.integer({ min: 0, max: POINTS * STEP }) })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 8 }), async (asked) => {
      const select = async ({ name, from, length }: (typeof asked)[number]): Promise<unknown> => await store.metrics.select([{ name: '__name__', operator: '=', value: name }], { start: FIRST + from, end: FIRST + from + length })
      const together = await Promise.all(asked.map(select))
      const alone = []
      for (const each of asked) alone.push(await select(each))
      assert.deepEqual(together, alone)
    }),
    { numRuns: 60 },
  )
})

test('the limit of samples is that of each selector, not of those it is joined with', async () => {
  const range = { start: FIRST, end: now }
  const select = async (maxSamples: number): Promise<number> => (await store.metrics.select([{ name: '__name__', operator: '=', value: 'm0' }], range, { maxSamples })).length
  const [small, fits] = await Promise.allSettled([select(100), select(3 * POINTS)])
  assert.equal(small.status, 'rejected')
  assert.deepEqual(fits, { status: 'fulfilled', value: 3 })
})

test('whoever has gone gets no answer, and the others theirs', async () => {
  const range = { start: FIRST, end: now }
  const gone = new AbortController()
  const select = async (signal?: AbortSignal): Promise<number> => (await store.metrics.select([{ name: '__name__', operator: '=', value: 'm0' }], range, signal === undefined ? {} : { signal })).length
  const both = Promise.allSettled([select(gone.signal), select()])
  gone.abort(new Error('gone'))
  const [first, second] = await both
  assert.equal(first.status, 'rejected')
  assert.deepEqual(second, { status: 'fulfilled', value: 3 })
})
