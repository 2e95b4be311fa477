import assert from 'node:assert/strict'
import { test } from 'node:test'
import { burnDown, projected, standingOf } from './budget.ts'
import { burningPairs, hasEvidence } from './burn-rate.ts'
import { ledgerBy, ledgerByIncident } from './ledger.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

test('a budget says what is left as a share, as minutes of outage and as time until nothing is', () => {
  // A thousand a minute over a day, of which 0.1 % may fail; half of that did.
  const standing = standingOf({ bad: 720, total: 1_440_000 }, { budget: 0.001, lengthMs: DAY, recent: { bad: 180, total: 60_000, lengthMs: HOUR } })
  assert.ok(Math.abs((standing.remaining ?? 0) - 0.5) < 1e-12)
  assert.ok(Math.abs((standing.outageMinutes ?? 0) - 0.72) < 1e-9)
  // 720 are left, 120 an hour are spent beyond what the hour brings.
  assert.ok(Math.abs((standing.exhaustedInMs ?? 0) / HOUR - 6) < 1e-9)
  const over = standingOf({ bad: 2880, total: 1_440_000 }, { budget: 0.001, lengthMs: DAY, recent: { bad: 0, total: 60_000, lengthMs: HOUR } })
  assert.ok(Math.abs((over.remaining ?? 0) + 1) < 1e-12)
  assert.deepEqual([over.exhaustedInMs, standingOf({ bad: 0, total: 0 }, { budget: 0.001, lengthMs: DAY, recent: { bad: 0, total: 0, lengthMs: HOUR } }).remaining], [0, null])
})

test('the end of a month is what was counted and as much again as the last day for each day that is left', () => {
  const period = { start: 0, end: 30 * DAY }
  const { attainment, spent, kept } = projected({ bad: 10, total: 100_000 }, { period, now: 10 * DAY, lastDay: { bad: 20, total: 10_000, lengthMs: DAY }, budget: 0.001 })
  assert.deepEqual([attainment, spent, kept], [1 - 410 / 300_000, 410 / 300, false])
})

test('a burn-down ends with what is left, and its ideal with the period', () => {
  const passed = { start: 0, end: 10 * HOUR }
  const steps = Array.from({ length: 10 }, (_, hour) => ({ time: hour * HOUR, bad: hour === 3 ? 5 : 0, total: 1000 })).filter(({ time }) => time !== 5 * HOUR)
  const points = burnDown(steps, { passed, whole: { start: 0, end: 20 * HOUR }, stepMs: HOUR, budget: 0.001 })
  assert.deepEqual([points.length, points[2]?.remaining, points[5]?.total], [10, 1, 0])
  // Nine thousand in half of the period: eighteen may be bad in all of it.
  assert.ok(Math.abs((points.at(-1)?.remaining ?? 0) - (1 - 5 / 18)) < 1e-12)
  assert.equal(points.at(-1)?.ideal, 0.5)
})

test('each account of a ledger adds up to all that was bad, whatever overlaps or was left out of a list', () => {
  const whole = { bad: 40, total: 1000, allowed: 10 }
  const minutes = [0, 1, 2, 3, 9].map((minute) => ({ time: minute * MINUTE, good: 12, total: 20 }))
  const incidents = [
    { id: 'b', title: 'B', start: 2.5 * MINUTE, end: undefined },
    { id: 'a', title: 'A', start: MINUTE, end: 3 * MINUTE },
  ]
  const byIncident = ledgerByIncident(minutes, incidents, whole)
  assert.deepEqual(byIncident.map(({ key, bad, budget }) => [key, bad, budget]), [['a', 16, 1.6], ['b', 16, 1.6], ['', 8, 0.8]])
  const byRoute = ledgerBy([{ key: '/a', good: 50, total: 75 }, { key: '/b', good: 10, total: 10 }], whole, 'other routes')
  assert.deepEqual(byRoute.map(({ key, title, bad, share }) => [key, title, bad, share]), [['/a', '/a', 25, 0.625], ['', 'other routes', 15, 0.375]])
})

const names = (sum: Parameters<typeof burningPairs>[0], period = 30 * DAY): string[] => burningPairs(sum, 0.001, period).map(({ name }) => name)

test('pairs of windows burn when both do and chance cannot explain it; those longer than the period are left out', () => {
  const all = (bad: number, total: number): ((ms: number) => { bad: number; total: number; worth: number }) => (ms) => ({ bad: (bad * ms) / HOUR, total: (total * ms) / HOUR, worth: (total * ms) / HOUR })
  assert.deepEqual(names(all(150, 10_000)), ['1h/5m', '6h/30m', '1d/2h', '3d/6h'])
  assert.deepEqual(names(all(143, 10_000)), ['6h/30m', '1d/2h', '3d/6h'])
  assert.deepEqual(names(all(9, 10_000)), [])
  assert.deepEqual(names(all(9000, 10_000), 12 * HOUR), ['1h/5m', '6h/30m'])
  assert.deepEqual(names((ms) => (ms === 5 * MINUTE || ms === 30 * MINUTE ? { bad: 0, total: 100, worth: 100 } : all(150, 10_000)(ms))), ['1d/2h', '3d/6h'])
  assert.equal(hasEvidence({ bad: 1, total: 3, worth: 3 }, 0.001), false)
  assert.equal(hasEvidence({ bad: 3, total: 10, worth: 10 }, 0.001), true)
  assert.equal(hasEvidence({ bad: 300, total: 1000, worth: 4 }, 0.001), false, 'few samples that stand for many prove little')
})
