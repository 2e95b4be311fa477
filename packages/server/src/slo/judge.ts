// Which alerts an objective has, by what was counted of it.
import { type Milliseconds, type ObjectiveDetail, URGENCIES } from '@andon/model'
import { nextAlert, type Seen } from './alerts.ts'
import { burningPairs, burnRate } from './burn-rate.ts'
import { windowLength } from './calendar.ts'
import { onsetOf, SLICE_MS } from './detection.ts'
import { isWithin, maintenanceWithin } from './maintenance.ts'
import type { ObjectiveTracker } from './tracker.ts'

export type ObjectiveAlerts = ObjectiveDetail['alerts']

const MINUTE: Milliseconds = 60_000
/** Nothing counted for so long is no data. */
const DATA_MS: Milliseconds = 5 * 60_000

/** What becomes of the alerts of an objective. */
export function judged(tracker: ObjectiveTracker, before: ObjectiveAlerts, now: Milliseconds): ObjectiveAlerts {
  const { objective, tip, budget, end } = tracker
  const [main] = objective.windows
  const hasData = burnRate(tracker.sum(DATA_MS), budget) !== null
  const pairs = main === undefined ? [] : burningPairs((ms) => tracker.sum(ms), budget, windowLength(main))
  const isMaintained = isWithin(maintenanceWithin(objective.maintenance, { start: end - 2 * SLICE_MS, end: end + SLICE_MS }), end - SLICE_MS)
  const isFast = tip.alarm !== undefined && objective.alerts.fast
  const onset = onsetOf(tip)
  const seenIn = (isPage: boolean): Omit<Seen, 'by'> => {
    const [pair] = pairs.filter(({ pages }) => pages === isPage)
    // Of what has just begun the last minutes of health say nothing, and neither do the last minutes of a window that was spent before.
    const overMs = isPage && isFast && onset !== undefined ? Math.min(DATA_MS, Math.max(MINUTE, end - onset)) : (pair?.shortMs ?? DATA_MS)
    const burn = burnRate(tracker.sum(overMs), budget)
    return { hasData: hasData && !isMaintained, value: burn === null ? undefined : burn * budget, overMs, onset, now }
  }
  const page = nextAlert(before.page, { ...seenIn(true), by: objective.alerts.page ? [...(isFast ? ['fast'] : []), ...pairs.filter(({ pages }) => pages).map(({ name }) => name)] : [] })
  // While a person is paged, a ticket for the same tells nothing new.
  const opens = objective.alerts.ticket && (page?.state !== 'firing' || before.ticket?.state === 'firing')
  const ticket = nextAlert(before.ticket, { ...seenIn(false), by: opens ? pairs.filter(({ pages }) => !pages).map(({ name }) => name) : [] })
  return { ...(page !== undefined && { page }), ...(ticket !== undefined && { ticket }) }
}

/** Whether one began, or ended. */
export function hasChanged(before: ObjectiveAlerts, after: ObjectiveAlerts): boolean {
  return URGENCIES.some((urgency) => before[urgency]?.state !== after[urgency]?.state)
}
