// Where several groups are told: one pace, and one state of health.
import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Lane } from './lane.ts'
import { backOffMs, type Pace, TokenBucket } from './token-bucket.ts'

/** Messages under way to one destination. */
const UNDER_WAY_MAX = 4
/** While it fails it is asked at least so often, so that it is noticed soon when it is back. */
const PROBE: { readonly baseMs: Milliseconds; readonly capMs: Milliseconds } = { baseMs: 500, capMs: 30_000 }

/** While it fails, one message at a time finds out whether it is back. */
export class Destination {
  readonly #bucket: TokenBucket
  readonly #clock: Pick<Clock, 'now'>
  readonly #random: () => number
  /** Lanes that are owed something. */
  readonly waiting: Set<Lane> = new Set()
  underWay = 0
  failures = 0
  #notBefore: Milliseconds = 0

  constructor(pace: Pace, clock: Pick<Clock, 'now'>, random: () => number) {
    this.#bucket = new TokenBucket(pace, clock)
    this.#clock = clock
    this.#random = random
  }

  /** When the next message may begin, of those that wait; undefined while none does or may. */
  nextAt(): Milliseconds | undefined {
    if (this.underWay >= (this.failures > 0 ? 1 : UNDER_WAY_MAX)) return undefined
    const lane = this.next()
    if (lane === undefined) return undefined
    return Math.max(lane.nextAt, this.#notBefore, this.#clock.now() + this.#bucket.waitMs())
  }

  /** The lane that is due first. */
  next(): Lane | undefined {
    let first: Lane | undefined
    for (const lane of this.waiting) {
      if (lane.pending === undefined || lane.current !== undefined || lane.holds > 0) continue
      if (first === undefined || lane.nextAt < first.nextAt || (lane.nextAt === first.nextAt && lane.pending.since < (first.pending?.since ?? 0))) first = lane
    }
    return first
  }

  /** Takes what one request needs. @returns how long to wait before it */
  reserve(): Milliseconds {
    return this.#bucket.reserve()
  }

  failed(afterMs: Milliseconds | undefined): void {
    this.failures += 1
    this.#notBefore = this.#clock.now() + backOffMs(this.failures, this.#random, PROBE)
    if (afterMs !== undefined && afterMs > 0) this.#bucket.close(afterMs)
  }

  /** It will take nothing until a person mends it; it is asked now and then whether one has. */
  closed(ms: Milliseconds): void {
    this.failures += 1
    this.#notBefore = this.#clock.now() + ms
  }

  /** It takes messages. What waited for that waits no more. */
  succeeded(): void {
    if (this.failures === 0) return
    this.failures = 0
    this.#notBefore = 0
    for (const lane of this.waiting) lane.nextAt = Math.min(lane.nextAt, this.#clock.now())
  }
}
