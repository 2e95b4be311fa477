import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Reading } from '../runtime/reading.ts'
import { readCalendar } from './ical.ts'
import { onCallAt, type Schedule, shiftsFrom } from './on-call.ts'
import { readSchedule } from './on-call-schema.ts'

const people = ['Ann', 'Ben', 'Cleo'].map((name) => ({ name, receiver: name.toLowerCase() }))
const scheduleOf = (value: object): Schedule => readSchedule(new Reading(value, 'on_call[0]', { hint: '' }))
const refuse = (problem: string): never => new Reading(undefined, 'incidents.on_call[0].ical', { hint: '' }).refuse(problem)
const rotation = (more: object = {}): Schedule => scheduleOf({ name: 'primary', time_zone: 'Europe/Berlin', start: '2026-01-05', people, ...more })
const who = (schedule: Schedule, time: string): string | undefined => onCallAt(schedule, Date.parse(time))?.person

test('people hand over at the time that the clocks show, in winter and in summer', () => {
  const weekly = rotation()
  assert.deepEqual(['2026-01-05T07:59:59Z', '2026-01-05T08:00:00Z', '2026-01-12T08:00:00Z', '2026-01-19T08:00:00Z', '2026-01-26T08:00:00Z'].map((time) => who(weekly, time)), ['Cleo', 'Ann', 'Ben', 'Cleo', 'Ann'])
  // 30 March is the first Monday of summer time.
  assert.deepEqual(['2026-03-30T06:59:59Z', '2026-03-30T07:00:00Z'].map((time) => who(weekly, time)), ['Cleo', 'Ann'])
  const daily = rotation({ every: 'day', handover: '02:30' })
  // On 25 October the clocks show 02:30 twice, on 29 March not at all.
  const back = ['2026-10-25T00:29:59Z', '2026-10-25T00:30:00Z', '2026-10-25T01:10:00Z', '2026-10-25T01:30:00Z'].map((time) => who(daily, time))
  assert.deepEqual(back, [back[0], back[1], back[1], back[1]])
  assert.notEqual(back[0], back[1])
  assert.equal(onCallAt(daily, Date.parse('2026-03-29T12:00:00Z'))?.from, Date.parse('2026-03-29T01:00:00Z'))
})

test('shifts follow each other without a gap and without an overlap, in any zone (property)', () => {
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia')
  fc.assert(
    fc.property(zone, fc.constantFrom('day', 'week', '3d'), fc.integer({ min: 0, max: 23 }), fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 6, 1) }), (timeZone, every, hour, time) => {
      const schedule = rotation({ time_zone: timeZone, every, handover: `${String(hour).padStart(2, '0')}:30` })
      const shifts = shiftsFrom(schedule, time, 8, 60)
      assert.equal(shifts.length, 8)
      const [first] = shifts
      assert.ok(first !== undefined && first.from <= time && time < first.to)
      shifts.slice(1).forEach((shift, index) => {
        assert.equal(shift.from, shifts[index]?.to)
        assert.notEqual(shift.person, shifts[index]?.person)
      })
      for (const { from, to, person } of shifts) for (const at of [from, Math.floor((from + to) / 2), to - 1]) assert.equal(onCallAt(schedule, at)?.person, person)
    }),
    { numRuns: 60 },
  )
})

test('who stands in is called, and the shifts beside are shorter', () => {
  const schedule = rotation({ overrides: [{ person: 'Cleo', from: '2026-01-07T12:00', to: '2026-01-08T12:00' }] })
  assert.deepEqual(
    shiftsFrom(schedule, Date.parse('2026-01-06T00:00:00Z'), 4).map(({ person, from, override }) => [person, new Date(from).toISOString().slice(0, 13), override]),
    [['Ann', '2026-01-05T08', false], ['Cleo', '2026-01-07T11', true], ['Ann', '2026-01-08T11', false], ['Ben', '2026-01-12T08', false]],
  )
})

const CALENDAR = [
  'BEGIN:VCALENDAR',
  'BEGIN:VEVENT',
  'UID:1',
  'DTSTART;TZID=Europe/Berlin:20260105T090000',
  'DTEND;TZID=Europe/Berlin:20260112T090000',
  'RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20260601T000000Z',
  'EXDATE;TZID=Europe/Berlin:20260202T090000',
  'SUMMARY:On call: Ann',
  'BEGIN:VALARM',
  'SUMMARY:not this one',
  'END:VALARM',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:2',
  'DTSTART:20260112T080000Z',
  'DURATION:P1W',
  'ATTENDEE;CN="Lee, Ben";ROLE=REQ-PARTICIPANT:mailto:ben@exam',
  ' ple.com',
  'SUMMARY:second week',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:1',
  'RECURRENCE-ID;TZID=Europe/Berlin:20260119T090000',
  'DTSTART;VALUE=DATE:20260120',
  'DTEND;VALUE=DATE:20260122',
  'SUMMARY:Cleo\\, only two days',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n')

test('a calendar says who is called: recurring events, exceptions, moved and whole days, folded lines', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-ical-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.ics')
  writeFileSync(file, CALENDAR)
  const schedule = scheduleOf({ name: 'c', time_zone: 'Europe/Berlin', ical: file, people: [{ name: 'Ann', receiver: 'a' }, { name: 'ben@example.com', receiver: 'b' }, { name: 'Cleo', receiver: 'c' }] })
  const times = ['2026-01-05T07:59:00Z', '2026-01-05T08:00:00Z', '2026-01-12T08:00:00Z', '2026-01-19T12:00:00Z', '2026-01-20T00:00:00Z', '2026-01-22T00:00:00Z', '2026-02-03T00:00:00Z', '2026-02-17T00:00:00Z', '2026-03-30T12:00:00Z', '2026-06-09T00:00:00Z']
  assert.deepEqual(times.map((time) => who(schedule, time)), [undefined, 'Ann', 'ben@example.com', undefined, 'Cleo', undefined, undefined, 'Ann', 'Ann', undefined])
  // 30 March: the end of the week begun on 16 March is long over; the one of 30 March began at nine by the clocks of summer.
  assert.equal(onCallAt(schedule, Date.parse('2026-03-30T12:00:00Z'))?.from, Date.parse('2026-03-30T07:00:00Z'))
  assert.deepEqual(shiftsFrom(schedule, Date.parse('2026-01-01T00:00:00Z'), 3).map(({ person }) => person), ['Ann', 'ben@example.com', 'Cleo'])
})

const calendar = (rule: string, start = '20260131T090000Z'): string => `BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:${start}\nDURATION:PT1H\nRRULE:${rule}\nSUMMARY:Ann\nEND:VEVENT\nEND:VCALENDAR\n`

const starts = (rule: string, start?: string): string[] => {
  const [event] = readCalendar(calendar(rule, start), 'UTC', refuse)
  const found: string[] = []
  let at = 0
  for (let next = event?.next(at); next !== undefined && found.length < 5; next = event?.next(at)) found.push(new Date((at = next)).toISOString().slice(0, 10))
  return found
}

test('rules by days and months; what is not understood is refused', () => {
  assert.deepEqual(starts('FREQ=MONTHLY;COUNT=3'), ['2026-01-31', '2026-03-31', '2026-05-31'])
  assert.deepEqual(starts('FREQ=DAILY;INTERVAL=2;UNTIL=20260204'), ['2026-01-31', '2026-02-02', '2026-02-04'])
  assert.deepEqual(starts('FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4', '20260202T090000Z'), ['2026-02-02', '2026-02-04', '2026-02-09', '2026-02-11'])
  assert.deepEqual(starts('FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=4', '19970805T090000Z'), ['1997-08-05', '1997-08-17', '1997-08-19', '1997-08-31'])
  for (const rule of ['FREQ=YEARLY', 'FREQ=MONTHLY;BYDAY=1MO', 'FREQ=DAILY;BYHOUR=9', 'FREQ=DAILY;COUNT=0']) assert.throws(() => readCalendar(calendar(rule), 'UTC', refuse), { code: 'bad_config', message: /^incidents\.on_call\[0\]\.ical must be a calendar/ })
  assert.throws(() => readCalendar('hello', 'UTC', refuse), { code: 'bad_config' })
})
