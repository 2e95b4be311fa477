import type { AlertStatus } from './alert.ts'
import type { Labels } from './labels.ts'
import type { Milliseconds } from './units.ts'

/** Why something is told now. */
export type NotificationReason = 'first' | 'new-alerts' | 'some-resolved' | 'all-resolved' | 'repeat' | 'flapping' | 'escalation' | 'meta' | 'test'

/** An alert as it is told. */
export interface NotifiedAlert {
  readonly status: AlertStatus
  /** 16 hexadecimal digits, as Alertmanager makes them of labels. */
  readonly fingerprint: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: Milliseconds
  /** When it was resolved; undefined while it fires. */
  readonly endsAt: Milliseconds | undefined
  readonly generatorUrl: string
  readonly value: number | undefined
  readonly expression: string | undefined
}

/** What is told to a receiver: the decision of one flush of one group. */
export interface Notification {
  /** The same after a restart: what a receiver knows a repetition by. At most 64 of [a-zA-Z0-9_-]. */
  readonly id: string
  /** The name of a receiver, which has one channel or more. */
  readonly receiver: string
  /** As Alertmanager writes it; what is told of the same group later updates what was told before. */
  readonly groupKey: string
  readonly groupLabels: Labels
  /** The incident its alerts belong to; undefined where to none. */
  readonly incident: string | undefined
  readonly reason: NotificationReason
  /** Firing while any of its alerts does. */
  readonly status: AlertStatus
  /** What is told, firing ones first; those that were left out are counted. */
  readonly alerts: readonly NotifiedAlert[]
  readonly truncated: number
  readonly decidedAt: Milliseconds
}

/** A row of the state log, as those who decide and those who deliver put them into one insert. */
export interface StateEntry {
  readonly kind: string
  readonly key: string
  readonly state: string
  readonly service: string
  readonly severity: string
  readonly actor: string
  readonly doc: unknown
}

/** Where decisions become messages that cannot be lost. */
export interface Outbox {
  /** The rows of messages; whoever decided stores them in one insert with the decision. */
  entries(notifications: readonly Notification[]): readonly StateEntry[]
  /** Begins to deliver what has been stored. Returns at once. */
  deliver(notifications: readonly Notification[]): void
}

/** Keys of integrations that Alertmanager's receivers may have and that are not served here. */
export const UNSERVED_INTEGRATIONS: ReadonlySet<string> = new Set(
  ['opsgenie', 'victorops', 'wechat', 'pushover', 'sns', 'telegram', 'discord', 'webex', 'msteams', 'msteamsv2', 'jira', 'rocketchat', 'mattermost', 'incidentio'].map((name) => `${name}_configs`),
)
