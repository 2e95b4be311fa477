// When nothing is held against an objective.
import { civilOf, type MaintenanceTime, type MaintenanceWindow, type Milliseconds, type TimeRange, wallOf } from '@andon/model'
import { timeAt } from './calendar.ts'

const MINUTE: Milliseconds = 60_000
const DAY: Milliseconds = 86_400_000

const floorMinute = (time: Milliseconds): Milliseconds => Math.floor(time / MINUTE) * MINUTE
const ceilMinute = (time: Milliseconds): Milliseconds => Math.ceil(time / MINUTE) * MINUTE

function occurrences(window: MaintenanceWindow, { start, end }: TimeRange): MaintenanceTime[] {
  const { comment } = window
  if (window.kind === 'once') return [{ start: floorMinute(window.start), end: ceilMinute(window.end), comment }]
  const { timeZone, days, startMinute, minutes } = window
  const found: MaintenanceTime[] = []
  for (let day = start - 2 * DAY - minutes * MINUTE; day < end + DAY; day += DAY) {
    const { year, month, day: date, weekday } = civilOf(wallOf(day, timeZone))
    if (!days.includes(weekday)) continue
    const at = timeAt({ year, month, day: date, minute: startMinute }, timeZone)
    found.push({ start: at, end: at + minutes * MINUTE, comment })
  }
  return found
}

/** The maintenance within a range, in whole minutes, in order; what overlaps is one. */
export function maintenanceWithin(windows: readonly MaintenanceWindow[], range: TimeRange): MaintenanceTime[] {
  const all = windows
    .flatMap((window) => occurrences(window, range))
    .map(({ start, end, comment }) => ({ start: Math.max(start, range.start), end: Math.min(end, range.end), comment }))
    .filter(({ start, end }) => start < end)
    .toSorted((a, b) => a.start - b.start)
  const merged: MaintenanceTime[] = []
  for (const each of all) {
    const last = merged.at(-1)
    if (last === undefined || each.start > last.end) merged.push(each)
    else {
      const comment = last.comment === each.comment || each.comment === '' ? last.comment : [last.comment, each.comment].filter((part) => part !== '').join('; ')
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, each.end), comment }
    }
  }
  return merged
}

/** Whether a time lies in maintenance; the times in order. */
export function isWithin(times: readonly TimeRange[], time: Milliseconds): boolean {
  return times.some(({ start, end }) => time >= start && time < end)
}
