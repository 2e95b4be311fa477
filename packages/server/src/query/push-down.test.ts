// Sums of rates from the database and from the engine's own evaluation are the same.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { seeded, seriesId } from '@andon/model'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestStore } from '../store/fixture.test.ts'
import type { Store } from '../store/index.ts'
import { CUSTOM_BOUNDS, type HistogramRow, type MetricRows, type SampleRow } from '../store/metric-rows.ts'
import { Engine, type QueryResult } from './engine.ts'
import type { DeltaHistogramSource, FloatSource, RateSumSource } from './promql/context.ts'

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

/** Gauges that rise and fall, with gaps and stale markers. */
function gaugeRows(random: () => number): MetricRows {
  const rows: { series: MetricRows['series'][number][]; samples: SampleRow[] } = { series: [], samples: [] }
  for (let index = 0; index < 10; index += 1) {
    const labels = { __name__: 'temperature', job: `j${index % 3}`, i: String(index) }
    const id = seriesId(labels)
    rows.series.push({ id, type: 'gauge', labels })
    let value = random() * 100
    for (let ts = now - 3_600_000; ts < now; ts += 15_000 + Math.floor(random() * 400)) {
      if (random() < 0.05) ts += Math.floor(random() * 400_000)
      value += random() * 20 - 10
      rows.samples.push({ id, ts, start: 0, value, stale: random() < 0.05, delta: false, increase: 0 })
    }
  }
  return { ...rows, metadata: [], histograms: [], exemplars: [] }
}

function someBuckets(random: () => number, isCustom: boolean): Map<number, number> {
  const positive = new Map<number, number>()
  for (let each = Math.floor(random() * 6); each > 0; each -= 1) {
    const bucket = Math.floor(random() * (isCustom ? 4 : 12)) - (isCustom ? 0 : 6)
    positive.set(bucket, (positive.get(bucket) ?? 0) + 1)
  }
  return positive
}

/** Increments of histograms, some of a coarser resolution, with gaps and stale markers; of `lengths` with explicit bounds. */
function histogramRows(random: () => number): MetricRows {
  const rows: { series: MetricRows['series'][number][]; histograms: HistogramRow[] } = { series: [], histograms: [] }
  for (let index = 0; index < 6; index += 1) {
    const isCustom = index >= 4
    const labels = { __name__: isCustom ? 'lengths' : 'durations', job: `j${index % 2}`, i: String(index) }
    const id = seriesId(labels)
    rows.series.push({ id, type: 'histogram', labels })
    let last = now - 3_600_000
    while (last < now - 120_000) {
      const start = last + (random() < 0.1 ? Math.floor(random() * 200_000) : 0)
      const ts = start + 10_000 + Math.floor(random() * 300)
      const positive = someBuckets(random, isCustom)
      const zeroCount = isCustom ? 0 : Math.floor(random() * 2)
      const count = [...positive.values()].reduce((sum, each) => sum + each, zeroCount)
      const schema = isCustom ? CUSTOM_BOUNDS : random() < 0.02 ? 2 : ts > now - 1_200_000 ? 3 : 4
      const value = { schema, zeroThreshold: 0, zeroCount, count, sum: count * random(), positive, negative: new Map<number, number>(), bounds: isCustom ? [1, 2, 5] : [] }
      const row = { id, ts, start: random() < 0.05 ? 0 : start, form: 'delta' as const, value, min: 0, max: 1, stale: false, increase: undefined }
      rows.histograms.push(row)
      if (random() < 0.01) rows.histograms.push({ ...row, ts: ts + 1000, stale: true })
      last = ts
    }
  }
  return { ...rows, metadata: [], samples: [], exemplars: [] }
}

before(async () => {
  store = await openTestStore({ dataDir: folder, log: silentLog, clock: new FakeClock(now), retention: { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 } })
  await store.metrics.write(counterRows(seeded(7)))
  await store.metrics.write(deltaRows(seeded(11)))
  await store.metrics.write(gaugeRows(seeded(13)))
  await store.metrics.write(histogramRows(seeded(17)))
  const both = { __name__: 'both_total', job: 'd' }
  const fresh = { __name__: 'fresh_total', job: 'f' }
  const odd = { __name__: 'odd', job: 'o' }
  const plain = { stale: false, increase: 0 }
  await store.metrics.write({
    series: [both, fresh, odd].map((labels) => ({ id: seriesId(labels), type: 'counter' as const, labels })),
    samples: [1, 2, 3].flatMap((n) => [
      { ...plain, id: seriesId(both), ts: now - 60_000 * n, start: 0, value: 5, delta: n > 1 },
      { ...plain, id: seriesId(fresh), ts: now - 60_000 * n, start: now - 200_000, value: 20 - n, delta: false },
      { ...plain, id: seriesId(odd), ts: now - 60_000 * n + 1, start: 0, value: n === 2 ? Number.NaN : n, delta: false },
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
class Counted implements RateSumSource, DeltaHistogramSource, FloatSource {
  answers = 0

  async floatParts(...request: Parameters<FloatSource['floatParts']>): ReturnType<FloatSource['floatParts']> {
    const answer = await store.metrics.floatParts(...request)
    if (answer !== undefined) this.answers += 1
    return answer
  }

  async deltaHistograms(...request: Parameters<DeltaHistogramSource['deltaHistograms']>): ReturnType<DeltaHistogramSource['deltaHistograms']> {
    const answer = await store.metrics.deltaHistograms(...request)
    if (answer !== undefined) this.answers += 1
    return answer
  }

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

/** @param floor - below so much, what differences of larger numbers leave is rounding */
async function agree(expression: string, [start, end, step]: readonly [number, number, number], floor = 1e-9): Promise<number> {
  const counted = new Counted()
  const pushed = pointsOf(await new Engine(store.metrics, LIMITS, { rateSums: counted, floatParts: counted, deltaHistograms: counted, pushDownFrom: 0 }).range(expression, start, end, step))
  const own = pointsOf(await new Engine(store.metrics, LIMITS).range(expression, start, end, step))
  assert.deepEqual([...pushed.keys()].toSorted(), [...own.keys()].toSorted(), expression)
  for (const [key, value] of own) {
    compared += 1
    const other = pushed.get(key) ?? Number.NaN
    assert.ok(Object.is(other, value) || Math.abs(other - value) <= 1e-6 * Math.max(floor, Math.abs(value)), `${expression} at ${key}: ${other} against ${value}`)
  }
  return counted.answers
}

const windows = {
  by: fc.constantFrom('', ' by (job)', ' by (job, i)', ' without (i)'),
  op: fc.constantFrom('sum', 'avg', 'count', 'min', 'max'),
  range: fc.integer({ min: 20, max: 900 }),
  offset: fc.constantFrom('', ' offset 1m', ' offset -30s'),
  start: fc.integer({ min: 0, max: 3600 }),
  steps: fc.integer({ min: 0, max: 40 }),
  step: fc.integer({ min: 1, max: 300 }),
}

function grid({ start, steps, step }: { start: number; steps: number; step: number }): [number, number, number] {
  const from = now - 3_600_000 + start * 1000
  return [from, from + steps * step * 1000, step * 1000]
}

test('the database and the engine agree on rates, aggregated', async () => {
  const query = fc.record({ ...windows, metric: fc.constantFrom('requests_total', 'deltas_total'), name: fc.constantFrom('rate', 'increase', 'irate') })
  compared = 0
  await fc.assert(
    fc.asyncProperty(query, async ({ metric, op, by, name, range, offset, ...when }) => {
      assert.equal(await agree(`${op}${by} (${name}(${metric}[${range}s]${offset}))`, grid(when)), 1)
    }),
    { numRuns: 40 },
  )
  assert.ok(compared > 200, `${compared} values`)
})

test('the database and the engine agree on gauges, aggregated', async () => {
  const query = fc.record({ ...windows, name: fc.constantFrom('delta', 'idelta', 'last_over_time') })
  compared = 0
  await fc.assert(
    fc.asyncProperty(query, async ({ op, by, name, range, offset, ...when }) => {
      assert.equal(await agree(`${op}${by} (${name}(temperature[${range}s]${offset}))`, grid(when), 1e-3), 1)
    }),
    { numRuns: 30 },
  )
  await fc.assert(
    fc.asyncProperty(fc.record(windows), async ({ op, by, offset, ...when }) => {
      assert.equal(await agree(`${op}${by} (temperature${offset})`, grid(when)), 1)
    }),
    { numRuns: 30 },
  )
  assert.ok(compared > 300, `${compared} values`)
})

test('the database and the engine agree on rates of native histograms', async () => {
  const query = fc.record({
    expression: fc.constantFrom('histogram_quantile(0.9, RATE)', 'histogram_quantile(0.5, sum by (job) (RATE))', 'histogram_count(RATE)', 'sum(histogram_sum(RATE))', 'histogram_fraction(0.3, 1.7, sum(RATE))'),
    metric: fc.constantFrom('durations', 'lengths'),
    name: fc.constantFrom('rate', 'increase'),
    range: fc.integer({ min: 1, max: 12 }),
    step: fc.integer({ min: 1, max: 8 }),
    offset: fc.constantFrom('', ' offset 1m', ' offset -30s'),
    start: fc.integer({ min: 0, max: 3600 }),
    steps: fc.integer({ min: 0, max: 20 }),
  })
  compared = 0
  await fc.assert(
    fc.asyncProperty(query, async ({ expression, metric, name, range, step, offset, ...when }) => {
      const rate = `${name}(${metric}[${range}m]${offset})`
      assert.equal(await agree(expression.replace('RATE', rate), grid({ ...when, step: step * 60 })), 1)
    }),
    { numRuns: 40 },
  )
  assert.ok(compared > 200, `${compared} values`)
})

test('what the database would calculate differently is left to the engine', async () => {
  const when = [now - 120_000, now, 60_000] as const
  for (const metric of ['both_total', 'fresh_total']) {
    assert.equal(await agree(`sum(rate(${metric}[5m]))`, when), 1)
    assert.equal(await agree(`sum(irate(${metric}[5m]))`, when), 0)
  }
  // Neither a value that is no number nor one that is infinite can be told from an absent one.
  assert.equal(await agree('max(odd)', when), 0)
  assert.equal(await agree('sum(odd)', when), 0)
  assert.equal(await agree('min(last_over_time(odd[1m]))', when), 0)
  assert.equal(await agree('sum(deltas_total)', when), 0)
})
