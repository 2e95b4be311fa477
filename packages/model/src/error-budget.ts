// What is left of what may be bad, how long it lasts, and who spent it.
import type { Milliseconds, Ratio } from './units.ts'

/** How a budget stands. */
export interface BudgetStanding {
  readonly total: number
  readonly bad: number
  /** Null where nothing was counted. */
  readonly attainment: Ratio | null
  /** How many bad ones the target allows of what was counted. */
  readonly allowed: number
  /** Of what is allowed; negative where more was bad. Null where nothing was counted. */
  readonly remaining: Ratio | null
  /** What is left, in minutes in which all would fail; negative where it is overspent. Null where nothing was counted. */
  readonly outageMinutes: number | null
  /** Until nothing is left if it goes on as in the last hour; 0 where nothing is left, null where it lasts. */
  readonly exhaustedInMs: Milliseconds | null
}

/** One window of an objective. */
export interface WindowStanding extends BudgetStanding {
  readonly name: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  /** When the period of a calendar ends; null for one that rolls. */
  readonly ends: Milliseconds | null
}

/** What the end of a period will bring if it goes on as in the last day. */
export interface BudgetProjection {
  readonly end: Milliseconds
  readonly attainment: Ratio | null
  /** Of what will be allowed; above 1 where the target will be missed. */
  readonly spent: Ratio | null
  readonly kept: boolean | null
}

/** A point of a burn-down: what is left of the whole period's budget. */
export interface BurnDownPoint {
  readonly time: Milliseconds
  readonly bad: number
  readonly total: number
  /** Of the budget of the whole window, after this step; negative where it is overspent. */
  readonly remaining: Ratio
  /** What would be left if it were spent evenly. */
  readonly ideal: Ratio
}

/** The course of a budget over one window. */
export interface BurnDown {
  readonly window: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  /** When the window ends: `to` for one that rolls. */
  readonly ends: Milliseconds
  readonly stepMs: Milliseconds
  readonly points: readonly BurnDownPoint[]
}

/** Somebody's part in what was bad. */
export interface LedgerEntry {
  /** An incident's id, a route, a version; '' for what belongs to none. */
  readonly key: string
  readonly title: string
  readonly bad: number
  readonly total: number
  /** Of all that was bad. */
  readonly share: Ratio
  /** Of what is allowed in the window. */
  readonly budget: Ratio | null
}

/** Who spent the budget of a window; each list adds up to all that was bad. */
export interface BudgetLedger {
  readonly window: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly bad: number
  readonly total: number
  readonly allowed: number
  readonly byIncident: readonly LedgerEntry[]
  readonly byRoute: readonly LedgerEntry[]
  readonly byRelease: readonly LedgerEntry[]
}

/** How windows would stand with another target, and what the months before would have been. */
export interface WhatIf {
  readonly target: Ratio
  readonly windows: readonly WindowStanding[]
  readonly burnRates: Readonly<Record<string, number | null>>
  /** The newest first, each such as 2026-11. */
  readonly months: readonly { readonly month: string; readonly attainment: Ratio | null; readonly kept: boolean | null }[]
}
