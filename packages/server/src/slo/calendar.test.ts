import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaintenanceWindow } from '@andon/model'
import { namedPeriod, periodName, periodOf, timeAt, windowAt } from './calendar.ts'
import { maintenanceWithin } from './maintenance.ts'

const iso = ({ start, end }: { start: number; end: number }): string[] => [new Date(start).toISOString(), new Date(end).toISOString()]
const HOUR = 3_600_000

test('months, quarters and weeks begin at midnight of their time zone, also when clocks are changed within', () => {
  const at = Date.UTC(2026, 2, 31, 23, 30)
  assert.deepEqual(iso(periodOf('month', 'UTC', at)), ['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'])
  assert.deepEqual(iso(periodOf('month', 'Europe/Berlin', at)), ['2026-03-31T22:00:00.000Z', '2026-04-30T22:00:00.000Z'])
  assert.deepEqual(iso(periodOf('month', 'Europe/Berlin', at, -1)), ['2026-02-28T23:00:00.000Z', '2026-03-31T22:00:00.000Z'])
  assert.deepEqual(iso(periodOf('quarter', 'America/New_York', at)), ['2026-01-01T05:00:00.000Z', '2026-04-01T04:00:00.000Z'])
  assert.deepEqual(iso(periodOf('week', 'UTC', Date.UTC(2026, 0, 4))), ['2025-12-29T00:00:00.000Z', '2026-01-05T00:00:00.000Z'])
  assert.deepEqual(iso(periodOf('year', 'Asia/Kathmandu', at)), ['2025-12-31T18:15:00.000Z', '2026-12-31T18:15:00.000Z'])
  assert.deepEqual(iso(periodOf('month', 'UTC', Date.UTC(2026, 0, 15), -1)), ['2025-12-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'])
})

test('periods follow each other without a gap, and are found by their names', () => {
  for (const timeZone of ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'Pacific/Apia', 'Africa/Cairo']) {
    for (const unit of ['month', 'quarter', 'year'] as const) {
      let period = periodOf(unit, timeZone, Date.UTC(2024, 5, 1))
      for (let count = 0; count < 40; count += 1) {
        const next = periodOf(unit, timeZone, period.end)
        assert.equal(next.start, period.end, `${unit} ${timeZone} ${iso(period).join()}`)
        assert.deepEqual(namedPeriod(periodName(period, unit, timeZone), unit, timeZone), period)
        period = next
      }
    }
  }
  assert.throws(() => namedPeriod('2026-13', 'month', 'UTC'), { code: 'bad_parameter' })
  assert.throws(() => namedPeriod('2026', 'month', 'UTC'), { code: 'bad_parameter', message: /2026-11/ })
  assert.equal(new Date(timeAt({ year: 2026, month: 3, day: 29, minute: 150 }, 'Europe/Berlin')).toISOString(), '2026-03-29T01:30:00.000Z')
})

test('a window rolls, or is the part of its period that has passed', () => {
  const now = Date.UTC(2026, 10, 10)
  assert.deepEqual(windowAt({ kind: 'rolling', name: '1d', lengthMs: 24 * HOUR }, now).passed, { start: now - 24 * HOUR, end: now })
  const { passed, whole } = windowAt({ kind: 'calendar', name: 'month', unit: 'month', timeZone: 'UTC' }, now)
  assert.deepEqual([passed.start, passed.end, whole.end], [Date.UTC(2026, 10, 1), now, Date.UTC(2026, 11, 1)])
})

test('maintenance is told in whole minutes, at its hour of the wall, and what overlaps is one', () => {
  const weekly: MaintenanceWindow = { kind: 'weekly', days: [6], startMinute: 23 * 60, minutes: 120, timeZone: 'Europe/Berlin', comment: 'backup' }
  const range = { start: Date.UTC(2026, 9, 17), end: Date.UTC(2026, 10, 2) }
  // The clocks are put back on 25 October.
  assert.deepEqual(maintenanceWithin([weekly], range).map(iso), [
    ['2026-10-17T21:00:00.000Z', '2026-10-17T23:00:00.000Z'],
    ['2026-10-24T21:00:00.000Z', '2026-10-24T23:00:00.000Z'],
    ['2026-10-31T22:00:00.000Z', '2026-11-01T00:00:00.000Z'],
  ])
  const once: MaintenanceWindow = { kind: 'once', start: Date.UTC(2026, 9, 17, 22, 0, 30), end: Date.UTC(2026, 9, 17, 23, 30, 30), comment: 'move' }
  assert.deepEqual(maintenanceWithin([weekly, once], { ...range, end: Date.UTC(2026, 9, 18) }), [{ start: Date.UTC(2026, 9, 17, 21), end: Date.UTC(2026, 9, 17, 23, 31), comment: 'backup; move' }])
  assert.deepEqual(maintenanceWithin([weekly], { start: Date.UTC(2026, 9, 17, 22), end: Date.UTC(2026, 9, 17, 22, 30) }).map(iso), [['2026-10-17T22:00:00.000Z', '2026-10-17T22:30:00.000Z']])
})
