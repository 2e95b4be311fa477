// What the agent is told: options of start() first, then OTEL_* variables, then defaults.
import { diag } from '@opentelemetry/api'
import type { Bytes, Milliseconds, Ratio, ThresholdRule } from '@andon/model'

/** Which traces are recorded. */
export interface Sampling {
  /** Whether a remote parent's decision is followed. */
  readonly parentBased: boolean
  /** The share of traces without such a parent. */
  readonly ratio: Ratio
}

export interface AgentOptions {
  /** Where OTLP over HTTP is sent, without /v1/…; http://127.0.0.1:4318 by default. */
  readonly endpoint: string
  /** Sent with every request, such as an authorization. */
  readonly headers: Readonly<Record<string, string>>
  /** How long one request may take. */
  readonly timeoutMs: Milliseconds
  /** How often metrics are sent. */
  readonly metricIntervalMs: Milliseconds
  /** How long a span waits at most before it is sent. */
  readonly spanIntervalMs: Milliseconds
  /** What may wait to be sent; past it the oldest is dropped and counted. */
  readonly maxQueueBytes: Bytes
  readonly serviceName: string | undefined
  readonly resourceAttributes: Readonly<Record<string, string>>
  readonly sampling: Sampling
  readonly disabled: boolean
  /** Which headers carry the context from process to process: tracecontext, baggage, or none. */
  readonly propagators: readonly string[]
  /** Limits for recordMetric; broken ones are handed to the alert sink. */
  readonly thresholds: readonly ThresholdRule[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** `a=1,b=2%20` as OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS are written. */
function pairs(text: string | undefined): Record<string, string> {
  const found: Record<string, string> = {}
  for (const part of (text ?? '').split(',')) {
    const at = part.indexOf('=')
    if (at <= 0) continue
    const value = part.slice(at + 1).trim()
    try {
      found[part.slice(0, at).trim()] = decodeURIComponent(value)
    } catch {
      found[part.slice(0, at).trim()] = value
    }
  }
  return found
}

function positive(env: Environment, name: string, otherwise: number): number {
  const text = env[name]
  if (text === undefined || text.trim() === '') return otherwise
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  diag.warn(`andon: ${name} must be a number greater than 0, not "${text}"; ${otherwise} is used`)
  return otherwise
}

function samplingOf(env: Environment): Sampling {
  const name = env['OTEL_TRACES_SAMPLER'] ?? 'parentbased_always_on'
  const share = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? '1')
  const ratio = share >= 0 && share <= 1 ? share : 1
  const parentBased = name.startsWith('parentbased_')
  switch (name.replace('parentbased_', '')) {
    case 'always_on':
      return { parentBased, ratio: 1 }
    case 'always_off':
      return { parentBased, ratio: 0 }
    case 'traceidratio':
      return { parentBased, ratio }
    default:
      diag.warn(`andon: OTEL_TRACES_SAMPLER "${name}" is not known; every trace is recorded`)
      return { parentBased: true, ratio: 1 }
  }
}

/** @param given - what start() was given; wins over the environment */
export function readOptions(given: Partial<AgentOptions> = {}, env: Environment = process.env): AgentOptions {
  const attributes = pairs(env['OTEL_RESOURCE_ATTRIBUTES'])
  return {
    endpoint: (env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://127.0.0.1:4318').replace(/\/+$/, ''),
    headers: pairs(env['OTEL_EXPORTER_OTLP_HEADERS']),
    timeoutMs: positive(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', 10_000),
    metricIntervalMs: positive(env, 'OTEL_METRIC_EXPORT_INTERVAL', 10_000),
    spanIntervalMs: positive(env, 'OTEL_BSP_SCHEDULE_DELAY', 1000),
    maxQueueBytes: positive(env, 'ANDON_AGENT_QUEUE_BYTES', 32 * 1024 * 1024),
    serviceName: env['OTEL_SERVICE_NAME'] ?? attributes['service.name'],
    resourceAttributes: attributes,
    sampling: samplingOf(env),
    disabled: env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true',
    propagators: (env['OTEL_PROPAGATORS'] ?? 'tracecontext,baggage').split(',').map((name) => name.trim()),
    thresholds: [],
    ...given,
  }
}
