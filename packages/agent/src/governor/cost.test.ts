import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Calibration } from './calibration.ts'
import { costAt, PARTS, shareOf } from './cost.ts'
import { FLOOR, FULL, type Level, levelsBelow } from './level.ts'
import { loadOf } from './simulation.test.ts'

const level: fc.Arbitrary<Level> = fc.record({ sampling: fc.integer({ min: 0, max: FLOOR.sampling }), profile: fc.integer({ min: 0, max: FLOOR.profile }) })
const demand = fc.record({ requestsPerSecond: fc.double({ min: 0, max: 20_000, noNaN: true }), spansPerRequest: fc.double({ min: 1, max: 30, noNaN: true }), rate: fc.constantFrom(0, 50, 1000) })

test('a lower level is never forecast to cost more, whatever the load and the level at which it was measured (property)', () => {
  fc.assert(
    fc.property(demand, level, level, (asked, from, at) => {
      const load = loadOf(asked, from, 5000)
      const share = (to: Level): number => shareOf(costAt(load, 1, from, to), load.elapsed)
      for (const below of levelsBelow(at)) assert.ok(share(below) <= share(at) + 1e-12)
      for (const part of PARTS) assert.ok(costAt(load, 1, from, at)[part] >= 0)
    }),
  )
})

test('requests and metrics cost the same at every level: every request is measured', () => {
  const load = loadOf({ requestsPerSecond: 1000, spansPerRequest: 3, rate: 50 }, FULL, 5000)
  const [full, floor] = [costAt(load, 1, FULL, FULL), costAt(load, 1, FULL, FLOOR)]
  assert.deepEqual([floor.requests, floor.metrics, floor.runtime, floor.profile], [full.requests, full.metrics, full.runtime, 0])
  assert.ok(floor.spans < full.spans / 3, `${floor.spans} of ${full.spans}`)
})

/** What the profile costs in ten seconds. */
function profileCost(rate: number, requestsPerSecond: number): number {
  return costAt(loadOf({ requestsPerSecond, spansPerRequest: 1, rate }, FULL, 10_000), 1, FULL, FULL).profile
}

test('the profile is paid for its samples, its labels and its uploads', () => {
  assert.equal(profileCost(0, 1000), 0)
  // 500 samples of 100 µs, and 0.2 ms of uploads a second.
  assert.ok(Math.abs(profileCost(50, 0) - 52) < 1e-9, String(profileCost(50, 0)))
  assert.ok(profileCost(50, 1000) > profileCost(50, 0))
})

test('a slower machine pays more: the fastest round counts, once there are enough, within limits', () => {
  const calibration = new Calibration()
  let now = 0
  let step = 0
  const clock = (): number => (now += step)
  const rounds = (nanoseconds: number, count: number): void => {
    // 50 spans between two readings of the clock.
    step = (nanoseconds * 50) / 1e6
    for (let index = 0; index < count; index += 1) calibration.round(clock)
  }
  rounds(1400, 23)
  assert.equal(calibration.slowness, 1)
  rounds(7_000_000, 1)
  assert.ok(Math.abs(calibration.slowness - 2) < 1e-6)
  rounds(7_000_000, 24)
  assert.equal(calibration.slowness, 4)
  rounds(1, 1)
  assert.equal(calibration.slowness, 0.3)
})
