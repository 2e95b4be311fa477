import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bucketIndex, bucketUpperBound } from '@andon/model'
import { ExponentialHistogram, fineIndex } from './histogram.ts'

test('no value is lost, whatever the spread, and memory stays bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 200 }), (values) => {
      const histogram = new ExponentialHistogram()
      for (const value of values) histogram.record(value)
      const total = [...histogram.positive.counts, ...histogram.negative.counts].reduce((sum, count) => sum + count, histogram.zeroCount)
      assert.deepEqual([total, histogram.count], [values.length, values.length])
      assert.ok(histogram.positive.counts.length <= 320 && histogram.negative.counts.length <= 320)
      assert.deepEqual([histogram.min, histogram.max], [Math.min(...values), Math.max(...values)])
    }),
  )
})

test('quantiles of latencies are off by at most a bucket’s width', () => {
  const histogram = new ExponentialHistogram()
  for (let i = 1; i <= 10_000; i += 1) histogram.record(i / 10_000)
  for (const q of [0.5, 0.9, 0.95, 0.99]) assert.ok(Math.abs(histogram.quantile(q) / q - 1) < 0.022, `${q}: ${histogram.quantile(q)}`)
  assert.equal(histogram.quantile(1), 1)
})

test('an empty one has no quantile', () => {
  assert.ok(Number.isNaN(new ExponentialHistogram().quantile(0.5)))
})

test('the table finds the bucket that the rule asks for: open below, closed above; exact at powers of two', () => {
  const positive = fc.oneof(fc.double({ min: 5e-324, max: 1.7e308, noNaN: true }), fc.integer({ min: -1073, max: 1023 }).map((power) => 2 ** power), fc.integer({ min: -640, max: 640 }).map((index) => bucketUpperBound(index, 5)))
  fc.assert(
    fc.property(positive, (value) => {
      const index = fineIndex(value)
      // At the limits themselves rounding decides, of the limit and of the logarithm alike.
      if (index === bucketIndex(value, 5)) return
      assert.ok(value > bucketUpperBound(index - 1, 5) * (1 - 1e-12) && value <= bucketUpperBound(index, 5) * (1 + 1e-12), `${value} in ${index}`)
    }),
    { numRuns: 2000 },
  )
  for (let power = -1022; power < 1024; power += 1) assert.equal(fineIndex(2 ** power), power * 32 - 1)
})

test('cleared, it starts anew at the finest scale', () => {
  const histogram = new ExponentialHistogram()
  for (const value of [1e-9, 1, 1e9, -5]) histogram.record(value)
  assert.ok(histogram.scale < 5)
  histogram.clear()
  histogram.record(3)
  assert.deepEqual([histogram.scale, histogram.count, histogram.positive, histogram.negative], [5, 1, { offset: bucketIndex(3, 5), counts: [1] }, { offset: 0, counts: [] }])
})
