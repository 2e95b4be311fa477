import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectiveState } from '@andon/model'
import { nextPeriod, previousPeriod } from './periods.ts'
import { exhaustionText, outageText, rateText, rateTone, standingTag } from './words.ts'

test('periods follow each other over the turn of the year', () => {
  assert.deepEqual(['2026-01', '2026-Q1', '2026', 'week'].map(previousPeriod), ['2025-12', '2025-Q4', '2025', null])
  assert.deepEqual(['2026-12', '2026-Q4', '2026-11'].map(nextPeriod), ['2027-01', '2027-Q1', '2026-12'])
})

test('a budget is told in words', () => {
  assert.equal(exhaustionText({ exhaustedInMs: 0, remaining: -0.2 }), 'nothing is left')
  assert.equal(exhaustionText({ exhaustedInMs: 5_400_000, remaining: 0.2 }), 'gone in 1 h 30 min as it goes now')
  assert.deepEqual([outageText(43.2), outageText(-5), outageText(null)], ['43 min', '5 min too much', '–'])
  assert.deepEqual([rateText(14.44), rateText(1234.5), rateText(null)], ['14.4×', '1235×', '–'])
  assert.deepEqual([rateTone('1h', 15), rateTone('1h', 2), rateTone('1h', 0.4), rateTone('3d', 1)], ['bad-text', 'warn-text', '', 'bad-text'])
})

test('an objective whose budget is gone is not on course, though nothing burns any more', () => {
  const window = { name: '28d', from: 0, to: 1, ends: null, total: 1000, bad: 25, attainment: 0.975, allowed: 5, outageMinutes: -1, exhaustedInMs: 0 }
  const standing = (state: ObjectiveState, remaining: number | null, lastError = ''): string => standingTag({ state, lastError, windows: [{ ...window, remaining }] }).text
  assert.deepEqual([standing('ok', -4), standing('ok', 0.9), standing('ok', null), standing('page', -4), standing('ok', 1, 'no')], ['budget spent', 'on course', 'on course', 'burning fast', 'cannot be counted'])
})
