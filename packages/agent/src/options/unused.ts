// Variables of OpenTelemetry's SDK that mean nothing here: set, they are named once, with what to do instead.
import { diag } from '@opentelemetry/api'
import { type Environment, text } from './environment.ts'

/** docs/reference/agent.md lists them, a test compares the two. */
export const UNUSED: Readonly<Record<string, string>> = {
  OTEL_BSP_MAX_QUEUE_SIZE: 'the queue is bounded by bytes, whatever a span holds: ANDON_AGENT_QUEUE_BYTES',
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: 'a batch holds half a MiB, or what came within OTEL_BSP_SCHEDULE_DELAY',
  OTEL_BLRP_MAX_QUEUE_SIZE: 'the queue is bounded by bytes: ANDON_AGENT_QUEUE_BYTES',
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: 'a batch holds 256 errors or 100 events',
  OTEL_BLRP_SCHEDULE_DELAY: 'errors and events go with the spans: OTEL_BSP_SCHEDULE_DELAY',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'what goes to another machine is compressed, what stays on this one is not',
  OTEL_EXPORTER_OTLP_CERTIFICATE: 'NODE_EXTRA_CA_CERTS names authorities of your own',
  OTEL_EXPORTER_OTLP_CLIENT_KEY: 'a client proves itself by OTEL_EXPORTER_OTLP_HEADERS',
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: 'a client proves itself by OTEL_EXPORTER_OTLP_HEADERS',
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'counters and histograms are sent as deltas',
  OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'histograms are exponential',
  OTEL_CONFIG_FILE: 'ANDON_AGENT_CONFIG names a file of variables',
}

/** Says which of them are set. */
export function warnUnused(env: Environment): void {
  for (const [name, instead] of Object.entries(UNUSED)) if (text(env, name) !== undefined) diag.warn(`andon: ${name} is not used: ${instead}`)
}
