import type { Milliseconds, Ratio } from './units.ts'

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
