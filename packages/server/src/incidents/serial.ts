// Work that is done one after the other.
import { AndonError } from '@andon/model'

/** Requests of people that may wait; what the pipeline of alerts asks waits by itself. */
const WAITING_MAX = 500

export class Serial {
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /**
   * Does a piece of work after all that came before it; one that fails does not stop the next.
   *
   * @param refusable - whether it is refused where too much waits
   * @throws AndonError overloaded; what the work throws
   */
  async run<T>(work: () => Promise<T>, refusable = false): Promise<T> {
    if (refusable && this.#waiting >= WAITING_MAX) throw new AndonError('overloaded', 'Too many changes of incidents wait to be stored.')
    this.#waiting += 1
    const done = this.#tail.then(work)
    this.#tail = done.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await done
    } finally {
      this.#waiting -= 1
    }
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    await this.#tail
  }
}
