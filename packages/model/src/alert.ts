import type { ThresholdOperator } from './threshold.ts'

export const SEVERITIES = ['info', 'warning', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** A threshold on a metric, in the asked-for simple form. */
export interface ThresholdRule {
  readonly id: string
  readonly metric: string
  readonly operator: ThresholdOperator
  /** In the unit of the metric. */
  readonly threshold: number
  readonly severity: Severity
  readonly message: string
  /** The rule holds for measurements that carry all of these tags with these values. */
  readonly tags?: Readonly<Record<string, string>>
}

/** Something a person may have to know, before it is joined with others and told. */
export interface AlertSignal {
  /** Such as PERFORMANCE_THRESHOLD_EXCEEDED or ERROR_RATE_EXCEEDED. */
  readonly type: string
  readonly metric?: string
  readonly value?: number
  readonly threshold?: number
  readonly severity: Severity
  readonly message?: string
  /** The rule it comes from, where one is known: the alert's identity. */
  readonly rule?: string
  readonly tags?: Readonly<Record<string, string>>
}

/** Where alerts are handed to. Implemented by the agent's in-process thresholds and by the server's AlertManager. */
export interface AlertSink {
  addRule(rule: ThresholdRule): void
  /** Holds a measurement against the rules of its metric. */
  checkMetric(name: string, value: number, tags?: Readonly<Record<string, string>>): void
  /** Counts an error and raises an alert when its rate is too high. */
  checkErrorRate(error: Error, context?: Readonly<Record<string, unknown>>): void
  triggerAlert(alert: AlertSignal): void
  /** What is active now, the oldest first. */
  getActiveAlerts(): readonly AlertSignal[]
}
