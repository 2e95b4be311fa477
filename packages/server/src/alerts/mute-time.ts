// Times of the calendar, as Alertmanager's time_intervals have them.
// @see https://prometheus.io/docs/alerting/latest/configuration/#time_interval
import { civilOf, type CivilTime, type Milliseconds, wallOf } from '@andon/model'
import type { Reading } from '../runtime/reading.ts'

/** Both ends belong to it. */
interface Range {
  readonly begin: number
  readonly end: number
}

/** A time belongs to it where each of these that is given holds. */
export interface TimeInterval {
  /** Minutes of the day; the end does not belong to it. */
  readonly times: readonly Range[] | undefined
  /** 0 is Sunday. */
  readonly weekdays: readonly Range[] | undefined
  /** From 1; below 0 counted from the end of the month, whose last day is -1. */
  readonly daysOfMonth: readonly Range[] | undefined
  /** From 1. */
  readonly months: readonly Range[] | undefined
  readonly years: readonly Range[] | undefined
  /** A name of the time zone database. */
  readonly zone: string
}

export type TimeIntervals = ReadonlyMap<string, readonly TimeInterval[]>

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']
const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/

function minuteOf(reading: Reading): number {
  const text = reading.isAbsent ? '' : reading.scalar()
  const found = TIME.exec(text)
  if (found === null) return reading.refuse('must be a time from "00:00" to "24:00"')
  return text === '24:00' ? 1440 : Number(found[1]) * 60 + Number(found[2])
}

function times(reading: Reading): readonly Range[] | undefined {
  if (reading.isAbsent) return undefined
  return reading.list().map((one) => {
    const fields = one.fields(['start_time', 'end_time'])
    const range = { begin: minuteOf(fields.start_time), end: minuteOf(fields.end_time) }
    return range.begin < range.end ? range : one.refuse('must start before it ends; write two for one that crosses midnight')
  })
}

interface Words {
  readonly words?: readonly string[]
  /** The number of the first word. */
  readonly first?: number
  readonly min: number
  readonly max: number
}

/** `a`, or `a:b`. */
function ranges(reading: Reading, { words = [], first = 0, min, max }: Words): readonly Range[] | undefined {
  if (reading.isAbsent) return undefined
  const member = (one: Reading, text: string): number => {
    const word = words.indexOf(text.trim().toLowerCase())
    const number = word >= 0 ? word + first : /^-?\d+$/.test(text.trim()) && (words.length === 0 || first > 0) ? Number(text) : Number.NaN
    return Number.isInteger(number) && number >= min && number <= max ? number : one.refuse(`: "${text}" is not from ${words[0] ?? min} to ${words.at(-1) ?? max}`)
  }
  return reading.list().map((one) => {
    const [begin = '', end = begin, ...more] = one.scalar().split(':')
    if (more.length > 0) return one.refuse('must be one, or BEGIN:END')
    return { begin: member(one, begin), end: member(one, end) }
  })
}

function ascending(reading: Reading, found: readonly Range[] | undefined): readonly Range[] | undefined {
  if (found?.some(({ begin, end }) => begin > end) === true) reading.refuse('must not end before it begins')
  return found
}

/** Days may be counted from either end of a month of 28 days or more. */
function days(reading: Reading): readonly Range[] | undefined {
  const found = ranges(reading, { min: -31, max: 31 })
  for (const { begin, end } of found ?? []) {
    if (begin === 0 || end === 0) reading.refuse('must not hold the day 0')
    if (begin < 0 && end > 0) reading.refuse('must not end at a positive day when it begins at a negative one')
    if ((begin < 0 ? 28 + begin : begin) > (end < 0 ? 28 + end : end)) reading.refuse(`ends at ${end}, always before its begin ${begin}`)
  }
  return found
}

function zoneOf(reading: Reading): string {
  if (reading.isAbsent) return 'UTC'
  const name = reading.scalar()
  try {
    // Alertmanager's name of the zone of the machine.
    return name === 'Local' ? new Intl.DateTimeFormat().resolvedOptions().timeZone : new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return reading.refuse(`is no time zone: "${name}"`)
  }
}

/** One entry of `time_intervals[].time_intervals`. @throws AndonError bad_config */
export function readTimeInterval(reading: Reading): TimeInterval {
  const given = reading.fields(['times', 'weekdays', 'days_of_month', 'months', 'years', 'location', 'time_zone'])
  return {
    times: times(given.times),
    weekdays: ascending(given.weekdays, ranges(given.weekdays, { words: WEEKDAYS, min: 0, max: 6 })),
    daysOfMonth: days(given.days_of_month),
    months: ascending(given.months, ranges(given.months, { words: MONTHS, first: 1, min: 1, max: 12 })),
    years: ascending(given.years, ranges(given.years, { min: 0, max: 9999 })),
    zone: zoneOf(given.location.isAbsent ? given.time_zone : given.location),
  }
}

const holds = (given: readonly Range[] | undefined, value: number): boolean => given === undefined || given.some(({ begin, end }) => value >= begin && value <= end)

function holdsDay(given: readonly Range[] | undefined, { day, month, year }: CivilTime): boolean {
  if (given === undefined) return true
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const dayOf = (number: number): number => (number < 0 ? last + number + 1 : number)
  // What begins after the end of a short month does not happen in it.
  return given.some(({ begin, end }) => dayOf(begin) <= last && day >= dayOf(begin) && day <= Math.min(dayOf(end), last))
}

/** Whether a time belongs to an interval. */
export function containsTime(interval: TimeInterval, time: Milliseconds): boolean {
  const local = civilOf(wallOf(time, interval.zone))
  const minute = local.hour * 60 + local.minute
  const inDay = interval.times === undefined || interval.times.some(({ begin, end }) => minute >= begin && minute < end)
  return inDay && holdsDay(interval.daysOfMonth, local) && holds(interval.months, local.month) && holds(interval.weekdays, local.weekday) && holds(interval.years, local.year)
}

/** Which of some named intervals a time belongs to. */
export function activeIntervals(intervals: TimeIntervals, names: readonly string[], time: Milliseconds): string[] {
  return names.filter((name) => intervals.get(name)?.some((interval) => containsTime(interval, time)) === true)
}
