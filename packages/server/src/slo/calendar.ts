// Months, quarters and hours of the day in time zones.
import { AndonError, type CalendarUnit, type Milliseconds, type ObjectiveWindow, type TimeRange } from '@andon/model'

/** What a clock and a calendar on the wall of a time zone show. */
interface WallTime {
  readonly year: number
  /** From 1. */
  readonly month: number
  readonly day: number
  readonly minute: number
  /** 0 is Sunday. */
  readonly weekday: number
}

const DAY: Milliseconds = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
  formats.set(timeZone, made)
  return made
}

/** Whether the platform knows a time zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

/** What the wall of a time zone shows, as if it were UTC. */
function shown(time: Milliseconds, timeZone: string): Milliseconds {
  const parts = new Map(formatOf(timeZone).formatToParts(time).map(({ type, value }) => [type, Number(value)]))
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
}

export function wallTime(time: Milliseconds, timeZone: string): WallTime {
  const at = new Date(shown(time, timeZone))
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate(), minute: at.getUTCHours() * 60 + at.getUTCMinutes(), weekday: at.getUTCDay() }
}

/**
 * When a time zone's wall shows a day and minute. A time that is left out when clocks are put forward is the one an hour later; of one
 * that is there twice it is either.
 *
 * @param day - may lie beyond its month
 */
export function instantOf({ year, month, day, minute = 0 }: { readonly year: number; readonly month: number; readonly day: number; readonly minute?: number }, timeZone: string): Milliseconds {
  const wanted = Date.UTC(year, month - 1, day, 0, minute)
  const guess = wanted - (shown(wanted, timeZone) - wanted)
  return wanted - (shown(guess, timeZone) - guess)
}

/**
 * The week, month, quarter or year of a time zone that a time lies in.
 *
 * @param shift - so many later; negative for earlier
 */
export function periodOf(unit: CalendarUnit, timeZone: string, time: Milliseconds, shift = 0): TimeRange {
  const { year, month, day, weekday } = wallTime(time, timeZone)
  const at = (months: number, days: number): Milliseconds => instantOf({ year, month: months, day: days }, timeZone)
  switch (unit) {
    case 'week': {
      // Weeks begin on Monday.
      const monday = day - ((weekday + 6) % 7) + 7 * shift
      return { start: at(month, monday), end: at(month, monday + 7) }
    }
    case 'month':
      return { start: at(month + shift, 1), end: at(month + shift + 1, 1) }
    case 'quarter': {
      const first = month - ((month - 1) % 3) + 3 * shift
      return { start: at(first, 1), end: at(first + 3, 1) }
    }
    case 'year':
      return { start: instantOf({ year: year + shift, month: 1, day: 1 }, timeZone), end: instantOf({ year: year + shift + 1, month: 1, day: 1 }, timeZone) }
  }
}

/** The period that is named, such as 2026-11, 2026-Q4 or 2026. @throws AndonError bad_parameter */
export function namedPeriod(name: string, unit: 'month' | 'quarter' | 'year', timeZone: string): TimeRange {
  const [, year = '', month, quarter] = /^(\d{4})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?$/.exec(name) ?? []
  const first = month !== undefined ? Number(month) : quarter !== undefined ? Number(quarter) * 3 - 2 : 1
  if (year === '' || (unit === 'month' && month === undefined)) throw new AndonError('bad_parameter', `month="${name.slice(0, 40)}" is not a ${unit} such as ${unit === 'month' ? '2026-11' : unit === 'quarter' ? '2026-Q4 or 2026-11' : '2026'}.`)
  return periodOf(unit, timeZone, instantOf({ year: Number(year), month: first, day: 1, minute: 720 }, timeZone))
}

/** As `namedPeriod` reads it. */
export function periodName({ start }: TimeRange, unit: 'month' | 'quarter' | 'year', timeZone: string): string {
  // A little later: days may begin after midnight.
  const { year, month } = wallTime(start + DAY / 2, timeZone)
  return unit === 'year' ? String(year) : unit === 'month' ? `${year}-${String(month).padStart(2, '0')}` : `${year}-Q${Math.ceil(month / 3)}`
}

/** The time that a window holds at some time: what has passed of it, and all of it. */
export function windowAt(window: ObjectiveWindow, now: Milliseconds): { readonly passed: TimeRange; readonly whole: TimeRange } {
  if (window.kind === 'rolling') {
    const passed = { start: now - window.lengthMs, end: now }
    return { passed, whole: passed }
  }
  const whole = periodOf(window.unit, window.timeZone, now)
  return { passed: { start: whole.start, end: now }, whole }
}

const LENGTHS: Readonly<Record<CalendarUnit, Milliseconds>> = { week: 7 * DAY, month: 30 * DAY, quarter: 90 * DAY, year: 365 * DAY }

/** How long a window is, for burn rates; months have 30 days. */
export function windowLength(window: ObjectiveWindow): Milliseconds {
  return window.kind === 'rolling' ? window.lengthMs : LENGTHS[window.unit]
}
