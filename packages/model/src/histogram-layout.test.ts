import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bucketIndex, bucketQuantile, bucketUpperBound, downscaledIndex } from './histogram-layout.ts'

test('powers of two lie at the upper, closed end of their bucket', () => {
  for (let power = -20; power <= 20; power += 1) {
    assert.equal(bucketIndex(2 ** power, 0), power - 1)
    assert.equal(bucketIndex(2 ** power, 5), power * 32 - 1)
    assert.equal(bucketIndex(2 ** power, -2), Math.ceil(power / 4) - 1)
  }
})

test('every value lies within the bounds of its bucket', () => {
  const value = fc.double({ min: 1e-12, max: 1e12, noNaN: true })
  fc.assert(
    fc.property(value, fc.integer({ min: -4, max: 12 }), (v, scale) => {
      const index = bucketIndex(v, scale)
      const slack = 1 + 1e-9
      assert.ok(v <= bucketUpperBound(index, scale) * slack && v >= bucketUpperBound(index - 1, scale) / slack)
    }),
  )
})

test('a coarser index is the index at the coarser scale', () => {
  const value = fc.double({ min: 1e-9, max: 1e9, noNaN: true })
  fc.assert(fc.property(value, fc.integer({ min: 0, max: 5 }), (v, by) => assert.equal(downscaledIndex(bucketIndex(v, 5), by), bucketIndex(v, 5 - by))))
})

test('a quantile is off by at most the width of a bucket', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i + 1) / 1000)
  const buckets = new Map<number, number>()
  for (const v of values) buckets.set(bucketIndex(v, 5), (buckets.get(bucketIndex(v, 5)) ?? 0) + 1)
  for (const q of [0.01, 0.5, 0.95, 0.99, 1]) {
    const found = bucketQuantile(0, buckets, 5, q)
    assert.ok(Math.abs(found / q - 1) < 0.03, `${q}: ${found}`)
  }
  assert.ok(Number.isNaN(bucketQuantile(0, new Map(), 5, 0.5)))
  assert.equal(bucketQuantile(3, new Map([[0, 1]]), 5, 0.5), 0)
})
