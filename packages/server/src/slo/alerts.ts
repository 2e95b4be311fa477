// The two alerts that an objective can have: one that wakes a person, and one that can wait for the morning.
import type { Alert, Labels, Milliseconds, Objective, ObjectiveAlert, Urgency } from '@andon/model'
import { pictureExpression } from './counts.ts'

/** What an evaluation sees. */
export interface Seen {
  /** Empty where all is well. */
  readonly by: readonly string[]
  readonly hasData: boolean
  /** The share of bad ones over the time in which it shows. */
  readonly value: number | undefined
  readonly overMs: Milliseconds
  readonly onset: Milliseconds | undefined
  readonly now: Milliseconds
}

/** How long missing telemetry keeps an alert as it was. */
const NO_DATA_MS: Milliseconds = 24 * 3_600_000
/** How long what was resolved is still told, so that whoever missed it hears of it. */
const RESOLVED_MS: Milliseconds = 15 * 60_000
/** A cause is believed that lies no further back. */
const ONSET_MS: Milliseconds = 3 * 86_400_000

/** What becomes of an alert; undefined where there is none. */
export function nextAlert(before: ObjectiveAlert | undefined, { by, hasData, value, overMs, onset, now }: Seen): ObjectiveAlert | undefined {
  const isFiring = before?.state === 'firing'
  if (!hasData && isFiring) {
    const noDataSince = before.noDataSince ?? now
    return now - noDataSince < NO_DATA_MS ? { ...before, noDataSince } : { ...before, state: 'resolved', endsAt: now, noDataSince }
  }
  if (by.length > 0) {
    if (isFiring) return { ...before, by, value, overMs, noDataSince: undefined }
    const onsetAt = onset !== undefined && now - onset < ONSET_MS ? onset : undefined
    return { state: 'firing', startsAt: now, endsAt: undefined, onsetAt, value, overMs, by, noDataSince: undefined }
  }
  if (isFiring) return { ...before, state: 'resolved', endsAt: now, value, overMs, noDataSince: undefined }
  return before === undefined || now - (before.endsAt ?? 0) > RESOLVED_MS ? undefined : before
}

const promText = (text: string): string => JSON.stringify(text)

function failedShare(counter: string, selector: string, failed: string): string {
  const all = `sum(rate(${counter}{${selector}}[5m]))`
  return `(sum(rate(${counter}{${selector},${failed}}[5m])) or 0 * ${all}) / ${all}`
}

/** The share of bad ones, as PromQL: for pictures. Undefined where none says it. */
export function badShare({ indicator }: Pick<Objective, 'indicator'>): string | undefined {
  if (indicator.kind === 'ratio') return pictureExpression(indicator.bad, false)
  if (indicator.kind === 'counts') {
    const { good, bad, total, counter } = indicator
    const whole = `sum(${pictureExpression(total, counter)})`
    return good === undefined ? `sum(${pictureExpression(bad ?? total, counter)}) / ${whole}` : `1 - sum(${pictureExpression(good, counter)}) / ${whole}`
  }
  const { service, environment, routes, underMs } = indicator
  const env = environment === undefined ? '' : `,deployment_environment_name=${promText(environment)}`
  // A route that stands for several is left out: the picture then shows more than is counted.
  const [route] = routes.length === 1 && routes[0]?.endsWith('*') === false ? routes : []
  const metric = `service_name=${promText(service)}${env}${route === undefined ? '' : `,http_route=${promText(route)}`}`
  const traced = `service=${promText(service)}${env},span_kind=~"SPAN_KIND_(SERVER|CONSUMER)"`
  if (underMs !== undefined) {
    const slow = (histogram: string): string => `1 - histogram_fraction(0, ${underMs / 1000}, sum(rate(${histogram}[5m])))`
    return `${slow(`http_server_request_duration_seconds{${metric}}`)} or ${slow(`traces_spanmetrics_latency{${traced}}`)}`
  }
  return `${failedShare('http_server_request_duration_seconds_count', metric, 'http_response_status_code=~"5.."')} or ${failedShare('traces_spanmetrics_calls_total', traced, 'status_code="STATUS_CODE_ERROR"')}`
}

const percent = (share: number | undefined): string => (share === undefined || !Number.isFinite(share) ? 'unknown' : `${Number((share * 100).toPrecision(3))} %`)

function annotationsOf({ name, description, target, annotations, runbook, indicator }: Objective, { by, value, overMs, noDataSince }: ObjectiveAlert): Labels {
  const what = indicator.kind === 'spans' && indicator.underMs !== undefined ? `slower than ${indicator.underMs} ms` : 'bad'
  const burn = value === undefined ? undefined : value / (1 - target)
  return {
    summary: `${name}: ${percent(value)} ${what} within ${Math.round(overMs / 60_000)} min, ${percent(1 - target)} allowed`,
    description: [description, burn === undefined ? '' : `The budget is spent ${Number(burn.toPrecision(3))} times as fast as allowed (${by.join(', ')}).`, noDataSince === undefined ? '' : 'Nothing is counted any more; the alert stays as it was.'].filter((part) => part !== '').join(' '),
    ...(runbook !== '' && { runbook }),
    ...annotations,
  }
}

/** An alert as it is handed on. Its labels are the same as long as it lasts. */
export function alertOf(objective: Objective, urgency: Urgency, alert: ObjectiveAlert, externalUrl: string): Alert {
  const { id, service, environment, labels } = objective
  return {
    labels: {
      ...labels,
      alertname: urgency === 'page' ? 'ErrorBudgetBurnsFast' : 'ErrorBudgetBurns',
      objective: id,
      service_name: service,
      ...(environment !== '' && { deployment_environment_name: environment }),
      severity: urgency === 'page' ? 'critical' : 'warning',
    },
    annotations: annotationsOf(objective, alert),
    source: 'objective',
    startsAt: alert.startsAt,
    endsAt: alert.endsAt,
    generatorUrl: `${externalUrl}/objectives/${encodeURIComponent(id)}`,
    value: alert.value,
    expression: badShare(objective),
    onsetAt: alert.onsetAt,
  }
}

/** An alert as it was kept as JSON. */
export function readAlert(value: unknown): ObjectiveAlert | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const field = (key: string): unknown => Reflect.get(value, key)
  const time = (key: string): number | undefined => {
    const found = field(key)
    return typeof found === 'number' ? found : undefined
  }
  const [state, startsAt, by] = [field('state'), time('startsAt'), field('by')]
  if ((state !== 'firing' && state !== 'resolved') || startsAt === undefined) return undefined
  return { state, startsAt, endsAt: time('endsAt'), onsetAt: time('onsetAt'), value: time('value'), overMs: time('overMs') ?? 300_000, by: Array.isArray(by) ? by.map(String) : [], noDataSince: time('noDataSince') }
}
