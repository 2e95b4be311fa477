// Who is called when something is wrong, and how it goes on where nobody answers.
import type { Milliseconds } from './units.ts'

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

/** A rotation or a calendar, and whom it calls. */
export interface OnCallSchedule {
  readonly name: string
  readonly timeZone: string
  readonly kind: 'rotation' | 'calendar'
  /** Null where nobody is called now. */
  readonly current: OnCallShift | null
  /** The next ones, in order. */
  readonly next: readonly OnCallShift[]
}

/** One step of a policy. */
export type EscalationStep =
  | { readonly kind: 'wait'; readonly ms: Milliseconds }
  | { readonly kind: 'notify'; readonly receiver: string }
  /** Whoever is on call then. */
  | { readonly kind: 'on-call'; readonly schedule: string }

/** Whom an incident is told to, one after the other, until somebody acknowledges it. */
export interface EscalationPolicy {
  readonly name: string
  /** Each list that is not empty must hold what the incident has. */
  readonly match: { readonly severity: readonly string[]; readonly service: readonly string[]; readonly environment: readonly string[] }
  readonly steps: readonly EscalationStep[]
  /** How often the steps are gone through before it gives up. */
  readonly rounds: number
  /** After so long without an update by those who acknowledged it begins anew; null for never. */
  readonly staleMs: Milliseconds | null
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
