// Alerts that are muted by a person until a time.
import type { LabelMatcher } from './labels.ts'
import type { Milliseconds } from './units.ts'

export interface Silence {
  readonly id: string
  /** All of them must match. */
  readonly matchers: readonly LabelMatcher[]
  readonly startsAt: Milliseconds
  readonly endsAt: Milliseconds
  readonly updatedAt: Milliseconds
  readonly createdBy: string
  readonly comment: string
}

export type SilenceState = 'pending' | 'active' | 'expired'

/** A silence in a list, as it stands. */
export interface ListedSilence extends Silence {
  readonly state: SilenceState
}
