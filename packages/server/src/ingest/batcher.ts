// Gathers requests into inserts, one insert at a time, and answers each request only when its content is stored.
import { AndonError, type Bytes, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Limits } from '../runtime/limits.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { WriteOptions } from '../store/spans.ts'
import { BatchNumbers } from './batch-numbers.ts'

/** Whether the store takes nothing at all just now: no request is to blame, and each attempt might wait for its time limit. */
function isAway(error: unknown): error is AndonError {
  return error instanceof AndonError && (error.code === 'unavailable' || error.code === 'overloaded' || isFull(error))
}

/** Whether the disk has no room. */
function isFull(error: unknown): error is AndonError {
  return error instanceof AndonError && error.code === 'disk_full'
}

/** Whether there is room on the disk for what comes. */
export interface Room {
  /** What everything is refused with at present; undefined where there is room. */
  refusal(): AndonError | undefined
  /** Told when an insert of requests of so many bytes failed for want of room. */
  noteFull(bytes: Bytes): void
}

export interface BatcherOptions<T> {
  /** Said in metrics: spans, metrics or exceptions. */
  readonly signal: string
  readonly clock: Clock
  readonly limits: Pick<Limits, 'queueBytes' | 'gatherMs' | 'gatherBytes'>
  readonly own: OwnMetrics
  /** Absent: there always is. */
  readonly room?: Room
  /** Stores the content of one or several requests in one insert per table; rejects when it is not stored. */
  readonly store: (contents: readonly T[], options: WriteOptions) => Promise<void>
}

interface Waiting<T> {
  readonly content: T
  readonly bytes: Bytes
  readonly batch: string | undefined
  readonly arrived: Milliseconds
  readonly stored: () => void
  readonly failed: (error: unknown) => void
}

/** Numbered batches of one second; past it they are gathered like all others. */
const NUMBERED_PER_SECOND = 20
const SECOND: Milliseconds = 1000

/**
 * A bounded queue before the store. A numbered batch is an insert of its own, so that its repetition can be told; others are
 * gathered for a short while. When numbered ones come faster than 20 a second they are gathered, too, unless they may be the
 * repetition of what an earlier life of the server stored, and are known again by their numbers in memory. When a gathered insert
 * fails its requests are inserted again one by one, without the tables that hold them already, so that a bad one fails alone,
 * unless the store is away as a whole.
 */
export class Batcher<T> {
  readonly #options: BatcherOptions<T>
  readonly #waiting: Waiting<T>[] = []
  readonly #refused: ReturnType<OwnMetrics['counter']>
  readonly #noRoom: ReturnType<OwnMetrics['counter']>
  readonly #numbers = new BatchNumbers()
  /** Numbered batches that wait or are being stored. */
  readonly #underWay = new Map<string, Promise<void>>()
  /** When the last numbered batches arrived. */
  readonly #arrivals: Milliseconds[] = []
  #bytes = 0
  #running = false
  #idle: (() => void)[] = []

  constructor(options: BatcherOptions<T>) {
    this.#options = options
    this.#refused = options.own.counter('andon_ingest_overloaded_total', 'Requests that were refused because the queue before the store was full.')
    this.#noRoom = options.own.counter('andon_ingest_disk_full_total', 'Requests that were refused because the disk was full.')
  }

  /** Bytes of the requests that wait or are being stored. */
  get bytes(): Bytes {
    return this.#bytes
  }

  /**
   * Settles when the content is stored; at once when this very batch was stored since the start.
   *
   * @param bytes - the size of the request, for the bound of the queue
   * @param batch - PROCESS/SEQUENCE of a numbered batch
   * @throws AndonError overloaded when the queue is full, disk_full when the disk is, unavailable when the store cannot take it, bad_body when it never will
   */
  async accept(content: T, bytes: Bytes, batch?: string): Promise<void> {
    if (batch === undefined) return await this.#queue(content, bytes, undefined)
    if (this.#numbers.isStored(batch)) return
    let stored = this.#underWay.get(batch)
    if (stored === undefined) {
      this.#arrivals.push(this.#options.clock.now())
      if (this.#arrivals.length > NUMBERED_PER_SECOND + 1) this.#arrivals.shift()
      stored = this.#queue(content, bytes, batch).finally(() => this.#underWay.delete(batch))
      this.#underWay.set(batch, stored)
    }
    await stored
  }

  async #queue(content: T, bytes: Bytes, batch: string | undefined): Promise<void> {
    const refusal = this.#options.room?.refusal()
    if (refusal !== undefined) {
      this.#noRoom.add(1, { signal: this.#options.signal })
      throw refusal
    }
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
    for (let next = await this.#take(); next.length > 0; next = await this.#take()) await this.#store(next, new Set())
    this.#running = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #mayGather({ batch }: Waiting<T>): boolean {
    if (batch === undefined) return true
    const [first = -Infinity] = this.#arrivals
    const areMany = this.#arrivals.length > NUMBERED_PER_SECOND && this.#options.clock.now() - first < SECOND
    return areMany && this.#numbers.isNew(batch)
  }

  /** The next request alone when it is numbered, or those that have gathered. */
  async #take(): Promise<Waiting<T>[]> {
    const first = this.#waiting[0]
    if (first === undefined) return []
    if (!this.#mayGather(first)) return this.#waiting.splice(0, 1)
    const { clock, limits } = this.#options
    const gathered = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
    const wait = first.arrived + limits.gatherMs - clock.now()
    if (wait > 0 && gathered < limits.gatherBytes) await clock.sleep(wait)
    let bytes = 0
    const end = this.#waiting.findIndex((each, index) => {
      bytes += each.bytes
      return index > 0 && (bytes > limits.gatherBytes || !this.#mayGather(each))
    })
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }

  /** @param done - tables that hold these requests already; added to as more do */
  async #store(requests: readonly Waiting<T>[], done: Set<string>): Promise<void> {
    const batch = requests.length === 1 ? requests[0]?.batch : undefined
    try {
      await this.#options.store(requests.map(({ content }) => content), { done, ...(batch !== undefined && { batch }) })
      for (const request of requests) this.#settle(request)
    } catch (error) {
      if (isFull(error)) {
        this.#noRoom.add(requests.length, { signal: this.#options.signal })
        this.#options.room?.noteFull(requests.reduce((sum, { bytes }) => sum + bytes, 0))
      }
      if (requests.length === 1 || isAway(error)) for (const request of requests) this.#settle(request, error)
      else for (const request of requests) await this.#store([request], new Set(done))
    }
  }

  #settle(request: Waiting<T>, error?: unknown): void {
    this.#bytes -= request.bytes
    if (error === undefined) {
      if (request.batch !== undefined) this.#numbers.add(request.batch)
      request.stored()
    } else request.failed(refusalOf(error))
  }
}

/** What was wrong is said as something to be sent again, unless the store said that it never can be stored. */
function refusalOf(error: unknown): AndonError {
  if (isAway(error) || (error instanceof AndonError && error.code === 'bad_body')) return error
  return new AndonError('unavailable', `the store did not take the batch: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown reason'}`, { cause: error })
}
