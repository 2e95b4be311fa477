import type { Milliseconds } from '@andon/model'

/** A running measurement of one operation. */
export class Timer {
  readonly #now: () => Milliseconds
  readonly #began: Milliseconds
  readonly #stopped: (duration: Milliseconds) => void
  #duration: Milliseconds | undefined

  /**
   * @param stopped - called once, with the duration, at the first stop
   * @param now - a clock that never goes back; performance.now when absent
   */
  constructor(stopped: (duration: Milliseconds) => void, now: () => Milliseconds = () => performance.now()) {
    this.#now = now
    this.#began = now()
    this.#stopped = stopped
  }

  /** Ends the measurement; a second stop returns the first duration. @returns milliseconds */
  stop(): Milliseconds {
    if (this.#duration === undefined) {
      this.#duration = this.#now() - this.#began
      this.#stopped(this.#duration)
    }
    return this.#duration
  }

  /** Milliseconds until the stop, or until now while it runs. */
  getDuration(): Milliseconds {
    return this.#duration ?? this.#now() - this.#began
  }
}
