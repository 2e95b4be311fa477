// Routes of protocols that are described elsewhere: what they are for, and where.
import type { ErrorCode } from '@andon/model'
import type { Operation, Operations } from './schema.ts'

const OTLP = 'https://opentelemetry.io/docs/specs/otlp/'
const PROMETHEUS = 'https://prometheus.io/docs/prometheus/latest/querying/api/'
const REMOTE_WRITE = 'https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/'
const FEDERATION = 'https://prometheus.io/docs/prometheus/latest/federation/'
const JAEGER = 'https://www.jaegertracing.io/docs/1.76/architecture/apis/'
const ZIPKIN = 'https://zipkin.io/zipkin-api/'
const TEMPO = 'https://grafana.com/docs/tempo/latest/api_docs/'
const INGEST: readonly ErrorCode[] = ['bad_body', 'unsupported_media_type', 'too_large', 'overloaded']

/** A route whose answer is the protocol's. */
function of(protocol: string, summary: string, { type = 'application/json', errors = [] }: { type?: string; errors?: readonly ErrorCode[] } = {}): Operation {
  return { summary, protocol, answer: { type }, errors }
}

const sent = (protocol: string, summary: string, type: string): Operation => ({ summary, protocol, body: { type }, answer: { type }, errors: INGEST })
const QUERIES: readonly ErrorCode[] = ['bad_query', 'query_failed', 'query_too_large', 'query_timeout']

/** A question of Prometheus' API that may be sent as the form of a POST. */
function asked(path: string, summary: string): Operations {
  const operation = of(PROMETHEUS, summary, { errors: QUERIES })
  return { [`GET ${path}`]: operation, [`POST ${path}`]: { ...operation, body: { type: 'application/x-www-form-urlencoded', schema: { type: 'object' } } } }
}

export const PROTOCOLS: Operations = {
  'POST /v1/traces': sent(OTLP, 'OTLP spans; 200 means stored.', 'application/x-protobuf'),
  'POST /v1/metrics': sent(OTLP, 'OTLP metrics; 200 means stored.', 'application/x-protobuf'),
  'POST /v1/logs': sent(OTLP, 'OTLP logs: errors and the events of agents.', 'application/x-protobuf'),
  'POST /api/v1/write': { summary: 'Prometheus remote write 1 and 2; 204 means stored.', protocol: REMOTE_WRITE, body: { type: 'application/x-protobuf' }, answer: 'nothing', errors: INGEST },
  'POST /api/v2/spans': { summary: 'Zipkin spans; 202 means stored.', protocol: ZIPKIN, body: { type: 'application/json', schema: { type: 'array', items: { type: 'object' } } }, answer: 'nothing', errors: INGEST },
  ...asked('/api/v1/query', 'PromQL at one time.'),
  ...asked('/api/v1/query_range', 'PromQL over a range.'),
  ...asked('/api/v1/query_exemplars', 'Exemplars of the series of an expression.'),
  ...asked('/api/v1/format_query', 'An expression as text for people.'),
  ...asked('/api/v1/parse_query', 'An expression as a tree.'),
  ...asked('/api/v1/labels', 'Names of labels.'),
  ...asked('/api/v1/series', 'Series of selectors.'),
  'GET /api/v1/label/:name/values': of(PROMETHEUS, 'Values of one label.', { errors: ['bad_query'] }),
  'GET /api/v1/metadata': of(PROMETHEUS, 'Type, unit and help of metrics.'),
  'GET /api/v1/targets': of(PROMETHEUS, 'Targets that are scraped.'),
  'GET /api/v1/targets/metadata': of(PROMETHEUS, 'Type, unit and help of the metrics of targets.', { errors: ['bad_query', 'not_found'] }),
  'GET /api/v1/rules': of(PROMETHEUS, 'Rules.'),
  'GET /api/v1/alerts': of(PROMETHEUS, 'Active alerts.'),
  'GET /api/v1/status/buildinfo': of(PROMETHEUS, 'Version.'),
  'GET /api/v1/status/config': of(PROMETHEUS, 'What is scraped, as prometheus.yml would say it.'),
  'GET /api/v1/status/flags': of(PROMETHEUS, "Those of Prometheus' flags that have a counterpart."),
  'GET /api/v1/status/runtimeinfo': of(PROMETHEUS, 'Since when and where this process runs.'),
  'GET /federate': of(FEDERATION, 'The newest samples of selectors, as text.', { type: 'text/plain', errors: QUERIES }),
  'GET /api/services': of(JAEGER, 'Jaeger: services.'),
  'GET /api/services/:service/operations': of(JAEGER, 'Jaeger: operations of a service.'),
  'GET /api/operations': of(JAEGER, 'Jaeger: operations with their kind.'),
  'GET /api/traces': of(JAEGER, 'Jaeger: a search of traces.'),
  'GET /api/traces/:id': of(JAEGER, 'Jaeger: one trace.', { errors: ['not_found'] }),
  'GET /api/dependencies': of(JAEGER, 'Jaeger: calls between services.'),
  'GET /api/v2/services': of(ZIPKIN, 'Zipkin: services.'),
  'GET /api/v2/spans': of(ZIPKIN, 'Zipkin: names of the spans of a service.'),
  'GET /api/v2/traces': of(ZIPKIN, 'Zipkin: a search of traces.'),
  'GET /api/v2/traceMany': of(ZIPKIN, 'Zipkin: several traces.'),
  'GET /api/v2/trace/:id': of(ZIPKIN, 'Zipkin: one trace.', { errors: ['not_found'] }),
  'GET /api/v2/dependencies': of(ZIPKIN, 'Zipkin: calls between services.'),
  'GET /tempo/api/echo': of(TEMPO, 'Tempo: says that it is there.', { type: 'text/plain' }),
  'GET /tempo/ready': of(TEMPO, 'Tempo: says that it is there.', { type: 'text/plain' }),
  'GET /tempo/api/status/buildinfo': of(TEMPO, 'Tempo: the version whose routes these are.'),
  'GET /tempo/api/traces/:id': of(TEMPO, 'Tempo: one trace as OTLP.', { errors: ['not_found'] }),
  'GET /tempo/api/v2/traces/:id': of(TEMPO, 'Tempo: one trace as OTLP within its envelope.', { errors: ['not_found'] }),
  'GET /tempo/api/search': of(TEMPO, 'Tempo: a search by TraceQL.', { errors: ['bad_query', 'query_failed'] }),
  'GET /tempo/api/search/tags': of(TEMPO, 'Tempo: names of attributes.'),
  'GET /tempo/api/v2/search/tags': of(TEMPO, 'Tempo: names of attributes by where they stand.'),
  'GET /tempo/api/search/tag/:tag/values': of(TEMPO, 'Tempo: values of an attribute.', { errors: ['bad_query'] }),
  'GET /tempo/api/v2/search/tag/:tag/values': of(TEMPO, 'Tempo: values of an attribute with their types.', { errors: ['bad_query'] }),
  'GET /tempo/api/metrics/query_range': of(TEMPO, 'Tempo: TraceQL metrics; refused with what to ask instead.', { errors: ['bad_query'] }),
  'GET /tempo/api/metrics/query': of(TEMPO, 'Tempo: TraceQL metrics; refused with what to ask instead.', { errors: ['bad_query'] }),
  'GET /tempo/api/metrics/summary': of(TEMPO, 'Tempo: TraceQL metrics; refused with what to ask instead.', { errors: ['bad_query'] }),
}
