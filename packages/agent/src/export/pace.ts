// When what is recorded is sent: soon after a quiet time, and in larger batches while more keeps coming.
import type { Milliseconds } from '@andon/model'

/** After a quiet time nothing waits longer than this. */
const SOON_MS: Milliseconds = 1000

/**
 * Every sending costs the server an insert of a few rows, whose parts it merges later: at a team's traffic that is most of what it
 * does. So sendings are apart by an interval, and only the first after a quiet interval comes sooner.
 */
export class Pace {
  /** How often it is to be asked. */
  readonly tickMs: Milliseconds
  readonly #ticks: number
  #left = 0

  /** @param intervalMs - between two sendings; what is recorded waits so long at most */
  constructor(intervalMs: Milliseconds) {
    this.tickMs = Math.min(SOON_MS, intervalMs)
    this.#ticks = Math.max(1, Math.round(intervalMs / this.tickMs))
  }

  /** To be asked at each tick. @returns whether it is time to send, where something waits */
  isDue(waits: boolean): boolean {
    if (this.#left > 0) this.#left -= 1
    if (this.#left > 0 || !waits) return false
    this.#left = this.#ticks
    return true
  }
}
