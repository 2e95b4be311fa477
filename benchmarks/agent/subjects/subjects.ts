// Who is compared: the arguments and variables with which Node runs the same application.
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { peers, versionOf } from './peers.ts'

export type ModuleKind = 'esm' | 'commonjs'

export interface Subject {
  readonly name: string
  /** What is said of it below a table; empty where its name says all. */
  readonly note: string
  readonly sends: 'nothing' | 'ours' | 'peer'
  /** The share of the requests that it is asked to trace; undefined where it decides by itself. */
  readonly share: number | undefined
  /** Arguments of Node, as the documentation of each asks for them. */
  readonly args: Readonly<Record<ModuleKind, readonly string[]>>
  /** Milliseconds after its start from which on it does all that it is asked for. */
  readonly settlesMs: number
  /** @param collector - an address, `http://127.0.0.1:PORT` */
  readonly env: (collector: string) => Readonly<Record<string, string>>
}

const NOTHING = { esm: [], commonjs: [] } as const
const bare = { note: '', sends: 'nothing', share: 1, settlesMs: 0, args: NOTHING, env: () => ({}) } as const

const register = createRequire(import.meta.url).resolve('@andon/agent/register')
const send = (collector: string): Readonly<Record<string, string>> => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SERVICE_NAME: 'bench' })
/** Of a saturated core, the budget of ours would soon trace a share only: its comparison with peers needs all. */
const EVERYTHING = { ANDON_BUDGET: 'off', ANDON_PROFILE: 'off' } as const
const ours = {
  note: 'andon: every request traced, ANDON_BUDGET=off and ANDON_PROFILE=off',
  sends: 'ours',
  share: 1,
  settlesMs: 0,
  args: { esm: ['--import', pathToFileURL(register).href], commonjs: ['--require', register] },
  env: (collector: string) => ({ ...send(collector), ...EVERYTHING }),
} as const

/** How these peers ask to be shown ECMAScript modules. */
const loader = (name: string): readonly string[] => ['--no-warnings', '--experimental-loader', pathToFileURL(peers.resolve(name)).href]

function withOpenTelemetry(): Subject {
  const file = new URL('opentelemetry.js', import.meta.url)
  return {
    name: 'OpenTelemetry SDK',
    note: `OpenTelemetry SDK ${versionOf('@opentelemetry/sdk-metrics')}, instrumentation-http ${versionOf('@opentelemetry/instrumentation-http')} and -pg ${versionOf('@opentelemetry/instrumentation-pg')}, spans of connections off, a queue of 1,000,000 spans instead of 2,048`,
    sends: 'peer',
    share: 1,
    settlesMs: 0,
    args: { esm: [...loader('@opentelemetry/instrumentation/hook.mjs'), '--import', file.href], commonjs: ['--require', fileURLToPath(file)] },
    env: (collector) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SERVICE_NAME: 'bench' }),
  }
}

function withDatadog(): Subject {
  return {
    name: 'dd-trace',
    note: `dd-trace ${versionOf('dd-trace')}, all traces kept without its limit of 100 a second, spans of middleware, sockets and name look-ups off, telemetry of its own off`,
    sends: 'peer',
    share: 1,
    settlesMs: 0,
    args: { esm: ['--import', pathToFileURL(peers.resolve('dd-trace/initialize.mjs')).href], commonjs: ['--require', peers.resolve('dd-trace/init')] },
    env: (collector) => ({
      DD_TRACE_AGENT_URL: collector,
      DD_SERVICE: 'bench',
      DD_TRACE_SAMPLE_RATE: '1',
      DD_TRACE_RATE_LIMIT: '-1',
      DD_TRACE_MIDDLEWARE_TRACING_ENABLED: 'false',
      DD_TRACE_DISABLED_PLUGINS: 'dns,net',
      DD_TRACE_STARTUP_LOGS: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
    }),
  }
}

function withElastic(): Subject {
  const start = peers.resolve('elastic-apm-node/start.js')
  return {
    name: 'elastic-apm-node',
    note: `elastic-apm-node ${versionOf('elastic-apm-node')}, compression of equal spans off, a queue of 1,000,000 events instead of 1,024`,
    sends: 'peer',
    share: 1,
    settlesMs: 0,
    args: {
      esm: [...loader('elastic-apm-node/loader.mjs'), '--require', start],
      commonjs: ['--require', start],
    },
    env: (collector) => ({
      ELASTIC_APM_SERVER_URL: collector,
      ELASTIC_APM_SERVICE_NAME: 'bench',
      ELASTIC_APM_TRANSACTION_SAMPLE_RATE: '1.0',
      ELASTIC_APM_SPAN_COMPRESSION_ENABLED: 'false',
      ELASTIC_APM_MAX_QUEUE_SIZE: '1000000',
      ELASTIC_APM_CENTRAL_CONFIG: 'false',
      ELASTIC_APM_CLOUD_PROVIDER: 'none',
      ELASTIC_APM_LOG_LEVEL: 'error',
    }),
  }
}

/** The applications without an agent; the second is the noise floor. */
export const BARE: readonly Subject[] = [
  { name: 'bare', ...bare },
  { name: 'bare again', ...bare },
]
export const ANDON: Subject = { name: 'andon', ...ours }
/** The start of a program is left out of its profile and of its budget. */
const BOOT_MS = 11_000
/** Ours with more and with less. */
export const VARIANTS: readonly Subject[] = [
  { ...ours, name: 'andon, profiling', note: 'andon, profiling: the same with ANDON_PROFILE=on, measured from the 11th second on', settlesMs: BOOT_MS, env: (collector) => ({ ...ours.env(collector), ANDON_PROFILE: 'on' }) },
  {
    ...ours,
    name: 'andon, 10 % of traces',
    note: 'andon, 10 % of traces: OTEL_TRACES_SAMPLER=parentbased_traceidratio, metrics of all requests; slow, failed and rare traces are kept beyond the share',
    share: 0.1,
    env: (collector) => ({ ...ours.env(collector), OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' }),
  },
]

/** Its budget looks at two minutes: measured where it has had them. */
export const DEFAULTS: Subject = { ...ours, name: 'andon, at its defaults', note: 'andon, at its defaults: profiles on, a budget of 5 % of a core, which it keeps by tracing a share', share: undefined, settlesMs: BOOT_MS, env: send }

/** The peers, in the newest lines that run on this Node. */
export function peerSubjects(): readonly Subject[] {
  return [withOpenTelemetry(), withDatadog(), withElastic()]
}
