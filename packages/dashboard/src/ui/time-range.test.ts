import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  absoluteSelection,
  isRelative,
  isValidSelection,
  parseTypedTime,
  PRESETS,
  resolveRange,
  resolveTime,
  shift,
  zoomOut,
} from './time-range.ts'
import { agoText, clockText, preciseTimeText, selectionText, timeText } from './time-text.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')

test('relative and absolute ends resolve to points in time', () => {
  assert.equal(resolveTime('now', NOW), NOW)
  assert.equal(resolveTime('now-15m', NOW), NOW - 900_000)
  assert.equal(resolveTime('now-2d', NOW), NOW - 172_800_000)
  assert.equal(resolveTime('2026-11-24T11:00:00Z', NOW), NOW - 3_600_000)
  for (const bad of ['', 'yesterday', 'now-', 'now-5', 'now-999999w', '12', 'now+5m']) assert.equal(resolveTime(bad, NOW), null, bad)
})

test('an impossible selection falls back to the default range', () => {
  assert.deepEqual(resolveRange({ from: 'now', to: 'now-5m' }, NOW), { start: NOW - 900_000, end: NOW })
  assert.deepEqual(resolveRange({ from: 'x', to: 'now' }, NOW), { start: NOW - 900_000, end: NOW })
  assert.equal(isValidSelection({ from: 'now-1h', to: 'now' }, NOW), true)
  assert.equal(isValidSelection({ from: 'now', to: 'now' }, NOW), false)
})

test('a selection is live only when its end moves', () => {
  assert.equal(isRelative({ from: 'now-1h', to: 'now' }), true)
  assert.equal(isRelative({ from: '2026-11-24T11:00:00Z', to: 'now' }), true)
  assert.equal(isRelative({ from: 'now-1h', to: '2026-11-24T11:00:00Z' }), false)
})

test('zooming out goes to the next preset, or doubles an absolute range', () => {
  assert.deepEqual(zoomOut({ from: 'now-15m', to: 'now' }, NOW), { from: 'now-30m', to: 'now' })
  assert.deepEqual(zoomOut({ from: 'now-6h', to: 'now' }, NOW), { from: 'now-12h', to: 'now' })
  const wider = zoomOut({ from: '2026-11-24T10:00:00Z', to: '2026-11-24T11:00:00Z' }, NOW)
  assert.deepEqual(wider, { from: '2026-11-24T09:30:00Z', to: '2026-11-24T11:30:00Z' })
  const atNow = zoomOut({ from: '2026-11-24T11:00:00Z', to: '2026-11-24T12:00:00Z' }, NOW)
  assert.deepEqual(atNow, { from: '2026-11-24T10:00:00Z', to: '2026-11-24T12:00:00Z' })
  const last = PRESETS.at(-1)
  assert.ok(last)
  assert.ok(isValidSelection(zoomOut({ from: last.from, to: 'now' }, NOW), NOW))
})

test('shifting moves by half the length and never past now', () => {
  assert.deepEqual(shift({ from: 'now-1h', to: 'now' }, -1, NOW), { from: '2026-11-24T10:30:00Z', to: '2026-11-24T11:30:00Z' })
  assert.deepEqual(shift({ from: 'now-1h', to: 'now' }, 1, NOW), { from: '2026-11-24T11:00:00Z', to: '2026-11-24T12:00:00Z' })
})

test('a dragged range is at least a second long', () => {
  assert.deepEqual(absoluteSelection({ start: NOW, end: NOW + 1 }), { from: '2026-11-24T12:00:00Z', to: '2026-11-24T12:00:01Z' })
})

test('a long dragged range has whole seconds', () => {
  assert.deepEqual(absoluteSelection({ start: NOW + 17, end: NOW + 90_001 }), { from: '2026-11-24T12:00:00Z', to: '2026-11-24T12:01:31Z' })
})

test('typed times', () => {
  assert.equal(parseTypedTime('now-2h', 'utc'), 'now-2h')
  assert.equal(parseTypedTime(' 2h ', 'utc'), 'now-2h')
  assert.equal(parseTypedTime('2026-11-24 13:05', 'utc'), '2026-11-24T13:05:00Z')
  assert.equal(parseTypedTime('2026-11-24 9:05:10', 'utc'), '2026-11-24T09:05:10Z')
  assert.equal(parseTypedTime('2026-11-24', 'utc'), '2026-11-24T00:00:00Z')
  assert.equal(parseTypedTime('2026-11-24T13:05:00+01:00', 'local'), '2026-11-24T12:05:00Z')
  assert.equal(parseTypedTime(String(NOW), 'local'), '2026-11-24T12:00:00Z')
  assert.equal(parseTypedTime('2026-13-44', 'utc'), null)
  assert.equal(parseTypedTime('soon', 'utc'), null)
})

test('times and selections in words', () => {
  assert.equal(clockText(NOW, 'utc'), '12:00:00')
  assert.equal(timeText(NOW, 'utc'), '2026-11-24 12:00:00')
  assert.equal(preciseTimeText(NOW + 7, 'utc'), '2026-11-24 12:00:00.007')
  assert.equal(agoText(NOW - 400, NOW), 'now')
  assert.equal(agoText(NOW - 59_000, NOW), '59 s ago')
  assert.equal(agoText(NOW - 7_200_000, NOW), '2 h ago')
  assert.equal(selectionText({ from: 'now-1h', to: 'now' }, 'utc'), 'Last hour')
  assert.equal(selectionText({ from: 'now-90m', to: 'now' }, 'utc'), 'now-90m to now')
  assert.equal(
    selectionText({ from: '2026-11-24T10:00:00Z', to: '2026-11-24T11:00:00Z' }, 'utc'),
    '2026-11-24 10:00:00 – 11:00:00',
  )
})
