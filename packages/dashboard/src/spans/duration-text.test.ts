import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationQuery, parseDuration, secondsQuery } from './duration-text.ts'

test('durations are read with and without a unit', () => {
  assert.equal(parseDuration('100ms'), 0.1)
  assert.equal(parseDuration(' 1.5 s '), 1.5)
  assert.equal(parseDuration('250'), 0.25)
  assert.equal(parseDuration('2m'), 120)
  for (const bad of ['', 'fast', '-5ms', '1.2.3s', '5 parsecs']) assert.equal(parseDuration(bad), null, bad)
})

test('durations are asked for in the shortest exact form', () => {
  assert.equal(durationQuery('100'), '100ms')
  assert.equal(durationQuery('2m'), '120s')
  assert.equal(durationQuery('x'), null)
  assert.equal(secondsQuery(0.0123), '12.3ms')
  assert.equal(secondsQuery(0.000_25), '250us')
})
