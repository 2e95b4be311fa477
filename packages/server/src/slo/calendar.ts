// Months, quarters and hours of the day in time zones.
import { AndonError, type CalendarUnit, civilOf, type Milliseconds, type ObjectiveWindow, type TimeRange, wallOf } from '@andon/model'

const DAY: Milliseconds = 86_400_000

/**
 * When a time zone's wall shows a day and minute. A time that is left out when clocks are put forward is the one an hour later, so that
 * what begins then is as long as it was said to be; on-call shifts begin where the clocks jump instead. Of one that is there twice it is
 * either.
 *
 * @param day - may lie beyond its month
 */
export function timeAt({ year, month, day, minute = 0 }: { readonly year: number; readonly month: number; readonly day: number; readonly minute?: number }, timeZone: string): Milliseconds {
  const wanted = Date.UTC(year, month - 1, day, 0, minute)
  const guess = wanted - (wallOf(wanted, timeZone) - wanted)
  return wanted - (wallOf(guess, timeZone) - guess)
}

/**
 * The week, month, quarter or year of a time zone that a time lies in.
 *
 * @param shift - so many later; negative for earlier
 */
export function periodOf(unit: CalendarUnit, timeZone: string, time: Milliseconds, shift = 0): TimeRange {
  const { year, month, day, weekday } = civilOf(wallOf(time, timeZone))
  const at = (months: number, days: number): Milliseconds => timeAt({ year, month: months, day: days }, timeZone)
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
      return { start: timeAt({ year: year + shift, month: 1, day: 1 }, timeZone), end: timeAt({ year: year + shift + 1, month: 1, day: 1 }, timeZone) }
  }
}

/** The period that is named, such as 2026-11, 2026-Q4 or 2026. @throws AndonError bad_parameter */
export function namedPeriod(name: string, unit: 'month' | 'quarter' | 'year', timeZone: string): TimeRange {
  const [, year = '', month, quarter] = /^(\d{4})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?$/.exec(name) ?? []
  const first = month !== undefined ? Number(month) : quarter !== undefined ? Number(quarter) * 3 - 2 : 1
  if (year === '' || (unit === 'month' && month === undefined)) throw new AndonError('bad_parameter', `month="${name.slice(0, 40)}" is not a ${unit} such as ${unit === 'month' ? '2026-11' : unit === 'quarter' ? '2026-Q4 or 2026-11' : '2026'}.`)
  return periodOf(unit, timeZone, timeAt({ year: Number(year), month: first, day: 1, minute: 720 }, timeZone))
}

/** As `namedPeriod` reads it. */
export function periodName({ start }: TimeRange, unit: 'month' | 'quarter' | 'year', timeZone: string): string {
  // A little later: days may begin after midnight.
  const { year, month } = civilOf(wallOf(start + DAY / 2, timeZone))
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
