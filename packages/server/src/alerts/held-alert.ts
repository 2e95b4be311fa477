// One alert as the manager knows it, and the row of the state log that says so.
import type { Alert, AlertChange, AlertStatus, Labels, Milliseconds, NotifiedAlert, StateEntry } from '@andon/model'
import { type FlapHistory, isFlapping } from './flap.ts'
import { serviceOf } from './severity.ts'

export interface HeldAlert {
  readonly fingerprint: string
  /** As it was handed in last. */
  readonly alert: Alert
  readonly status: AlertStatus
  /** When its status changed, by this server's clock. */
  readonly changedAt: Milliseconds
  /** When it began to fire after nothing of it was owed any more. */
  readonly beganAt: Milliseconds
  readonly updatedAt: Milliseconds
  readonly flaps: FlapHistory
  /** Undefined where it belongs to none, or nobody was asked yet. */
  readonly incident: string | undefined
  /** Why it is told as a ticket although it says that it pages; undefined where it is told as what it says. */
  readonly ticketBecause?: string | undefined
  /** Whether the book of incidents has been asked about the last change. */
  readonly isJoined: boolean
}

const TICKET = 'ticket'

/** `settled`: it is resolved, and whoever was told that it fires was told that too. */
export type StoredStatus = AlertStatus | 'settled'

/** Whether it is told as firing: one that flaps is until it has calmed down. */
export function isToldFiring({ status, flaps }: HeldAlert, now: Milliseconds): boolean {
  return status === 'firing' || isFlapping(flaps, now)
}

export function rowOf(held: HeldAlert, status: StoredStatus): StateEntry {
  const labels = toldLabels(held)
  return { kind: 'alert-active', key: held.fingerprint, state: status, service: serviceOf(labels), severity: labels['severity'] ?? '', actor: '', doc: held }
}

function isHeld(doc: unknown): doc is HeldAlert {
  return typeof doc === 'object' && doc !== null && 'fingerprint' in doc && 'alert' in doc && 'changedAt' in doc
}

/** What a row says; undefined where it is not understood. JSON has no undefined: what is absent is. */
export function heldOf(doc: unknown): HeldAlert | undefined {
  if (!isHeld(doc)) return undefined
  const { alert } = doc
  // A value that is no number became null.
  return { ...doc, alert: { ...alert, endsAt: alert.endsAt, value: alert.value ?? undefined, expression: alert.expression, onsetAt: alert.onsetAt }, incident: doc.incident }
}

export function changeOf({ alert, fingerprint, status, changedAt }: HeldAlert): AlertChange {
  return { alert, fingerprint, status, at: changedAt }
}

/** By which it is routed, and which are told. */
export function toldLabels({ alert: { labels }, ticketBecause }: Pick<HeldAlert, 'alert' | 'ticketBecause'>): Labels {
  return ticketBecause === undefined ? labels : { ...labels, severity: TICKET }
}

function toldAnnotations({ alert: { annotations }, ticketBecause }: HeldAlert): Labels {
  if (ticketBecause === undefined) return annotations
  const { description } = annotations
  return { ...annotations, description: description === undefined ? ticketBecause : `${description}\n${ticketBecause}` }
}

/** As it is told. */
export function notifiedOf(held: HeldAlert, status: AlertStatus): NotifiedAlert {
  const { startsAt, endsAt, generatorUrl, value, expression } = held.alert
  const resolvedAt = Math.min(endsAt ?? held.changedAt, held.changedAt)
  return { status, fingerprint: held.fingerprint, labels: toldLabels(held), annotations: toldAnnotations(held), startsAt, endsAt: status === 'resolved' ? Math.max(startsAt, resolvedAt) : undefined, generatorUrl, value, expression }
}
