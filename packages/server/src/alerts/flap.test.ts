import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FlapHistory, flapScore, isFlapping, noFlaps, withChange } from './flap.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 1)

/** Changes at these minutes. */
function history(...minutes: readonly number[]): FlapHistory {
  return minutes.reduce((held, minute) => withChange(held, START + minute * MINUTE), noFlaps)
}

test('a change a minute is flapping at the fourth, a few changes are not', () => {
  assert.deepEqual([[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]].map((minutes) => history(...minutes).isFlapping), [false, false, false, true])
  assert.equal(history(0, 3, 4).isFlapping, false)
  // Several in one minute count once.
  assert.equal(history(0, 0.1, 0.2, 0.3, 0.4, 0.5).isFlapping, false)
  assert.equal(history(0, 10, 20, 30, 40, 50, 60).isFlapping, false)
})

test('it has calmed down when a quarter of the looks is without a change, and flaps again only past half', () => {
  const held = history(...Array.from({ length: 30 }, (_, minute) => minute))
  const at = (minute: number): boolean => isFlapping(held, START + minute * MINUTE)
  assert.deepEqual([29, 35, 42].map(at), [true, true, true])
  const calm = Array.from({ length: 20 }, (_, index) => 30 + index).find((minute) => !at(minute))
  assert.equal(calm, 44)
  const again = withChange(held, START + 46 * MINUTE)
  assert.equal(again.isFlapping, false)
  assert.equal(withChange(held, START + 40 * MINUTE).isFlapping, true)
})

test('the score is the share of looks with a change, newer ones heavier, between 0 and 1', () => {
  assert.equal(flapScore(noFlaps, START), 0)
  const all = history(...Array.from({ length: 40 }, (_, minute) => minute))
  assert.ok(Math.abs(flapScore(all, START + 39 * MINUTE) - 1) < 1e-9)
  assert.equal(all.slots.length, 20)
  const base = START / MINUTE
  assert.ok(Math.abs(flapScore({ slots: [base, base + 19] }, START + 19 * MINUTE) - (0.8 + 1.2) / 20) < 1e-9)
})
