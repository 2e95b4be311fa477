// Where traces, metrics and logs are sent: each may have an endpoint, headers and a time limit of its own.
// @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
import { diag } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { type Environment, milliseconds, pairs, text } from './environment.ts'

export interface Signal {
  /** The whole address; undefined when nothing of this kind is sent. */
  readonly url: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: Milliseconds
}

export interface Signals {
  readonly traces: Signal
  readonly metrics: Signal
  readonly logs: Signal
}

interface General {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: Milliseconds
}

// Names of the SDK's own limits for one attempt.
const LIMITS: Readonly<Record<string, string>> = { TRACES: 'OTEL_BSP_EXPORT_TIMEOUT', METRICS: 'OTEL_METRIC_EXPORT_TIMEOUT', LOGS: 'OTEL_BLRP_EXPORT_TIMEOUT' }

/** Anything else than OTLP as protobuf over HTTP is refused with a line that says what is done instead. */
function checkProtocol(env: Environment, name: string): void {
  const variable = text(env, `OTEL_EXPORTER_OTLP_${name}_PROTOCOL`) === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : `OTEL_EXPORTER_OTLP_${name}_PROTOCOL`
  const protocol = text(env, variable) ?? 'http/protobuf'
  if (protocol !== 'http/protobuf') diag.warn(`andon: ${variable}=${protocol} is not spoken; http/protobuf is used, whose port is 4318`)
}

function isOff(env: Environment, name: string): boolean {
  const variable = `OTEL_${name}_EXPORTER`
  const exporter = text(env, variable) ?? 'otlp'
  if (exporter !== 'otlp' && exporter !== 'none') diag.warn(`andon: ${variable} may be otlp or none, not "${exporter}"; otlp is used`)
  return exporter === 'none'
}

function urlOf(env: Environment, name: string, path: string, general: General, isGiven: boolean): string {
  const own = text(env, `OTEL_EXPORTER_OTLP_${name}_ENDPOINT`)
  const url = own === undefined || isGiven ? `${general.endpoint}${path}` : own
  if (URL.canParse(url) && /^https?:\/\//.test(url)) return url
  diag.warn(`andon: OTEL_EXPORTER_OTLP_${name}_ENDPOINT must begin with http:// or https://, not "${url}"; ${general.endpoint}${path} is used`)
  return `${general.endpoint}${path}`
}

/** @param given - what start() was given: an endpoint there wins over every variable */
export function readSignals(general: General, given: Partial<General>, env: Environment): Signals {
  const signal = (name: string, path: string): Signal => {
    checkProtocol(env, name)
    const timeoutMs = milliseconds(env, `OTEL_EXPORTER_OTLP_${name}_TIMEOUT`, milliseconds(env, LIMITS[name] ?? '', general.timeoutMs))
    return {
      url: isOff(env, name) ? undefined : urlOf(env, name, path, general, given.endpoint !== undefined),
      headers: given.headers ?? { ...general.headers, ...pairs(env[`OTEL_EXPORTER_OTLP_${name}_HEADERS`]) },
      timeoutMs: given.timeoutMs ?? timeoutMs,
    }
  }
  return { traces: signal('TRACES', '/v1/traces'), metrics: signal('METRICS', '/v1/metrics'), logs: signal('LOGS', '/v1/logs') }
}

/** The signal that is sent to a path. */
export function signalAt(signals: Signals, path: string): Signal {
  if (path === '/v1/traces') return signals.traces
  return path === '/v1/metrics' ? signals.metrics : signals.logs
}
