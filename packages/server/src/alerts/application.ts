// Thresholds and rates of errors that are held against measurements by call, as in an application's own process.
import { type Alert, type AlertSignal, compare, type Labels, labelsKey, type Milliseconds, type Severity, type ThresholdRule } from '@andon/model'
import { prometheusLabelName } from '@andon/wire'
import { severityOf } from './severity.ts'

type Tags = Readonly<Record<string, string>>

/** In which errors are counted, and the number past which an alert is raised. */
const WINDOW: Milliseconds = 60_000
const ERRORS_MAX = 10
const RULES_MAX = 10_000
/** Alerts of thresholds that are remembered to be over one day. */
const ACTIVE_MAX = 10_000

/** The alert that a signal is. Its tags are labels, whatever measures it is not. */
export function alertOf({ type, metric, value, threshold, severity, message, rule, tags = {} }: AlertSignal, time: { readonly startsAt: Milliseconds; readonly endsAt: Milliseconds | undefined }): Alert {
  const own: Labels = Object.fromEntries(Object.entries(tags).map(([name, text]) => [prometheusLabelName(name), text]))
  return {
    labels: { ...own, alertname: rule ?? type, severity, ...(metric !== undefined && { metric }) },
    annotations: { type, ...(message !== undefined && { summary: message }), ...(threshold !== undefined && { threshold: String(threshold) }) },
    source: 'application',
    ...time,
    generatorUrl: '',
    value,
    expression: undefined,
    onsetAt: undefined,
  }
}

/** The signal that an alert is. */
export function signalOf({ labels, annotations, value }: Alert): AlertSignal {
  const { alertname = '', metric, severity: _, ...rest } = labels
  const { type = 'RULE', summary, description, threshold } = annotations
  const severity: Severity = severityOf(labels)
  const message = summary ?? description
  const limit = threshold === undefined ? Number.NaN : Number(threshold)
  return {
    type,
    rule: alertname,
    severity,
    tags: rest,
    ...(metric !== undefined && { metric }),
    ...(value !== undefined && { value }),
    ...(Number.isFinite(limit) && { threshold: limit }),
    ...(message !== undefined && { message }),
  }
}

/** Makes alerts of measurements and errors; each begins and ends as `accept` is told. */
export class ApplicationAlerts {
  readonly #now: () => Milliseconds
  readonly #accept: (alert: Alert) => void
  readonly #rules = new Map<string, ThresholdRule>()
  /** What is over its threshold, since when. */
  readonly #over = new Map<string, Milliseconds>()
  #errors: Milliseconds[] = []

  constructor(now: () => Milliseconds, accept: (alert: Alert) => void) {
    this.#now = now
    this.#accept = accept
  }

  /** A rule of the same id takes the place of the one before. */
  addRule(rule: ThresholdRule): void {
    if (this.#rules.size < RULES_MAX || this.#rules.has(rule.id)) this.#rules.set(rule.id, rule)
  }

  checkMetric(name: string, value: number, tags: Tags): void {
    const now = this.#now()
    for (const rule of this.#rules.values()) {
      if (rule.metric !== name || !Object.entries(rule.tags ?? {}).every(([key, wanted]) => tags[key] === wanted)) continue
      const key = `${rule.id}\n${labelsKey(tags)}`
      const isOver = compare(rule.operator, value, rule.threshold)
      const since = this.#over.get(key)
      if (!isOver && since === undefined) continue
      if (isOver && since === undefined && this.#over.size >= ACTIVE_MAX) continue
      if (isOver) this.#over.set(key, since ?? now)
      else this.#over.delete(key)
      const { threshold, severity, message, id } = rule
      const signal: AlertSignal = { type: 'PERFORMANCE_THRESHOLD_EXCEEDED', metric: name, value, threshold, severity, message, rule: id, tags }
      this.#accept(alertOf(signal, { startsAt: since ?? now, endsAt: isOver ? undefined : now }))
    }
  }

  /** More than ten errors a minute are an alert, until a minute holds fewer. */
  checkErrorRate(error: Error): void {
    const now = this.#now()
    this.#errors = [...this.#errors, now].slice(-ERRORS_MAX - 1).filter((at) => now - at < WINDOW)
    const [first = now] = this.#errors
    if (this.#errors.length <= ERRORS_MAX) return
    const message = `more than ${ERRORS_MAX} errors a minute, the latest: ${error.name}`
    const signal: AlertSignal = { type: 'ERROR_RATE_EXCEEDED', metric: 'errors.total', value: this.#errors.length, threshold: ERRORS_MAX, severity: 'critical', message }
    this.#accept(alertOf(signal, { startsAt: first, endsAt: first + WINDOW }))
  }
}
