// Alerts of Andon about itself: what tells others when telling fails.
import type { Alert, AlertReceiver, Labels, Milliseconds } from '@andon/model'
import { labelsKey } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'

/** How often those that last are handed in again, and how long they are believed without. */
const AGAIN_MS: Milliseconds = 60_000
const BELIEVED_MS: Milliseconds = 300_000
/** Distinct ones at a time. */
const ALERTS_MAX = 200

interface Raised {
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: Milliseconds
  /** When it ends by itself. */
  readonly until: Milliseconds
}

/** Owns its timer from `start` to `stop`. */
export class MetaAlerts {
  readonly #receiver: AlertReceiver
  readonly #clock: Clock
  readonly #log: Pick<Log, 'error'>
  readonly #raised = new Map<string, Raised>()
  #end: () => void = () => undefined
  #isRunning = false

  constructor(receiver: AlertReceiver, clock: Clock, log: Pick<Log, 'error'>) {
    this.#receiver = receiver
    this.#clock = clock
    this.#log = log
  }

  /** Begins to hand in; what was raised before is handed in now. */
  start(): void {
    this.#isRunning = true
    this.#end = this.#clock.every(AGAIN_MS, () => this.#again())
    this.#again()
  }

  stop(): void {
    this.#isRunning = false
    this.#end()
  }

  /** @param forMs - after which it ends unless it is raised again; undefined: when it is cleared */
  raise(labels: Labels, annotations: Labels, forMs?: Milliseconds): void {
    const now = this.#clock.now()
    const key = labelsKey(labels)
    const before = this.#raised.get(key)
    if (before === undefined && this.#raised.size >= ALERTS_MAX) {
      this.#log.error('an alert of Andon about itself is left out: there are too many', labels)
      return
    }
    const raised = { labels, annotations, startsAt: before?.startsAt ?? now, until: forMs === undefined ? Number.POSITIVE_INFINITY : now + forMs }
    this.#raised.set(key, raised)
    this.#hand([alertOf(raised, now + BELIEVED_MS)])
  }

  clear(labels: Labels): void {
    const key = labelsKey(labels)
    const raised = this.#raised.get(key)
    if (raised === undefined) return
    this.#raised.delete(key)
    this.#hand([alertOf(raised, this.#clock.now())])
  }

  #again(): void {
    const now = this.#clock.now()
    const alerts = [...this.#raised].map(([key, raised]) => {
      if (raised.until <= now) this.#raised.delete(key)
      return alertOf(raised, raised.until <= now ? now : now + BELIEVED_MS)
    })
    if (alerts.length > 0) this.#hand(alerts)
  }

  #hand(alerts: readonly Alert[]): void {
    if (!this.#isRunning) return
    this.#receiver.accept(alerts).catch((error: unknown) => this.#log.error('an alert of Andon about itself could not be handed in', { error: String(error) }))
  }
}

function alertOf({ labels, annotations, startsAt }: Raised, endsAt: Milliseconds): Alert {
  return { labels, annotations, source: 'andon', startsAt, endsAt, generatorUrl: '', value: undefined, expression: undefined, onsetAt: undefined }
}
