// What the detectors of values and of counts have in common.
import type { Milliseconds, Ratio } from '@andon/model'

/** What a detector says of the newest slice of its series, in the unit of the series. */
export interface Verdict {
  /** The start of the slice. */
  readonly time: Milliseconds
  readonly value: number
  /** What was expected, and what would have been usual; NaN while that is not known. */
  readonly expected: number
  readonly low: number
  readonly high: number
  /** How likely such a slice is where nothing is wrong; 1 where it differs to the good side. */
  readonly p: Ratio
  /** ln of the evidence against "nothing is wrong", and from which on it is an alarm. */
  readonly statistic: number
  readonly threshold: number
  /** The change since the onset, in what would matter: 1 and more does. */
  readonly effect: number
  readonly isFiring: boolean
  /** When what is wrong is estimated to have begun; 0 where nothing is. */
  readonly onset: Milliseconds
  /** How the course is explained: of values the prediction, of counts the usual share. */
  readonly model: string
  /** Why there is no alarm although the evidence would suffice, or what is learned; '' otherwise. */
  readonly held: string
}

/** Watches one series, a slice after the other. */
export interface Detector {
  /**
   * Takes the slice that begins at a time.
   *
   * @param value - of a value: in its unit; of counts: how many were bad
   * @param count - of a value: of how many requests it is, NaN where that means nothing; of counts: how many there were
   * @returns whether it fires
   */
  add(time: Milliseconds, value: number, count: number): boolean
  readonly verdict: Verdict
  readonly isFiring: boolean
  /** Slices that were taken. */
  readonly slices: number
  /** Leaves the evidence of now out of the calibration, since it belongs to an incident. */
  exclude(time: Milliseconds): void
  /** Ends an episode, and forgets its evidence. */
  end(): void
  /** All that is known, to begin again with. */
  snapshot(): string
}
