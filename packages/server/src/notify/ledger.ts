// What became of messages: stored, counted, and told to the incident.
import type { Delivery, IncidentBook } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { MessageRow, Owed } from './message.ts'
import { backOffMs } from './token-bucket.ts'

export interface LedgerDeps {
  readonly log: { append(rows: readonly MessageRow[]): Promise<unknown> }
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Pick<Log, 'warn' | 'error'>
  readonly own: Pick<OwnMetrics, 'counter'>
  readonly incidents: Pick<IncidentBook, 'told'>
  /** Aborted when nothing is waited for any more. */
  readonly signal: AbortSignal
  /** Told when work that was begun by `write` is done. */
  readonly written: () => void
}

export class Ledger {
  readonly #deps: LedgerDeps
  readonly #messages: ReturnType<OwnMetrics['counter']>
  readonly #works = new Set<Promise<void>>()

  constructor(deps: LedgerDeps) {
    this.#deps = deps
    this.#messages = deps.own.counter('andon_notify_messages_total', 'Messages of which nothing is owed any more, by channel and by what became of them.')
  }

  /** Settles when the rows are stored, however long that takes; or when it is over, and then the log says what is still owed. */
  async record(rows: readonly MessageRow[]): Promise<void> {
    const { log, clock, logger, random, signal } = this.#deps
    for (let attempts = 1; ; attempts += 1) {
      try {
        await log.append(rows)
        return
      } catch (error) {
        if (attempts === 1) logger.warn('what became of messages could not be stored', { error: String(error) })
        await clock.sleep(backOffMs(attempts, random, { baseMs: 250, capMs: 30_000 }), signal).catch(() => undefined)
        if (signal.aborted) return
      }
    }
  }

  /** Lets work go on by itself; `drained` waits for it. */
  write(work: Promise<void>): void {
    const kept = work
      .catch((error: unknown) => this.#deps.logger.error('the outbox failed', { error }))
      .finally(() => {
        this.#works.delete(kept)
        this.#deps.written()
      })
    this.#works.add(kept)
  }

  async drained(): Promise<void> {
    await Promise.all(this.#works)
  }

  count(channel: string, state: string, messages: number): void {
    if (messages > 0) this.#messages.add(messages, { channel, state })
  }

  /** Tells the incident what became of notifications; what it cannot store is logged, and holds nothing up. */
  tell({ channel, notification: { incident } }: Owed, notifications: readonly string[], state: Delivery['state'], detail = ''): void {
    if (incident === undefined || notifications.length === 0) return
    const at = this.#deps.clock.now()
    const deliveries = notifications.map((notification): Delivery => ({ incident, channel, notification, state, at, detail }))
    this.#deps.incidents.told(deliveries).catch((error: unknown) => this.#deps.logger.warn('the incident was not told of a delivery', { incident, error: String(error) }))
  }
}
