// Sends batches of one signal in the background, each with its number, until it is taken.
import { randomBytes } from 'node:crypto'
import { diag } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { runOutside } from '../context.ts'
import type { OtlpClient } from './client.ts'

/** A random 128-bit id of this start: host and process id come back after a restart and would swallow new data. */
const PROCESS = randomBytes(16).toString('hex')

/** The header andon-batch: by it the server knows a batch that it has stored already. */
export function batchNumber(sequence: number): string {
  return `${PROCESS}/${sequence}`
}

const FIRST_DELAY: Milliseconds = 500
const MAX_DELAY: Milliseconds = 30_000
/**
 * A batch is given up at which the server failed for so long and so often, having just taken others: then it is the batch. A server that
 * fails at everything has an outage, and what waits is wanted after it: hence an hour.
 */
const GIVE_UP = { afterMs: 5 * 60_000, withoutOthersMs: 60 * 60_000, failures: 5 } as const

export interface SenderOptions {
  readonly client: Pick<OtlpClient, 'post' | 'taken'>
  readonly path: string
  /** The next batch and how many items it holds; undefined when there is nothing to send. */
  readonly next: () => { readonly body: Uint8Array; readonly items: number } | undefined
  /** A clock that never goes back. */
  readonly now: () => Milliseconds
  /** Settles after a while, or at once when the signal is aborted; never keeps the host alive. */
  readonly sleep: (ms: Milliseconds, signal: AbortSignal) => Promise<void>
  /** Numbers of all signals come from one sequence. */
  readonly sequence: () => number
  /** Told of each attempt that was not answered with success. */
  readonly failed: () => void
}

/** A batch with the number under which it is sent, also if it is sent again. */
export interface NumberedBatch {
  /** The header andon-batch. */
  readonly batch: string
  readonly body: Uint8Array
}

/** How often a server failed at a batch. */
class Failures {
  readonly #options: SenderOptions
  #since: Milliseconds = 0
  #count = 0
  #taken = 0

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Counts one more. @returns whether it is enough to give the batch up */
  add(): boolean {
    const { now, client, path } = this.#options
    const taken = client.taken(path)
    if (this.#count === 0) this.#since = now()
    const tookOthers = this.#count > 0 && taken > this.#taken
    this.#taken = taken
    this.#count += 1
    return this.#count >= GIVE_UP.failures && now() - this.#since >= (tookOthers ? GIVE_UP.afterMs : GIVE_UP.withoutOthersMs)
  }
}

/**
 * One batch is under way at a time. An unanswered one is sent again unchanged, with the same number, until it is taken or
 * refused for good, or given up because the server fails at it alone; what is recorded meanwhile waits. Never throws.
 */
export class Sender {
  readonly #options: SenderOptions
  #isBusy = false
  #isStopped = false
  #running: Promise<void> = Promise.resolve()
  #unanswered: NumberedBatch | undefined
  #hurry = new AbortController()
  /** Items that the server refused for good, or failed at until they were given up. */
  refused = 0
  /** Attempts that were not answered with success. */
  failures = 0
  /** Said once while it lasts. */
  #isWaiting = false

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Whether a batch is under way: then no new one is made, so that increments go on adding up. */
  get busy(): boolean {
    return this.#isBusy
  }

  /** The batch that is under way. */
  get unanswered(): NumberedBatch | undefined {
    return this.#unanswered
  }

  /** Sends what there is, in the background, whoever asks for it. */
  start(): void {
    if (this.#isBusy || this.#isStopped) return
    this.#isBusy = true
    this.#running = runOutside(() => this.#run())
  }

  /** Cuts the wait between attempts short, and sends what there is. */
  hurry(): void {
    this.#hurry.abort()
    this.#hurry = new AbortController()
    this.start()
  }

  /** Sends what there is, with the wait between attempts cut short; settles when nothing is left. */
  async drain(): Promise<void> {
    this.hurry()
    await this.#running
  }

  /** Gives up what is under way, for good. */
  stop(): void {
    this.#isStopped = true
    this.#hurry.abort()
  }

  async #run(): Promise<void> {
    try {
      for (let batch = this.#options.next(); batch !== undefined; batch = this.#isStopped ? undefined : this.#options.next()) await this.#deliver(batch.body, batch.items)
    } catch (error) {
      // What could not be made into a batch is lost; the next one may be.
      this.failures += 1
      diag.error(`andon: a batch for ${this.#options.path} could not be made`, error)
    } finally {
      // In the same turn in which nothing was left: what is recorded from now on starts the next run.
      this.#isBusy = false
    }
  }

  async #deliver(body: Uint8Array, items: number): Promise<void> {
    const { client, path, sleep, sequence, failed } = this.#options
    const number = batchNumber(sequence())
    this.#unanswered = { batch: number, body }
    // Asked anew after each wait.
    const isStopped = (): boolean => this.#isStopped
    const failures = new Failures(this.#options)
    let delay = FIRST_DELAY
    for (;;) {
      if (isStopped()) return
      const { outcome, retryAfterMs, reason } = await client.post(path, body, number)
      const isOver = outcome === 'taken' || outcome === 'refused' || (outcome === 'failed' && failures.add())
      if (isOver) this.#unanswered = undefined
      if (outcome === 'taken') {
        if (this.#isWaiting) diag.info(`andon: ${path} is answered again`)
        this.#isWaiting = false
        return
      }
      if (isStopped()) return
      this.failures += 1
      failed()
      if (isOver) {
        this.refused += items
        diag.warn(`andon: ${path} ${outcome === 'refused' ? 'refused' : 'failed again and again at'} ${items} items: ${reason}`)
        return
      }
      if (!this.#isWaiting) diag.warn(`andon: ${path} is not answered (${reason}); what is recorded waits, and is sent again`)
      this.#isWaiting = true
      await sleep(retryAfterMs ?? delay * (0.5 + Math.random() / 2), this.#hurry.signal)
      delay = Math.min(MAX_DELAY, delay * 2)
    }
  }
}
