// What is left of an error budget, and how long it lasts: every ratio is the sum of what was bad over the sum of what was counted.
import type { BudgetProjection, BudgetStanding, BurnDownPoint, Milliseconds, ObjectiveCounts, Ratio, TimeRange } from '@andon/model'
import type { Tally } from './minute-ring.ts'
import { BURN_WINDOWS, burnRate } from './burn-rate.ts'

const MINUTE: Milliseconds = 60_000

/** The share that is good; null where nothing was counted. */
export function attainmentOf({ bad, total }: ObjectiveCounts): Ratio | null {
  return total > 0 ? 1 - bad / total : null
}

/**
 * How a budget stands.
 *
 * @param counted - in the part of the window that has passed
 * @param options.lengthMs - of the part of the window that has passed
 * @param options.recent - what was counted in the last hour
 */
export function standingOf({ bad, total }: ObjectiveCounts, { budget, lengthMs, recent }: { readonly budget: Ratio; readonly lengthMs: Milliseconds; readonly recent: ObjectiveCounts & { readonly lengthMs: Milliseconds } }): BudgetStanding {
  const allowed = total * budget
  const left = allowed - bad
  const perMinute = total / (lengthMs / MINUTE)
  const badPerMs = recent.bad / recent.lengthMs
  const earnedPerMs = (recent.total * budget) / recent.lengthMs
  // What is asked meanwhile adds to what is allowed.
  const spentPerMs = badPerMs - earnedPerMs
  return {
    total,
    bad,
    attainment: attainmentOf({ bad, total }),
    allowed,
    remaining: allowed > 0 ? left / allowed : null,
    outageMinutes: perMinute > 0 ? left / perMinute : null,
    exhaustedInMs: total === 0 ? null : left <= 0 ? 0 : spentPerMs > 0 ? left / spentPerMs : null,
  }
}

/** How fast the budget is spent, by window; null where nothing was counted. */
export function burnRates(sum: (lengthMs: Milliseconds) => Tally, budget: Ratio): Record<string, number | null> {
  return Object.fromEntries(BURN_WINDOWS.map(([name, ms]) => [name, burnRate(sum(ms), budget)]))
}

/** What the end of a period will bring if it goes on as in the last day. */
export function projected(counted: ObjectiveCounts, { period, now, lastDay, budget }: { readonly period: TimeRange; readonly now: Milliseconds; readonly lastDay: ObjectiveCounts & { readonly lengthMs: Milliseconds }; readonly budget: Ratio }): BudgetProjection {
  const share = Math.max(0, period.end - now) / lastDay.lengthMs
  const bad = counted.bad + lastDay.bad * share
  const total = counted.total + lastDay.total * share
  const attainment = attainmentOf({ bad, total })
  return { end: period.end, attainment, spent: total > 0 ? bad / (total * budget) : null, kept: attainment === null ? null : bad <= total * budget }
}

/**
 * What was left of a budget after each step. The whole budget is that of what was counted in the window so far, and, of a period that is
 * not over, of as much per time as until now.
 *
 * @param steps - in order, those of which nothing was counted may be missing
 */
export function burnDown(steps: readonly (ObjectiveCounts & { readonly time: Milliseconds })[], { passed, whole, stepMs, budget }: { readonly passed: TimeRange; readonly whole: TimeRange; readonly stepMs: Milliseconds; readonly budget: Ratio }): BurnDownPoint[] {
  const total = steps.reduce((sum, step) => sum + step.total, 0)
  const share = (passed.end - passed.start) / (whole.end - whole.start)
  const allowed = share > 0 ? (total / share) * budget : 0
  const at = new Map(steps.map((step) => [step.time, step]))
  const points: BurnDownPoint[] = []
  let spent = 0
  for (let time = passed.start; time < passed.end; time += stepMs) {
    const { bad = 0, total: counted = 0 } = at.get(time) ?? {}
    spent += bad
    const end = Math.min(time + stepMs, passed.end)
    points.push({ time, bad, total: counted, remaining: allowed > 0 ? 1 - spent / allowed : 1, ideal: 1 - (end - whole.start) / (whole.end - whole.start) })
  }
  return points
}
