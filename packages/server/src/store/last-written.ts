import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'

/** How long a row of a lookup table may go without being written again. */
export const REFRESH_MS: Milliseconds = 3_600_000

/**
 * When each row of a lookup table was last written, so that its `last_seen` moves at most once an hour, and the row expires when
 * nothing has referred to it for its retention. Bounded: of more rows those written last are remembered, and only the others
 * can be written more often. What it remembers ends with the process.
 */
export class LastWritten<K> {
  readonly #clock: Pick<Clock, 'now'>
  readonly #most: number
  /** The one written longest ago first. */
  readonly #times = new Map<K, Milliseconds>()

  /** @param most - rows that are remembered */
  constructor(clock: Pick<Clock, 'now'>, most: number) {
    this.#clock = clock
    this.#most = most
  }

  /** Whether a row is to be written now. */
  isDue(key: K): boolean {
    const time = this.#times.get(key)
    return time === undefined || this.#clock.now() - time > REFRESH_MS
  }

  /** Takes note of rows that are stored: only then, so that what failed is written with the next. */
  note(keys: Iterable<K>): void {
    const now = this.#clock.now()
    for (const key of keys) {
      this.#times.delete(key)
      this.#times.set(key, now)
    }
    for (const key of this.#times.keys()) {
      if (this.#times.size <= this.#most) break
      this.#times.delete(key)
    }
  }
}
