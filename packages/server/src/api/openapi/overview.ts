import { SEVERITIES } from '@andon/model'
import { anything, integer, list, measured, number, object, oneOf, type Operations, orNull, RANGE, rangeParameters, record, type Schema, text, time, values } from './schema.ts'

const T = list(time(), 'Times, to which the other lists are aligned.')
const GAUGE: Schema = object({ value: measured('The newest.'), unit: oneOf(['ratio', 'bytesPerSecond']), series: list({ type: 'array', prefixItems: [time(), number()], minItems: 2, maxItems: 2, items: false }) })
const SOURCE = oneOf(['metrics', 'spans'], 'Where rate, errors and durations come from.')

const BUSINESS: Schema = orNull(
  object({
    taskCreationP95Ms: measured(),
    boardLoadP95Ms: measured(),
    cacheHitRatio: measured(),
    operationsPerSecond: measured(),
    operations: measured('In the whole range.'),
    spark: object({ t: T, taskCreationP95Ms: values(), boardLoadP95Ms: values(), cacheHitRatio: values(), operationsPerSecond: values() }),
  }),
  'Of the kanban; null where none of it was sent.',
)

const ALERT: Schema = object(
  { type: text(), metric: text(), value: number(), threshold: number(), severity: oneOf(SEVERITIES), message: text(), rule: text(), tags: record(text()) },
  ['metric', 'value', 'threshold', 'message', 'rule', 'tags'],
)

const DASHBOARD: Schema = object({
  ...RANGE,
  systemMetrics: object({ cpuUsage: GAUGE, memoryUsage: GAUGE, diskUsage: GAUGE, networkIO: GAUGE }),
  businessMetrics: object({
    avgTaskCreationTime: measured('The 95th percentile, milliseconds, under the asked-for name.'),
    avgBoardLoadTime: measured('The 95th percentile, milliseconds, under the asked-for name.'),
    cacheHitRate: measured(),
    totalOperations: measured(),
    p95TaskCreationMs: measured(),
    p95BoardLoadMs: measured(),
  }),
  alerts: list(ALERT, 'Active now, the oldest first.'),
  trends: object({ t: T, series: record(values()) }),
  summary: object({ services: integer(), requestRate: number('Per second, of all services.'), errorRatio: measured(), p95Seconds: measured('Of the slowest service.'), freshnessMs: measured('Age of the newest datum.') }),
})

const TOTALS = { rate: measured('Requests per second.'), errorRatio: measured(), p50: measured('Seconds.'), p95: measured('Seconds.'), p99: measured('Seconds.') }

const OVERVIEW: Schema = object({
  ...RANGE,
  step: integer('Milliseconds.'),
  services: list(
    object({ service: text(), source: SOURCE, ...TOTALS, version: text(), lastSeen: time('When its newest datum was measured.'), spark: object({ t: T, rate: values(), p95: values() }) }, ['version']),
  ),
  business: BUSINESS,
  freshnessMs: measured('Age of the newest datum.'),
  own: object({ cpuRatio: number('Of one core.'), residentBytes: integer(), storeBytes: measured() }),
})

const SERVICE: Schema = object({
  ...RANGE,
  step: integer('Milliseconds.'),
  service: text(),
  source: SOURCE,
  t: T,
  rate: values('Requests per second.'),
  errorRatio: values(),
  p50: values('Seconds.'),
  p95: values('Seconds.'),
  p99: values('Seconds.'),
  now: object({ rate: measured(), p95: measured(), meanRate: measured() }),
  operations: list(object({ name: text(), rate: measured(), errorRatio: measured(), p50: measured(), p95: measured(), share: measured('Of the time spent in all operations of the service.') })),
  eventLoop: orNull(object({ p50: values('Seconds.'), p99: values('Seconds.'), utilization: values() })),
  heap: orNull(object({ used: values('Bytes.'), limit: values('Bytes.') })),
  cpu: orNull(values('Of one core.')),
  gc: orNull(values('Seconds per second.')),
  instances: list(object({ instance: text(), version: orNull({ type: 'string' }), lastSeen: time() })),
})

export const OVERVIEW_OPERATIONS: Operations = {
  'GET /api/dashboard': { summary: 'System and business metrics, alerts, trends, summary.', parameters: rangeParameters(), answer: { schema: DASHBOARD } },
  'GET /api/overview': { summary: 'Every service with rate, errors and quantiles over all its requests.', parameters: rangeParameters(), answer: { schema: OVERVIEW } },
  'GET /api/service/:name': { summary: 'Courses of one service, its operations, event loop, heap, CPU, GC and instances.', parameters: rangeParameters(), answer: { schema: SERVICE } },
  'GET /api/status': {
    summary: 'What the server says of itself.',
    answer: {
      schema: object({
        version: text(),
        node: text('Version of Node.js.'),
        uptimeSeconds: integer(),
        store: anything('Engine, bytes, tables and retention.'),
        disk: anything('How full it is, below which free bytes partitions are dropped and telemetry is refused, and what was dropped.'),
        ingest: record(number(), 'Counters since the start, by their names without andon_ingest_ and _total.'),
        rules: record(number(), 'The same of rules, without andon_rules_.'),
        live: record(number()),
        memory: object({ residentBytes: integer(), heapUsedBytes: integer(), heapTotalBytes: integer(), externalBytes: integer(), arrayBuffersBytes: integer() }),
        limits: record(number()),
      }),
    },
  },
  'GET /metrics': { summary: "The server's own metrics: text 0.0.4, or OpenMetrics 1.0.0 where Accept asks for it.", answer: { type: 'text/plain' } },
  'GET /healthz': { summary: 'The process lives.', answer: { type: 'text/plain' } },
  'GET /readyz': { summary: 'The store is open; else 503.', answer: { type: 'text/plain' } },
  'GET /-/healthy': { summary: "The same as /healthz, by Prometheus' name.", answer: { type: 'text/plain' } },
  'GET /-/ready': { summary: "The same as /readyz, by Prometheus' name.", answer: { type: 'text/plain' } },
  'GET /*': { summary: 'The dashboard: a file of it, or its page.', answer: { type: 'text/html' }, errors: ['not_found'] },
}
