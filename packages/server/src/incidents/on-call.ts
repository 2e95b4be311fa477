// Who is called: rotations with their handovers in a time zone, and calendars.
import { instantOf, type Milliseconds, type OnCallShift, wallOf } from '@andon/model'
import type { CalendarEvent } from './ical.ts'

/** Somebody who can be called. */
export interface Person {
  readonly name: string
  readonly receiver: string
}

/** Somebody stands in. */
export interface Override {
  readonly person: Person
  readonly from: Milliseconds
  readonly to: Milliseconds
}

interface ScheduleBase {
  readonly name: string
  readonly timeZone: string
  readonly people: readonly Person[]
  /** The last one that holds for a time wins. */
  readonly overrides: readonly Override[]
}

/** People in turn. */
export interface Rotation extends ScheduleBase {
  readonly kind: 'rotation'
  /** The first handover, as its zone's clocks show it: milliseconds as if it were UTC. The first person takes over then. */
  readonly start: Milliseconds
  /** From one handover to the next. */
  readonly days: number
}

/** Whoever the events of a calendar name. */
export interface Calendar extends ScheduleBase {
  readonly kind: 'calendar'
  readonly events: readonly CalendarEvent[]
}

export type Schedule = Rotation | Calendar

const DAY: Milliseconds = 86_400_000

/** The shift of a rotation at a time; the people take turns also before the first handover. */
function turnAt(rotation: Rotation, time: Milliseconds): OnCallShift | undefined {
  const { start, days, people, timeZone } = rotation
  const startOf = (turn: number): Milliseconds => instantOf(start + turn * days * DAY, timeZone)
  let turn = Math.floor((wallOf(time, timeZone) - start) / (days * DAY))
  // Where clocks are set back they show a handover twice; it happens once.
  if (startOf(turn) > time) turn -= 1
  else if (startOf(turn + 1) <= time) turn += 1
  const person = people[((turn % people.length) + people.length) % people.length]
  return person === undefined ? undefined : { person: person.name, receiver: person.receiver, from: startOf(turn), to: startOf(turn + 1), override: false }
}

/** The event of a calendar that holds at a time: of several the one that began last. */
function eventAt({ events, people }: Calendar, time: Milliseconds): OnCallShift | undefined {
  let found: OnCallShift | undefined
  // "Ann Lee" is not Ann.
  const longest = people.toSorted((a, b) => b.name.length - a.name.length)
  for (const event of events) {
    const person = longest.find(({ name }) => event.isAbout(name))
    if (person === undefined) continue
    const occurrence = event.at(time)
    if (occurrence !== undefined && (found === undefined || occurrence.start >= found.from)) found = { person: person.name, receiver: person.receiver, from: occurrence.start, to: occurrence.end, override: false }
  }
  return found
}

/** Who is on call at a time. @returns undefined where nobody is */
export function onCallAt(schedule: Schedule, time: Milliseconds): OnCallShift | undefined {
  const stand = schedule.overrides.findLast(({ from, to }) => from <= time && time < to)
  if (stand !== undefined) return { person: stand.person.name, receiver: stand.person.receiver, from: stand.from, to: stand.to, override: true }
  const shift = schedule.kind === 'rotation' ? turnAt(schedule, time) : eventAt(schedule, time)
  if (shift === undefined) return undefined
  // It ends early where somebody stands in, and begins late where somebody has stood in.
  const next = Math.min(shift.to, ...schedule.overrides.map(({ from }) => from).filter((from) => from > time))
  const last = Math.max(shift.from, ...schedule.overrides.map(({ to }) => to).filter((to) => to <= time))
  return { ...shift, from: last, to: next }
}

/** The shifts from a time on, at most `count` and `days` ahead; gaps are left out. */
export function shiftsFrom(schedule: Schedule, time: Milliseconds, count: number, days = 90): OnCallShift[] {
  const shifts: OnCallShift[] = []
  let at = time
  while (shifts.length < count && at < time + days * DAY) {
    const shift = onCallAt(schedule, at)
    if (shift === undefined) at = nextChange(schedule, at)
    else {
      shifts.push(shift)
      at = shift.to
    }
  }
  return shifts
}

/** When somebody may be on call again. */
function nextChange(schedule: Schedule, time: Milliseconds): Milliseconds {
  const starts = schedule.overrides.map(({ from }) => from)
  if (schedule.kind === 'calendar') for (const event of schedule.events) starts.push(event.next(time) ?? Infinity)
  return Math.min(...starts.filter((start) => start > time), Infinity)
}
