// Sums of rates from the database and from the engine's own evaluation are the same.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { seriesId } from '@andon/model'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openStore, type Store } from '../store/index.ts'
import type { MetricRows, SampleRow } from '../store/metric-rows.ts'
import { Engine, type QueryResult } from './engine.ts'
import type { RateSumSource } from './promql/context.ts'

const LIMITS = { querySamples: 1_000_000, querySteps: 11_000, queryMs: 60_000 }
const now = Date.UTC(2026, 5, 1, 12)
const folder = mkdtempSync(join(tmpdir(), 'andon-push-down-'))
let store: Store

/** Deltas, some of which open where the last one ended and some later; the whole ends in a gap. */
function deltaRows(random: () => number): MetricRows {
  const rows: { series: MetricRows['series'][number][]; samples: SampleRow[] } = { series: [], samples: [] }
  for (let index = 0; index < 8; index += 1) {
    const labels = { __name__: 'deltas_total', job: `j${index % 3}`, i: String(index) }
    const id = seriesId(labels)
    rows.series.push({ id, type: 'counter', labels })
    let last = now - 3_600_000
    while (last < now - 120_000) {
      const start = last + (random() < 0.2 ? 20_000 : 0)
      const ts = start + 10_000 + Math.floor(random() * 300)
      rows.samples.push({ id, ts, start: random() < 0.05 ? 0 : start, value: Math.floor(random() * 9), stale: false, delta: true, increase: 0 })
      if (random() < 0.01) rows.samples.push({ id, ts: ts + 1000, start: 0, value: 0, stale: true, delta: false, increase: 0 })
      last = ts
    }
  }
  return { ...rows, metadata: [], histograms: [], exemplars: [] }
}

/** Counters that rise unevenly, with gaps, resets, stale markers and repeated points. */
function counterRows(random: () => number): MetricRows {
  const rows: { series: MetricRows['series'][number][]; samples: SampleRow[] } = { series: [], samples: [] }
  for (let index = 0; index < 14; index += 1) {
    const labels = { __name__: 'requests_total', job: `j${index % 3}`, i: String(index) }
    const id = seriesId(labels)
    rows.series.push({ id, type: 'counter', labels })
    let value = Math.floor(random() * 50)
    for (let ts = now - 3_600_000; ts < now; ts += 15_000 + Math.floor(random() * 400)) {
      if (random() < 0.08) continue
      value = random() < 0.02 ? Math.floor(random() * 5) : value + Math.floor(random() * 20)
      const sample = { id, ts, start: 0, value, stale: random() < 0.02, delta: false, increase: 0 }
      // Some are sent twice.
      rows.samples.push(sample, ...(random() < 0.03 ? [sample] : []))
    }
  }
  return { ...rows, metadata: [], histograms: [], exemplars: [] }
}

/** The same numbers on every run. @see mulberry32 */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

before(async () => {
  store = await openStore({ dataDir: folder, log: silentLog, clock: new FakeClock(now), retention: { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 } })
  await store.metrics.write(counterRows(seeded(7)))
  await store.metrics.write(deltaRows(seeded(11)))
  const both = { __name__: 'both_total', job: 'd' }
  const fresh = { __name__: 'fresh_total', job: 'f' }
  const plain = { stale: false, increase: 0 }
  await store.metrics.write({
    series: [both, fresh].map((labels) => ({ id: seriesId(labels), type: 'counter' as const, labels })),
    samples: [1, 2, 3].flatMap((n) => [
      { ...plain, id: seriesId(both), ts: now - 60_000 * n, start: 0, value: 5, delta: n > 1 },
      { ...plain, id: seriesId(fresh), ts: now - 60_000 * n, start: now - 200_000, value: 20 - n, delta: false },
    ]),
    metadata: [],
    histograms: [],
    exemplars: [],
  })
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** Counts the answers that came from the database. */
class Counted implements RateSumSource {
  answers = 0

  async rateSums(...request: Parameters<RateSumSource['rateSums']>): ReturnType<RateSumSource['rateSums']> {
    const answer = await store.metrics.rateSums(...request)
    if (answer !== undefined) this.answers += 1
    return answer
  }
}

function pointsOf(result: QueryResult): Map<string, number> {
  assert.equal(result.type, 'matrix')
  return new Map(result.series.flatMap(({ labels, points }) => points.map(([time, value]) => [`${JSON.stringify(labels)} ${time}`, value] as const)))
}

/** How many values were compared. */
let compared = 0

async function agree(expression: string, start: number, end: number, step: number): Promise<number> {
  const counted = new Counted()
  const pushed = pointsOf(await new Engine(store.metrics, LIMITS, { rateSums: counted, pushDownFrom: 0 }).range(expression, start, end, step))
  const own = pointsOf(await new Engine(store.metrics, LIMITS).range(expression, start, end, step))
  assert.deepEqual([...pushed.keys()].toSorted(), [...own.keys()].toSorted(), expression)
  for (const [key, value] of own) {
    compared += 1
    const other = pushed.get(key) ?? Number.NaN
    assert.ok(Math.abs(other - value) <= 1e-6 * Math.max(1e-9, Math.abs(value)), `${expression} at ${key}: ${other} against ${value}`)
  }
  return counted.answers
}

test('the database and the engine agree on sums, means and counts of rates', async () => {
  const query = fc.record({
    metric: fc.constantFrom('requests_total', 'deltas_total'),
    op: fc.constantFrom('sum', 'avg', 'count'),
    by: fc.constantFrom('', ' by (job)', ' by (job, i)', ' without (i)'),
    name: fc.constantFrom('rate', 'increase'),
    range: fc.integer({ min: 20, max: 900 }),
    offset: fc.constantFrom('', ' offset 1m', ' offset -30s'),
    start: fc.integer({ min: 0, max: 3600 }),
    steps: fc.integer({ min: 0, max: 40 }),
    step: fc.integer({ min: 1, max: 300 }),
  })
  await fc.assert(
    fc.asyncProperty(query, async ({ metric, op, by, name, range, offset, start, steps, step }) => {
      const from = now - 3_600_000 + start * 1000
      const answers = await agree(`${op}${by} (${name}(${metric}[${range}s]${offset}))`, from, from + steps * step * 1000, step * 1000)
      assert.equal(answers, 1)
    }),
    { numRuns: 60 },
  )
  assert.ok(compared > 500, `${compared} values`)
})

test('a change of temporality, and counters that began within the window, are left to the engine', async () => {
  for (const metric of ['both_total', 'fresh_total']) assert.equal(await agree(`sum(rate(${metric}[5m]))`, now - 120_000, now, 60_000), 0)
})
