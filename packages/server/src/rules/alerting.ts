// One alerting rule: what is pending, what fires, and what has ceased to.
// @see prometheus rules/alerting.go
import { AndonError, type Labels, labelsKey, type Milliseconds } from '@andon/model'
import type { AlertRule } from './schema.ts'

export type AlertState = 'pending' | 'firing' | 'inactive'

/** One element for which the expression of a rule holds, or held. */
export interface ActiveAlert {
  /** With `alertname`, without `__name__`. */
  readonly labels: Labels
  readonly annotations: Labels
  readonly state: AlertState
  /** What the expression last said. */
  readonly value: number
  /** Since when the expression holds. */
  readonly activeAt: Milliseconds
  readonly firedAt: Milliseconds | undefined
  readonly resolvedAt: Milliseconds | undefined
  /** Since when it fires only because of `keep_firing_for`. */
  readonly keptSince: Milliseconds | undefined
  /** Since when nothing is known of it, because its telemetry is missing: until then it is as it was. */
  readonly noDataSince: Milliseconds | undefined
  /** When the expression last held. */
  readonly seenAt: Milliseconds
  /** The labels of the element that the expression gave, by which its series are found again. */
  readonly element: Labels
}

/** An element of what the expression gave, with the texts of the rule filled in. */
export interface Candidate {
  readonly element: Labels
  readonly value: number
  /** Filled in only where it is a new alert, or was one that is told again. */
  readonly labels: Labels
  readonly annotations: Labels
}

/** A change of state. */
export interface Transition {
  readonly from: AlertState | 'none'
  readonly to: AlertState | 'none'
  readonly alert: ActiveAlert
}

/** What an evaluation makes of the alerts of a rule; nothing has happened until it is committed. */
export interface AlertPlan {
  readonly alerts: ReadonlyMap<string, ActiveAlert>
  readonly transitions: readonly Transition[]
}

/** How long what was resolved is still told, so that whoever missed it hears of it. */
const RESOLVED_MS: Milliseconds = 15 * 60_000
/** How long missing telemetry keeps an alert as it was. */
export const NO_DATA_MS: Milliseconds = 24 * 3_600_000

function begun({ element, value, labels, annotations }: Candidate, time: Milliseconds): ActiveAlert {
  return { labels, annotations, element, value, state: 'pending', activeAt: time, seenAt: time, firedAt: undefined, resolvedAt: undefined, keptSince: undefined, noDataSince: undefined }
}

/** Alerts that have ceased of which it is asked at the same time whether their telemetry is missing. */
const TOGETHER = 20

export class AlertingRule {
  readonly rule: AlertRule
  #alerts: ReadonlyMap<string, ActiveAlert> = new Map()

  constructor(rule: AlertRule) {
    this.rule = rule
  }

  /** By the key of their labels; also those that were resolved not long ago. */
  get alerts(): ReadonlyMap<string, ActiveAlert> {
    return this.#alerts
  }

  commit({ alerts }: Pick<AlertPlan, 'alerts'>): void {
    this.#alerts = alerts
  }

  /**
   * What becomes of the alerts of this rule.
   *
   * @param candidates - for what the expression holds
   * @param time - of the evaluation
   * @param isMissing - whether the telemetry behind an alert is missing: it keeps its state then
   * @param limit - alerts that may be active; 0 for any number
   * @throws AndonError bad_rules when two elements have the same labels, or they are more than the limit
   */
  async plan(candidates: readonly Candidate[], time: Milliseconds, isMissing: (alert: ActiveAlert) => Promise<boolean>, limit: number): Promise<AlertPlan> {
    const alerts = new Map<string, ActiveAlert>()
    const transitions: Transition[] = []
    const note = (key: string, before: ActiveAlert | undefined, after: ActiveAlert | undefined): void => {
      if (after !== undefined) alerts.set(key, after)
      const from: Transition['from'] = before?.state ?? 'none'
      const to: Transition['to'] = after?.state ?? 'none'
      const alert = after ?? before
      if (from !== to && alert !== undefined) transitions.push({ from, to, alert })
    }
    const present = new Map<string, Candidate>()
    for (const candidate of candidates) {
      const key = labelsKey(candidate.labels)
      if (present.has(key)) throw new AndonError('bad_rules', `two elements of ${this.rule.name} have the same labels once its own are added`)
      present.set(key, candidate)
    }
    for (const [key, candidate] of present) {
      const before = this.#alerts.get(key)
      note(key, before, this.#held(candidate, before, time))
    }
    const ceased = [...this.#alerts].filter(([key]) => !present.has(key))
    for (let from = 0; from < ceased.length; from += TOGETHER) {
      const some = ceased.slice(from, from + TOGETHER)
      const after = await Promise.all(some.map(async ([, before]) => await this.#gone(before, time, isMissing)))
      for (const [index, [key, before]] of some.entries()) note(key, before, after[index])
    }
    const active = [...alerts.values()].filter(({ state }) => state !== 'inactive').length
    if (limit > 0 && active > limit) throw new AndonError('bad_rules', `${this.rule.name} has ${active} alerts; its group allows ${limit}`)
    return { alerts, transitions }
  }

  /** The expression holds. */
  #held(candidate: Candidate, before: ActiveAlert | undefined, time: Milliseconds): ActiveAlert {
    const isNew = before === undefined || before.state === 'inactive'
    const { value, annotations, element } = candidate
    const alert: ActiveAlert = isNew ? begun(candidate, time) : { ...before, value, annotations, element, keptSince: undefined, noDataSince: undefined, seenAt: time }
    return alert.state === 'pending' && time - alert.activeAt >= this.rule.forMs ? { ...alert, state: 'firing', firedAt: time } : alert
  }

  /** The expression does not hold any more. */
  async #gone(alert: ActiveAlert, time: Milliseconds, isMissing: (alert: ActiveAlert) => Promise<boolean>): Promise<ActiveAlert | undefined> {
    if (alert.state === 'inactive') return time - (alert.resolvedAt ?? 0) > RESOLVED_MS ? undefined : alert
    const noDataSince = alert.noDataSince ?? time
    if (time - noDataSince < NO_DATA_MS && (await isMissing(alert))) {
      // Time of which nothing is known does not count for `for`.
      return alert.state === 'pending' ? { ...alert, noDataSince, activeAt: alert.activeAt + (time - alert.seenAt), seenAt: time } : { ...alert, noDataSince }
    }
    if (alert.state === 'pending') return undefined
    const keptSince = alert.keptSince ?? time
    if (this.rule.keepFiringForMs > 0 && time - keptSince < this.rule.keepFiringForMs) return { ...alert, keptSince, noDataSince: undefined }
    return { ...alert, state: 'inactive', resolvedAt: time, keptSince: undefined, noDataSince: undefined }
  }

  /** Takes over what was known before a restart or a reload. */
  restore(alerts: Iterable<ActiveAlert>): void {
    this.#alerts = new Map([...alerts].map((alert) => [labelsKey(alert.labels), alert]))
  }
}
