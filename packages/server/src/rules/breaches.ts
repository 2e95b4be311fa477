// What applications find in their own process, as alerts: a threshold exceeded, too many errors.
import type { Alert, AlertReceiver, Labels, Milliseconds, ReportedBreach } from '@andon/model'
import { prometheusLabelName } from '@andon/wire'
import { graph } from './template/functions.ts'

/** An agent says once a minute that it lasts; without a word for so long it is over. */
export const SILENT_MS: Milliseconds = 5 * 60_000
/** Alerts of which it is remembered when they began; of further ones the latest report counts. */
const REMEMBERED_MAX = 10_000
const TAGS_MAX = 20

/** ERROR_RATE_EXCEEDED becomes ErrorRateExceeded; the id of a rule stays as it is. */
function nameOf({ rule, type }: ReportedBreach): string {
  if (rule !== type) return rule
  return /^[A-Z\d]+(?:_[A-Z\d]+)*$/.test(type)
    ? type
        .split('_')
        .map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
        .join('')
    : type
}

function labelsOf(breach: ReportedBreach): Labels {
  const tags = Object.entries(breach.tags)
    .slice(0, TAGS_MAX)
    .map(([tag, value]) => [prometheusLabelName(tag), value] as const)
  const own = { alertname: nameOf(breach), service_name: breach.service, instance: breach.instance, severity: breach.severity }
  return Object.fromEntries(Object.entries({ ...Object.fromEntries(tags), ...own }).filter(([, value]) => value !== ''))
}

/** What it watches, where that is a metric by its OpenTelemetry name. */
function expressionOf({ metric, service, instance, tags }: ReportedBreach): string | undefined {
  if (metric === '') return undefined
  const matchers = Object.entries({ service_name: service, instance, ...Object.fromEntries(Object.entries(tags).map(([tag, value]) => [prometheusLabelName(tag), value])) })
  return `{${[JSON.stringify(metric), ...matchers.filter(([, value]) => value !== '').map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(', ')}}`
}

function textOf({ message, metric, value, threshold }: ReportedBreach): string {
  if (message !== '') return message
  return Number.isFinite(value) && Number.isFinite(threshold) ? `${metric} is ${value}; the limit is ${threshold}` : metric
}

export interface BreachAlertsDeps {
  readonly receiver: AlertReceiver
  /** Where people reach this server; '' where nobody said. */
  readonly externalUrl: string
}

/** Hands over what agents report. An alert says until when it may be believed, so that it ends also where nothing comes any more. */
export class BreachAlerts {
  readonly #deps: BreachAlertsDeps
  /** When each began, the one reported longest ago first. */
  readonly #began = new Map<string, Milliseconds>()

  constructor(deps: BreachAlertsDeps) {
    this.#deps = deps
  }

  /** Settles when they are taken. */
  async accept(breaches: readonly ReportedBreach[]): Promise<void> {
    if (breaches.length === 0) return
    await this.#deps.receiver.accept(breaches.toSorted((a, b) => a.time - b.time).map((breach) => this.#alert(breach)))
  }

  #alert(breach: ReportedBreach): Alert {
    const labels = labelsOf(breach)
    const startsAt = this.#beginning(JSON.stringify(labels), breach)
    const expression = expressionOf(breach)
    return {
      labels,
      annotations: { summary: textOf(breach), ...(Number.isFinite(breach.threshold) && { threshold: String(breach.threshold) }) },
      source: 'application',
      startsAt,
      endsAt: breach.what === 'ended' ? Math.max(startsAt, breach.time) : breach.time + SILENT_MS,
      generatorUrl: expression === undefined ? '' : `${this.#deps.externalUrl}${graph(expression, 1)}`,
      value: Number.isFinite(breach.value) ? breach.value : undefined,
      expression,
      onsetAt: startsAt,
    }
  }

  #beginning(key: string, { what, time }: ReportedBreach): Milliseconds {
    const began = this.#began.get(key)
    this.#began.delete(key)
    const startsAt = began !== undefined && (what !== 'exceeded' || time <= began) ? began : time
    if (what === 'ended') return startsAt
    this.#began.set(key, startsAt)
    if (this.#began.size > REMEMBERED_MAX) {
      const [oldest] = this.#began.keys()
      if (oldest !== undefined) this.#began.delete(oldest)
    }
    return startsAt
  }
}
