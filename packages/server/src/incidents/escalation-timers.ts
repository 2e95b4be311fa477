// When the next step of each escalation comes.
import type { Incident, Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { isOpen } from './draft.ts'

/** A timer of Node's holds 24 days; looking once a day costs nothing. */
const LONGEST: Milliseconds = 86_400_000
/** After a step that could not be stored. */
const AGAIN: Milliseconds = 5000

/** Owns its timers until `clear`: one for each incident at most. */
export class EscalationTimers {
  readonly #clock: Clock
  readonly #logger: Pick<Log, 'warn'>
  readonly #due: (incident: string) => Promise<void>
  readonly #timers = new Map<string, () => void>()

  constructor(clock: Clock, logger: Pick<Log, 'warn'>, due: (incident: string) => Promise<void>) {
    this.#clock = clock
    this.#logger = logger
    this.#due = due
  }

  /** Waits for the next step of an incident as it is now. */
  set(incident: Incident): void {
    const { id, escalation } = incident
    const at = escalation?.nextAt ?? null
    if (isOpen(incident) && at !== null) this.#at(id, at)
    else this.#cancel(id)
  }

  #at(id: string, at: Milliseconds): void {
    this.#cancel(id)
    const ms = Math.min(LONGEST, Math.max(0, at - this.#clock.now()))
    const run = async (): Promise<void> => {
      this.#timers.delete(id)
      try {
        await this.#due(id)
      } catch (error) {
        this.#logger.warn('an escalation could not be stored; it is attempted again', { incident: id, error: String(error) })
        this.#at(id, this.#clock.now() + AGAIN)
      }
    }
    this.#timers.set(id, this.#clock.after(ms, () => void run()))
  }

  #cancel(id: string): void {
    this.#timers.get(id)?.()
    this.#timers.delete(id)
  }

  clear(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }
}
