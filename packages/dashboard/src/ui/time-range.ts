import type { Milliseconds, TimeRange } from '@andon/model'

/** A range of time as a person chose it and as the URL holds it: each end `now`, `now-15m` or an ISO time in UTC. */
export interface TimeSelection {
  readonly from: string
  readonly to: string
}

/** In which zone times are written. */
export type Zone = 'local' | 'utc'

/** What is shown when nobody chose. */
export const DEFAULT_SELECTION: TimeSelection = { from: 'now-15m', to: 'now' }

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const UNIT_MS: Readonly<Record<string, Milliseconds>> = { s: 1000, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY }
const LONGEST: Milliseconds = 400 * DAY

/** The relative ranges offered by the picker, shortest first. */
export const PRESETS: readonly { readonly from: string; readonly label: string }[] = [
  { from: 'now-5m', label: 'Last 5 minutes' },
  { from: 'now-15m', label: 'Last 15 minutes' },
  { from: 'now-30m', label: 'Last 30 minutes' },
  { from: 'now-1h', label: 'Last hour' },
  { from: 'now-3h', label: 'Last 3 hours' },
  { from: 'now-6h', label: 'Last 6 hours' },
  { from: 'now-12h', label: 'Last 12 hours' },
  { from: 'now-1d', label: 'Last 24 hours' },
  { from: 'now-2d', label: 'Last 2 days' },
  { from: 'now-7d', label: 'Last 7 days' },
]

/** How long before now a relative end is, in milliseconds; null when the text is not relative. */
function relativeOffset(text: string): Milliseconds | null {
  if (text === 'now') return 0
  const match = /^now-(\d{1,6})([smhdw])$/.exec(text)
  if (match === null) return null
  const offset = Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN)
  return offset <= LONGEST ? offset : null
}

/**
 * One end of a range as a point in time.
 *
 * @param text - `now`, `now-N[smhdw]`, or an ISO time
 * @param now - milliseconds since the Unix epoch
 * @returns milliseconds since the Unix epoch; null when the text is none of these
 * @example resolveTime('now-1m', 120_000) // 60_000
 */
export function resolveTime(text: string, now: Milliseconds): Milliseconds | null {
  const offset = relativeOffset(text)
  if (offset !== null) return now - offset
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return null
  const time = Date.parse(text)
  return Number.isNaN(time) ? null : time
}

/**
 * The selection as points in time; an impossible selection (unreadable, or its end not after its start) is the default one.
 *
 * @param now - milliseconds since the Unix epoch
 */
export function resolveRange(selection: TimeSelection, now: Milliseconds): TimeRange {
  const start = resolveTime(selection.from, now)
  const end = resolveTime(selection.to, now)
  if (start !== null && end !== null && end > start) return { start, end }
  return { start: now - 15 * MINUTE, end: now }
}

/** True when the selection moves with the clock: its end is relative. */
export function isRelative(selection: TimeSelection): boolean {
  return relativeOffset(selection.to) !== null
}

/** True when both ends can be read and the end lies after the start. */
export function isValidSelection(selection: TimeSelection, now: Milliseconds): boolean {
  const start = resolveTime(selection.from, now)
  const end = resolveTime(selection.to, now)
  return start !== null && end !== null && end > start && end - start <= LONGEST
}

/** An absolute selection at least one second long; ends are rounded outwards, to whole seconds where it is longer than a minute. */
export function absoluteSelection(range: TimeRange): TimeSelection {
  const unit = range.end - range.start > MINUTE ? 1000 : 1
  const start = Math.floor(range.start / unit) * unit
  const end = Math.max(Math.ceil(range.end / unit) * unit, start + 1000)
  return { from: isoShort(start), to: isoShort(end) }
}

/** ISO in UTC, without the milliseconds where they are zero: URLs are read by people too. */
function isoShort(time: Milliseconds): string {
  return new Date(time).toISOString().replace('.000Z', 'Z')
}

/**
 * A selection twice as long: a relative one goes to the next longer preset, an absolute one grows on both sides (never past now).
 *
 * @param now - milliseconds since the Unix epoch
 */
export function zoomOut(selection: TimeSelection, now: Milliseconds): TimeSelection {
  const { start, end } = resolveRange(selection, now)
  const length = Math.min(end - start, LONGEST / 2)
  if (selection.to === 'now') {
    const longer = PRESETS.find((preset) => (relativeOffset(preset.from) ?? 0) >= 2 * length)
    if (longer !== undefined) return { from: longer.from, to: 'now' }
  }
  const newEnd = Math.min(end + length / 2, Math.max(now, end))
  return absoluteSelection({ start: newEnd - 2 * length, end: newEnd })
}

/** A selection moved by its own half length, earlier (-1) or later (+1, not past now); always absolute. */
export function shift(selection: TimeSelection, direction: -1 | 1, now: Milliseconds): TimeSelection {
  const { start, end } = resolveRange(selection, now)
  const by = Math.min(((end - start) / 2) * direction, Math.max(0, now - end))
  return absoluteSelection({ start: start + by, end: end + by })
}

/**
 * What a person typed as one end of a range: `now-2h`, `2h` (before now), `2026-11-24`, `2026-11-24 13:05[:10]`, an ISO time,
 * or milliseconds since the Unix epoch.
 *
 * @param zone - of a time typed without one
 * @returns the text for the URL; null when it cannot be read
 */
export function parseTypedTime(text: string, zone: Zone): string | null {
  const typed = text.trim()
  if (relativeOffset(typed) !== null) return typed
  if (relativeOffset(`now-${typed}`) !== null) return `now-${typed}`
  if (/^\d{12,14}$/.test(typed)) return isoShort(Number(typed))
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?\s*(Z|[+-]\d{2}:?\d{2})?$/.exec(typed)
  if (match === null) return null
  const clock = (match[2] ?? '00:00').replace(/^(?=\d:)/, '0')
  const time = Date.parse(`${match[1] ?? ''}T${clock}${match[3] ?? (zone === 'utc' ? 'Z' : '')}`)
  return Number.isNaN(time) ? null : isoShort(time)
}
