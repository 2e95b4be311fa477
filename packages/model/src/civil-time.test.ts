import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { civilMs, civilOf, instantOf, isTimeZone, wallOf } from './civil-time.ts'

const berlin = (month: number, day: number, hour: number, minute: number): string => new Date(instantOf(civilMs({ year: 2026, month, day, hour, minute, second: 0 }), 'Europe/Berlin')).toISOString()

test('an instant is what clocks show, and back (property)', () => {
  fc.assert(
    fc.property(fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'UTC'), fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) }), (zone, time) => {
      const second = Math.floor(time / 1000) * 1000
      const again = instantOf(wallOf(second, zone), zone)
      assert.ok(again <= second && wallOf(again, zone) === wallOf(second, zone), `${new Date(second).toISOString()} in ${zone}`)
    }),
    { numRuns: 300 },
  )
})

test('a time that the clocks leave out is the moment at which they jump; of one that they show twice it is the first', () => {
  assert.equal(berlin(3, 29, 2, 30), '2026-03-29T01:00:00.000Z')
  assert.equal(berlin(10, 25, 2, 30), '2026-10-25T00:30:00.000Z')
})

test('a civil time is written down and read, with its day of the week', () => {
  const civil = { year: 2026, month: 1, day: 4, hour: 23, minute: 59, second: 30, weekday: 0 }
  assert.deepEqual(civilOf(civilMs(civil)), civil)
  assert.deepEqual(['UTC', 'Europe/Berlin', 'Mars/Base', ''].map(isTimeZone), [true, true, false, false])
})
