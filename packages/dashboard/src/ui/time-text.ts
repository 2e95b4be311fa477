import type { Milliseconds } from '@andon/model'
import { isRelative, PRESETS, resolveTime, type TimeSelection, type Zone } from './time-range.ts'

const zoneOf = (zone: Zone): { timeZone?: string } => (zone === 'utc' ? { timeZone: 'UTC' } : {})
const formats = new Map<string, Intl.DateTimeFormat>()

function format(key: string, zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const id = `${key}/${zone}`
  let found = formats.get(id)
  if (found === undefined) {
    found = new Intl.DateTimeFormat('en-GB', { ...options, ...zoneOf(zone) })
    formats.set(id, found)
  }
  return found
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }

/**
 * A time of day.
 *
 * @param time - milliseconds since the Unix epoch
 * @example clockText(0, 'utc') // '00:00:00'
 */
export function clockText(time: Milliseconds, zone: Zone): string {
  return format('clock', zone, CLOCK).format(time)
}

/**
 * A date and time of day, sortable as text.
 *
 * @param time - milliseconds since the Unix epoch
 * @example timeText(0, 'utc') // '1970-01-01 00:00:00'
 */
export function timeText(time: Milliseconds, zone: Zone): string {
  const part = new Map(format('full', zone, { ...CLOCK, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(time).map((p) => [p.type, p.value]))
  const get = (type: Intl.DateTimeFormatPartTypes): string => part.get(type) ?? ''
  return `${get('year')}-${get('month')}-${get('day')} ${get('hour')}:${get('minute')}:${get('second')}`
}

/** `timeText` with milliseconds. */
export function preciseTimeText(time: Milliseconds, zone: Zone): string {
  return `${timeText(time, zone)}.${String(Math.floor(time) % 1000).padStart(3, '0')}`
}

/**
 * How long ago something was, in one unit.
 *
 * @param time - milliseconds since the Unix epoch
 * @param now - milliseconds since the Unix epoch
 * @example agoText(0, 90_000) // '1 min ago'
 */
export function agoText(time: Milliseconds, now: Milliseconds): string {
  const seconds = Math.floor(Math.max(0, now - time) / 1000)
  if (seconds < 1) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** A selection in words: the preset's name, or both ends as times. */
export function selectionText(selection: TimeSelection, zone: Zone): string {
  const preset = selection.to === 'now' ? PRESETS.find((candidate) => candidate.from === selection.from) : undefined
  if (preset !== undefined) return preset.label
  if (isRelative(selection)) return `${selection.from} to ${selection.to}`
  const start = resolveTime(selection.from, 0)
  const end = resolveTime(selection.to, 0)
  if (start === null || end === null) return `${selection.from} to ${selection.to}`
  const [from, to] = [timeText(start, zone), timeText(end, zone)]
  return from.slice(0, 10) === to.slice(0, 10) ? `${from} – ${to.slice(11)}` : `${from} – ${to}`
}

const pair = (large: number, unit: string, small: number, smallUnit: string): string => (small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`)

/**
 * How long something lasts, in its two largest units.
 *
 * @param length - milliseconds; negative counts as none
 * @example lastedText(3_905_000) // '1 h 5 min'
 */
export function lastedText(length: Milliseconds): string {
  const seconds = Math.round(Math.max(0, length) / 1000)
  if (seconds < 60) return `${seconds} s`
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  if (minutes < 60) return pair(minutes, 'min', minutes < 10 ? seconds % 60 : 0, 's')
  if (hours < 48) return pair(hours, 'h', minutes % 60, 'min')
  return pair(days, 'd', days < 10 ? hours % 24 : 0, 'h')
}

/** A time as short as it can be told apart from `now`: the clock alone on the same day, else with its date. */
export function shortTimeText(time: Milliseconds, now: Milliseconds, zone: Zone): string {
  const text = timeText(time, zone)
  return text.slice(0, 10) === timeText(now, zone).slice(0, 10) ? text.slice(11, 16) : text.slice(5, 16)
}
