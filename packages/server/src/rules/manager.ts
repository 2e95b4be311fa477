// All groups of rules: when they are evaluated, and what they know after a reload or a restart.
import { type AlertReceiver, AndonError, type Labels, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { ActiveAlert } from './alerting.ts'
import { type AlertLog, entryOf, type KnownAlert, readKnown } from './alert-log.ts'
import type { RuleGroup } from './definition.ts'
import { GoneAlerts } from './gone.ts'
import { GroupEvaluator, type RuleId, type RulePoint } from './group.ts'
import { HandOver } from './hand-over.ts'
import type { InstantQuery } from './missing.ts'

export type { AlertEntry, AlertLog } from './alert-log.ts'

export interface RuleManagerDeps {
  readonly query: InstantQuery
  readonly write: (points: readonly RulePoint[]) => Promise<void>
  readonly log: AlertLog
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn' | 'info'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
  /** Handed the alerts of each rule after each evaluation, and after a start. */
  readonly receiver?: AlertReceiver
}

/** Where groups come from; each origin is reloaded by itself. */
export type RuleOrigin = 'files' | 'own' | 'telemetry'
export type RuleGroups = Readonly<Partial<Record<Exclude<RuleOrigin, 'files'>, readonly RuleGroup[]>>>

export interface RuleOptions {
  readonly intervalMs: Milliseconds
  readonly queryOffsetMs: Milliseconds
  readonly externalUrl: string
  readonly externalLabels: Labels
}

interface Running {
  readonly origin: RuleOrigin
  readonly evaluator: GroupEvaluator
  end: () => void
  under: Promise<void> | undefined
}

/** After more than this without an evaluation nothing is known of what was pending. */
const OUTAGE_MS: Milliseconds = 3_600_000

/** Owns its timers from `start` to `stop`. */
export class RuleManager {
  readonly #deps: RuleManagerDeps
  readonly #options: RuleOptions
  readonly #missed: ReturnType<OwnMetrics['counter']>
  readonly #failed: ReturnType<OwnMetrics['counter']>
  readonly #handOver: HandOver
  readonly #gone: GoneAlerts
  #running: Running[] = []
  #stop = new AbortController()
  /** Reloads are done one after the other. */
  #reloading: Promise<void> = Promise.resolve()

  private constructor(deps: RuleManagerDeps, options: RuleOptions) {
    this.#deps = deps
    this.#options = options
    this.#missed = deps.own.counter('andon_rules_missed_total', 'Evaluations of groups that were left out because the one before was still under way.')
    this.#failed = deps.own.counter('andon_rules_failures_total', 'Evaluations of rules that failed.')
    deps.own.gauge('andon_rules_groups', 'Groups of rules that are evaluated.', () => this.#running.length)
    const { receiver = { accept: () => Promise.resolve() }, log, clock, logger, own } = deps
    this.#handOver = new HandOver({ receiver, logger, own, ...options })
    this.#gone = new GoneAlerts({ log, clock, logger, handOver: this.#handOver })
  }

  /**
   * Makes the groups and reads what their alerts were. Nothing is evaluated, and nothing handed over, before `start`.
   *
   * @param files - the groups of files
   * @param others - those of other origins
   */
  static async open(files: readonly RuleGroup[], deps: RuleManagerDeps, options: RuleOptions, others: RuleGroups = {}): Promise<RuleManager> {
    const manager = new RuleManager(deps, options)
    const { own = [], telemetry = [] } = others
    manager.#running = [...files.map((group) => manager.#made(group, 'files')), ...own.map((group) => manager.#made(group, 'own')), ...telemetry.map((group) => manager.#made(group, 'telemetry'))]
    await manager.#restore()
    return manager
  }

  #made(group: RuleGroup, origin: RuleOrigin): Running {
    const { query, write, clock, log } = this.#deps
    const { externalUrl, externalLabels } = this.#options
    const evaluator = new GroupEvaluator(
      group,
      {
        query,
        write,
        now: () => clock.now(),
        told: async (alerts, _rule, definition) => void (await this.#handOver.tell(alerts, definition)),
        keep: async (transitions, rule) => void (await log.append(transitions.map(({ to, alert }) => entryOf(to, alert, rule)))),
        externalUrl,
        externalLabels,
      },
      this.#options,
    )
    return { origin, evaluator, end: () => undefined, under: undefined }
  }

  async #restore(): Promise<void> {
    const known = readKnown(await this.#deps.log.latest('alert'))
    const ruleIds = new Set(this.#running.flatMap(({ evaluator }) => evaluator.ruleIds))
    await this.#gone.take(known.filter(({ rule }) => !ruleIds.has(rule.id)))
    const byRule = new Map<string, ActiveAlert[]>()
    for (const { rule, alert } of known) if (ruleIds.has(rule.id)) byRule.set(rule.id, [...(byRule.get(rule.id) ?? []), alert])
    if (byRule.size === 0) return
    const changedAt = Math.max(...[...byRule.values()].flat().map(({ seenAt }) => seenAt))
    const silentMs = Math.max(0, this.#deps.clock.now() - Math.max(changedAt, await this.#lastEvaluation()))
    for (const { evaluator } of this.#running) {
      for (const { id, rule } of evaluator.alerting) {
        const alerts = (byRule.get(id.id) ?? []).filter(({ state }) => state !== 'pending' || silentMs <= OUTAGE_MS)
        // Time in which nobody looked does not count for `for`.
        rule.restore(alerts.map((alert) => (alert.state === 'pending' ? { ...alert, activeAt: alert.activeAt + silentMs } : alert)))
      }
    }
  }

  /** When a rule was last evaluated, as the series of alerts say; 0 when they say nothing of the last hour. */
  async #lastEvaluation(): Promise<Milliseconds> {
    const now = this.#deps.clock.now()
    // An instant query sees what is younger than the steps of a subquery, which lie at whole minutes.
    const [recent] = await this.#deps.query('max(timestamp(ALERTS_FOR_STATE))', now)
    const [last] = recent === undefined ? await this.#deps.query('max(max_over_time(timestamp(ALERTS_FOR_STATE)[1h:1m]))', now) : [recent]
    return last === undefined ? 0 : last.value * 1000
  }

  /** Begins to evaluate. What was known before is handed over at once, so that a crash between storing and telling loses nothing. */
  start(): void {
    for (const running of this.#running) {
      this.#schedule(running)
      for (const { rule } of running.evaluator.alerting) void this.#handOver.tell([...rule.alerts.values()], rule.rule)
    }
    this.#gone.start()
  }

  #schedule(running: Running): void {
    const { clock } = this.#deps
    const { intervalMs, slotMs } = running.evaluator
    const now = clock.now()
    const since = (((now - slotMs) % intervalMs) + intervalMs) % intervalMs
    running.end = clock.after(since === 0 ? 0 : intervalMs - since, () => {
      const tick = (): void => this.#tick(running)
      running.end = clock.every(intervalMs, tick)
      tick()
    })
  }

  #tick(running: Running): void {
    if (running.under !== undefined) {
      this.#missed.add(1)
      return
    }
    const { evaluator } = running
    const { intervalMs, slotMs } = evaluator
    // On the slot, however late the timer was.
    const time = Math.floor((this.#deps.clock.now() - slotMs) / intervalMs) * intervalMs + slotMs
    running.under = evaluator
      .evaluate(time, this.#stop.signal)
      .catch((error: unknown) => this.#deps.logger.warn('a group of rules could not be evaluated', { group: evaluator.group.name, error: String(error) }))
      .finally(() => {
        running.under = undefined
        this.#failed.add(evaluator.health.filter(({ health, lastEvaluation }) => health === 'err' && lastEvaluation === time).length)
      })
  }

  /**
   * Takes other groups of an origin; what is known of rules that stand in both is kept, series of rules that are gone are ended, and
   * their alerts are resolved.
   */
  async reload(groups: readonly RuleGroup[], origin: RuleOrigin = 'files'): Promise<void> {
    const next = this.#reloading.then(() => this.#reload(groups, origin))
    this.#reloading = next.catch(() => undefined)
    await next
  }

  async #reload(groups: readonly RuleGroup[], origin: RuleOrigin): Promise<void> {
    const before = this.#running.filter((each) => each.origin === origin)
    for (const { end } of before) end()
    await Promise.all(before.map(async ({ under }) => await under))
    const made = groups.map((group) => {
      const running = this.#made(group, origin)
      const old = before.find(({ evaluator }) => evaluator.group.name === group.name && evaluator.group.file === group.file)
      if (old !== undefined) running.evaluator.takeOver(old.evaluator)
      return running
    })
    this.#running = [...this.#running.filter((each) => each.origin !== origin), ...made]
    const kept = new Set(this.#running.flatMap(({ evaluator }) => evaluator.ruleIds))
    const gone = before.flatMap(({ evaluator }) => evaluator.alerting).filter(({ id }) => !kept.has(id.id))
    await this.#gone.take(gone.flatMap(({ id, rule }) => [...rule.alerts.values()].map((alert): KnownAlert => ({ rule: id, alert, definition: rule.rule }))))
    await Promise.all(before.map(async ({ evaluator }) => await evaluator.end(kept)))
    if (!this.#stop.signal.aborted) for (const running of made) this.#schedule(running)
  }

  /** Evaluates no more, and waits for what is under way. */
  async stop(): Promise<void> {
    for (const { end } of this.#running) end()
    this.#stop.abort(new AndonError('unavailable', 'the server stops'))
    await this.#reloading
    for (const { end } of this.#running) end()
    await this.#gone.stop()
    await Promise.all(this.#running.map(async ({ under }) => await under))
  }

  get groups(): readonly GroupEvaluator[] {
    return this.#running.map(({ evaluator }) => evaluator)
  }

  /** What is pending or fires, the oldest first. */
  active(): readonly { readonly rule: RuleId; readonly alert: ActiveAlert }[] {
    return this.#running
      .flatMap(({ evaluator }) => evaluator.alerting)
      .flatMap(({ id, rule }) => [...rule.alerts.values()].filter(({ state }) => state !== 'inactive').map((alert) => ({ rule: id, alert })))
      .toSorted((a, b) => a.alert.activeAt - b.alert.activeAt)
  }
}
