import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Indicator } from '@andon/model'
import { Engine } from '../query/engine.ts'
import type { SeriesSource } from '../query/promql/context.ts'
import { SliceCounter } from './count-slices.ts'
import { ofTimeSlices, type TimeSlices } from './time-slices.ts'

const MINUTE = 60_000
const STEP = 15_000
/** Failed ones of 60 requests in each minute; undefined for a minute without any. */
const FAILED = [0, 3, 6, undefined, 60, 0, 2, undefined, 4, 1]
const END = FAILED.length * MINUTE

interface Point {
  readonly time: number
  readonly ok: number
  readonly failed: number
}

/** Counters that are read every 15 seconds; all of a minute fails in its second quarter. */
function counters(): Point[] {
  const points: Point[] = [{ time: 0, ok: 0, failed: 0 }]
  let [ok, failed] = [0, 0]
  for (let time = STEP; time <= END; time += STEP) {
    const bad = FAILED[Math.floor((time - 1) / MINUTE)]
    if (bad !== undefined) {
      const isSecond = time % MINUTE === 2 * STEP
      failed += isSecond ? bad : 0
      ok += isSecond ? 60 - bad : 0
    }
    points.push({ time, ok, failed })
  }
  return points
}

function sourceOf(points: readonly Point[]): SeriesSource {
  const series = (['ok', 'failed'] as const).map((kind) => ({ kind, labels: { __name__: `${kind}_total` }, ts: Float64Array.from(points, ({ time }) => time), v: Float64Array.from(points, (point) => point[kind]), stale: new Uint8Array(points.length), start: new Float64Array(points.length) }))
  return { select: (matchers) => Promise.resolve(series.filter(({ kind }) => matchers.every(({ name, value }) => name !== '__name__' || value === `${kind}_total`))) }
}

const counted: Exclude<Indicator, { kind: 'spans' }> = { kind: 'counts', good: undefined, bad: 'sum(failed_total)', total: 'sum(rate(ok_total[5m])) + sum(rate(failed_total[5m]))', counter: true }

async function count(indicator: Exclude<Indicator, { kind: 'spans' }>, slices: TimeSlices): Promise<{ readonly bad: number; readonly total: number; readonly times: readonly number[] }> {
  const engine = new Engine(sourceOf(counters()), { querySamples: 1e7, querySteps: 11_000, queryMs: 30_000 })
  const counter = new SliceCounter(
    async (expression, start, end, step) => {
      const result = await engine.range(expression, start, end, step)
      return result.type === 'matrix' ? result.series : []
    },
    () => Promise.resolve([]),
  )
  const rows = await counter.rowsOf({ indicator: ofTimeSlices(indicator, slices) }, { start: 0, end: END }, { limits: [], counts: new Map() })
  const sum = (pick: (row: (typeof rows)[number]) => number): number => rows.reduce((all, row) => all + pick(row), 0)
  return { bad: sum(({ bad }) => bad), total: sum(({ total }) => total), times: rows.map(({ time }) => time + STEP).toSorted((a, b) => a - b) }
}

test('a slice counts once, and is bad where less of it than the target is good; one without requests is none', async () => {
  const { bad, total, times } = await count(counted, { lengthMs: MINUTE, target: 0.95 })
  // 3 of 60 are just good enough.
  assert.deepEqual([bad, total], [3, 8])
  assert.deepEqual(times, [1, 2, 3, 5, 6, 7, 9, 10].map((minute) => minute * MINUTE))
})

test('without a target of its slices each counts by its share', async () => {
  const { bad, total } = await count(counted, { lengthMs: MINUTE, target: undefined })
  assert.deepEqual([Number(bad.toFixed(9)), total], [Number(((0 + 3 + 6 + 60 + 0 + 2 + 4 + 1) / 60).toFixed(9)), 8])
})

test('good ones, measurements and shares are told by slices too', async () => {
  const good = { ...counted, good: 'sum(ok_total)', bad: undefined }
  assert.deepEqual(await count(good, { lengthMs: MINUTE, target: 0.95 }), await count(counted, { lengthMs: MINUTE, target: 0.95 }))
  // A measurement that is good in three quarters of each minute.
  const measured = { kind: 'counts', good: 'sum(vector(time() % 60 > bool 0))', bad: undefined, total: 'count(ok_total)', counter: false } as const
  assert.deepEqual([(await count(measured, { lengthMs: MINUTE, target: 0.75 })).bad, (await count(measured, { lengthMs: MINUTE, target: 0.8 })).bad], [0, FAILED.length])
  const share = { kind: 'ratio', bad: 'vector(0.02) + 0 * sum(ok_total)' } as const
  assert.deepEqual([(await count(share, { lengthMs: 2 * MINUTE, target: 0.99 })).bad, (await count(share, { lengthMs: 2 * MINUTE, target: 0.9 })).bad], [FAILED.length / 2, 0])
})
