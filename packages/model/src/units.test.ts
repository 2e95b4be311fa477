import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from './threshold.ts'
import { AndonError, ERROR_CATALOGUE } from './errors.ts'
import { millisecondsToNanoseconds, nanosecondsToMilliseconds, nanosecondsToSeconds } from './units.ts'

test('times convert exactly to the nanosecond', () => {
  assert.equal(millisecondsToNanoseconds(1.5), 1_500_000n)
  assert.equal(nanosecondsToMilliseconds(1_790_000_000_123_999_999n), 1_790_000_000_123)
  assert.equal(nanosecondsToSeconds(1_500_000_000n), 1.5)
})

test('a threshold is decided by its operator, and NaN breaks none', () => {
  assert.deepEqual((['gt', 'gte', 'lt', 'lte', 'eq'] as const).map((operator) => compare(operator, 500, 500)), [false, true, false, true, true])
  assert.ok((['gt', 'gte', 'lt', 'lte', 'eq'] as const).every((operator) => !compare(operator, Number.NaN, 500)))
})

test('every error code has a status and a hint, and an error carries them', () => {
  for (const [code, { status, hint }] of Object.entries(ERROR_CATALOGUE)) assert.ok(status >= 400 && status < 600 && hint.endsWith('.'), code)
  const error = new AndonError('bad_query', 'line 1, column 4: ")" is missing')
  assert.deepEqual([error.code, error.status, error.message], ['bad_query', 400, 'line 1, column 4: ")" is missing'])
})
