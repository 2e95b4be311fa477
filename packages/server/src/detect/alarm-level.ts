// How much evidence is an alarm for one series, by its own history.
import type { Milliseconds } from '@andon/model'
import type { BlockMaxima } from './block-maxima.ts'
import type { DailyEvidence } from './daily-evidence.ts'

/** Joins what a series needs at all times with what it needs at one time of day. Keeps no numbers of its own. */
export class AlarmLevel {
  readonly #maxima: BlockMaxima
  readonly #daily: DailyEvidence

  constructor(maxima: BlockMaxima, daily: DailyEvidence) {
    this.#maxima = maxima
    this.#daily = daily
  }

  /** ln of the evidence that is an alarm at a time. */
  threshold(time: Milliseconds): number {
    return Math.max(this.#maxima.threshold, this.#daily.needed(time))
  }

  /** Notes the evidence of a slice, ln. What is usual at this time of day raises the threshold of this time alone. */
  add(log: number, time: Milliseconds): void {
    this.#maxima.add(log < this.#daily.needed(time) ? 0 : log, time)
    this.#daily.add(log, time)
  }

  /** Notes what an episode that goes on has, for its time of day alone. */
  addDaily(log: number, time: Milliseconds): void {
    this.#daily.add(log, time)
  }

  /** Leaves out what is around a time, so that an incident makes no alarm rarer. */
  exclude(time: Milliseconds): void {
    this.#maxima.exclude(time)
    this.#daily.exclude()
  }
}
