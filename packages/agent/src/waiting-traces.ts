// The traces whose spans wait for the end with the decision whether they are kept, bounded all together.
import type { Bytes } from '@andon/model'

/** A trace as it is known here. */
export interface Undecided {
  /** Decides by what is known so far; then it holds nothing any more. @returns the spans that it gave up */
  decideNow(): number
}

/** Past the bound the oldest is decided before its end: it may be kept or not, but is not lost without a word. */
export class WaitingTraces {
  readonly #maxBytes: Bytes
  readonly #grown: () => void
  /** In the order in which they began to hold spans. */
  readonly #traces = new Set<Undecided>()
  /** About how much memory their spans hold. */
  bytes: Bytes = 0
  /** Spans that had ended in traces that were decided early, and not kept. */
  givenUp = 0

  /** @param grown - told when they hold more than before */
  constructor(maxBytes: Bytes = Infinity, grown: () => void = () => undefined) {
    this.#maxBytes = maxBytes
    this.#grown = grown
  }

  /** How many wait. */
  get size(): number {
    return this.#traces.size
  }

  add(trace: Undecided): void {
    this.#traces.add(trace)
  }

  /** A trace that was added holds more than before. */
  hold(bytes: Bytes): void {
    this.bytes += bytes
    if (this.bytes > this.#maxBytes) this.#giveWay()
    this.#grown()
  }

  #giveWay(): void {
    for (const oldest of this.#traces) {
      if (this.bytes <= this.#maxBytes) return
      this.givenUp += oldest.decideNow()
    }
  }

  /** A trace has been decided. @param bytes - what it held */
  remove(trace: Undecided, bytes: Bytes): void {
    if (this.#traces.delete(trace)) this.bytes -= bytes
  }
}
