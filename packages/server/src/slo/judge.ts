// Which alerts an objective has, by what was counted of it.
import type { Milliseconds } from '@andon/model'
import { nextAlert, type ObjectiveAlert, URGENCIES, type Urgency } from './alerts.ts'
import { burningPairs, burnRate } from './burn-rate.ts'
import { windowLength } from './calendar.ts'
import { onsetOf, SLICE_MS } from './detection.ts'
import { isWithin, maintenanceWithin } from './maintenance.ts'
import type { ObjectiveTracker } from './tracker.ts'

export type ObjectiveAlerts = Readonly<Partial<Record<Urgency, ObjectiveAlert>>>

/** Nothing counted for so long is no data. */
const DATA_MS: Milliseconds = 5 * 60_000

/** What becomes of the alerts of an objective. */
export function judged(tracker: ObjectiveTracker, before: ObjectiveAlerts, now: Milliseconds): ObjectiveAlerts {
  const { objective, tip, budget, end } = tracker
  const [main] = objective.windows
  const burn = burnRate(tracker.sum(DATA_MS), budget)
  const pairs = main === undefined ? [] : burningPairs((ms) => tracker.sum(ms), budget, windowLength(main))
  const isMaintained = isWithin(maintenanceWithin(objective.maintenance, { start: end - 2 * SLICE_MS, end: end + SLICE_MS }), end - SLICE_MS)
  const seen = { hasData: burn !== null && !isMaintained, value: burn === null ? undefined : burn * budget, onset: onsetOf(tip), now }
  const fast = tip.alarm !== undefined && objective.alerts.fast ? ['fast'] : []
  const page = nextAlert(before.page, { ...seen, by: objective.alerts.page ? [...fast, ...pairs.filter(({ pages }) => pages).map(({ name }) => name)] : [] })
  // While a person is paged, a ticket for the same tells nothing new.
  const opens = objective.alerts.ticket && (page?.state !== 'firing' || before.ticket?.state === 'firing')
  const ticket = nextAlert(before.ticket, { ...seen, by: opens ? pairs.filter(({ pages }) => !pages).map(({ name }) => name) : [] })
  return { ...(page !== undefined && { page }), ...(ticket !== undefined && { ticket }) }
}

/** Whether one began, or ended. */
export function hasChanged(before: ObjectiveAlerts, after: ObjectiveAlerts): boolean {
  return URGENCIES.some((urgency) => before[urgency]?.state !== after[urgency]?.state)
}
