import type { Milliseconds } from '@andon/model'

/** The only source of time in the server, so that a test can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): Milliseconds
  /** Settles after `ms`, or rejects with the signal's reason when it is aborted before. */
  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void>
  /** Calls `run` every `ms` until the returned function is called. It never keeps the process alive. */
  every(ms: Milliseconds, run: () => void): () => void
  /** Calls `run` once after `ms` unless the returned function is called before. It never keeps the process alive. */
  after(ms: Milliseconds, run: () => void): () => void
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('the wait was given up')
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(reasonOf(signal))
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, ms)
      const stop = (): void => {
        clearTimeout(timer)
        reject(reasonOf(signal))
      }
      signal?.addEventListener('abort', stop, { once: true })
    }),
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref()
    return () => clearInterval(timer)
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}

interface Appointment {
  at: Milliseconds
  readonly every: Milliseconds | undefined
  readonly run: () => void
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: Milliseconds
  readonly #appointments = new Set<Appointment>()

  constructor(now: Milliseconds = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): Milliseconds {
    return this.#now
  }

  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(reasonOf(signal))
      const cancel = this.#add(ms, undefined, resolve)
      signal?.addEventListener('abort', () => {
        cancel()
        reject(reasonOf(signal))
      })
    })
  }

  every(ms: Milliseconds, run: () => void): () => void {
    return this.#add(ms, ms, run)
  }

  after(ms: Milliseconds, run: () => void): () => void {
    return this.#add(ms, undefined, run)
  }

  #add(ms: Milliseconds, every: Milliseconds | undefined, run: () => void): () => void {
    const appointment = { at: this.#now + ms, every, run }
    this.#appointments.add(appointment)
    return () => this.#appointments.delete(appointment)
  }

  /** Moves the time and keeps every appointment on the way, in order; between them, what was promised settles. */
  async advance(ms: Milliseconds): Promise<void> {
    const target = this.#now + ms
    for (;;) {
      const [next] = [...this.#appointments].filter(({ at }) => at <= target).toSorted((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#now = next.at
      if (next.every === undefined) this.#appointments.delete(next)
      else next.at += next.every
      next.run()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#now = target
    await new Promise((resolve) => setImmediate(resolve))
  }
}
