// Objectives: what share of a service's work must be good, over which time, and what is promised to whom.
import type { Labels } from './labels.ts'
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
