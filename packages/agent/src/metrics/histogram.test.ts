import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ExponentialHistogram } from './histogram.ts'

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
