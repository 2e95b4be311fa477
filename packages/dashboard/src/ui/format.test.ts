import assert from 'node:assert/strict'
import { test } from 'node:test'
import { axisScale, quantity, quantityText } from './format.ts'

test('durations take the unit that reads best', () => {
  assert.equal(quantityText(0.0124, 'seconds'), '12.4 ms')
  assert.equal(quantityText(1.5, 'seconds'), '1.5 s')
  assert.equal(quantityText(90, 'seconds'), '1.5 min')
  assert.equal(quantityText(7200, 'seconds'), '2 h')
  assert.equal(quantityText(200_000, 'seconds'), '2.31 d')
  assert.equal(quantityText(0.000_25, 'seconds'), '250 µs')
  assert.equal(quantityText(3e-8, 'seconds'), '30 ns')
  assert.equal(quantityText(48.26, 'milliseconds'), '48.3 ms')
  assert.equal(quantityText(1250, 'microseconds'), '1.25 ms')
})

test('a value that would round up to the next unit is written in it', () => {
  assert.equal(quantityText(0.999_96, 'seconds'), '1 s')
  assert.equal(quantityText(1023.9, 'bytes'), '1 KiB')
})

test('rates, sizes, ratios and counts carry their unit', () => {
  assert.equal(quantityText(12.34, 'requestsPerSecond'), '12.3 req/s')
  assert.equal(quantityText(12_340, 'requestsPerSecond'), '12.3 k req/s')
  assert.equal(quantityText(0.004, 'requestsPerSecond'), '<0.01 req/s')
  assert.equal(quantityText(3, 'operationsPerSecond'), '3 ops/s')
  assert.equal(quantityText(1536, 'bytes'), '1.5 KiB')
  assert.equal(quantityText(5 * 1024 ** 3, 'bytesPerSecond'), '5 GiB/s')
  assert.equal(quantityText(0.0123, 'ratio'), '1.23 %')
  assert.equal(quantityText(1, 'ratio'), '100 %')
  assert.equal(quantityText(123_456, 'count'), '123,456')
  assert.equal(quantityText(12_345_678, 'count'), '12.3 M')
})

test('zero keeps a unit and no value is a dash', () => {
  assert.equal(quantityText(0, 'seconds'), '0 ms')
  assert.equal(quantityText(0, 'bytes'), '0 B')
  assert.equal(quantityText(0, 'ratio'), '0 %')
  assert.equal(quantityText(0, 'requestsPerSecond'), '0 req/s')
  for (const nothing of [null, undefined, Number.NaN, Infinity]) assert.deepEqual(quantity(nothing, 'bytes'), { value: '–', unit: '' })
})

test('negative values keep their sign', () => {
  assert.equal(quantityText(-0.5, 'seconds'), '-500 ms')
})

test('an axis has one unit, chosen by its largest value', () => {
  assert.deepEqual(axisScale(0.25, 'seconds'), { divisor: 0.001, unit: 'ms' })
  assert.deepEqual(axisScale(0.5, 'ratio'), { divisor: 0.01, unit: '%' })
  assert.deepEqual(axisScale(3 * 1024 ** 2, 'bytes'), { divisor: 1024 ** 2, unit: 'MiB' })
  assert.deepEqual(axisScale(0, 'requestsPerSecond'), { divisor: 1, unit: 'req/s' })
})
