// Rules as they are told.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/#rules
import type { Labels } from './labels.ts'
import type { Milliseconds, Seconds } from './units.ts'

/** An alert of a rule. */
export interface ListedRuleAlert {
  readonly labels: Labels
  readonly annotations: Labels
  readonly state: 'pending' | 'firing'
  /** ISO 8601. */
  readonly activeAt: string
  /** Since when it fires on although its expression holds no more. */
  readonly keepFiringSince?: string
  /** Since when its telemetry is missing; until then it is as it was. Not of Prometheus. */
  readonly noDataSince?: string
  /** As PromQL writes numbers. */
  readonly value: string
}

/** How the last evaluation of a rule went. */
export interface RuleReport {
  readonly health: 'unknown' | 'ok' | 'err'
  /** Absent where it went well. */
  readonly lastError?: string
  readonly evaluationTime: Seconds
  /** ISO 8601. */
  readonly lastEvaluation: string
}

export interface ListedRecordingRule extends RuleReport {
  readonly type: 'recording'
  readonly name: string
  readonly query: string
  readonly labels: Labels
}

export interface ListedAlertingRule extends RuleReport {
  readonly type: 'alerting'
  readonly name: string
  readonly query: string
  /** That of its worst alert. */
  readonly state: 'inactive' | 'pending' | 'firing'
  readonly duration: Seconds
  readonly keepFiringFor: Seconds
  /** What must hold of what fires already, so that it fires on. Not of Prometheus. */
  readonly recovery?: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly alerts: readonly ListedRuleAlert[]
}

export type ListedRule = ListedAlertingRule | ListedRecordingRule

/** Rules that are evaluated together. */
export interface ListedRuleGroup {
  readonly name: string
  readonly file: string
  readonly rules: readonly ListedRule[]
  readonly interval: Seconds
  /** Alerts that a rule may give; 0 for any number. */
  readonly limit: number
  readonly evaluationTime: Seconds
  /** ISO 8601. */
  readonly lastEvaluation: string
}

/** A rule as it was sent: `expr` makes it one as Prometheus writes it, anything else is the simple form. */
export type RuleDefinition = Readonly<Record<string, unknown>>

/** A rule that was made by API or page. */
export interface ListedOwnRule {
  readonly id: string
  readonly definition: RuleDefinition
  readonly alert: string
  readonly expression: string
  /** What must hold of what fires already, so that it fires on; null for the expression itself. */
  readonly recovery: string | null
  readonly forMs: Milliseconds
  readonly keepFiringForMs: Milliseconds
  readonly labels: Labels
  readonly annotations: Labels
  /** 0 where it is not stored. */
  readonly revision: number
  readonly actor: string
  readonly updatedAt: Milliseconds
}
