import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Pace } from './pace.ts'

test('the first after a quiet time is sent at the next tick, what keeps coming once in an interval', () => {
  const pace = new Pace(5000)
  assert.equal(pace.tickMs, 1000)
  assert.deepEqual(Array.from({ length: 12 }, () => pace.isDue(true)), [true, false, false, false, false, true, false, false, false, false, true, false])
  for (let tick = 0; tick < 6; tick += 1) assert.equal(pace.isDue(false), false)
  assert.equal(pace.isDue(true), true)
})

test('a short interval is kept as it is', () => {
  const pace = new Pace(20)
  assert.equal(pace.tickMs, 20)
  assert.deepEqual([pace.isDue(true), pace.isDue(true), pace.isDue(false)], [true, true, false])
})

test('nothing waits longer than the interval, and no two sendings are closer than that', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60_000 }), fc.array(fc.boolean(), { maxLength: 300 }), (intervalMs, waits) => {
      const pace = new Pace(intervalMs)
      const ticks = Math.max(1, Math.round(intervalMs / pace.tickMs))
      let [last, since] = [-Infinity, Infinity]
      for (const [tick, came] of waits.entries()) {
        if (came) since = Math.min(since, tick)
        if (pace.isDue(since <= tick)) {
          assert.ok(since <= tick && tick - last >= ticks)
          ;[last, since] = [tick, Infinity]
        } else assert.ok(tick - since < ticks)
      }
    }),
  )
})
