import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationQuery, parseDuration, roundOutward, secondsQuery } from './duration-text.ts'

test('durations are read with and without a unit', () => {
  assert.equal(parseDuration('100ms'), 0.1)
  assert.equal(parseDuration(' 1.5 s '), 1.5)
  assert.equal(parseDuration('250'), 0.25)
  assert.equal(parseDuration('2m'), 120)
  for (const bad of ['', 'fast', '-5ms', '1.2.3s', '5 parsecs']) assert.equal(parseDuration(bad), null, bad)
})

test('a dragged length is rounded outwards to two digits', () => {
  assert.equal(secondsQuery(roundOutward(0.020_08, 'down')), '20ms')
  assert.equal(secondsQuery(roundOutward(1.694_009, 'up')), '1700ms')
  assert.equal(secondsQuery(roundOutward(0.5, 'up')), '500ms')
  assert.equal(secondsQuery(roundOutward(0.5, 'down')), '500ms')
})

test('durations are asked for in the shortest exact form', () => {
  assert.equal(durationQuery('100'), '100ms')
  assert.equal(durationQuery('2m'), '120s')
  assert.equal(durationQuery('x'), null)
  assert.equal(secondsQuery(0.0123), '12.3ms')
  assert.equal(secondsQuery(0.000_25), '250us')
})
