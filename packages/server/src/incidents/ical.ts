// Calendars of who is on call, as calendar programs and paging services export them.
// @see RFC 5545
import { civilMs, instantOf, isTimeZone, type Milliseconds, wallOf } from '@andon/model'
import { DAY, type Recurrence, readRecurrence, startsOf } from './ical-recurrence.ts'

/** A time that an event holds. */
export interface Occurrence {
  readonly start: Milliseconds
  readonly end: Milliseconds
}

/** One line of a calendar: NAME;PARAMETER=VALUE:VALUE. */
interface Property {
  readonly name: string
  readonly parameters: ReadonlyMap<string, string>
  readonly value: string
}

const EVENTS_MAX = 20_000

const isLetter = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}]/u.test(character)

/** An event, once or again and again. */
export class CalendarEvent {
  readonly #zone: string
  readonly #start: Milliseconds
  readonly #length: Milliseconds
  readonly #recurrence: Recurrence | undefined
  /** As the clocks of its zone show it. */
  readonly #until: Milliseconds
  readonly #excluded: ReadonlySet<Milliseconds>
  readonly #names: readonly string[]
  readonly #summary: string

  /** @param excluded - starts that do not take place, as the clocks of the zone show them */
  constructor(told: ToldEvent, excluded: ReadonlySet<Milliseconds>) {
    this.#zone = told.zone
    this.#start = told.start
    this.#length = told.length
    this.#recurrence = told.recurrence
    const until = told.recurrence?.until
    this.#until = until === undefined ? Infinity : until.isInstant ? wallOf(until.at, told.zone) : until.at
    this.#excluded = excluded
    this.#names = told.names.map((name) => name.toLowerCase())
    this.#summary = told.summary.toLowerCase()
  }

  /** Whether its attendees or its summary name a person. */
  isAbout(person: string): boolean {
    const name = person.toLowerCase()
    if (this.#names.includes(name)) return true
    const at = this.#summary.indexOf(name)
    return at >= 0 && !isLetter(this.#summary[at - 1]) && !isLetter(this.#summary[at + name.length])
  }

  *#walls(): Iterable<Milliseconds> {
    const starts = this.#recurrence === undefined ? [this.#start] : startsOf(this.#recurrence, this.#start, this.#until)
    for (const wall of starts) if (!this.#excluded.has(wall)) yield wall
  }

  /** The occurrence that holds at a time, of several the last to begin; undefined where none does. */
  at(time: Milliseconds): Occurrence | undefined {
    const wall = wallOf(time, this.#zone)
    let found: Occurrence | undefined
    for (const each of this.#walls()) {
      if (each > wall + DAY) break
      if (each + this.#length < wall - DAY) continue
      const [start, end] = [instantOf(each, this.#zone), instantOf(each + this.#length, this.#zone)]
      if (start <= time && time < end) found = { start, end }
    }
    return found
  }

  /** When it begins next after a time; undefined where it does not any more. */
  next(time: Milliseconds): Milliseconds | undefined {
    const wall = wallOf(time, this.#zone)
    for (const each of this.#walls()) {
      if (each < wall - DAY) continue
      const start = instantOf(each, this.#zone)
      if (start > time) return start
    }
    return undefined
  }
}

/** What is read of one event. */
interface ToldEvent {
  readonly uid: string
  readonly zone: string
  /** As the clocks of its zone show it. */
  readonly start: Milliseconds
  readonly length: Milliseconds
  readonly recurrence: Recurrence | undefined
  readonly excluded: readonly Milliseconds[]
  /** The start of the occurrence that it stands in for. */
  readonly instead: Milliseconds | undefined
  readonly names: readonly string[]
  readonly summary: string
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\\;,nN])/g, (_whole, character: string) => (character === 'n' || character === 'N' ? '\n' : character))
}

function propertyOf(line: string): Property | undefined {
  // A parameter in quotes may hold what else ends it.
  const head = /^([A-Za-z\d-]+)((?:;[A-Za-z\d-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)$/s.exec(line)
  if (head === null) return undefined
  const parameters = [...(head[2] ?? '').matchAll(/;([A-Za-z\d-]+)=("[^"]*"|[^;]*)/g)].map(([, name = '', value = '']): [string, string] => [name.toUpperCase(), value.replaceAll('"', '')])
  return { name: (head[1] ?? '').toUpperCase(), parameters: new Map(parameters), value: head[3] ?? '' }
}

class Reader {
  readonly #zone: string
  readonly #refuse: (problem: string) => never

  constructor(zone: string, refuse: (problem: string) => never) {
    this.#zone = zone
    this.#refuse = refuse
  }

  refuse(what: string): never {
    return this.#refuse(`must be a calendar (RFC 5545) that is understood here: ${what}`)
  }

  /** @returns as the clocks of a zone show it, and which zone that is */
  #time({ name, parameters, value }: Property): { readonly wall: Milliseconds; readonly zone: string; readonly isDay: boolean } {
    const parts = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(value)
    if (parts === null) return this.refuse(`${name} "${value.slice(0, 60)}" is no time`)
    const number = (index: number): number => Number(parts[index] ?? 0)
    const zone = parts[7] === 'Z' ? 'UTC' : (parameters.get('TZID') ?? this.#zone)
    if (!isTimeZone(zone)) this.refuse(`"${zone.slice(0, 60)}" is not the name of a time zone such as Europe/Berlin`)
    return { wall: civilMs({ year: number(1), month: number(2), day: number(3), hour: number(4), minute: number(5), second: number(6) }), zone, isDay: parts[4] === undefined }
  }

  #duration({ value }: Property): Milliseconds {
    const parts = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(value)
    if (parts === null) return this.refuse(`DURATION "${value.slice(0, 60)}" is no length of time`)
    const number = (index: number): number => Number(parts[index] ?? 0)
    return number(1) * 7 * DAY + number(2) * DAY + number(3) * 3_600_000 + number(4) * 60_000 + number(5) * 1000
  }

  event(properties: readonly Property[]): ToldEvent | undefined {
    const one = (name: string): Property | undefined => properties.find((each) => each.name === name)
    const begin = one('DTSTART')
    if (one('STATUS')?.value === 'CANCELLED') return undefined
    if (begin === undefined) return this.refuse('an event has no DTSTART')
    const start = this.#time(begin)
    /** In the zone of the start, where it is told in another one. */
    const inZone = (property: Property, value = property.value): Milliseconds => {
      const time = this.#time({ ...property, value })
      return time.zone === start.zone ? time.wall : wallOf(instantOf(time.wall, time.zone), start.zone)
    }
    const [end, duration, rule, instead] = [one('DTEND'), one('DURATION'), one('RRULE'), one('RECURRENCE-ID')]
    const length = end !== undefined ? inZone(end) - start.wall : duration !== undefined ? this.#duration(duration) : start.isDay ? DAY : 0
    const summary = unescaped(one('SUMMARY')?.value ?? '')
    const attendees = properties.filter(({ name }) => name === 'ATTENDEE' || name === 'ORGANIZER')
    return {
      uid: one('UID')?.value ?? '',
      zone: start.zone,
      start: start.wall,
      length: Math.max(0, length),
      recurrence: rule === undefined ? undefined : readRecurrence(rule.value, (what) => this.refuse(what)),
      excluded: properties.filter(({ name }) => name === 'EXDATE').flatMap((each) => each.value.split(',').map((value) => inZone(each, value))),
      instead: instead === undefined ? undefined : inZone(instead),
      names: attendees.filter(({ name }) => name === 'ATTENDEE').flatMap(({ parameters, value }) => [parameters.get('CN') ?? '', value.replace(/^mailto:/i, '')]).filter((name) => name !== ''),
      summary,
    }
  }
}

/** The properties of each event; those of its parts, such as alarms, are left out. */
function eventsOf(lines: readonly string[]): (readonly Property[])[] {
  const events: Property[][] = []
  let properties: Property[] | undefined
  let depth = 0
  for (const property of lines.flatMap((line) => propertyOf(line) ?? [])) {
    const { name } = property
    const isEvent = property.value.toUpperCase() === 'VEVENT'
    if (properties === undefined) {
      if (name === 'BEGIN' && isEvent) events.push((properties = []))
    } else if (name === 'BEGIN') depth += 1
    else if (name === 'END' && depth > 0) depth -= 1
    else if (name === 'END') properties = undefined
    else if (depth === 0) properties.push(property)
  }
  return events
}

/**
 * The events of a calendar: VEVENT with DTSTART, DTEND or DURATION, RRULE (daily, weekly, monthly), EXDATE and RECURRENCE-ID.
 *
 * @param zone - of times that name none
 * @param refuse - tells that the option which names the calendar is wrong, and how; never returns
 * @throws AndonError bad_config where it is no calendar, or an event repeats in a way that is not understood
 */
export function readCalendar(text: string, zone: string, refuse: (problem: string) => never): CalendarEvent[] {
  const reader = new Reader(zone, refuse)
  const lines = text.replaceAll(/\r?\n[ \t]/g, '').split(/\r?\n/)
  if (lines[0]?.trim().toUpperCase() !== 'BEGIN:VCALENDAR') reader.refuse('it does not begin with BEGIN:VCALENDAR')
  const events = eventsOf(lines)
  if (events.length > EVENTS_MAX) reader.refuse(`it has more than ${EVENTS_MAX} events`)
  const told = events.flatMap((properties) => reader.event(properties) ?? [])
  const instead = new Map<string, Milliseconds[]>()
  for (const each of told) if (each.instead !== undefined) instead.set(each.uid, [...(instead.get(each.uid) ?? []), each.instead])
  return told.map((each) => new CalendarEvent(each, new Set(each.instead === undefined ? [...each.excluded, ...(instead.get(each.uid) ?? [])] : each.excluded)))
}
