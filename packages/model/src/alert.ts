import type { Labels } from './labels.ts'
import type { Milliseconds } from './units.ts'
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

/** Who found it: a rule, an objective, a detector, silence of a source, the application in its own process, another Prometheus, or Andon about itself. */
export type AlertSource = 'rule' | 'objective' | 'detector' | 'telemetry' | 'application' | 'api' | 'andon'

/** One thing that is wrong, or was. Its labels are its identity. */
export interface Alert {
  /** With `alertname`. */
  readonly labels: Labels
  readonly annotations: Labels
  readonly source: AlertSource
  readonly startsAt: Milliseconds
  /** Undefined while it lasts and until its source says otherwise. In the future where a source says how long it may be believed. */
  readonly endsAt: Milliseconds | undefined
  /** Where its source shows it; '' where nowhere. */
  readonly generatorUrl: string
  /** What was measured last, in the unit of what it watches. */
  readonly value: number | undefined
  /** The PromQL of what it watches, without the comparison: for pictures and pages. */
  readonly expression: string | undefined
  /** When what is wrong is estimated to have begun, before it was found. */
  readonly onsetAt: Milliseconds | undefined
}

/** Where alerts are handed to by what finds them; the server's AlertManager is one. */
export interface AlertReceiver {
  /**
   * Takes alerts that last, and ones that have ended. An alert that lasts is handed in again at every evaluation.
   * Settles when what changed is stored.
   */
  accept(alerts: readonly Alert[]): Promise<void>
}

export type AlertStatus = 'firing' | 'resolved'

/** An alert that began to fire, or ceased to. */
export interface AlertChange {
  readonly alert: Alert
  /** 16 hexadecimal digits, as Alertmanager makes them of labels. */
  readonly fingerprint: string
  readonly status: AlertStatus
  readonly at: Milliseconds
}

/** Which incident an alert belongs to. */
export interface IncidentBook {
  /** @returns the incident of each alert by its fingerprint; one that belongs to none has no entry. Settles when stored. */
  join(changes: readonly AlertChange[]): Promise<ReadonlyMap<string, string>>
  /** Notes in the timeline of an incident what was told, or was not. */
  told(deliveries: readonly Delivery[]): Promise<void>
  /** Why an alert that begins to fire is a ticket although it says that it pages, in a sentence; undefined where it is what it says. */
  ticketBecause(change: AlertChange): string | undefined
}

/** What became of a message. */
export interface Delivery {
  readonly incident: string
  readonly channel: string
  /** The id of the notification it belongs to. */
  readonly notification: string
  readonly state: 'delivered' | 'retrying' | 'given-up' | 'coalesced'
  readonly at: Milliseconds
  /** Why it is late or was given up; '' otherwise. */
  readonly detail: string
}

/** An alert in a list: one that fires, or that flaps and is told as firing until it has calmed down. */
export interface ListedAlert {
  /** 16 hexadecimal digits, as Alertmanager makes them of labels. */
  readonly fingerprint: string
  readonly status: AlertStatus
  /** Suppressed while something holds it back. */
  readonly state: 'active' | 'suppressed'
  readonly flapping: boolean
  /** '' where it names none. */
  readonly service: string
  readonly severity: Severity
  /** Why it is told as a ticket although its label says that it pages; null where it is told as what it says. */
  readonly ticketBecause: string | null
  readonly labels: Labels
  readonly annotations: Labels
  readonly source: AlertSource
  readonly startsAt: Milliseconds
  readonly onsetAt: Milliseconds | null
  /** When it last began to fire, or ceased to. */
  readonly changedAt: Milliseconds
  readonly updatedAt: Milliseconds
  readonly value: number | null
  /** PromQL; null where it is not known. */
  readonly expression: string | null
  readonly generatorUrl: string
  /** The id of the incident that it belongs to; null where none. */
  readonly incident: string | null
  /** Ids of silences. */
  readonly silencedBy: readonly string[]
  /** Fingerprints of alerts that hold it back. */
  readonly inhibitedBy: readonly string[]
  /** Names of time intervals. */
  readonly mutedBy: readonly string[]
  readonly receivers: readonly string[]
}

/** A change of an alert in a list. */
export interface ListedAlertChange extends Pick<ListedAlert, 'status' | 'fingerprint' | 'service' | 'severity' | 'labels' | 'annotations' | 'source' | 'startsAt' | 'value' | 'incident'> {
  readonly at: Milliseconds
}
