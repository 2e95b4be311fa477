// Who waits for what was recorded to be sent: any number of callers, one drain at a time.
import type { Milliseconds } from '@andon/model'

interface Waiting {
  readonly settle: () => void
  /** Whether the first failed attempt ends the wait. */
  readonly giveUp: boolean
}

/**
 * Callers that come while a drain is under way share the one after it. Nobody is remembered beyond its deadline: a host that
 * flushes now and then at a server that is dead for days must not pile up promises.
 */
export class Flushes {
  readonly #drain: () => Promise<void>
  #next = new Set<Waiting>()
  #current = new Set<Waiting>()
  #isDraining = false

  /** @param drain - sends all there is, however long it takes; never rejects */
  constructor(drain: () => Promise<void>) {
    this.#drain = drain
  }

  /** How many wait. */
  get waiting(): number {
    return this.#next.size + this.#current.size
  }

  /**
   * Settles when what was recorded before has been taken or refused, or when the time is over. It keeps the process until
   * then, else an awaited flush would end a program before its time.
   */
  async wait(withinMs: Milliseconds, giveUp: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(() => waiting.settle(), withinMs)
      const waiting: Waiting = {
        giveUp,
        settle: () => {
          clearTimeout(deadline)
          this.#next.delete(waiting)
          this.#current.delete(waiting)
          resolve()
        },
      }
      this.#next.add(waiting)
      if (!this.#isDraining) void this.#run()
    })
  }

  /** An attempt has failed. */
  failed(): void {
    for (const each of [...this.#current, ...this.#next]) if (each.giveUp) each.settle()
  }

  async #run(): Promise<void> {
    this.#isDraining = true
    while (this.#next.size > 0) {
      this.#current = this.#next
      this.#next = new Set()
      await this.#drain()
      for (const each of this.#current) each.settle()
    }
    this.#isDraining = false
  }
}
