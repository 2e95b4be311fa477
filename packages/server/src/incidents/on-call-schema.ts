// Schedules of who is on call, as andon.yaml has them.
import { readFileSync, statSync } from 'node:fs'
import { AndonError, civilMs, instantOf, isTimeZone, type Milliseconds } from '@andon/model'
import { readCalendar } from './ical.ts'
import type { Override, Person, Schedule } from './on-call.ts'
import { badKey, refuseTwice, Section } from './section.ts'

const KEYS = ['name', 'time_zone', 'people', 'start', 'handover', 'every', 'ical', 'overrides']
const PEOPLE_MAX = 200
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

function readPerson(value: unknown, path: string): Person {
  const section = new Section(value, path, ['name', 'receiver'])
  return { name: section.text('name'), receiver: section.text('receiver') }
}

function readOverride(value: unknown, path: string, zone: string, people: readonly Person[]): Override {
  const section = new Section(value, path, ['person', 'receiver', 'from', 'to'])
  const name = section.text('person')
  const known = people.find((one) => one.name === name)
  const receiver = section.has('receiver') ? section.text('receiver') : known?.receiver
  if (receiver === undefined) throw badKey(section.at('person'), `one of ${people.map((one) => one.name).join(', ')}, or have a receiver`)
  const [from, to] = ['from', 'to'].map((key) => {
    const wall = civilFrom(section.raw(key))
    if (wall === undefined) throw badKey(section.at(key), 'a time such as 2026-12-24T09:00')
    return instantOf(wall, zone)
  })
  if (from === undefined || to === undefined || from >= to) throw badKey(section.at('to'), 'after from')
  return { person: { name, receiver }, from, to }
}

function readEvery(section: Section): number {
  const value = section.raw('every') ?? 'week'
  if (value === 'day') return 1
  if (value === 'week') return 7
  const ms = section.duration('every')
  const days = ms / 86_400_000
  if (!Number.isInteger(days) || days < 1 || days > 366) throw badKey(section.at('every'), 'day, week, or whole days such as 14d')
  return days
}

function readFile(section: Section): string {
  const path = section.text('ical')
  try {
    if (statSync(path).size > FILE_MAX) throw badKey(section.at('ical'), `a file of at most ${FILE_MAX} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof AndonError) throw error
    throw badKey(section.at('ical'), `a file that can be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * Reads one schedule: a rotation, or a calendar where it names a file.
 *
 * @throws AndonError bad_config, naming the key that is wrong
 */
export function readSchedule(value: unknown, path: string): Schedule {
  const section = new Section(value, path, KEYS)
  const timeZone = section.text('time_zone', 'UTC')
  if (!isTimeZone(timeZone)) throw badKey(section.at('time_zone'), 'the name of a time zone such as Europe/Berlin')
  const people = section.list('people', readPerson)
  if (people.length === 0 || people.length > PEOPLE_MAX) throw badKey(section.at('people'), `a list of 1 to ${PEOPLE_MAX} {name, receiver}`)
  refuseTwice(people.map(({ name }) => name), section.at('people'))
  const base = { name: section.text('name'), timeZone, people, overrides: section.list('overrides', (one, at) => readOverride(one, at, timeZone, people)) }
  if (section.has('ical')) {
    const other = ['start', 'handover', 'every'].find((key) => section.has(key))
    if (other !== undefined) throw badKey(section.at(other), 'absent where a calendar says who is on call')
    return { kind: 'calendar', ...base, events: readCalendar(readFile(section), timeZone, section.at('ical')) }
  }
  const handover = section.text('handover', '09:00')
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(handover)) throw badKey(section.at('handover'), 'a time such as 09:00')
  const start = civilFrom(section.raw('start'), handover)
  if (start === undefined) throw badKey(section.at('start'), 'the day of the first handover, such as 2026-01-05')
  return { kind: 'rotation', ...base, start, days: readEvery(section) }
}
