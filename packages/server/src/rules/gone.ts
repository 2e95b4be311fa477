// Alerts whose rules are gone: nobody evaluates them any more, so they are over, and whoever was told of them must hear of it.
import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ActiveAlert } from './alerting.ts'
import { type AlertLog, entryOf, type KnownAlert } from './alert-log.ts'
import type { HandOver } from './hand-over.ts'

export interface GoneDeps {
  readonly log: AlertLog
  readonly clock: Pick<Clock, 'now' | 'after'>
  readonly logger: Pick<Log, 'warn'>
  readonly handOver: HandOver
}

const RETRY_MS: Milliseconds = 15_000

/** Keeps each until it was taken and is forgotten in the log; after a restart the log brings back those that were not. */
export class GoneAlerts {
  readonly #deps: GoneDeps
  #waiting: KnownAlert[] = []
  #isStarted = false
  #under: Promise<void> | undefined
  #cancel: () => void = () => undefined

  constructor(deps: GoneDeps) {
    this.#deps = deps
  }

  /** Resolves alerts; settles when that is stored. */
  async take(known: readonly KnownAlert[]): Promise<void> {
    if (known.length === 0) return
    const now = this.#deps.clock.now()
    const entries = known.map(({ rule, alert, definition }) => {
      if (alert.state !== 'firing') return { to: alert.state === 'pending' ? ('none' as const) : undefined, each: { rule, alert, ...(definition !== undefined && { definition }) } }
      const over: ActiveAlert = { ...alert, state: 'inactive', resolvedAt: now, keptSince: undefined, noDataSince: undefined }
      return { to: 'inactive' as const, each: { rule, alert: over, ...(definition !== undefined && { definition }) } }
    })
    const changed = entries.flatMap(({ to, each }) => (to === undefined ? [] : [entryOf(to, each.alert, each.rule)]))
    if (changed.length > 0) await this.#deps.log.append(changed)
    this.#waiting.push(...entries.flatMap(({ each }) => (each.alert.state === 'inactive' ? [each] : [])))
    if (this.#isStarted) await this.#begin()
  }

  start(): void {
    this.#isStarted = true
    void this.#begin()
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#isStarted = false
    this.#cancel()
    await this.#under
  }

  async #begin(): Promise<void> {
    if (this.#waiting.length === 0) return
    this.#under ??= this.#tell().finally(() => (this.#under = undefined))
    await this.#under
  }

  /** Tells all that wait, and tries again later those that were not taken. */
  async #tell(): Promise<void> {
    const told = this.#waiting
    this.#waiting = []
    const left: KnownAlert[] = []
    for (const each of told) if (!(await this.#tellOne(each))) left.push(each)
    this.#waiting = [...left, ...this.#waiting]
    if (this.#waiting.length > 0 && this.#isStarted) this.#cancel = this.#deps.clock.after(RETRY_MS, () => void this.#begin())
  }

  async #tellOne({ rule, alert, definition }: KnownAlert): Promise<boolean> {
    if (!(await this.#deps.handOver.tell([alert], definition))) return false
    try {
      await this.#deps.log.append([entryOf('none', alert, rule)])
    } catch (error) {
      this.#deps.logger.warn('an alert of a rule that is gone could not be forgotten', { error: String(error) })
    }
    return true
  }
}
