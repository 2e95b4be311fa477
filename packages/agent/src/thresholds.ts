import { type AlertSignal, compare, labelsKey, type Milliseconds, type ThresholdRule } from '@andon/model'
import { type AgentAlerts, runningParts } from './running.ts'
import { guarded, objectOf, wrongUse } from './wrong-use.ts'

type Tags = Readonly<Record<string, string>>

const WINDOW: Milliseconds = 60_000
/** Errors a minute past which an alert is raised. */
const MAX_ERRORS = 10
const MAX_ACTIVE = 1000
/** How often it is told that an alert lasts: often enough that the server, which forgets after five minutes, does not. */
const REPEAT: Milliseconds = 60_000
/** An alert of which nothing was heard for so long is over, as the server has it. */
const SILENT: Milliseconds = 300_000
const ERROR_RATE = { type: 'ERROR_RATE_EXCEEDED', metric: 'errors.total' } as const

/** What became of an alert that was told. */
export type AlertCourse = 'lasting' | 'ended'

interface Active {
  readonly alert: AlertSignal
  toldAt: Milliseconds
  heardAt: Milliseconds
}

/** What makes two alerts the same one. */
function keyOf({ rule, type, metric, tags }: Partial<AlertSignal>): string {
  return `${rule ?? type}\n${metric ?? ''}\n${labelsKey(tags ?? {})}`
}

function tellAgent(alert: AlertSignal): void {
  runningParts()?.alerts.triggerAlert(alert)
}

function followAgent(alert: AlertSignal, course: AlertCourse): void {
  if (course === 'lasting') tellAgent(alert)
  else runningParts()?.alerts.endAlert(alert)
}

/**
 * The alert manager in the process. An alert is told once while it is active. It is over when a measurement of the same rule and tags
 * keeps the threshold again, or when it was not triggered for five minutes; after that it is told anew.
 */
export class ThresholdAlerts implements AgentAlerts {
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
   * @param told - called once for each alert that becomes active; absent: the running agent, which sends it
   * @param followed - called when a measurement shows that one lasts, at most once a minute, and when it is over
   */
  constructor(rules: readonly ThresholdRule[] = [], told?: (alert: AlertSignal) => void, now: () => Milliseconds = () => performance.now(), followed?: (alert: AlertSignal, course: AlertCourse) => void) {
    for (const rule of rules) this.addRule(rule)
    this.#told = told ?? tellAgent
    this.#now = now
    this.#followed = followed ?? (told === undefined ? followAgent : () => undefined)
  }

  addRule(rule: ThresholdRule): void {
    const { id, metric } = objectOf(rule, 'a threshold')
    if (typeof id !== 'string' || typeof metric !== 'string') return wrongUse('a threshold needs an id and a metric')
    this.#own.set(id, rule)
    this.#join()
  }

  /** Takes these rules of the server in place of those that it gave before. Alerts of rules that are gone are over. */
  setServerRules(rules: readonly ThresholdRule[]): void {
    const before = this.#rules
    this.#ofServer = rules
    this.#join()
    for (const [key, { alert }] of this.#active) if (alert.rule !== undefined && before.has(alert.rule) && !this.#rules.has(alert.rule)) this.#end(key)
  }

  #join(): void {
    this.#rules = new Map([...this.#own, ...this.#ofServer.map((rule) => [rule.id, rule] as const)])
  }

  checkMetric(name: string, value: number, tags: Tags = {}): void {
    this.check(name, value, tags)
  }

  check(name: string, value: number, tags: Tags = {}): readonly AlertSignal[] {
    const broken: AlertSignal[] = []
    // NaN would keep any threshold, Infinity break it: neither was measured.
    if (!Number.isFinite(value)) {
      wrongUse('thresholds are for finite numbers; what is none changes no alert')
      return broken
    }
    for (const rule of this.#rules.values()) {
      if (rule.metric !== name || !Object.entries(rule.tags ?? {}).every(([key, wanted]) => tags[key] === wanted)) continue
      const alert: AlertSignal = { type: 'PERFORMANCE_THRESHOLD_EXCEEDED', metric: name, value, threshold: rule.threshold, severity: rule.severity, message: rule.message, rule: rule.id, tags }
      if (!compare(rule.operator, value, rule.threshold)) {
        this.endAlert(alert)
        continue
      }
      this.triggerAlert(alert)
      broken.push(alert)
    }
    return broken
  }

  checkErrorRate(error: Error): void {
    this.#errors = [...this.#errors, this.#now()].slice(-MAX_ERRORS - 1)
    this.#forgetOldErrors()
    if (this.#errors.length <= MAX_ERRORS) return
    this.triggerAlert({ ...ERROR_RATE, value: this.#errors.length, threshold: MAX_ERRORS, severity: 'critical', message: `more than ${MAX_ERRORS} errors a minute, the latest: ${String(objectOf(error, 'an error').name)}` })
  }

  /** The alert is over when a minute holds few enough errors, also when no further one comes. */
  #forgetOldErrors(): void {
    const now = this.#now()
    this.#errors = this.#errors.filter((at) => now - at < WINDOW)
    if (this.#errors.length <= MAX_ERRORS) this.endAlert(ERROR_RATE)
  }

  triggerAlert(alert: AlertSignal): void {
    const given = objectOf(alert, 'an alert')
    if (typeof given.type !== 'string') return wrongUse('an alert needs a type')
    guarded('an alert could not be read', () => this.#raise(keyOf(given), alert))
  }

  #raise(key: string, alert: AlertSignal): void {
    const now = this.#now()
    this.#forgetSilent(now, this.#active.size < MAX_ACTIVE ? [key] : this.#active.keys())
    const active = this.#active.get(key)
    if (active === undefined) {
      if (this.#active.size >= MAX_ACTIVE) return
      this.#active.set(key, { alert, toldAt: now, heardAt: now })
      this.#told(alert)
      return
    }
    active.heardAt = now
    if (now - active.toldAt < REPEAT) return
    active.toldAt = now
    this.#followed(alert, 'lasting')
  }

  /** Without a word: whoever was told has forgotten them at the same time. */
  #forgetSilent(now: Milliseconds, keys: Iterable<string>): void {
    for (const key of keys) if (now - (this.#active.get(key)?.heardAt ?? now) >= SILENT) this.#active.delete(key)
  }

  endAlert(alert: Partial<AlertSignal>): void {
    this.#end(keyOf(alert))
  }

  #end(key: string): void {
    const active = this.#active.get(key)
    if (active === undefined) return
    this.#active.delete(key)
    this.#followed(active.alert, 'ended')
  }

  getActiveAlerts(): readonly AlertSignal[] {
    this.#forgetOldErrors()
    this.#forgetSilent(this.#now(), this.#active.keys())
    return [...this.#active.values()].map(({ alert }) => alert)
  }
}
