// How events of a calendar repeat.
// @see RFC 5545, 3.3.10
import { civilMs, civilOf, type Milliseconds } from '@andon/model'

export const DAY: Milliseconds = 86_400_000
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
/** Fifty years of days: a rule without an end is not followed beyond them. */
const OCCURRENCES_MAX = 18_300

export interface Recurrence {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY'
  readonly interval: number
  readonly count: number
  /** The last moment at which one may begin. */
  readonly until: { readonly at: Milliseconds; readonly isInstant: boolean } | undefined
  /** Of a week, 0 is Sunday; empty for that of the start. */
  readonly weekdays: readonly number[]
  /** The weekday on which weeks begin. */
  readonly weekStart: number
}

/**
 * Reads an RRULE.
 *
 * @param refuse - tells what is not understood; never returns
 */
export function readRecurrence(value: string, refuse: (what: string) => never): Recurrence {
  const parts = new Map(value.split(';').map((part): [string, string] => [part.split('=')[0]?.toUpperCase() ?? '', part.split('=')[1] ?? '']))
  const known = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'WKST'])
  for (const name of parts.keys()) if (!known.has(name)) refuse(`RRULE with ${name.slice(0, 30)}`)
  const frequency = (['DAILY', 'WEEKLY', 'MONTHLY'] as const).find((one) => one === parts.get('FREQ')) ?? refuse(`RRULE with FREQ=${parts.get('FREQ') ?? ''}`)
  const whole = (name: string, otherwise: number): number => {
    const number = Number(parts.get(name) ?? otherwise)
    return number === Infinity || (Number.isSafeInteger(number) && number > 0) ? number : refuse(`RRULE with ${name}=${parts.get(name) ?? ''}`)
  }
  const weekdays = (parts.get('BYDAY')?.split(',') ?? []).map((name) => (frequency !== 'MONTHLY' && WEEKDAYS.includes(name) ? WEEKDAYS.indexOf(name) : refuse(`RRULE with BYDAY=${name}`)))
  return { frequency, interval: whole('INTERVAL', 1), count: whole('COUNT', Infinity), until: untilOf(parts.get('UNTIL'), refuse), weekdays, weekStart: Math.max(0, WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO')) }
}

function untilOf(value: string | undefined, refuse: (what: string) => never): Recurrence['until'] {
  if (value === undefined) return undefined
  const parts = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(value)
  if (parts === null) return refuse(`RRULE with UNTIL=${value.slice(0, 30)}`)
  const number = (index: number, otherwise = 0): number => Number(parts[index] ?? otherwise)
  return { at: civilMs({ year: number(1), month: number(2), day: number(3), hour: number(4, 23), minute: number(5, 59), second: number(6, 59) }), isInstant: parts[7] === 'Z' }
}

function* candidates({ frequency, interval, weekdays, weekStart }: Recurrence, start: Milliseconds): Iterable<Milliseconds> {
  if (frequency === 'MONTHLY') {
    const first = civilOf(start)
    for (let month = 0; month < OCCURRENCES_MAX; month += interval) {
      const wall = civilMs({ ...first, month: first.month + month })
      // Months that are too short have none.
      if (civilOf(wall).day === first.day) yield wall
    }
    return
  }
  const isWanted = (wall: Milliseconds): boolean => weekdays.length === 0 || weekdays.includes(new Date(wall).getUTCDay())
  if (frequency === 'DAILY') {
    for (let day = 0; day < OCCURRENCES_MAX; day += interval) if (isWanted(start + day * DAY)) yield start + day * DAY
    return
  }
  const ofWeek = (weekday: number): number => (weekday - weekStart + 7) % 7
  const first = start - ofWeek(new Date(start).getUTCDay()) * DAY
  const days = (weekdays.length === 0 ? [new Date(start).getUTCDay()] : weekdays).map(ofWeek).toSorted((a, b) => a - b)
  for (let week = 0; week * 7 < OCCURRENCES_MAX; week += interval) {
    for (const day of days) {
      const wall = first + (week * 7 + day) * DAY
      if (wall >= start) yield wall
    }
  }
}

/**
 * When the occurrences begin, as the clocks of their zone show it, in order.
 *
 * @param start - of the first one
 * @param until - the last moment at which one may begin, as the clocks show it
 * @yields one after the other
 */
export function* startsOf(rule: Recurrence, start: Milliseconds, until: Milliseconds): Iterable<Milliseconds> {
  let left = rule.count
  for (const wall of candidates(rule, start)) {
    if (left <= 0 || wall > until) return
    left -= 1
    yield wall
  }
}
