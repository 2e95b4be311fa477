import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from './random.ts'

function first(seed: number): number[] {
  const random = seeded(seed)
  return [random(), random(), random()]
}

test('the same seed gives the same numbers, another one others', () => {
  assert.deepEqual(first(7), first(7))
  assert.notDeepEqual(first(7), first(8))
  // What other programs of the same algorithm give.
  assert.deepEqual(first(1).map((value) => Math.round(value * 2 ** 32)), [2_693_262_067, 11_749_833, 2_265_367_787])
})

test('numbers are spread evenly within 0..1', () => {
  const random = seeded(3)
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let count = 0; count < 100_000; count += 1) {
    const value = random()
    assert.ok(value >= 0 && value < 1)
    const at = Math.floor(value * 10)
    tenths[at] = (tenths[at] ?? 0) + 1
  }
  assert.ok(tenths.every((count) => Math.abs(count - 10_000) < 500), String(tenths))
})
