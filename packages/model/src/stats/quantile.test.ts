import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mad, median, quantile } from './quantile.ts'

test('quantiles interpolate between neighbours', () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5)
  assert.equal(quantile([1, 2, 3, 4], 0), 1)
  assert.equal(quantile([1, 2, 3, 4], 1), 4)
  assert.equal(quantile([7], 0.95), 7)
})

test('an empty sample has no quantile; a quantile outside 0..1 is refused', () => {
  assert.ok(Number.isNaN(quantile([], 0.5)))
  for (const q of [-0.1, 1.1, Number.NaN]) assert.throws(() => quantile([1], q), RangeError)
})

test('a quantile lies within the sample and grows with q', () => {
  const sample = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 })
  fc.assert(
    fc.property(sample, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (values, p, q) => {
      const sorted = values.toSorted((a, b) => a - b)
      const [low, high] = [quantile(sorted, Math.min(p, q)), quantile(sorted, Math.max(p, q))]
      assert.ok(low <= high + 1e-6 && low >= (sorted[0] ?? 0) && high <= (sorted.at(-1) ?? 0))
    }),
  )
})

test('median and median absolute deviation ignore an outlier', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(mad([1, 2, 3, 100]), 1)
})
