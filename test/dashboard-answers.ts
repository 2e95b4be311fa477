// What a healthy server would answer the dashboard, fixed in time: NOW is the end of every range.

import { alertingAnswer } from './dashboard-alerting-answers.ts'
import { NOW } from './dashboard-now.ts'

const STEP = 15_000
const COUNT = 60
const t = Array.from({ length: COUNT }, (_, index) => NOW - (COUNT - 1 - index) * STEP)
const wave = (base: number, swing: number): number[] => t.map((_, index) => base + swing * Math.sin(index / 6))
const range = { from: NOW - COUNT * STEP, to: NOW, step: STEP }

const overview = {
  ...range,
  services: [
    {
      service: 'kanban',
      language: 'nodejs',
      version: '1.2.0',
      source: 'metrics',
      rate: 12.34,
      errorRatio: 0.0213,
      p50: 0.0124,
      p95: 0.0482,
      p99: null,
      spark: { t, rate: wave(12, 3), p95: wave(0.048, 0.01) },
      lastSeen: NOW - 2000,
    },
    { service: 'mailer', source: 'spans', rate: 0.5, errorRatio: 0, p50: 0.2, p95: 0.4, p99: 0.9, spark: { t, rate: wave(0.5, 0.1), p95: wave(0.4, 0.1) }, lastSeen: NOW - 4000 },
  ],
  business: {
    taskCreationP95Ms: 48.2,
    boardLoadP95Ms: 131,
    cacheHitRatio: 0.927,
    operationsPerSecond: 36.5,
    spark: { t, taskCreationP95Ms: wave(48, 5), boardLoadP95Ms: wave(131, 9), cacheHitRatio: wave(0.9, 0.02), operationsPerSecond: wave(36, 4) },
  },
  freshnessMs: 2300,
  own: { cpuRatio: 0.021, residentBytes: 410_000_000, storeBytes: 52_000_000 },
}
const gauge = (value: number, unit: string): unknown => ({ value, unit, series: t.map((time) => [time, value]) })
const dashboard = { systemMetrics: { cpuUsage: gauge(0.34, 'ratio'), memoryUsage: gauge(0.62, 'ratio'), diskUsage: gauge(0.41, 'ratio'), networkIO: gauge(2 * 1024 ** 2, 'bytesPerSecond') } }
const service = {
  ...range,
  t,
  rate: wave(12, 3),
  errorRatio: wave(0.02, 0.01),
  p50: wave(0.012, 0.002),
  p95: wave(0.048, 0.01),
  p99: wave(0.1, 0.02),
  operations: [
    { name: 'GET /api/boards/:id', rate: 8, errorRatio: 0, p50: 0.012, p95: 0.131, share: 0.7 },
    { name: 'POST /api/tasks', rate: 4, errorRatio: 0.05, p50: 0.02, p95: 0.048, share: 0.3 },
  ],
  eventLoop: { p50: wave(0.001, 0.0002), p99: wave(0.01, 0.002), utilization: wave(0.2, 0.1) },
  heap: { used: wave(9e7, 1e7), limit: t.map(() => 2.4e8) },
  cpu: wave(0.2, 0.1),
  gc: wave(0.004, 0.001),
  instances: [{ instance: 'host:1', version: '1.2.0', lastSeen: NOW - 2000 }],
}
const stall = (seconds: number, stack: string, more: object = {}): unknown => ({ time: NOW - seconds * 1000, seconds, cpuSeconds: 0.1, kind: 'cpu', service: 'kanban', env: '', version: '1.2.0', instance: 'host:1', route: '', traceId: '', spanId: '', stack, share: 0.9, samples: 30, ...more })
const stalls = {
  from: range.from,
  to: range.to,
  stalls: [stall(1.25, 'at hashPassword (/srv/kanban/password.ts:12)\nat login (/srv/kanban/account.ts:40)\nat handle (/srv/kanban/http.ts:7)', { route: '/api/login', traceId: 'a'.repeat(32) }), stall(0.3, '', { kind: 'waiting' })],
}
const covered = (kind: string, name: string, metrics: boolean, traces: boolean): unknown => ({ kind, name, registered: kind !== 'statement', metrics, traces, objective: null, alert: null })
/** Six operations, of which so many have data: 4 to 6. */
export const coverageOf = (count: number): unknown => ({
  from: NOW - 86_400_000,
  to: NOW,
  services: [
    {
      service: 'kanban',
      reports: true,
      total: 6,
      covered: count,
      share: count / 6,
      operations: [
        covered('route', 'GET /api/boards/:id', true, true),
        covered('route', 'POST /api/tasks', true, true),
        covered('route', 'DELETE /api/boards/:id/columns/:column', count > 5, count > 5),
        covered('job', 'send digests', count > 4, count > 4),
        covered('dependency', 'postgresql/kanban', true, true),
        covered('statement', 'SELECT * FROM boards WHERE id = $1', false, true),
      ],
    },
  ],
})
const hex = (number: number, length: number): string => number.toString(16).padStart(length, '0')

/** The id of the trace with 5,000 spans. */
export const BIG_TRACE: string = hex(5000, 32)

const traces = Array.from({ length: 200 }, (_, index) => ({
  traceId: hex(index + 1, 32),
  start: NOW - index * 4000,
  durationNs: 1_000_000 * (5 + ((index * 37) % 400)),
  rootService: 'kanban',
  rootName: index % 3 === 0 ? 'POST /api/tasks' : 'GET /api/boards/:id',
  spanCount: 7,
  errorCount: index % 20 === 0 ? 1 : 0,
  services: [
    { name: 'kanban', spans: 4 },
    { name: 'postgresql', spans: 3 },
  ],
}))

/** A trace of `count` spans: a root, and below it groups of ten. */
function trace(id: string, count: number): unknown {
  const spans = Array.from({ length: count }, (_, index) => ({
    id: hex(index + 1, 16),
    parent: index === 0 ? null : hex(index % 10 === 1 ? 1 : index - ((index - 1) % 10) + 1, 16),
    service: index % 10 < 2 ? 'kanban' : 'postgresql',
    name: index === 0 ? 'GET /api/boards/:id' : `step ${index}`,
    kind: 'internal',
    startOffsetUs: index * 100,
    durationUs: index === 0 ? count * 100 : 80,
    status: index === 7 ? 'error' : 'unset',
    statusMessage: index === 7 ? 'duplicate key' : '',
    attributes: { 'http.route': '/api/boards/:id', step: index },
    resource: 0,
    scope: { name: '@andon/agent', version: '0.1.0' },
    events: [],
    links: [],
  }))
  return { traceId: id, start: NOW - 60_000, durationNs: String(count * 100_000), spans, resources: [{ 'service.name': 'kanban' }] }
}

const keeping = (name: string, kind: string, signal: string, days: number, daysStored: number): unknown => ({ name, kind, signal, configuredDays: days, days, oldest: NOW - daysStored * 86_400_000, bytes: 1_000_000 })
const status = {
  version: '0.1.0',
  uptimeSeconds: 5400,
  store: {
    bytes: 52_000_000,
    rows: { spans: 1200 },
    retention: [keeping('samples', 'raw', 'rawDays', 15, 9), keeping('spans', 'detail', 'spansDays', 7, 2), keeping('errors', 'raw', 'errorsDays', 30, 9), keeping('profile_samples', 'detail', 'profilesDays', 7, 2), keeping('samples_5m', 'rollup', 'rollupDays', 90, 9), keeping('samples_1h', 'hourly', 'longDays', 400, 9), keeping('series', 'lookup', 'rawDays', 400, 9)],
  },
  disk: {
    state: 'tight',
    totalBytes: 100 * 1024 ** 3,
    freeBytes: 9.5 * 1024 ** 3,
    dropBelowBytes: 10 * 1024 ** 3,
    refuseBelowBytes: 256 * 1024 ** 2,
    dropped: [{ time: NOW - 60_000, table: 'spans', id: '20261121', rows: 90_000, bytes: 1.5 * 1024 ** 3, newest: NOW - 3 * 86_400_000 }],
  },
  ingest: { rejectedSpans: 0 },
  memory: { residentBytes: 410_000_000 },
  limits: {},
}

/** The answer to a path; undefined where the server would say 404. */
export function answers(url: URL): unknown {
  const path = url.pathname
  const alerting = alertingAnswer(url)
  if (alerting !== undefined) return alerting
  if (path === '/api/overview') return overview
  if (path === '/api/dashboard') return dashboard
  if (path === '/api/service/kanban') return service
  if (path === '/api/service/kanban/stalls') return stalls
  if (path === '/api/coverage') return coverageOf(4)
  if (path === '/api/spans/facets') return { services: [{ name: 'kanban', operations: ['GET /api/boards/:id', 'POST /api/tasks'] }] }
  if (path === '/api/status') return status
  if (path === '/api/spans/search') {
    const operation = url.searchParams.get('operation')
    return { from: range.from, to: range.to, traces: traces.filter((one) => operation === null || one.rootName === operation), truncated: false }
  }
  if (path === `/api/spans/trace/${BIG_TRACE}`) return trace(BIG_TRACE, 5000)
  const id = /^\/api\/spans\/trace\/([0-9a-f]{32})$/.exec(path)?.[1]
  return id === undefined || !traces.some((one) => one.traceId === id) ? undefined : trace(id, 30)
}
