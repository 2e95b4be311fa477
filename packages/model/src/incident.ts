import type { AlertStatus, AlertSource } from './alert.ts'
import type { Labels } from './labels.ts'
import type { Milliseconds, Ratio } from './units.ts'

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

/** Where an escalation stands. */
export interface IncidentEscalation {
  /** The name of its policy. */
  readonly policy: string
  /** How often the incident has begun to escalate, from 1: a reopened one, or one whose acknowledgement is too old, begins anew. */
  readonly run: number
  /** How often the steps were gone through in this run, from 0. */
  readonly round: number
  /** The step that comes next. */
  readonly step: number
  /** When it comes; null where none does: it was acknowledged, closed, or has come to its end. */
  readonly nextAt: Milliseconds | null
  /** Whether it waits for an update of those who have acknowledged, and begins anew where none comes. */
  readonly resting: boolean
  /** Receivers that were told, which are told of the end too. */
  readonly told: readonly string[]
}

/** A step of a runbook that was done. */
export interface TickedStep {
  /** The runbook's name. */
  readonly runbook: string
  /** From 0. */
  readonly step: number
  readonly text: string
  readonly at: Milliseconds
  readonly actor: string
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

/** What was kept of an incident beyond the retention of where it comes from. */
export interface Evidence {
  /** Within its incident; what is pinned anew takes its place. */
  readonly name: string
  readonly kind: 'trace' | 'errors' | 'statements' | 'series'
  readonly title: string
  readonly at: Milliseconds
  /** Whether some of it was left out because it is too large. */
  readonly cut: boolean
  readonly data: unknown
}

/** Times of one incident; null where there is none yet. None is negative. */
export interface IncidentFigures {
  /** To detect: from the estimated onset. */
  readonly mttdMs: Milliseconds
  /** To acknowledge: from the detection. */
  readonly mttaMs: Milliseconds | null
  /** To mitigate: from the onset. */
  readonly mttmMs: Milliseconds | null
  /** To resolve: from the onset. */
  readonly mttrMs: Milliseconds | null
}

/** A figure over several incidents. Never the mean alone: it hides the bad ones. */
export interface FigureSummary {
  readonly count: number
  readonly p50Ms: Milliseconds | null
  readonly p90Ms: Milliseconds | null
  readonly objectiveMs: Milliseconds | null
  /** The share of them within the objective; null where there are none or there is no objective. */
  readonly within: Ratio | null
}

/** How good a rule is at calling people. */
export interface AlertQuality {
  readonly rule: string
  /** Times that its alerts began to fire. */
  readonly fired: number
  readonly perWeek: number
  /** Incidents that it opened or made open again. */
  readonly pages: number
  readonly real: number
  readonly noise: number
  readonly expected: number
  /** real / (real + noise); null where nobody has judged. */
  readonly precision: Ratio | null
  /** From the detection of the incidents that it opened to their acknowledgement. */
  readonly medianAckMs: Milliseconds | null
  /** Whether it is proposed to be a ticket from now on. */
  readonly proposal: 'demote' | null
  /** Its pages of some service are tickets until then, because they have used up their budget. */
  readonly demotedUntil: Milliseconds | null
  /** Why it is proposed to be demoted, or is; '' otherwise. */
  readonly reason: string
}

/** A procedure for an incident, written before it was needed. */
export interface Runbook {
  /** The name of its file without `.md`. */
  readonly name: string
  readonly title: string
  /** Names of alerts; `*` stands for any text. */
  readonly alerts: readonly string[]
  /** What an alert's labels must hold; `*` stands for any text. With these alone any alert that has them is meant. */
  readonly labels: Labels
  /** '' for any. */
  readonly severity: string
  readonly owner: string
  readonly checks: readonly { readonly title: string; readonly query: string }[]
  readonly actions: readonly string[]
  /** Markdown, without the front matter. */
  readonly text: string
  readonly from: 'andon' | 'own'
}

/** What a check of a runbook said. */
export interface CheckResult {
  readonly title: string
  /** As it was asked, with the service filled in. */
  readonly query: string
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[]
  /** Samples that are left out. */
  readonly more: number
  /** Why there is no answer; '' where there is one. */
  readonly error: string
}

/** Who is called, and from when to when. */
export interface OnCallShift {
  readonly person: string
  /** The receiver that reaches this person. */
  readonly receiver: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  /** Whether somebody stands in for who would have been called. */
  readonly override: boolean
}
