import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceShare, outside, peakShare } from './words.ts'

const share = (evidence: number | null): number => evidenceShare({ statistic: evidence === null ? null : Math.log(evidence), threshold: Math.log(10_000) })

test('evidence fills by its logarithm, and is full at the threshold', () => {
  assert.deepEqual([share(null), share(0.5), share(1), share(10_000), share(1e9)], [0, 0, 0, 1, 1])
  assert.ok(Math.abs(share(100) - 0.5) < 1e-12)
})

test('a value is outside of what is expected below the low or above the high', () => {
  assert.deepEqual([1, 5, 9, null].map((value) => outside({ value, low: 2, high: 8 })), [true, false, true, false])
  assert.equal(outside({ value: 9, low: null, high: null }), false)
})

test('the evidence of an alarm is told in what raises one', () => {
  assert.deepEqual([30, 15, null].map((peak) => peakShare({ peak }, { threshold: 15 })), [2, 1, null])
  assert.equal(peakShare({ peak: 3 }, { threshold: null }), null)
})
