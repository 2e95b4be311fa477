// Gathers requests into inserts, one insert at a time, and answers each request only when its content is stored.
import { AndonError, type Bytes } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Limits } from '../runtime/limits.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'

export interface BatcherOptions<T> {
  /** Said in metrics: spans, metrics or exceptions. */
  readonly signal: string
  readonly clock: Clock
  readonly limits: Pick<Limits, 'queueBytes' | 'gatherMs' | 'gatherBytes'>
  readonly own: OwnMetrics
  /** Stores the content of one or several requests in one insert per table; rejects when it is not stored. */
  readonly store: (contents: readonly T[], batch?: string) => Promise<void>
}

interface Waiting<T> {
  readonly content: T
  readonly bytes: Bytes
  readonly batch: string | undefined
  readonly arrived: number
  readonly stored: () => void
  readonly failed: (error: unknown) => void
}

/**
 * A bounded queue before the store. A numbered batch is an insert of its own, so that its repetition can be told;
 * others are gathered for a short while. When a gathered insert fails its requests are inserted again one by one, so
 * that a bad one fails alone.
 */
export class Batcher<T> {
  readonly #options: BatcherOptions<T>
  readonly #waiting: Waiting<T>[] = []
  readonly #refused: ReturnType<OwnMetrics['counter']>
  #bytes = 0
  #running = false
  #idle: (() => void)[] = []

  constructor(options: BatcherOptions<T>) {
    this.#options = options
    this.#refused = options.own.counter('andon_ingest_overloaded_total', 'Requests that were refused because the queue before the store was full.')
  }

  /** Bytes of the requests that wait or are being stored. */
  get bytes(): Bytes {
    return this.#bytes
  }

  /**
   * Settles when the content is stored.
   *
   * @param bytes - the size of the request, for the bound of the queue
   * @param batch - PROCESS/SEQUENCE of a numbered batch
   * @throws AndonError overloaded when the queue is full, unavailable when the store cannot take it
   */
  async accept(content: T, bytes: Bytes, batch?: string): Promise<void> {
    if (this.#bytes + bytes > this.#options.limits.queueBytes && this.#waiting.length > 0) {
      this.#refused.add(1, { signal: this.#options.signal })
      throw new AndonError('overloaded', `${this.#options.signal}: ${this.#bytes} bytes already wait to be stored`)
    }
    await new Promise<void>((stored, failed) => {
      this.#bytes += bytes
      this.#waiting.push({ content, bytes, batch, arrived: this.#options.clock.now(), stored, failed })
      if (!this.#running) void this.#run()
    })
  }

  /** Settles when nothing waits any more. */
  async drained(): Promise<void> {
    if (!this.#running) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let next = await this.#take(); next.length > 0; next = await this.#take()) await this.#store(next)
    this.#running = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** The next numbered request alone, or those without a number that have gathered. */
  async #take(): Promise<Waiting<T>[]> {
    const first = this.#waiting[0]
    if (first === undefined) return []
    if (first.batch !== undefined) return this.#waiting.splice(0, 1)
    const { clock, limits } = this.#options
    const gathered = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
    const wait = first.arrived + limits.gatherMs - clock.now()
    if (wait > 0 && gathered < limits.gatherBytes) await clock.sleep(wait)
    let bytes = 0
    const end = this.#waiting.findIndex((each, index) => index > 0 && (each.batch !== undefined || (bytes += each.bytes) > limits.gatherBytes))
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }

  async #store(requests: readonly Waiting<T>[]): Promise<void> {
    try {
      await this.#options.store(requests.map(({ content }) => content), requests[0]?.batch)
      for (const request of requests) this.#settle(request)
    } catch (error) {
      const [alone, ...others] = requests
      if (alone !== undefined && others.length === 0) this.#settle(alone, error)
      else for (const request of requests) await this.#store([request])
    }
  }

  #settle(request: Waiting<T>, error?: unknown): void {
    this.#bytes -= request.bytes
    if (error === undefined) request.stored()
    else request.failed(error instanceof AndonError ? error : new AndonError('unavailable', `the store did not take the batch: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown reason'}`, { cause: error }))
  }
}
