import { type AlertSignal, type AlertSink, compare, labelsKey, type Milliseconds, type ThresholdRule } from '@andon/model'
import { guarded, objectOf, wrongUse } from './wrong-use.ts'

type Tags = Readonly<Record<string, string>>

const WINDOW: Milliseconds = 60_000
/** Errors a minute past which an alert is raised. */
const MAX_ERRORS = 10
const MAX_ACTIVE = 1000
/** How often it is told that an alert lasts: often enough that the server, which forgets after five minutes, does not. */
const REPEAT: Milliseconds = 60_000
/** The key of the alert about too many errors. */
const ERROR_RATE = 'error-rate'

/** What became of an alert that was told. */
export type AlertCourse = 'lasting' | 'ended'

interface Active {
  readonly alert: AlertSignal
  toldAt: Milliseconds
}

/**
 * Thresholds in the process: an alert is told once while it is active, and is over when a measurement of the same rule
 * and tags keeps the threshold again.
 */
export class ThresholdAlerts implements AlertSink {
  /** Of options and calls. */
  readonly #own = new Map<string, ThresholdRule>()
  #ofServer: readonly ThresholdRule[] = []
  /** Both; the server's wins where it has the same id. */
  #rules = new Map<string, ThresholdRule>()
  readonly #active = new Map<string, Active>()
  readonly #told: (alert: AlertSignal) => void
  readonly #followed: (alert: AlertSignal, course: AlertCourse) => void
  readonly #now: () => Milliseconds
  #errors: Milliseconds[] = []

  /**
   * @param told - called once for each alert that becomes active
   * @param followed - called when a measurement shows that one lasts, at most once a minute, and when it is over
   */
  constructor(
    rules: readonly ThresholdRule[] = [],
    told: (alert: AlertSignal) => void = () => undefined,
    now: () => Milliseconds = () => performance.now(),
    followed: (alert: AlertSignal, course: AlertCourse) => void = () => undefined,
  ) {
    for (const rule of rules) this.addRule(rule)
    this.#told = told
    this.#now = now
    this.#followed = followed
  }

  addRule(rule: ThresholdRule): void {
    const { id, metric } = objectOf(rule, 'a threshold')
    if (typeof id !== 'string' || typeof metric !== 'string') return wrongUse('a threshold needs an id and a metric')
    this.#own.set(id, rule)
    this.#join()
  }

  /** Takes these rules of the server in place of those that it gave before. Alerts of rules that are gone are over. */
  setServerRules(rules: readonly ThresholdRule[]): void {
    this.#ofServer = rules
    this.#join()
    for (const [key, { alert }] of this.#active) if (alert.rule !== undefined && !this.#rules.has(alert.rule) && key !== ERROR_RATE) this.#end(key)
  }

  #join(): void {
    this.#rules = new Map([...this.#own, ...this.#ofServer.map((rule) => [rule.id, rule] as const)])
  }

  checkMetric(name: string, value: number, tags: Tags = {}): void {
    for (const rule of this.#rules.values()) {
      if (rule.metric !== name || !Object.entries(rule.tags ?? {}).every(([key, wanted]) => tags[key] === wanted)) continue
      const key = `${rule.id}\n${labelsKey(tags)}`
      if (!compare(rule.operator, value, rule.threshold)) {
        this.#end(key)
        continue
      }
      this.#raise(key, { type: 'PERFORMANCE_THRESHOLD_EXCEEDED', metric: name, value, threshold: rule.threshold, severity: rule.severity, message: rule.message, rule: rule.id, tags })
    }
  }

  checkErrorRate(error: Error): void {
    this.#errors = [...this.#errors, this.#now()].slice(-MAX_ERRORS - 1)
    this.#forgetOldErrors()
    if (this.#errors.length <= MAX_ERRORS) return
    this.#raise(ERROR_RATE, { type: 'ERROR_RATE_EXCEEDED', metric: 'errors.total', value: this.#errors.length, threshold: MAX_ERRORS, severity: 'critical', message: `more than ${MAX_ERRORS} errors a minute, the latest: ${String(objectOf(error, 'an error').name)}` })
  }

  /** The alert is over when a minute holds few enough errors, also when no further one comes. */
  #forgetOldErrors(): void {
    const now = this.#now()
    this.#errors = this.#errors.filter((at) => now - at < WINDOW)
    if (this.#errors.length <= MAX_ERRORS) this.#end(ERROR_RATE)
  }

  triggerAlert(alert: AlertSignal): void {
    const { rule, type, metric, tags } = objectOf(alert, 'an alert')
    if (typeof type !== 'string') return wrongUse('an alert needs a type')
    guarded('an alert could not be read', () => this.#raise(`${rule ?? type}\n${metric ?? ''}\n${labelsKey(tags ?? {})}`, alert))
  }

  #raise(key: string, alert: AlertSignal): void {
    const now = this.#now()
    const active = this.#active.get(key)
    if (active !== undefined) {
      if (now - active.toldAt < REPEAT) return
      active.toldAt = now
      this.#followed(alert, 'lasting')
      return
    }
    if (this.#active.size >= MAX_ACTIVE) return
    this.#active.set(key, { alert, toldAt: now })
    this.#told(alert)
  }

  #end(key: string): void {
    const active = this.#active.get(key)
    if (active === undefined) return
    this.#active.delete(key)
    this.#followed(active.alert, 'ended')
  }

  getActiveAlerts(): readonly AlertSignal[] {
    this.#forgetOldErrors()
    return [...this.#active.values()].map(({ alert }) => alert)
  }
}
