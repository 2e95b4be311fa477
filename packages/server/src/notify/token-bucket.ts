import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'

/** How much a destination takes. */
export interface Pace {
  readonly perSecond: number
  /** So many at once after a pause. */
  readonly burst: number
}

/** Lets through what a destination takes: `burst` at once, `perSecond` in the long run. */
export class TokenBucket {
  readonly #pace: Pace
  readonly #clock: Pick<Clock, 'now'>
  #tokens: number
  #filledAt: Milliseconds
  #closedUntil: Milliseconds = 0

  constructor(pace: Pace, clock: Pick<Clock, 'now'>) {
    this.#pace = pace
    this.#clock = clock
    this.#tokens = pace.burst
    this.#filledAt = clock.now()
  }

  #fill(): void {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#pace.burst, this.#tokens + (Math.max(0, now - this.#filledAt) / 1000) * this.#pace.perSecond)
    this.#filledAt = now
  }

  /** Takes one; also below nothing, which those behind it then wait for. @returns how long to wait before it is used */
  reserve(): Milliseconds {
    this.#fill()
    this.#tokens -= 1
    return this.#until(0)
  }

  /** How long until one can be had. */
  waitMs(): Milliseconds {
    this.#fill()
    return this.#until(1)
  }

  #until(level: number): Milliseconds {
    const missing = Math.max(0, level - this.#tokens)
    return Math.ceil(Math.max((missing / this.#pace.perSecond) * 1000 - 1e-6, this.#closedUntil - this.#clock.now(), 0))
  }

  /** Lets nothing through for a time, as the destination wanted it. */
  close(ms: Milliseconds): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#clock.now() + ms)
    this.#tokens = Math.min(this.#tokens, 1)
  }
}

/**
 * How long to wait before the next attempt: exponential with full jitter, so that those that failed together do not come back together.
 *
 * @param attempts - that have failed, from 1
 * @param random - within 0..1
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backOffMs(attempts: number, random: () => number, { baseMs, capMs }: { readonly baseMs: Milliseconds; readonly capMs: Milliseconds }): Milliseconds {
  return Math.ceil(random() * Math.min(capMs, baseMs * 2 ** Math.min(30, attempts)))
}
