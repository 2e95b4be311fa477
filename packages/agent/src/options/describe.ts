// The options in force, each with where it comes from: for `andon config print` and for the reference.
import { type AgentOptions, readOptions } from '../options.ts'
import { type Environment, fileOf, readFile, text } from './environment.ts'

interface Setting {
  readonly name: string
  /** The variables that set it, the strongest first. */
  readonly variables: readonly string[]
  readonly fallback: string
  readonly value: (options: AgentOptions) => string
}

/** Names stay, values do not: a header may hold a token. */
function masked(headers: Readonly<Record<string, string>>): string {
  return Object.keys(headers)
    .map((name) => `${name}=***`)
    .join(',')
}

/** An address without the name and password that it may hold. */
function withoutPassword(url: string | undefined): string {
  return (url ?? 'none').replace(/\/\/[^/@]*@/, '//***@')
}

function written(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

function perSignal(name: 'traces' | 'metrics' | 'logs'): Setting[] {
  const upper = name.toUpperCase()
  const own = `OTEL_EXPORTER_OTLP_${upper}`
  const limits = { traces: 'OTEL_BSP_EXPORT_TIMEOUT', metrics: 'OTEL_METRIC_EXPORT_TIMEOUT', logs: 'OTEL_BLRP_EXPORT_TIMEOUT' }
  return [
    { name: `signals.${name}.url`, variables: [`OTEL_${upper}_EXPORTER`, `${own}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT'], fallback: `http://127.0.0.1:4318/v1/${name}`, value: ({ signals }) => withoutPassword(signals[name].url) },
    { name: `signals.${name}.headers`, variables: [`${own}_HEADERS`, 'OTEL_EXPORTER_OTLP_HEADERS'], fallback: '', value: ({ signals }) => masked(signals[name].headers) },
    { name: `signals.${name}.timeoutMs`, variables: [`${own}_TIMEOUT`, limits[name], 'OTEL_EXPORTER_OTLP_TIMEOUT'], fallback: '10000', value: ({ signals }) => String(signals[name].timeoutMs) },
  ]
}

/** Every option that a variable sets; docs/reference/agent.md lists them, a test compares the two. */
export const SETTINGS: readonly Setting[] = [
  { name: 'serviceName', variables: ['OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES'], fallback: '', value: ({ serviceName }) => serviceName ?? '' },
  { name: 'resourceAttributes', variables: ['OTEL_RESOURCE_ATTRIBUTES'], fallback: '', value: ({ resourceAttributes }) => written(resourceAttributes) },
  { name: 'disabled', variables: ['OTEL_SDK_DISABLED'], fallback: 'false', value: ({ disabled }) => String(disabled) },
  { name: 'sampling', variables: ['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'], fallback: 'parentbased 1', value: ({ sampling }) => `${sampling.parentBased ? 'parentbased ' : ''}${sampling.ratio}` },
  { name: 'propagators', variables: ['OTEL_PROPAGATORS'], fallback: 'tracecontext,baggage', value: ({ propagators }) => propagators.join(',') },
  ...perSignal('traces'),
  ...perSignal('metrics'),
  ...perSignal('logs'),
  { name: 'metricIntervalMs', variables: ['OTEL_METRIC_EXPORT_INTERVAL'], fallback: '10000', value: ({ metricIntervalMs }) => String(metricIntervalMs) },
  { name: 'spanIntervalMs', variables: ['OTEL_BSP_SCHEDULE_DELAY'], fallback: '5000', value: ({ spanIntervalMs }) => String(spanIntervalMs) },
  { name: 'maxQueueBytes', variables: ['ANDON_AGENT_QUEUE_BYTES'], fallback: '33554432', value: ({ maxQueueBytes }) => String(maxQueueBytes) },
  { name: 'stallMs', variables: ['ANDON_STALL_MS'], fallback: '250', value: ({ stallMs }) => String(stallMs) },
  { name: 'profile.enabled', variables: ['ANDON_PROFILE'], fallback: 'true', value: ({ profile }) => String(profile.enabled) },
  { name: 'profile.rate', variables: ['ANDON_PROFILE_RATE'], fallback: '50', value: ({ profile }) => String(profile.rate) },
  { name: 'limits.attributes', variables: ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], fallback: '128', value: ({ limits }) => String(limits.attributes) },
  { name: 'limits.events', variables: ['OTEL_SPAN_EVENT_COUNT_LIMIT'], fallback: '128', value: ({ limits }) => String(limits.events) },
  { name: 'limits.links', variables: ['OTEL_SPAN_LINK_COUNT_LIMIT'], fallback: '128', value: ({ limits }) => String(limits.links) },
  { name: 'limits.attributesPerEvent', variables: ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], fallback: '128', value: ({ limits }) => String(limits.attributesPerEvent) },
  { name: 'limits.attributesPerLink', variables: ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], fallback: '128', value: ({ limits }) => String(limits.attributesPerLink) },
  { name: 'limits.valueLength', variables: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'], fallback: 'none', value: ({ limits }) => (limits.valueLength === Infinity ? 'none' : String(limits.valueLength)) },
  { name: 'instrumentations.enabled', variables: ['OTEL_NODE_ENABLED_INSTRUMENTATIONS'], fallback: 'all', value: ({ instrumentations }) => instrumentations.enabled?.join(',') ?? 'all' },
  { name: 'instrumentations.disabled', variables: ['OTEL_NODE_DISABLED_INSTRUMENTATIONS'], fallback: '', value: ({ instrumentations }) => instrumentations.disabled.join(',') },
  { name: 'exemplars', variables: ['OTEL_METRICS_EXEMPLAR_FILTER'], fallback: 'true', value: ({ exemplars }) => String(exemplars) },
  { name: 'detectors', variables: ['OTEL_NODE_RESOURCE_DETECTORS'], fallback: 'env,host,os,process', value: ({ detectors }) => detectors.join(',') },
  { name: 'budget', variables: ['ANDON_BUDGET'], fallback: '0.05', value: ({ budget }) => (budget > 0 ? String(budget) : 'off') },
]

/** One option as it is in force. */
export interface EffectiveOption {
  readonly name: string
  /** As text; what may be secret is masked. */
  readonly value: string
  /** The variable, the variable and its file, or `default`. */
  readonly source: string
}

/**
 * The options with which an agent would start.
 *
 * @param env - variables; those of the agent's file lie under them
 */
export function describeOptions(env: Environment = process.env): readonly EffectiveOption[] {
  const path = fileOf(env)
  const file = path === undefined ? {} : readFile(path)
  const options = readOptions({}, { ...file, ...env })
  return SETTINGS.map(({ name, variables, value }) => {
    const variable = variables.find((each) => text(env, each) !== undefined || text(file, each) !== undefined)
    const source = variable === undefined ? 'default' : text(env, variable) === undefined ? `${variable} in ${path ?? ''}` : variable
    return { name, value: value(options), source }
  })
}
