// The minutes of the last days, for burn rates.
import type { Milliseconds } from '@andon/model'

const MINUTE: Milliseconds = 60_000
/** Three days, and what the ends of windows reach beyond. */
const SIZE = 3 * 1440 + 8

/** What was counted in some time. */
export interface Tally {
  readonly bad: number
  readonly total: number
  /** How many independent ones the total is worth: fewer where samples stand for several. */
  readonly worth: number
}

/** Holds 4,328 minutes, 140 KB. */
export class MinuteRing {
  readonly #minute = new Float64Array(SIZE).fill(-1)
  readonly #bad = new Float64Array(SIZE)
  readonly #total = new Float64Array(SIZE)
  readonly #worth = new Float64Array(SIZE)

  /** Replaces what is known of a minute. One that is older than what its place holds is left out. */
  set(time: Milliseconds, { bad, total, worth }: Tally): void {
    const minute = Math.floor(time / MINUTE)
    const index = minute % SIZE
    if ((this.#minute[index] ?? -1) > minute) return
    this.#minute[index] = minute
    this.#bad[index] = bad
    this.#total[index] = total
    this.#worth[index] = worth
  }

  /** All minutes that have a part in a time, summed. */
  sum(start: Milliseconds, end: Milliseconds): Tally {
    let [bad, total, worth] = [0, 0, 0]
    const last = Math.ceil(end / MINUTE)
    for (let minute = Math.max(Math.floor(start / MINUTE), last - SIZE); minute < last; minute += 1) {
      const index = minute % SIZE
      if (this.#minute[index] !== minute) continue
      bad += this.#bad[index] ?? 0
      total += this.#total[index] ?? 0
      worth += this.#worth[index] ?? 0
    }
    return { bad, total, worth }
  }
}
