// Whether what was promised to a customer was kept.
import type { LedgerEntry } from './error-budget.ts'
import type { Indicator, MaintenanceTime, ObjectiveCounts } from './slo.ts'
import type { Milliseconds, Ratio } from './units.ts'

/** A day of a period. */
export interface AgreementDay extends ObjectiveCounts {
  /** In the time zone of the agreement, as 2026-11-28. */
  readonly day: string
  readonly attainment: Ratio | null
}

/** What a period came to, with what shows it. */
export interface AgreementReport {
  readonly id: string
  readonly name: string
  readonly customer: string
  readonly service: string
  readonly environment: string
  readonly consequence: string
  readonly period: string
  readonly timeZone: string
  readonly from: Milliseconds
  /** The end of the period. */
  readonly to: Milliseconds
  /** Up to when it is counted: less than `to` while the period is under way. */
  readonly countedTo: Milliseconds
  readonly isFinal: boolean
  readonly madeAt: Milliseconds
  /** Null where nothing was counted: then nobody can say. */
  readonly kept: boolean | null
  readonly target: Ratio
  readonly attainment: Ratio | null
  /** The attainment less the target; negative where it was broken. */
  readonly margin: Ratio | null
  readonly total: number
  readonly bad: number
  /** How many may be bad. */
  readonly allowed: number
  /** Of what is allowed; above 1 where it was broken. */
  readonly spent: Ratio | null
  readonly days: readonly AgreementDay[]
  readonly incidents: readonly (LedgerEntry & { readonly start: Milliseconds; readonly end: Milliseconds | null })[]
  /** What was bad outside of incidents. */
  readonly outsideIncidents: number
  /** Left out, with what was counted in it. */
  readonly maintenance: readonly (MaintenanceTime & ObjectiveCounts)[]
  readonly evidence: {
    /** What is counted, and when it is good. */
    readonly indicator: Indicator
    readonly objective: Ratio
    /** Minutes of the period so far without maintenance, and how many of them have counts. */
    readonly minutes: number
    readonly minutesWithData: number
    readonly minutesWithBad: number
    /** Those with the most bad ones. */
    readonly worst: readonly (ObjectiveCounts & { readonly time: Milliseconds })[]
  }
}
