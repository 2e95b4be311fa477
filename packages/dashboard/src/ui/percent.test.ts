import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { shareText } from './percent.ts'
import { lastedText } from './time-text.ts'

test('a share is told apart from 100 %', () => {
  assert.deepEqual([0.99953, 0.999, 0.9999, 1, 0.5, 0.123456, 0.9999999, null].map((ratio) => shareText(ratio)), ['99.953 %', '99.9 %', '99.99 %', '100 %', '50 %', '12.3 %', '99.99999 %', '–'])
})

test('less than all is never told as all, and never as more than it is', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1 - 1e-7, noNaN: true }), (ratio) => {
      const told = Number.parseFloat(shareText(ratio))
      assert.ok(told < 100 && told <= ratio * 100 + 1e-5, shareText(ratio))
    }),
  )
})

test('a length is told in its two largest units', () => {
  assert.deepEqual([0, 59_000, 60_000, 95_000, 1_500_000, 3_905_000, 180_000_000, 86_400_000 * 12].map(lastedText), ['0 s', '59 s', '1 min', '1 min 35 s', '25 min', '1 h 5 min', '2 d 2 h', '12 d'])
})
