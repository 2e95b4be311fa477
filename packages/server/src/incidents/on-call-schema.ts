// Schedules of who is on call, as andon.yaml has them.
import { readFileSync, statSync } from 'node:fs'
import { AndonError, civilMs, instantOf, isTimeZone, type Milliseconds } from '@andon/model'
import type { Reading } from '../runtime/reading.ts'
import { readCalendar } from './ical.ts'
import type { Override, Person, Schedule } from './on-call.ts'

/** How long what is said of incidents may take. */
export const LENGTH: { readonly most: Milliseconds } = { most: 400 * 86_400_000 }
const KEYS = ['name', 'time_zone', 'people', 'start', 'handover', 'every', 'ical', 'overrides'] as const
const PEOPLE_MAX = 200
const LIST_MAX = 1000
const FILE_MAX = 2 * 1024 * 1024
const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?$/

/** A civil time of the form 2026-01-05 or 2026-01-05T09:00, as `civilMs`; undefined where it is none. */
function civilFrom(value: unknown, time = '00:00'): Milliseconds | undefined {
  // YAML reads dates as such where it is told to; as text they are the same.
  const parts = typeof value === 'string' ? TIME.exec(value) : null
  if (parts === null) return undefined
  const [hour, minute] = parts[4] === undefined ? time.split(':') : [parts[4], parts[5]]
  const civil = { year: Number(parts[1]), month: Number(parts[2]), day: Number(parts[3]), hour: Number(hour), minute: Number(minute), second: 0 }
  const ms = civilMs(civil)
  return civil.hour < 24 && civil.minute < 60 && new Date(ms).getUTCDate() === civil.day ? ms : undefined
}

function readPerson(reading: Reading): Person {
  const given = reading.fields(['name', 'receiver'])
  return { name: given.name.text(), receiver: given.receiver.text() }
}

function readInstant(reading: Reading, zone: string): Milliseconds {
  const wall = civilFrom(reading.value)
  return wall === undefined ? reading.refuse('must be a time such as 2026-12-24T09:00') : instantOf(wall, zone)
}

function readOverride(reading: Reading, zone: string, people: readonly Person[]): Override {
  const given = reading.fields(['person', 'receiver', 'from', 'to'])
  const name = given.person.text()
  const receiver = given.receiver.text(undefined) ?? people.find((one) => one.name === name)?.receiver
  if (receiver === undefined) return given.person.refuse(`must be one of ${people.map((one) => one.name).join(', ')}, or have a receiver`)
  const [from, to] = [readInstant(given.from, zone), readInstant(given.to, zone)]
  return from < to ? { person: { name, receiver }, from, to } : given.to.refuse('must be after from')
}

function readEvery(reading: Reading): number {
  if (reading.value === 'day') return 1
  if (reading.isAbsent || reading.value === 'week') return 7
  const days = reading.duration(LENGTH) / 86_400_000
  return Number.isInteger(days) && days >= 1 && days <= 366 ? days : reading.refuse('must be day, week, or whole days such as 14d')
}

function readFile(reading: Reading): string {
  const path = reading.text()
  try {
    if (statSync(path).size > FILE_MAX) return reading.refuse(`must be a file of at most ${FILE_MAX} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof AndonError) throw error
    return reading.refuse(`must be a file that can be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * Reads one schedule: a rotation, or a calendar where it names a file.
 *
 * @throws AndonError bad_config, naming the key that is wrong
 */
export function readSchedule(reading: Reading): Schedule {
  const given = reading.fields(KEYS)
  const timeZone = given.time_zone.text('UTC')
  if (!isTimeZone(timeZone)) given.time_zone.refuse('must be the name of a time zone such as Europe/Berlin')
  const people = given.people.list().map(readPerson)
  if (people.length === 0 || people.length > PEOPLE_MAX) given.people.refuse(`must be a list of 1 to ${PEOPLE_MAX} {name, receiver}`)
  given.people.refuseTwice(people.map(({ name }) => name))
  const base = { name: given.name.text(), timeZone, people, overrides: given.overrides.list(LIST_MAX).map((one) => readOverride(one, timeZone, people)) }
  if (!given.ical.isAbsent) {
    const other = [given.start, given.handover, given.every].find(({ isAbsent }) => !isAbsent)
    other?.refuse('must be absent where a calendar says who is on call')
    return { kind: 'calendar', ...base, events: readCalendar(readFile(given.ical), timeZone, (problem) => given.ical.refuse(problem)) }
  }
  const handover = given.handover.text('09:00')
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(handover)) given.handover.refuse('must be a time such as 09:00')
  const start = civilFrom(given.start.value, handover)
  if (start === undefined) return given.start.refuse('must be the day of the first handover, such as 2026-01-05')
  return { kind: 'rotation', ...base, start, days: readEvery(given.every) }
}
