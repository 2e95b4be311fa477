// All groups of rules: when they are evaluated, and what they know after a reload or a restart.
import { AndonError, type Labels, labelsKey, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { ActiveAlert, Transition } from './alerting.ts'
import { GroupEvaluator, type RuleId, type RulePoint } from './group.ts'
import type { InstantQuery } from './missing.ts'
import type { RuleGroup } from './schema.ts'

/** A stored change of an alert. */
export interface AlertEntry {
  readonly kind: 'alert'
  readonly key: string
  /** What it is now; `none` when it is forgotten. */
  readonly state: string
  readonly service: string
  readonly severity: string
  readonly actor: ''
  readonly doc: { readonly rule: RuleId; readonly alert: ActiveAlert }
}

/** The part of the state log that rules use. */
export interface AlertLog {
  append(rows: readonly AlertEntry[]): Promise<unknown>
  latest(kind: 'alert'): Promise<readonly { readonly state: string; readonly doc: unknown }[]>
}

export interface RuleManagerDeps {
  readonly query: InstantQuery
  readonly write: (points: readonly RulePoint[]) => Promise<void>
  readonly log: AlertLog
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn' | 'info'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
  /** Told of the alerts of a rule after each evaluation. */
  readonly told?: (alerts: readonly ActiveAlert[], rule: RuleId) => void
}

export interface RuleOptions {
  readonly intervalMs: Milliseconds
  readonly queryOffsetMs: Milliseconds
  readonly externalUrl: string
  readonly externalLabels: Labels
}

interface Running {
  readonly evaluator: GroupEvaluator
  end: () => void
  under: Promise<void> | undefined
}

/** After more than this without an evaluation nothing is known of what was pending. */
const OUTAGE_MS: Milliseconds = 3_600_000

function isRestorable(doc: unknown): doc is AlertEntry['doc'] {
  return typeof doc === 'object' && doc !== null && 'rule' in doc && 'alert' in doc
}

/** Owns its timers from `start` to `stop`. */
export class RuleManager {
  readonly #deps: RuleManagerDeps
  readonly #options: RuleOptions
  readonly #missed: ReturnType<OwnMetrics['counter']>
  readonly #failed: ReturnType<OwnMetrics['counter']>
  #running: Running[] = []
  #stop = new AbortController()

  private constructor(deps: RuleManagerDeps, options: RuleOptions) {
    this.#deps = deps
    this.#options = options
    this.#missed = deps.own.counter('andon_rules_missed_total', 'Evaluations of groups that were left out because the one before was still under way.')
    this.#failed = deps.own.counter('andon_rules_failures_total', 'Evaluations of rules that failed.')
    deps.own.gauge('andon_rules_groups', 'Groups of rules that are evaluated.', () => this.#running.length)
  }

  /** Makes the groups and reads what their alerts were. Nothing is evaluated before `start`. */
  static async open(groups: readonly RuleGroup[], deps: RuleManagerDeps, options: RuleOptions): Promise<RuleManager> {
    const manager = new RuleManager(deps, options)
    manager.#running = groups.map((group) => manager.#made(group))
    await manager.#restore()
    return manager
  }

  #made(group: RuleGroup): Running {
    const { query, write, clock, log } = this.#deps
    const { externalUrl, externalLabels } = this.#options
    const evaluator = new GroupEvaluator(
      group,
      {
        query,
        write,
        now: () => clock.now(),
        told: (alerts, rule) => this.#deps.told?.(alerts, rule),
        keep: async (transitions, rule) => void (await log.append(transitions.map((each) => entryOf(each, rule)))),
        externalUrl,
        externalLabels,
      },
      this.#options,
    )
    return { evaluator, end: () => undefined, under: undefined }
  }

  async #restore(): Promise<void> {
    const byRule = new Map<string, ActiveAlert[]>()
    for (const { state, doc } of await this.#deps.log.latest('alert')) {
      if (state === 'none' || !isRestorable(doc)) continue
      byRule.set(doc.rule.id, [...(byRule.get(doc.rule.id) ?? []), doc.alert])
    }
    if (byRule.size === 0) return
    const changedAt = Math.max(...[...byRule.values()].flat().map(({ seenAt }) => seenAt))
    const silentMs = Math.max(0, this.#deps.clock.now() - Math.max(changedAt, await this.#lastEvaluation()))
    for (const { evaluator } of this.#running) {
      for (const { id, rule } of evaluator.alerting) {
        const known = (byRule.get(id.id) ?? []).filter(({ state }) => state !== 'pending' || silentMs <= OUTAGE_MS)
        // Time in which nobody looked does not count for `for`.
        rule.restore(known.map((alert) => (alert.state === 'pending' ? { ...alert, activeAt: alert.activeAt + silentMs } : alert)))
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

  /** Begins to evaluate. */
  start(): void {
    for (const running of this.#running) this.#schedule(running)
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
   * Takes other groups; what is known of rules that stand in both is kept, and series of rules that are gone are ended.
   */
  async reload(groups: readonly RuleGroup[]): Promise<void> {
    const before = this.#running
    for (const { end } of before) end()
    await Promise.all(before.map(async ({ under }) => await under))
    this.#running = groups.map((group) => {
      const running = this.#made(group)
      const old = before.find(({ evaluator }) => evaluator.group.name === group.name && evaluator.group.file === group.file)
      if (old !== undefined) running.evaluator.takeOver(old.evaluator)
      return running
    })
    const kept = new Set(this.#running.flatMap(({ evaluator }) => evaluator.ruleIds))
    await Promise.all(before.map(async ({ evaluator }) => await evaluator.end(kept)))
    this.start()
  }

  /** Evaluates no more, and waits for what is under way. */
  async stop(): Promise<void> {
    for (const { end } of this.#running) end()
    this.#stop.abort(new AndonError('unavailable', 'the server stops'))
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

function entryOf({ to, alert }: Transition, rule: RuleId): AlertEntry {
  const { service_name: service = '', job = '', severity = '' } = alert.labels
  return { kind: 'alert', key: `${rule.id}/${labelsKey(alert.labels)}`, state: to, service: service === '' ? job : service, severity, actor: '', doc: { rule, alert } }
}
