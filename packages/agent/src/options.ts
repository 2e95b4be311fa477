// What the agent is told: options of start() first, then variables, then a file of variables, then defaults.
import { diag } from '@opentelemetry/api'
import type { Bytes, Milliseconds, Ratio, ThresholdRule } from '@andon/model'
import type { SpanLimits } from './limits.ts'
import { type Environment, environment, list, milliseconds, pairs, positive, text } from './options/environment.ts'
import { readSwitches, type Switches } from './options/instrumentations.ts'
import { readLimits } from './options/limits.ts'
import { readSignals, type Signals } from './options/signals.ts'

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318'

/** Which traces are recorded. */
export interface Sampling {
  /** Whether a remote parent's decision is followed. */
  readonly parentBased: boolean
  /** The share of traces without such a parent. */
  readonly ratio: Ratio
}

/** The continuous profile. */
export interface ProfileOptions {
  readonly enabled: boolean
  /** Samples of the CPU per second, 1 to 1,000. */
  readonly rate: number
}

export interface AgentOptions {
  /** Where OTLP over HTTP is sent, without /v1/…; http://127.0.0.1:4318 by default. */
  readonly endpoint: string
  /** Sent with every request, such as an authorization. */
  readonly headers: Readonly<Record<string, string>>
  /** How long one request may take. */
  readonly timeoutMs: Milliseconds
  /** Where each kind of data is sent, and how: from the three above, and from variables of each kind. */
  readonly signals: Signals
  /** How often metrics are sent. */
  readonly metricIntervalMs: Milliseconds
  /** How long a span waits at most before it is sent; after a quiet time of this length a second at most. */
  readonly spanIntervalMs: Milliseconds
  /** What may wait to be sent; past it the oldest is dropped and counted. */
  readonly maxQueueBytes: Bytes
  /** From which length on a block of the event loop is a stall. */
  readonly stallMs: Milliseconds
  readonly serviceName: string | undefined
  readonly resourceAttributes: Readonly<Record<string, string>>
  readonly sampling: Sampling
  readonly disabled: boolean
  /** Which headers carry the context from process to process: those of PROPAGATOR_NAMES, or none. */
  readonly propagators: readonly string[]
  /** Limits for recordMetric; broken ones are handed to the alert sink. */
  readonly thresholds: readonly ThresholdRule[]
  readonly profile: ProfileOptions
  /** How much one span may hold. */
  readonly limits: SpanLimits
  readonly instrumentations: Switches
  /** Whether the largest values of histograms point to the spans in which they were measured. */
  readonly exemplars: boolean
  /** What is found out of the process and its host: those of DETECTORS. */
  readonly detectors: readonly string[]
  /** What the agent may cost in this thread, as a share of one core; 0: as much as it does. */
  readonly budget: Ratio
}

/** Of the resource; the service and its instance are always told. */
export const DETECTORS: readonly string[] = ['env', 'host', 'os', 'process']
/** Known to OpenTelemetry's SDK, and not found out here. */
const NO_DETECTORS: readonly string[] = ['serviceinstance', 'container', 'alibaba', 'aws', 'azure', 'gcp']

function samplingOf(env: Environment): Sampling {
  const name = text(env, 'OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'
  const argument = text(env, 'OTEL_TRACES_SAMPLER_ARG') ?? '1'
  const share = Number(argument)
  const isShare = share >= 0 && share <= 1
  const parentBased = name.startsWith('parentbased_')
  switch (name.replace('parentbased_', '')) {
    case 'always_on':
      return { parentBased, ratio: 1 }
    case 'always_off':
      return { parentBased, ratio: 0 }
    case 'traceidratio':
      if (!isShare) diag.warn(`andon: OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "${argument}"; every trace is recorded`)
      return { parentBased, ratio: isShare ? share : 1 }
    default:
      diag.warn(`andon: OTEL_TRACES_SAMPLER "${name}" is not known; every trace is recorded`)
      return { parentBased: true, ratio: 1 }
  }
}

function profileOf(env: Environment): ProfileOptions {
  const given = text(env, 'ANDON_PROFILE')?.toLowerCase() ?? 'on'
  if (given !== 'on' && given !== 'off') diag.warn(`andon: ANDON_PROFILE must be on or off, not "${given}"; on is used`)
  return { enabled: given !== 'off', rate: Math.min(1000, Math.max(1, positive(env, 'ANDON_PROFILE_RATE', 50))) }
}

const BUDGET: Ratio = 0.05

function budgetOf(env: Environment): Ratio {
  const given = text(env, 'ANDON_BUDGET')
  if (given === undefined) return BUDGET
  const value = given.toLowerCase() === 'off' ? 0 : Number(given)
  if (value >= 0 && value <= 1) return value
  diag.warn(`andon: ANDON_BUDGET must be off or a share of one core from 0 to 1, such as ${BUDGET}, not "${given}"; ${BUDGET} is used`)
  return BUDGET
}

function detectorsOf(env: Environment): readonly string[] {
  const given = list(text(env, 'OTEL_NODE_RESOURCE_DETECTORS') ?? 'all')
  const unknown = given.filter((name) => ![...DETECTORS, ...NO_DETECTORS, 'all', 'none'].includes(name))
  if (unknown.length > 0) diag.warn(`andon: OTEL_NODE_RESOURCE_DETECTORS names ${unknown.join(', ')}; known are all, none, ${DETECTORS.join(', ')}`)
  return given.includes('all') ? DETECTORS : DETECTORS.filter((name) => given.includes(name))
}

function exemplarsOf(env: Environment): boolean {
  const given = text(env, 'OTEL_METRICS_EXEMPLAR_FILTER')?.toLowerCase() ?? 'trace_based'
  if (given !== 'trace_based' && given !== 'always_off') diag.warn(`andon: OTEL_METRICS_EXEMPLAR_FILTER may be trace_based or always_off, not "${given}"; trace_based is used`)
  return given !== 'always_off'
}

function endpointOf(env: Environment): string {
  const given = text(env, 'OTEL_EXPORTER_OTLP_ENDPOINT')
  if (given !== undefined && /^https?:\/\//.test(given) && URL.canParse(given)) return given.replace(/\/+$/, '')
  if (given !== undefined) diag.warn(`andon: OTEL_EXPORTER_OTLP_ENDPOINT must begin with http:// or https://, not "${given}"; ${DEFAULT_ENDPOINT} is used`)
  return DEFAULT_ENDPOINT
}

/**
 * The options in force.
 *
 * @param given - what start() was given; wins over the environment
 */
export function readOptions(given: Partial<AgentOptions> = {}, env: Environment = environment()): AgentOptions {
  const attributes = pairs(env['OTEL_RESOURCE_ATTRIBUTES'])
  const options = {
    endpoint: endpointOf(env),
    headers: pairs(env['OTEL_EXPORTER_OTLP_HEADERS']),
    timeoutMs: milliseconds(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', 10_000),
    metricIntervalMs: milliseconds(env, 'OTEL_METRIC_EXPORT_INTERVAL', 10_000),
    spanIntervalMs: milliseconds(env, 'OTEL_BSP_SCHEDULE_DELAY', 5000),
    maxQueueBytes: positive(env, 'ANDON_AGENT_QUEUE_BYTES', 32 * 1024 * 1024),
    stallMs: milliseconds(env, 'ANDON_STALL_MS', 250),
    serviceName: text(env, 'OTEL_SERVICE_NAME') ?? attributes['service.name'],
    resourceAttributes: attributes,
    sampling: samplingOf(env),
    disabled: text(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true',
    propagators: list(text(env, 'OTEL_PROPAGATORS') ?? 'tracecontext,baggage'),
    thresholds: [],
    profile: profileOf(env),
    limits: readLimits(env),
    instrumentations: readSwitches(env),
    exemplars: exemplarsOf(env),
    detectors: detectorsOf(env),
    budget: budgetOf(env),
    ...given,
  }
  return { ...options, signals: given.signals ?? readSignals(options, given, env) }
}
