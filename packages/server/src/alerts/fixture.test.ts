// A world that a test owns: time, the state log, what was told.
import type { Alert, AlertChange, Delivery, IncidentBook, Labels, Milliseconds, Notification, Outbox, StateEntry, TimeRange } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { StoredState } from '../store/state.ts'
import type { DependsOn } from './inhibit.ts'
import { type AlertLog, AlertManager } from './manager.ts'
import { type AlertingConfig, readAlertmanagerFile, readAlerting } from './schema.ts'

export const START: number = Date.UTC(2026, 0, 5, 12)
const NEVER_FAILS = Infinity

/** A state log in memory, which can die at an insert: with it stored, or not. */
export class MemoryLog implements AlertLog {
  rows: (StateEntry & StoredState)[] = []
  readonly #clock: FakeClock
  /** Inserts until it dies. */
  left: number = NEVER_FAILS
  isStoredAtDeath = false
  isDead = false

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  revive(): void {
    this.left = NEVER_FAILS
    this.isDead = false
  }

  append(rows: readonly StateEntry[]): Promise<unknown> {
    if (this.isDead) return Promise.reject(new Error('the process is dead'))
    this.left -= 1
    this.isDead = this.left < 0
    if (!this.isDead || this.isStoredAtDeath) {
      // As the table keeps it: as JSON.
      for (const row of rows) this.rows.push({ ...row, doc: JSON.parse(JSON.stringify(row.doc)) as unknown, revision: this.rows.length + 1, written: this.#clock.now() })
    }
    return this.isDead ? Promise.reject(new Error('the process died')) : Promise.resolve()
  }

  latest(kind: string, { except = [] }: { readonly except?: readonly string[] } = {}): Promise<StoredState[]> {
    const latest = new Map(this.rows.filter((row) => row.kind === kind).map((row) => [row.key, row]))
    return Promise.resolve([...latest.values()].filter(({ state }) => !except.includes(state)).toSorted((a, b) => (a.key < b.key ? -1 : 1)))
  }

  between(kind: string, { start, end }: TimeRange, limit: number): Promise<StoredState[]> {
    return Promise.resolve(this.rows.filter((row) => row.kind === kind && row.written >= start && row.written < end).slice(-limit))
  }

  /** What was told, as it is stored: the truth after a crash. */
  told(): Notification[] {
    return this.rows.filter(({ kind }) => kind === 'message').map(({ doc }) => doc as Notification)
  }
}

class FakeIncidents implements IncidentBook {
  readonly changes: AlertChange[] = []
  isBroken = false
  /** Why alerts are tickets, by their names. */
  readonly demoted: Map<string, string> = new Map<string, string>()

  join(changes: readonly AlertChange[]): Promise<ReadonlyMap<string, string>> {
    if (this.isBroken) return Promise.reject(new Error('no incidents just now'))
    this.changes.push(...changes)
    return Promise.resolve(new Map(changes.map(({ fingerprint, alert }) => [fingerprint, `incident of ${alert.labels['service_name'] ?? ''}`])))
  }

  told(_deliveries: readonly Delivery[]): Promise<void> {
    return Promise.resolve()
  }

  ticketBecause({ alert }: AlertChange): string | undefined {
    return this.demoted.get(alert.labels['alertname'] ?? '')
  }
}

export class FakeOutbox implements Outbox {
  readonly delivered: Notification[] = []

  entries(notifications: readonly Notification[]): readonly StateEntry[] {
    return notifications.map((notification) => ({ kind: 'message', key: notification.id, state: 'queued', service: '', severity: '', actor: '', doc: notification }))
  }

  deliver(notifications: readonly Notification[]): void {
    this.delivered.push(...notifications)
  }
}

export interface WorldOptions {
  /** An alertmanager.yml; the default configuration where it is absent. */
  readonly config?: string
  readonly dependsOn?: DependsOn
  readonly start?: Milliseconds
}

export class World {
  readonly clock: FakeClock
  readonly log: MemoryLog
  readonly incidents: FakeIncidents = new FakeIncidents()
  readonly outbox: FakeOutbox = new FakeOutbox()
  own: OwnMetrics = new OwnMetrics()
  config: AlertingConfig
  readonly #dependsOn: DependsOn | undefined
  #manager: AlertManager | undefined
  #ids = 0

  private constructor({ config, dependsOn, start = START }: WorldOptions) {
    this.clock = new FakeClock(start)
    this.log = new MemoryLog(this.clock)
    this.config = config === undefined ? readAlerting(undefined) : readAlertmanagerFile(config, 'test.yml')
    this.#dependsOn = dependsOn
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(options)
    await world.begin()
    return world
  }

  get manager(): AlertManager {
    if (this.#manager === undefined) throw new Error('no manager')
    return this.#manager
  }

  async begin(): Promise<void> {
    this.own = new OwnMetrics()
    const newId = (): string => `00000000-0000-4000-8000-${String((this.#ids += 1)).padStart(12, '0')}`
    const { clock, log, incidents, outbox, own } = this
    this.#manager = await AlertManager.open(this.config, { log, clock, incidents, outbox, own, logger: silentLog, newId, dependsOn: this.#dependsOn })
    this.#manager.start()
    await this.advance(0)
  }

  /** The process ends and begins anew; `downMs` later. */
  async restart(downMs: Milliseconds = 0): Promise<void> {
    await this.#manager?.stop()
    this.log.revive()
    await this.clock.advance(downMs)
    await this.begin()
  }

  /** Moves the time, and lets what is done settle. */
  async advance(ms: Milliseconds): Promise<void> {
    await this.clock.advance(ms)
    for (let turn = 0; turn < 5; turn += 1) {
      await this.#manager?.settled()
      await this.clock.advance(0)
    }
  }

  async fire(labels: Labels, more: Partial<Alert> = {}): Promise<void> {
    await this.manager.accept([alertOf(labels, { startsAt: this.clock.now(), ...more })])
    await this.advance(0)
  }

  async resolve(labels: Labels): Promise<void> {
    await this.fire(labels, { startsAt: this.clock.now() - 1, endsAt: this.clock.now() })
  }

  /** Reason, and what was told as firing and as resolved, of each message so far; then forgets them. */
  messages(): string[] {
    return this.outbox.delivered.splice(0).map(messageText)
  }
}

export function alertOf(labels: Labels, more: Partial<Alert> = {}): Alert {
  return { labels, annotations: {}, source: 'rule', startsAt: START, endsAt: undefined, generatorUrl: '', value: 1, expression: undefined, onsetAt: undefined, ...more }
}

/** `first +a +b -c`, the receiver before it where it is not `default`. */
export function messageText({ receiver, reason, alerts }: Notification): string {
  const names = alerts.map(({ status, labels }) => `${status === 'firing' ? '+' : '-'}${labels['alertname'] ?? ''}${labels['instance'] ?? ''}`)
  return [...(receiver === 'default' ? [] : [`${receiver}:`]), reason, ...names].join(' ')
}

export const MINUTE = 60_000
export const HOUR = 3_600_000
