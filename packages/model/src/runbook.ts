// Procedures for incidents, and what was done by them.
import type { Labels } from './labels.ts'
import type { Milliseconds } from './units.ts'

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

/** A runbook in a list: how many checks and actions it has. */
export interface ListedRunbook extends Pick<Runbook, 'name' | 'title' | 'alerts' | 'severity' | 'owner' | 'from'> {
  readonly checks: number
  readonly actions: number
}

/** A runbook that an incident is to be dealt with by; `url` where it lies elsewhere. */
export interface MatchedRunbook {
  /** '' where only an address is known. */
  readonly name: string
  readonly title: string
  /** '' where it lies here. */
  readonly url: string
  /** The rule of the alert that it is for. */
  readonly rule: string
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
