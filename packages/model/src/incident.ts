import type { AlertStatus, AlertSource } from './alert.ts'
import type { IncidentFigures } from './incident-figures.ts'
import type { Labels } from './labels.ts'
import type { IncidentEscalation } from './on-call.ts'
import type { TickedStep } from './runbook.ts'
import type { Milliseconds } from './units.ts'

/** What becomes of an incident, in order: a state is never left for an earlier one, except that an incident can be reopened. */
export const INCIDENT_STATES = ['detected', 'acknowledged', 'mitigated', 'resolved', 'reviewed'] as const
export type IncidentState = (typeof INCIDENT_STATES)[number]

/** What an alert was good for, as the people say who were called by it. */
export const ALERT_VERDICTS = ['real', 'noise', 'expected'] as const
export type AlertVerdict = (typeof ALERT_VERDICTS)[number]

/** Who has set a state, and when. */
export interface IncidentMark {
  readonly at: Milliseconds
  /** `andon` where nobody did. */
  readonly actor: string
}

/** An alert of an incident, as it was last handed in. */
export interface IncidentAlert {
  /** 16 hexadecimal digits, as Alertmanager makes them of labels. */
  readonly fingerprint: string
  /** Its label `alertname`. */
  readonly rule: string
  readonly status: AlertStatus
  readonly severity: string
  readonly source: AlertSource
  /** '' where it names none. */
  readonly service: string
  readonly labels: Labels
  /** Long texts are cut. */
  readonly annotations: Labels
  readonly startsAt: Milliseconds
  readonly endsAt: Milliseconds | null
  /** When what is wrong is estimated to have begun. */
  readonly onsetAt: Milliseconds
  readonly value: number | null
  /** The PromQL of what it watches; null where it is not known. */
  readonly expression: string | null
  readonly generatorUrl: string
  /** How often it has begun to fire in this incident. */
  readonly fired: number
}

/** Something that is wrong as people deal with it: alerts that belong together, and what is done about them. Its timeline is kept apart. */
export interface Incident {
  /** At most 32 of [a-z0-9-]. */
  readonly id: string
  /** Grows by one with each change of its state; whoever changes it may say which one they have seen. */
  readonly revision: number
  readonly title: string
  readonly state: IncidentState
  /** The worst that its alerts had. */
  readonly severity: string
  /** The service that it began with; '' where none is known. */
  readonly service: string
  readonly environment: string
  /** All that it concerns, the one that it began with first. */
  readonly services: readonly string[]
  /** `alert` and the rule, or `person` and who it was. */
  readonly openedBy: { readonly kind: 'alert' | 'person'; readonly name: string }
  /** When it is estimated to have begun; never after it was detected. */
  readonly onsetAt: Milliseconds
  /** The states that it went through since it was opened or last reopened; `detected` is always there. */
  readonly marks: Readonly<Partial<Record<IncidentState, IncidentMark>>> & { readonly detected: IncidentMark }
  /** Also of before it was reopened. */
  readonly firstAcknowledgedAt: Milliseconds | null
  /** When somebody last did something about it. */
  readonly touchedAt: Milliseconds
  /** When an alert of it last began to fire. */
  readonly firedAt: Milliseconds
  /** How often. */
  readonly reopened: number
  readonly alerts: readonly IncidentAlert[]
  /** Resolved ones that had to make room. */
  readonly forgottenAlerts: number
  readonly steps: readonly TickedStep[]
  /** By rule. */
  readonly verdicts: Readonly<Record<string, { readonly verdict: AlertVerdict; readonly at: Milliseconds; readonly actor: string }>>
  /** When rules called people: those that opened it or made it open again. */
  readonly pages: readonly { readonly rule: string; readonly service: string; readonly source: AlertSource; readonly at: Milliseconds }[]
  readonly escalation: IncidentEscalation | null
  /** When evidence was pinned: some time after it was opened, and after it was resolved. */
  readonly evidenceAt: { readonly opened: Milliseconds | null; readonly resolved: Milliseconds | null }
}

/** What an entry of a timeline tells. */
export const TIMELINE_KINDS = ['opened', 'alert', 'state', 'reopened', 'comment', 'action', 'step', 'deploy', 'notification', 'escalation', 'evidence', 'quality', 'alert-budget'] as const
export type TimelineKind = (typeof TIMELINE_KINDS)[number]

/** Something that happened in an incident. */
export interface TimelineEntry {
  /** What a repetition is known by, within its incident. */
  readonly id: string
  /** When it happened; it may have been noted later. */
  readonly at: Milliseconds
  readonly kind: TimelineKind
  /** `andon` where nobody did it. */
  readonly actor: string
  /** For people. */
  readonly text: string
  /** For programs. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}

/** An incident in a list. */
export interface IncidentRow extends Pick<Incident, 'id' | 'revision' | 'title' | 'state' | 'severity' | 'service' | 'environment' | 'services' | 'openedBy' | 'onsetAt' | 'reopened'> {
  readonly detectedAt: Milliseconds
  readonly acknowledged: IncidentMark | null
  readonly resolvedAt: Milliseconds | null
  /** How many there are. */
  readonly alerts: number
  /** How many of them fire. */
  readonly firing: number
  /** At most ten. */
  readonly rules: readonly string[]
  readonly figures: IncidentFigures
}

/** An incident with what it took. */
export interface FiguredIncident extends Pick<Incident, 'id' | 'title' | 'service' | 'severity' | 'state'>, IncidentFigures {
  readonly detectedAt: Milliseconds
}
