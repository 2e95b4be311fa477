// Profiles on their way to the server: a bounded queue, and one request at a time.
import { setTimeout as wait } from 'node:timers/promises'
import type { Bytes, Milliseconds, ProfileRecord, Resource } from '@andon/model'
import { encodePprof } from '@andon/wire'
import { Buffer } from '../export/buffer.ts'
import { OtlpClient } from '../export/client.ts'
import { Sender } from '../export/sender.ts'
import type { AgentOptions } from '../options.ts'

/** Uploads that wait, of both kinds. */
const QUEUE_BYTES: Bytes = 4 * 1024 * 1024
const PATH = '/api/profiles'
/** Uploads that are refused in a row before it is said that the server takes none. */
const REFUSALS = 3

export class ProfileUploads {
  readonly #sender: Sender
  readonly #client: OtlpClient
  readonly #queue = new Buffer<Uint8Array>(QUEUE_BYTES)
  readonly #unwanted: () => void
  #sequence = 0
  #isUnderWay = false
  #refused = 0
  #refusals = 0
  #waitingForFailure: (() => void)[] = []

  /** @param unwanted - told when the server takes no profiles: another collector than Andon's, or a token that may not send them */
  constructor({ endpoint, headers, timeoutMs }: Pick<AgentOptions, 'endpoint' | 'headers' | 'timeoutMs'>, resource: Resource, unwanted: () => void) {
    this.#unwanted = unwanted
    const target = { url: endpoint + pathOf(resource), headers, timeoutMs }
    this.#client = new OtlpClient({ signals: { traces: target, metrics: target, logs: target } })
    this.#sender = new Sender({
      client: this.#client,
      path: PATH,
      next: () => {
        this.#heed()
        const [body] = this.#queue.take(1)
        this.#isUnderWay = body !== undefined
        return body === undefined ? undefined : { body, items: 1 }
      },
      now: () => performance.now(),
      sleep: (ms, signal) => wait(ms, undefined, { ref: false, signal }).catch(() => undefined),
      sequence: () => (this.#sequence += 1),
      failed: () => {
        for (const resolve of this.#waitingForFailure.splice(0)) resolve()
      },
    })
  }

  /** Uploads that gave way because the queue was full, or that the server refused. */
  get dropped(): number {
    return this.#queue.dropped + this.#sender.refused
  }

  /** What waits to be sent. */
  get bytes(): Bytes {
    return this.#queue.bytes
  }

  push(record: ProfileRecord): void {
    // A copy: the encoder's buffer is larger than what it holds.
    const body = encodePprof(record).slice()
    this.#queue.push(body, body.length)
  }

  /** Sends in the background what there is. */
  start(): void {
    if (this.#queue.length > 0) this.#sender.start()
  }

  #heed(): void {
    if (!this.#isUnderWay) return
    const { refused } = this.#sender
    this.#refusals = refused > this.#refused ? this.#refusals + 1 : 0
    this.#refused = refused
    if (this.#refusals >= REFUSALS) this.#unwanted()
  }

  /**
   * Settles when what was pushed before has been taken or refused, or when the time is over.
   *
   * @param giveUp - settle at the first attempt that fails
   */
  async flush(withinMs: Milliseconds, giveUp: boolean): Promise<void> {
    if (this.#queue.length === 0 && !this.#sender.busy) return
    const ended = new AbortController()
    const deadline = wait(withinMs, undefined, { signal: ended.signal }).catch(() => undefined)
    const failure = giveUp ? [new Promise<void>((resolve) => this.#waitingForFailure.push(resolve))] : []
    await Promise.race([this.#sender.drain(), deadline, ...failure])
    ended.abort()
  }

  close(): void {
    this.#sender.stop()
    this.#client.close()
  }
}

/** Where profiles go, and whose they are: pprof itself has no place for it. */
function pathOf({ attributes }: Resource): string {
  const text = (key: string): string => (typeof attributes[key] === 'string' ? attributes[key] : '')
  const query = new URLSearchParams()
  for (const [name, key] of Object.entries({ service: 'service.name', instance: 'service.instance.id', version: 'service.version', env: 'deployment.environment.name' })) {
    if (text(key) !== '') query.set(name, text(key))
  }
  return `${PATH}?${query.toString()}`
}
