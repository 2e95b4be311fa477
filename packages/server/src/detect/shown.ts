// PromQL of signals, for pictures and pages: of metrics, or of the series that are computed from spans.
import { type SeriesId, type Signal, type SignalName, within } from './signals.ts'

const SPAN_LATENCY = 'traces_spanmetrics_latency'
const SPAN_GROUP = 'sum by (service, deployment_environment_name)'
const CLIENT_LATENCY = 'traces_service_graph_request_client_seconds'
/** Series of spans have one point a minute. */
const SPAN_WINDOW = '[5m]'

/** How a signal that is counted from spans is shown; undefined for one that is not. */
function ofSpans(signal: SignalName, { service, environment }: Pick<SeriesId, 'service' | 'environment'>, limit: number): string | undefined {
  const inEnvironment = environment === '' ? '' : `deployment_environment_name=${JSON.stringify(environment)}`
  const server = `service=${JSON.stringify(service)},span_kind="SPAN_KIND_SERVER"`
  const rates = (metric: string, more = ''): string => `${SPAN_GROUP} (rate(${metric}${within(server, [inEnvironment, more].filter((part) => part !== '').join(','))}${SPAN_WINDOW}))`
  const calls = (type: string): string => `histogram_quantile(0.95, sum by (client, server, deployment_environment_name) (rate(${CLIENT_LATENCY}${within(`client=${JSON.stringify(service)},connection_type${type}`, inEnvironment)}${SPAN_WINDOW})))`
  switch (signal) {
    case 'errors':
      return `${rates('traces_spanmetrics_calls_total', 'status_code="STATUS_CODE_ERROR"')} / ${rates('traces_spanmetrics_calls_total')}`
    case 'slow':
      return `histogram_fraction(${limit}, +Inf, ${rates(SPAN_LATENCY)})`
    case 'p50':
      return `histogram_quantile(0.5, ${rates(SPAN_LATENCY)})`
    case 'p95':
      return `histogram_quantile(0.95, ${rates(SPAN_LATENCY)})`
    case 'throughput':
      return rates('traces_spanmetrics_calls_total')
    case 'http-edge':
      return calls('!="database"')
    case 'database-edge':
      return calls('="database"')
    case 'cpu':
    case 'event-loop':
    case 'pool-wait':
    case 'heap-floor':
      return undefined
  }
}

/** What is known of a service beside its series. */
export interface ServiceFacts {
  /** What takes long, in seconds; undefined while that is not known. */
  readonly slowLimit: number | undefined
  /** Whether its requests are counted from its spans. */
  readonly isFromSpans: boolean
}

/** PromQL of a signal of a service, for pictures and pages. */
export function shownExpression(signal: Signal, id: Pick<SeriesId, 'service' | 'environment'>, { slowLimit = 1, isFromSpans }: ServiceFacts): string {
  const environment = id.environment === '' ? '' : `,deployment_environment_name=${JSON.stringify(id.environment)}`
  return (isFromSpans ? ofSpans(signal.name, id, slowLimit) : undefined) ?? signal.expression(`service_name=${JSON.stringify(id.service)}${environment}`, slowLimit)
}
