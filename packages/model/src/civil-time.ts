// What the clocks on the wall of a time zone show, by the data that Node has of time zones.
import type { Milliseconds } from './units.ts'

/** A time as a clock on the wall shows it. */
export interface CivilTime {
  readonly year: number
  /** 1..12 */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0 is Sunday. */
  readonly weekday: number
}

const DAY: Milliseconds = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
    formats.set(zone, format)
  }
  return format
}

/** Whether there is a time zone of this name, such as Europe/Berlin or UTC. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** The time on the wall as if it were that of UTC: what civil times are compared and added by. */
export function civilMs({ year, month, day, hour, minute, second }: Omit<CivilTime, 'weekday'>): Milliseconds {
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** The reverse of `civilMs`. */
export function civilOf(ms: Milliseconds): CivilTime {
  const date = new Date(ms)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds(), weekday: date.getUTCDay() }
}

/** What the clocks of a zone show at a time, as `civilMs`. */
export function wallOf(time: Milliseconds, zone: string): Milliseconds {
  const parts = new Map(formatOf(zone).formatToParts(time).map(({ type, value }) => [type, Number(value)]))
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0
  return civilMs({ year: part('year'), month: part('month'), day: part('day'), hour: part('hour'), minute: part('minute'), second: part('second') })
}

/**
 * When the clocks of a zone show a time.
 *
 * @param wall - as `civilMs`
 * @returns the first moment where they show it twice; where it is left out, the moment at which they jump over it
 */
export function instantOf(wall: Milliseconds, zone: string): Milliseconds {
  // The offset changes at most once within a day on either side.
  const before = wallOf(wall - DAY, zone) - (wall - DAY)
  const after = wallOf(wall + DAY, zone) - (wall + DAY)
  for (const offset of [before, after].toSorted((a, b) => b - a)) if (wallOf(wall - offset, zone) === wall) return wall - offset
  // Left out: the last moment of the old offset is where the clocks jump.
  let [low, high] = [wall - Math.max(before, after) - DAY / 8, wall - Math.min(before, after) + DAY / 8]
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000
    if (wallOf(middle, zone) < wall) low = middle
    else high = middle
  }
  return high
}
