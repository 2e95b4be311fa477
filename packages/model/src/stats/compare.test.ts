import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pairedRatio } from './compare.ts'

test('the ratio of a sample to itself is one, with an interval of no width', () => {
  const { median, low, high, pairs } = pairedRatio([3, 5, 8], [3, 5, 8], 0.99)
  assert.deepEqual({ median, low, high, pairs }, { median: 1, low: 1, high: 1, pairs: 3 })
})

test('what both of a pair share, such as a slow machine, leaves the ratio alone', () => {
  const drift = [1, 10, 2, 30, 5]
  const { median, low, high } = pairedRatio(drift.map((value) => value * 2), drift, 0.99)
  assert.deepEqual([median, low, high], [2, 2, 2])
})

test('the interval holds the median and grows with the spread', () => {
  const second = Array.from({ length: 20 }, () => 1)
  const narrow = pairedRatio(second.map((_, index) => 2 + index * 0.001), second, 0.99)
  const wide = pairedRatio(second.map((_, index) => 1 + index * 0.1), second, 0.99)
  for (const { low, median, high } of [narrow, wide]) assert.ok(low <= median && median <= high)
  assert.ok(wide.high - wide.low > narrow.high - narrow.low)
})

test('samples that are not pairs are refused', () => {
  assert.throws(() => pairedRatio([1], [1, 2], 0.99), RangeError)
  assert.throws(() => pairedRatio([], [], 0.99), RangeError)
})
