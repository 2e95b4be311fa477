// Active alerts, from what finds them to whom they are told.
import {
  type Alert,
  type AlertReceiver,
  type AlertSignal,
  type AlertSink,
  AndonError,
  type IncidentBook,
  type Milliseconds,
  type Notification,
  type Outbox,
  type StateEntry,
  type ThresholdRule,
  type TimeRange,
} from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { StoredState } from '../store/state.ts'
import { AlertBook } from './alert-book.ts'
import { alertOf, ApplicationAlerts, signalOf } from './application.ts'
import { closedRow, type GroupRecord, recordOf } from './group.ts'
import { GroupBook } from './group-book.ts'
import { changeOf, type HeldAlert, isToldFiring, rowOf } from './held-alert.ts'
import { type DependsOn, InhibitRules, TopologyInhibition } from './inhibit.ts'
import { Pipeline, type PipelineRules } from './pipeline.ts'
import { RouteNode } from './route.ts'
import type { AlertingConfig } from './schema.ts'
import { SilenceBook, silenceState } from './silence.ts'
import { AlertViews, type AlertView, changesOf, type GroupView, type StoredChange } from './views.ts'

/** The part of the state log that alerts use. */
export interface AlertLog {
  append(rows: readonly StateEntry[]): Promise<unknown>
  latest(kind: 'alert-active' | 'alert-group' | 'silence', options?: { readonly except?: readonly string[] }): Promise<readonly StoredState[]>
  between(kind: 'alert-active', range: TimeRange, limit: number): Promise<readonly StoredState[]>
}

export interface AlertManagerDeps {
  readonly log: AlertLog
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn' | 'info'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
  readonly incidents: IncidentBook
  readonly outbox: Outbox
  /** The services that a service calls; undefined where no service map is known. */
  readonly dependsOn?: DependsOn | undefined
  /** Of silences; random where it is absent. */
  readonly newId?: () => string
}

/** Longer timers are set again when they are over. */
const TIMER_MAX: Milliseconds = 86_400_000
/** After which it is tried again to store that alerts have ended. */
const RETRY: Milliseconds = 5000
/** How often groups are flushed in one go before others have their turn. */
const ROUNDS_MAX = 1000

/**
 * Takes alerts of all sources and tells them: the receiver of `Alert`s, and the sink of the asked-for interface, which reaches the same
 * pipeline. What changes is stored before it is told. Owns its timer from `start` to `stop`; all methods may be called concurrently.
 */
export class AlertManager implements AlertReceiver, AlertSink {
  readonly silences: SilenceBook
  readonly #deps: AlertManagerDeps
  readonly #alerts: AlertBook
  readonly #groups: GroupBook
  readonly #pipeline: Pipeline
  readonly #views: AlertViews
  readonly #application: ApplicationAlerts
  readonly #told: ReturnType<OwnMetrics['counter']>
  readonly #dropped: ReturnType<OwnMetrics['counter']>
  #config: AlertingConfig
  #root: RouteNode
  #queue: Promise<unknown> = Promise.resolve()
  #cancel: () => void = () => undefined
  #isRunning = false

  private constructor(config: AlertingConfig, deps: AlertManagerDeps, silences: SilenceBook) {
    this.#config = config
    this.#deps = deps
    this.silences = silences
    this.#root = new RouteNode(config.route)
    this.#alerts = new AlertBook()
    this.#groups = new GroupBook(this.#root)
    const { incidents, outbox, logger, log, clock, own } = deps
    this.#pipeline = new Pipeline({ alerts: this.#alerts, groups: this.#groups, silences, incidents, outbox, logger, append: (rows) => log.append(rows) }, this.#rulesOf(config))
    this.#views = new AlertViews(this.#alerts, this.#groups, this.#pipeline)
    this.#application = new ApplicationAlerts(() => clock.now(), (alert) => this.#hand(alert))
    this.#told = own.counter('andon_alerts_notifications_total', 'Messages about groups of alerts that were decided on, by reason.')
    this.#dropped = own.counter('andon_alerts_dropped_total', 'Alerts that were not taken because too many are active.')
    own.gauge('andon_alerts_firing', 'Alerts that fire.', () => [...this.#alerts.all()].filter(({ status }) => status === 'firing').length)
    own.gauge('andon_alerts_groups', 'Groups of alerts.', () => this.#groups.size)
    own.gauge('andon_silences_active', 'Silences that hold now.', () => this.silences.list().filter((silence) => silenceState(silence, clock.now()) === 'active').length)
  }

  /**
   * Reads what was known before; what was stored and not decided yet is decided after `start`.
   *
   * @throws what reading the log throws
   */
  static async open(config: AlertingConfig, deps: AlertManagerDeps): Promise<AlertManager> {
    const { log, clock, newId, logger } = deps
    for (const warning of config.warnings) logger.warn('a part of the configuration of alerting has no effect', { warning })
    const manager = new AlertManager(config, deps, await SilenceBook.open(log, clock, newId))
    await manager.#restore()
    return manager
  }

  #rulesOf({ inhibitRules, timeIntervals, isTopologyUsed }: AlertingConfig): PipelineRules {
    const { dependsOn, clock } = this.#deps
    return { inhibit: new InhibitRules(inhibitRules), topology: isTopologyUsed && dependsOn !== undefined ? new TopologyInhibition(dependsOn, () => clock.now()) : undefined, timeIntervals }
  }

  async #restore(): Promise<void> {
    const { log, clock } = this.#deps
    const now = clock.now()
    await this.#alerts.restore(log, now, this.#config.resolveTimeoutMs)
    const records = (await log.latest('alert-group', { except: ['closed'] })).flatMap(({ doc }) => recordOf(doc) ?? [])
    await this.#arrange(records)
    await this.#pipeline.join([...this.#alerts.all()].filter(({ isJoined }) => !isJoined))
  }

  /** Finds the group of each alert again; what was told of groups that are gone is closed. */
  async #arrange(records: readonly GroupRecord[]): Promise<void> {
    const receivers = new Set(this.#config.receivers.map(({ name }) => name))
    const gone = this.#groups.arrange(this.#root, this.#alerts.all(), records, { now: this.#deps.clock.now(), receivers })
    const now = this.#deps.clock.now()
    // Of what has ended and is in no group nothing is owed to anybody.
    const settled = [...this.#alerts.all()].filter((held) => !isToldFiring(held, now) && this.#groups.of(held.fingerprint).size === 0)
    if (gone.length + settled.length === 0) return
    await this.#deps.log.append([...gone.map((record) => closedRow(record)), ...settled.map((held) => rowOf(held, 'settled'))])
    for (const held of settled) this.#alerts.settle(held, now)
  }

  get config(): AlertingConfig {
    return this.#config
  }

  /** Begins to tell. */
  start(): void {
    this.#isRunning = true
    this.#arm()
  }

  /** Tells no more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel()
    await this.settled()
  }

  /** Settles when all that was handed in is stored, and all that was due is decided. */
  async settled(): Promise<void> {
    await this.#queue
  }

  /** Takes another configuration; what was told stays told, also by routes that are gone. */
  async reload(config: AlertingConfig): Promise<void> {
    await this.#serial(async () => {
      this.#config = config
      this.#root = new RouteNode(config.route)
      this.#pipeline.rules = this.#rulesOf(config)
      await this.#arrange([...this.#groups.all()].flatMap(({ record }) => record ?? []))
      this.#arm()
    })
  }

  /** One after the other: each sees what those before it stored. */
  async #serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => undefined)
    return await result
  }

  /** @throws AndonError overloaded when some were not taken; what storing throws: then nothing has changed */
  async accept(alerts: readonly Alert[]): Promise<void> {
    await this.#serial(async () => {
      const { changed, refreshed, dropped } = this.#alerts.plan(alerts, this.#deps.clock.now())
      await this.#change(changed.map((held) => this.#withSeverity(held)))
      this.#alerts.commit(refreshed)
      if (dropped === 0) return
      this.#dropped.add(dropped)
      throw new AndonError('overloaded', `${dropped} alerts were not taken: too many are active.`)
    })
  }

  /** Whether it pages is asked when nothing of it is owed to anybody: whoever was told that it fires is told of its end. */
  #withSeverity(held: HeldAlert): HeldAlert {
    if (held.status !== 'firing' || this.#alerts.get(held.fingerprint) !== undefined) return held
    return { ...held, ticketBecause: this.#deps.incidents.ticketBecause(changeOf(held)) }
  }

  /** Stored, joined to incidents, grouped. */
  async #change(changed: readonly HeldAlert[]): Promise<void> {
    if (changed.length === 0) return
    const { log, logger } = this.#deps
    await log.append(changed.map((held) => rowOf(held, held.status)))
    this.#alerts.commit(changed)
    for (const { status, fingerprint, alert } of changed) logger.info(status === 'firing' ? 'an alert fires' : 'an alert is resolved', { alert: alert.labels['alertname'], fingerprint, labels: alert.labels, value: alert.value })
    await this.#pipeline.join(changed)
    for (const held of changed) if (held.status === 'firing') this.#groups.place(held, held.changedAt)
    this.#arm()
  }

  #arm(): void {
    if (!this.#isRunning) return
    this.#cancel()
    const now = this.#deps.clock.now()
    const next = Math.min(this.#groups.nextDue(), this.#alerts.nextEnd())
    this.#cancel = this.#deps.clock.after(Math.max(0, Math.min(next - now, TIMER_MAX)), () => {
      this.#serial(() => this.#tick()).catch((error: unknown) => this.#deps.logger.warn('groups of alerts could not be flushed', { error: String(error) }))
    })
  }

  async #tick(): Promise<void> {
    if (!this.#isRunning) return
    const { clock, logger } = this.#deps
    try {
      const now = clock.now()
      await this.#change(this.#alerts.planExpired(now))
      for (let round = 0; round < ROUNDS_MAX && this.#groups.nextDue() <= now; round += 1) this.#count(await this.#pipeline.flush(now))
    } catch (error) {
      logger.warn('what alerts became could not be stored; it is tried again', { error: String(error) })
      this.#cancel()
      this.#cancel = clock.after(RETRY, () => this.#arm())
      return
    }
    this.#arm()
  }

  #count(notifications: readonly Notification[]): void {
    for (const { reason } of notifications) this.#told.add(1, { reason })
  }

  addRule(rule: ThresholdRule): void {
    this.#application.addRule(rule)
  }

  checkMetric(name: string, value: number, tags: Readonly<Record<string, string>> = {}): void {
    this.#application.checkMetric(name, value, tags)
  }

  checkErrorRate(error: Error): void {
    this.#application.checkErrorRate(error)
  }

  /** The alert is over when it is not triggered again within the resolve timeout, five minutes unless configured. */
  triggerAlert(signal: AlertSignal): void {
    const now = this.#deps.clock.now()
    this.#hand(alertOf(signal, { startsAt: now, endsAt: now + this.#config.resolveTimeoutMs }))
  }

  /** The asked-for interface does not wait for what it raises. */
  #hand(alert: Alert): void {
    this.accept([alert]).catch((error: unknown) => this.#deps.logger.warn('an alert could not be taken', { alert: alert.labels['alertname'], error: String(error) }))
  }

  getActiveAlerts(): readonly AlertSignal[] {
    return [...this.#alerts.all()].filter(({ status }) => status === 'firing').toSorted((a, b) => a.alert.startsAt - b.alert.startsAt).map(({ alert }) => signalOf(alert))
  }

  /** All that fires, or is held to; in the order of fingerprints. */
  async active(): Promise<AlertView[]> {
    return await this.#views.active(this.#root, this.#deps.clock.now())
  }

  /** Groups with what fires in them, in the order of their labels and receivers. */
  async groups(): Promise<GroupView[]> {
    return await this.#views.groups(this.#root, this.#deps.clock.now())
  }

  /** Changes that were stored in a time, the newest first; at most `limit` rows are looked at. */
  async history(range: TimeRange, limit: number): Promise<StoredChange[]> {
    return changesOf(await this.#deps.log.between('alert-active', range, limit))
  }
}
