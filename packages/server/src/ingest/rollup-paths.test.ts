// Rollups answer what raw points answer: the same for gauges, and for counters and histograms up to one interval of points at each edge.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Labels, labelsKey } from '@andon/model'
import fc from 'fast-check'
import { Engine, type EngineOptions, type SampleSeries } from '../query/engine.ts'
import type { RollupSource } from '../query/promql/context.ts'
import { quantileOf } from '../query/promql/histogram/distribution.ts'
import { commonLayout, inLayout } from '../query/promql/histogram/layout.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import type { SelectedSeries } from '../store/bucket-views.ts'
import { openTestStore } from '../store/fixture.test.ts'
import type { Store } from '../store/index.ts'
import type { HistogramValue } from '../store/metric-rows.ts'
import { begin, HOUR, HOURS, MINUTE, sendAll } from './rollup-data.test.ts'

const LIMITS = { querySamples: 10_000_000, querySteps: 11_000, queryMs: 60_000 }
const end = begin + HOURS * HOUR
const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
const folder = mkdtempSync(join(tmpdir(), 'andon-rollups-'))
let store: Store

before(async () => {
  const clock = new FakeClock(end)
  store = await openTestStore({ dataDir: folder, log: silentLog, clock, retention: forever })
  await sendAll(store, clock)
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** Notes which rollups answered. */
class Noted implements RollupSource {
  readonly answers: string[] = []

  extent(): ReturnType<RollupSource['extent']> {
    return store.rollups.extent()
  }

  find(...all: Parameters<RollupSource['find']>): ReturnType<RollupSource['find']> {
    return store.rollups.find(...all)
  }

  async cells(...all: Parameters<RollupSource['cells']>): ReturnType<RollupSource['cells']> {
    const answer = await store.rollups.cells(...all)
    if (answer !== undefined) this.answers.push(`${all[0].resolution}${all[0].groupOf === undefined ? '' : ' of groups'}`)
    return answer
  }
}

interface Window {
  readonly start: number
  readonly end: number
  readonly step: number
}

async function matrix(expression: string, { start, end: last, step }: Window, options: EngineOptions = {}): Promise<readonly SampleSeries[]> {
  const result = await new Engine(store.metrics, LIMITS, options).range(expression, start, last, step)
  assert.equal(result.type, 'matrix')
  return result.series
}

async function rolled(expression: string, window: Window, wanted?: string): Promise<readonly SampleSeries[]> {
  const noted = new Noted()
  const series = await matrix(expression, window, { rollups: noted, rollUpFrom: 0 })
  assert.equal(noted.answers.length, 1, `${expression} is answered by rollups: ${JSON.stringify(noted.answers)}`)
  if (wanted !== undefined) assert.equal(noted.answers[0], wanted, expression)
  return series
}

/** Values by labels and time. */
function floats(series: readonly SampleSeries[]): Map<string, number> {
  return new Map(series.flatMap(({ labels, points }) => points.map(([time, value]) => [`${labelsKey(labels)} ${time}`, value] as const)))
}

function native(series: readonly SampleSeries[]): Map<string, HistogramValue> {
  return new Map(series.flatMap(({ labels, histograms = [] }) => histograms.map(([time, value]) => [`${labelsKey(labels)} ${time}`, value] as const)))
}

/** Steps and ranges of whole buckets: of hours or of five minutes. */
const windows = fc.record({
  unit: fc.constantFrom(5 * MINUTE, HOUR),
  from: fc.integer({ min: 0, max: HOURS * 12 }),
  step: fc.integer({ min: 1, max: 40 }),
  steps: fc.integer({ min: 0, max: 8 }),
  range: fc.integer({ min: 1, max: 30 }),
  offset: fc.integer({ min: 0, max: 3 }),
})

interface Shape extends Window {
  readonly unit: number
  /** A whole number of the unit, at least an hour. */
  readonly range: number
  readonly offset: number
}

function shapeOf({ unit, from, step, steps, range, offset }: typeof windows extends fc.Arbitrary<infer T> ? T : never): Shape {
  const start = begin + Math.floor((from * 5 * MINUTE) / unit) * unit
  return { unit, start, step: step * unit, end: start + steps * step * unit, range: Math.max(HOUR, range * unit), offset: offset * unit }
}

/** A selector of the range; with 1 ms more of offset the window is closed at its start and open at its end, as buckets are. */
function selector(metric: string, { range, offset }: Shape, more = 0): string {
  return `${metric}[${range}ms] offset ${offset + more}ms`
}

/** The increase from each living point to the next, at the time of the later one. */
function increases({ ts, v, stale, start }: SelectedSeries): { time: number; increase: number; isFirst: boolean }[] {
  const found: { time: number; increase: number; isFirst: boolean }[] = []
  let last = -1
  for (let index = 0; index < ts.length; index += 1) {
    if (stale[index] === 1) continue
    const [value, previous, time] = [v[index] ?? 0, v[last] ?? 0, ts[index] ?? 0]
    const anew = last === -1 || value < previous || ((start[index] ?? 0) > (ts[last] ?? 0) && (start[index] ?? 0) < time)
    found.push({ time, increase: anew ? value : value - previous, isFirst: last === -1 })
    last = index
  }
  return found
}

/** What an increase over [start, end) may be off by: the increase up to its first point, and what rates extrapolate beyond the points. */
function tolerance(points: ReturnType<typeof increases>, start: number, until: number): { off: number; count: number } {
  const inside = points.filter(({ time }) => time >= start && time < until)
  const [first, ...rest] = inside
  const within = rest.reduce((sum, { increase }) => sum + increase, 0)
  const upTo = first?.increase ?? 0
  return { off: upTo + (rest.length === 0 ? 0 : (2.2 * (upTo + within)) / rest.length), count: inside.length }
}

/** By series without its name: its points, as PromQL sees them. */
async function pointsOf(metric: string): Promise<Map<string, ReturnType<typeof increases>>> {
  const found = await store.metrics.select([{ name: '__name__', operator: '=', value: metric }], { start: begin - HOUR, end })
  return new Map(found.map((series) => [labelsKey(nameless(series.labels)), increases(series)]))
}

function nameless(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__'))
}

let compared = 0

function assertNear(value: number | undefined, other: number | undefined, off: number, about: string): void {
  compared += 1
  const [a, b] = [value ?? 0, other ?? 0]
  assert.ok(Math.abs(a - b) <= off + 1e-6 * Math.max(1e-9, Math.abs(b)), `${about}: ${value} against ${other}, off by more than ${off}`)
}

const options = { numRuns: 25 }

test('rates and increases of counters, and of histograms by their classic names', async () => {
  const metrics = ['requests_total', 'ticks_total', 'deltas_total', 'latency_count', 'latency_sum', 'wait_count', 'wait_bucket']
  const points = new Map<string, Awaited<ReturnType<typeof pointsOf>>>()
  for (const metric of metrics) points.set(metric, await pointsOf(metric))
  await fc.assert(
    fc.asyncProperty(windows, fc.constantFrom(...metrics), fc.constantFrom('rate', 'increase'), async (drawn, metric, name) => {
      const shape = shapeOf(drawn)
      const seconds = name === 'rate' ? shape.range / 1000 : 1
      const raw = floats(await matrix(`${name}(${selector(metric, shape, 1)})`, shape))
      const answer = floats(await rolled(`${name}(${selector(metric, shape)})`, shape, shape.unit === HOUR ? '1h' : undefined))
      // Which buckets there are is told by all points that are read, and rollups read none between windows.
      const keys = new Set(metric === 'wait_bucket' ? [...raw.keys()].filter((key) => answer.has(key) || key.includes('+Inf')) : [...raw.keys(), ...answer.keys()])
      for (const key of keys) {
        const labels = key.slice(0, key.lastIndexOf(' '))
        const time = Number(key.slice(key.lastIndexOf(' ')))
        const last = time - shape.offset
        const { off, count } = tolerance(points.get(metric)?.get(labels) ?? [], last - shape.range, last)
        assert.ok((raw.has(key) && answer.has(key)) || count <= 2, `${name} of ${metric} at ${key}: ${raw.get(key)} and ${answer.get(key)} of ${count} points`)
        assertNear(answer.get(key), raw.get(key), off / seconds, `${name} of ${metric} at ${key}`)
      }
    }),
    options,
  )
  assert.ok(compared > 200, `${compared} values`)
})

test('rates of native histograms, bucket by bucket', async () => {
  const points = new Map([['latency', await pointsOf('latency_count')], ['wait', await pointsOf('wait_count')]])
  let seen = 0
  await fc.assert(
    fc.asyncProperty(windows, fc.constantFrom('latency', 'wait'), async (drawn, metric) => {
      const shape = shapeOf(drawn)
      const raw = native(await matrix(`increase(${selector(metric, shape, 1)})`, shape))
      const answer = native(await rolled(`increase(${selector(metric, shape)})`, shape))
      for (const [key, theirs] of raw) {
        const last = Number(key.slice(key.lastIndexOf(' '))) - shape.offset
        const { off, count } = tolerance(points.get(metric)?.get(key.slice(0, key.lastIndexOf(' '))) ?? [], last - shape.range, last)
        const ours = answer.get(key)
        if (ours === undefined) {
          assert.ok(count <= 2, `${metric} at ${key}: ${count} points`)
          continue
        }
        seen += 1
        const layout = commonLayout(ours, theirs)
        assert.ok(layout !== undefined)
        const [a, b] = [inLayout(ours, layout), inLayout(theirs, layout)]
        assertNear(a.count, b.count, off, `count of ${metric} at ${key}`)
        for (const index of new Set([...a.positive.keys(), ...b.positive.keys()])) assertNear(a.positive.get(index), b.positive.get(index), off, `bucket ${index} of ${metric} at ${key}`)
        if (layout.schema > 3) assert.equal(a.schema, 3)
        // A quantile lies within a bucket of one of the ranks that are possible.
        const slack = (2 * off) / Math.max(1, b.count)
        const [low, high] = [quantileOf(theirs, Math.max(0, 0.9 - slack)).quantile, quantileOf(theirs, Math.min(1, 0.9 + slack)).quantile]
        const { quantile } = quantileOf(ours, 0.9)
        const width = metric === 'latency' ? 2 ** (1 / 2 ** Math.min(3, layout.schema)) : Infinity
        if (slack < 0.1) assert.ok(quantile >= low / width / 1.000001 && quantile <= high * width * 1.000001, `p90 of ${metric} at ${key}: ${quantile}, not from ${low} to ${high}`)
      }
    }),
    options,
  )
  assert.ok(seen > 50, `${seen} histograms`)
})

test('gauges are the same', async () => {
  const names = ['avg_over_time', 'min_over_time', 'max_over_time', 'sum_over_time', 'count_over_time', 'last_over_time', 'present_over_time']
  let seen = 0
  await fc.assert(
    fc.asyncProperty(windows, fc.constantFrom('temperature', 'level'), fc.constantFrom(...names), async (drawn, metric, name) => {
      const shape = shapeOf(drawn)
      const raw = floats(await matrix(`${name}(${selector(metric, shape, 1)})`, shape))
      const answer = floats(await rolled(`${name}(${selector(metric, shape)})`, shape))
      assert.deepEqual([...answer.keys()].toSorted(), [...raw.keys()].toSorted(), `${name} of ${metric}`)
      for (const [key, value] of raw) assertNear(answer.get(key), value, 1e-9, `${name} of ${metric} at ${key}`)
      seen += raw.size
    }),
    options,
  )
  assert.ok(seen > 100, `${seen} values`)
})

test('what groups are given at once is what their series give', async () => {
  const metrics = ['requests_total', 'deltas_total', 'latency_count', 'latency_sum', 'latency', 'wait', 'wait_bucket']
  await fc.assert(
    fc.asyncProperty(windows, fc.constantFrom(...metrics), fc.constantFrom('sum', 'max', 'avg', 'count'), fc.constantFrom('', 'by (job)', 'without (instance)'), async (drawn, metric, op, by) => {
      const shape = shapeOf(drawn)
      const rate = `rate(${selector(metric, shape)})`
      const inGroups = op === 'sum' && metric !== 'wait_bucket'
      const [answer, apart] = [await rolled(`${op} ${by} (${rate})`, shape), await rolled(`${op} ${by} (${rate} * 1)`, shape)]
      const [noted, ours] = [new Noted(), floats(answer)]
      await matrix(`${op} ${by} (${rate})`, shape, { rollups: noted, rollUpFrom: 0 })
      assert.equal(noted.answers[0]?.endsWith('of groups'), inGroups)
      for (const [key, value] of floats(apart)) assertNear(ours.get(key), value, 1e-9, `${op} ${by} of ${metric} at ${key}`)
      const histograms = native(answer)
      for (const [key, { count, sum, positive }] of native(apart)) {
        const other = histograms.get(key)
        assertNear(other?.count, count, 1e-9, `count of ${metric} at ${key}`)
        assertNear(other?.sum, sum, 1e-9, `sum of ${metric} at ${key}`)
        for (const [index, each] of positive) assertNear(other?.positive.get(index), each, 1e-9, `bucket ${index} of ${metric} at ${key}`)
      }
      assert.equal(ours.size + histograms.size, floats(apart).size + native(apart).size)
    }),
    { numRuns: 20 },
  )
})

/** Which rollups answered; [] where none did. */
async function answeredBy(expression: string, window: Window, more: EngineOptions = {}): Promise<readonly string[]> {
  const noted = new Noted()
  await matrix(expression, window, { rollups: noted, rollUpFrom: 0, ...more })
  return noted.answers
}

test('rollups are left alone where windows are no whole buckets, are short, or are of what they do not hold', async () => {
  const window = { start: begin + 10 * HOUR, end: begin + 20 * HOUR, step: HOUR }
  assert.deepEqual(await answeredBy('rate(requests_total[1h])', window), ['1h'])
  assert.deepEqual(await answeredBy('rate(requests_total[65m])', window), ['5m'])
  assert.deepEqual(await answeredBy('rate(requests_total[1h])', { ...window, start: window.start + 5 * MINUTE }), ['5m'])
  const unfit: readonly (readonly [string, Window])[] = [
    ['rate(requests_total[55m])', window],
    ['rate(requests_total[61m])', window],
    ['rate(requests_total[1h])', { ...window, start: window.start + 1000 }],
    ['rate(requests_total[1h])', { ...window, step: 7 * MINUTE }],
    ['rate(requests_total[1h] offset 1s)', window],
    ['rate(temperature[1h])', window],
    ['avg_over_time(requests_total[1h])', window],
    ['avg_over_time(queue[1h])', window],
    ['count_over_time(latency[1h])', window],
    ['quantile_over_time(0.5, temperature[1h])', window],
    ['rate(requests_total[1h] anchored)', window],
  ]
  for (const [expression, when] of unfit) assert.deepEqual(await answeredBy(expression, when), [], expression)
  assert.deepEqual(await answeredBy('rate(requests_total[1h])', window, { rollUpFrom: 50_000 }), [], 'few points')
})

test('limits hold for rollups, and nobody is answered who went away', async () => {
  const window = { start: begin + 10 * HOUR, end: begin + 20 * HOUR, step: HOUR }
  const few = new Engine(store.metrics, { ...LIMITS, querySamples: 20 }, { rollups: store.rollups, rollUpFrom: 0 })
  await assert.rejects(few.range('rate(requests_total[1h])', window.start, window.end, window.step), { code: 'query_too_large', message: /4 series at 11 times/ })
  const controller = new AbortController()
  const gone: RollupSource = {
    extent: () => store.rollups.extent(),
    find: (...all) => store.rollups.find(...all),
    cells: async (request, { signal }) => {
      controller.abort(new Error('gone'))
      assert.equal(signal?.aborted, true)
      return await store.rollups.cells(request, { signal })
    },
  }
  await assert.rejects(new Engine(store.metrics, LIMITS, { rollups: gone, rollUpFrom: 0 }).range('rate(requests_total[1h])', window.start, window.end, window.step, { signal: controller.signal }), /gone/)
})
