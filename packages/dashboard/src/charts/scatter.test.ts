import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeLabels, valueLabels } from './chart-options.ts'
import { serviceColours } from './palette.ts'
import { decades, durationDecades, nearest, place, type ScatterPoint, timeMarks, valueAt } from './scatter-scale.ts'
import { sparkPath } from './spark-path.ts'

const point = (id: string, time: number, seconds: number): ScatterPoint => ({ id, time, seconds, failed: false, label: id })
const frame = { left: 50, top: 10, width: 100, height: 90, start: 0, end: 1000, lowest: 0.001, highest: 1 }

test('durations span whole decades', () => {
  assert.deepEqual(durationDecades([point('a', 0, 0.004), point('b', 0, 0.4)]), { lowest: 0.001, highest: 1 })
  assert.deepEqual(durationDecades([]), { lowest: 0.001, highest: 1 })
  const one = durationDecades([point('a', 0, 1)])
  assert.equal(one.highest / one.lowest, 10)
  assert.equal(decades(frame).length, 4)
})

test('a place and its value are inverse to each other', () => {
  const at = place(frame, 250, 0.01)
  assert.deepEqual({ x: at.x, y: Math.round(at.y) }, { x: 75, y: 70 })
  const back = valueAt(frame, at.x, at.y)
  assert.ok(Math.abs(back.time - 250) < 1e-6 && Math.abs(back.seconds - 0.01) < 1e-9)
  assert.deepEqual(valueAt(frame, -100, 1000), { time: 0, seconds: 0.001 })
})

test('the nearest point within reach is found', () => {
  const points = [point('a', 250, 0.01), point('b', 260, 0.01)]
  assert.equal(nearest(frame, points, 75.9, 70, 10)?.id, 'b')
  assert.equal(nearest(frame, points, 150, 10, 10), null)
})

test('marks of time are round and not too many', () => {
  const start = Date.parse('2026-11-24T12:03:10Z')
  const { marks, step } = timeMarks(start, start + 900_000, 8)
  assert.equal(step, 120_000)
  assert.equal(new Date(marks[0] ?? 0).toISOString(), '2026-11-24T12:04:00.000Z')
  assert.ok(marks.length <= 8)
  assert.equal(timeMarks(0, 30 * 86_400_000, 6).step, 604_800_000)
})

test('labels of axes', () => {
  const noon = Date.parse('2026-11-24T12:00:00Z')
  assert.deepEqual(timeLabels([noon, noon + 60_000], 60_000, 'utc'), ['12:00', '12:01'])
  assert.deepEqual(timeLabels([noon], 10_000, 'utc'), ['12:00:00'])
  assert.deepEqual(timeLabels([noon - 12 * 3_600_000], 3_600_000, 'utc'), ['11-24'])
  assert.deepEqual(valueLabels([0, 0.05, 0.1], 'seconds'), ['0 ms', '50 ms', '100 ms'])
  assert.deepEqual(valueLabels([0, 0.0025, 0.005], 'ratio'), ['0.00 %', '0.25 %', '0.50 %'])
  assert.deepEqual(valueLabels([0, 0.5, 1], 'requestsPerSecond'), ['0.0 req/s', '0.5 req/s', '1.0 req/s'])
  assert.deepEqual(valueLabels([0, 1024 ** 2, 2 * 1024 ** 2], 'bytes'), ['0 MiB', '1 MiB', '2 MiB'])
})

test('a sparkline starts anew after a gap and stands on zero', () => {
  assert.equal(sparkPath([0, 2, null, 1], 30, 12), 'M0.0 11.0L10.0 1.0M30.0 6.0')
  assert.equal(sparkPath([null], 30, 12), '')
})

test('services take the colours in order and share them past the eighth', () => {
  const colours = serviceColours(['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
  assert.equal(colours.get('b'), '--service-2')
  assert.equal(colours.get('i'), '--service-1')
})
