// Objectives: what share of a service's work must be good, over which time, and what is promised to whom.
import type { BudgetProjection, WindowStanding } from './error-budget.ts'
import type { Labels } from './labels.ts'
import type { TimeRange } from './time-range.ts'
import type { Milliseconds, Ratio } from './units.ts'

/** Over which time an objective is held. */
export type ObjectiveWindow =
  | { readonly kind: 'rolling'; readonly name: string; readonly lengthMs: Milliseconds }
  | { readonly kind: 'calendar'; readonly name: string; readonly unit: CalendarUnit; readonly timeZone: string }

export const CALENDAR_UNITS = ['week', 'month', 'quarter', 'year'] as const
export type CalendarUnit = (typeof CALENDAR_UNITS)[number]

/** What is counted, and when it is good. */
export type Indicator =
  | {
      /** Requests and messages as the service itself saw them, from its spans by their weights. */
      readonly kind: 'spans'
      readonly service: string
      /** Undefined for all of them. */
      readonly environment: string | undefined
      /** Only these; empty for all. The last character of each may be `*`. */
      readonly routes: readonly string[]
      readonly exceptRoutes: readonly string[]
      /** A request is good that did not fail; or, of those that did not fail, one that took no longer. */
      readonly underMs: Milliseconds | undefined
    }
  | {
      /** Expressions whose values are the counts of one slice. */
      readonly kind: 'counts'
      readonly good: string | undefined
      readonly bad: string | undefined
      readonly total: string
      /** How the values are counts: as rises of counters, or as they are. */
      readonly counter: boolean
    }
  | {
      /** An expression whose value is a share of errors: each slice counts as one. */
      readonly kind: 'ratio'
      readonly bad: string
    }

/** Time in which nothing is held against an objective. */
export type MaintenanceWindow =
  | { readonly kind: 'once'; readonly start: Milliseconds; readonly end: Milliseconds; readonly comment: string }
  | {
      readonly kind: 'weekly'
      /** 0 is Sunday. */
      readonly days: readonly number[]
      /** Minutes since midnight in the time zone. */
      readonly startMinute: number
      readonly minutes: number
      readonly timeZone: string
      readonly comment: string
    }

/** What makes an objective an agreement: whom it was promised to, and what follows when it is broken. */
export interface Agreement {
  readonly customer: string
  readonly unit: Extract<CalendarUnit, 'month' | 'quarter' | 'year'>
  readonly timeZone: string
  readonly consequence: string
  /** What was promised, where it is less than the objective. */
  readonly target: Ratio
}

export interface Objective {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly service: string
  readonly environment: string
  readonly indicator: Indicator
  /** The share that must be good; greater than 0 and less than 1. */
  readonly target: Ratio
  /** At least one; the first is what burn rates are of. */
  readonly windows: readonly ObjectiveWindow[]
  readonly maintenance: readonly MaintenanceWindow[]
  readonly agreement: Agreement | undefined
  readonly labels: Labels
  readonly annotations: Labels
  /** The name of a runbook; '' for none. */
  readonly runbook: string
  readonly alerts: { readonly page: boolean; readonly ticket: boolean; readonly fast: boolean }
  /** The file that it stands in; '' where Andon made it for a service of which nothing was said. */
  readonly file: string
}

/** What was counted in some time. Not whole where samples stand for several. */
export interface ObjectiveCounts {
  readonly bad: number
  readonly total: number
}

/** A time of maintenance with what was said of it. */
export interface MaintenanceTime extends TimeRange {
  readonly comment: string
}

/** How an objective can call: as what wakes a person, or as what can wait for the morning. */
export const URGENCIES = ['page', 'ticket'] as const
export type Urgency = (typeof URGENCIES)[number]

/** An alert of an objective. */
export interface ObjectiveAlert {
  readonly state: 'firing' | 'resolved'
  readonly startsAt: Milliseconds
  readonly endsAt: Milliseconds | undefined
  readonly onsetAt: Milliseconds | undefined
  /** The share of bad ones when it was last seen, and over how long. */
  readonly value: number | undefined
  readonly overMs: Milliseconds
  /** What says so: windows, or the fast test. */
  readonly by: readonly string[]
  /** Since when nothing is known, because nothing is counted: until then it is as it was. */
  readonly noDataSince: Milliseconds | undefined
}

/** How an objective stands: its alert that fires, the more urgent one of two. */
export type ObjectiveState = 'ok' | Urgency | 'no-data'

/** An objective in a list. */
export interface ObjectiveSummary {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly service: string
  readonly environment: string
  readonly kind: 'availability' | 'latency' | 'counts' | 'ratio'
  readonly target: Ratio
  /** Whether Andon made it, because nothing was said of the service. */
  readonly isDefault: boolean
  readonly customer: string | null
  readonly state: ObjectiveState
  readonly since: Milliseconds | null
  readonly lastData: Milliseconds | null
  /** Up to when it is counted. */
  readonly countedTo: Milliseconds
  /** Why it could not be counted the last time; '' where it could. */
  readonly lastError: string
  readonly windows: readonly WindowStanding[]
  /** How many times as fast as allowed the budget is spent, by window; null where nothing was counted. */
  readonly burnRates: Readonly<Record<string, number | null>>
}

/** All of one objective. */
export interface ObjectiveDetail extends ObjectiveSummary {
  readonly objective: Objective
  /** PromQL of the share of bad ones; null where it has none. */
  readonly expression: string | null
  readonly alerts: Readonly<Partial<Record<Urgency, ObjectiveAlert>>>
  readonly month: BudgetProjection
  /** Of the last week and the next four. */
  readonly maintenance: readonly MaintenanceTime[]
}
