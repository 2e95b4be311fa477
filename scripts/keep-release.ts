// `npm run keep-release`: a small data directory as this version writes it, for the test that later versions still read it.
// What is written never changes: store/releases.test.ts expects the same of every release. What is new is added at the end.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import {
  ADAPTED_EVENT,
  adaptationAttributes,
  breachAttributes,
  INVENTORY_EVENT,
  inventoryAttributes,
  type MetricData,
  type MetricRecord,
  type ProfileFrame,
  type ProfileRecord,
  type Resource,
  type Scope,
  type SpanRecord,
  STALL_EVENT,
  stallAttributes,
  THRESHOLD_EVENT,
  writeAgentIdentity,
} from '@andon/model'
import { App, createLog, readOptions } from '@andon/server'
import { encodeEvents, encodeExceptions, encodeMetrics, encodePprof, encodeSpans, type LogEvent } from '@andon/wire'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'packages/server/releases')
/** The end of what is written; kept so long that nothing expires. */
const AT = Date.UTC(2026, 10, 20, 12)
const RETENTION = ['raw_days', 'spans_days', 'errors_days', 'profiles_days', 'rollup_days', 'long_days'].map((name) => `  ${name}: 3650`).join('\n')

const ns = (seconds: number): bigint => BigInt(AT + seconds * 1000) * 1_000_000n
const resource: Resource = {
  attributes: { 'service.name': 'shop', 'service.version': '1.2.3', 'service.instance.id': 'host:1', 'deployment.environment.name': 'test', 'host.name': 'host', 'host.cpus': 4n },
  droppedAttributes: 0,
  schemaUrl: '',
}
const scope: Scope = { name: 'kept', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const TRACE = 'a1'.repeat(16)
const [ROOT, CHILD] = ['1'.repeat(16), '2'.repeat(16)]

const span: SpanRecord = {
  traceId: TRACE,
  spanId: ROOT,
  parentSpanId: '',
  traceState: 'vendor=1',
  flags: 1,
  name: 'POST /orders',
  kind: 'server',
  start: ns(0),
  end: ns(0) + 250_000_000n,
  attributes: { 'http.route': '/orders', 'http.response.status_code': 201n, 'shop.paid': true, 'shop.total': 12.5, 'shop.items': ['a', 'b'] },
  droppedAttributes: 1,
  events: [{ time: ns(0) + 1n, name: 'paid', attributes: { by: 'card' }, droppedAttributes: 0 }],
  droppedEvents: 0,
  links: [{ traceId: 'b2'.repeat(16), spanId: '3'.repeat(16), traceState: '', flags: 0, attributes: {}, droppedAttributes: 0 }],
  droppedLinks: 0,
  status: { code: 'ok', message: '' },
  resource,
  scope,
}
const child: SpanRecord = {
  ...span,
  spanId: CHILD,
  parentSpanId: ROOT,
  name: 'INSERT orders',
  kind: 'client',
  start: ns(0) + 100_000_000n,
  end: ns(0) + 140_000_000n,
  attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'db.query.text': 'INSERT INTO orders VALUES ($1)' },
  droppedAttributes: 0,
  events: [],
  links: [],
  status: { code: 'error', message: 'duplicate key' },
}

const metric = (name: string, unit: string, data: MetricData): MetricRecord => ({ name, description: `What ${name} is.`, unit, data, resource, scope })
const point = (start: number, seconds: number, value: number): { attributes: Resource['attributes']; start: bigint; time: bigint; flags: number; exemplars: []; value: number } => ({ attributes: { till: 'one' }, start: ns(start), time: ns(seconds), flags: 0, exemplars: [], value })
/** A counter that was reset: 5 and then 3; a gauge; 10 durations, one of them with its trace. */
const metrics: readonly MetricRecord[] = [
  metric('shop.orders', '{order}', { type: 'sum', monotonic: true, temporality: 'cumulative', points: [point(-3600, -120, 100), point(-3600, -60, 105), point(-30, 0, 3)] }),
  metric('shop.baskets', '{basket}', { type: 'gauge', points: [point(0, -60, 7), point(0, 0, 9)] }),
  metric('http.server.request.duration', 's', {
    type: 'exponentialHistogram',
    temporality: 'delta',
    points: [
      {
        attributes: { 'http.route': '/orders', 'http.request.method': 'POST' },
        start: ns(-10),
        time: ns(0),
        flags: 0,
        exemplars: [{ time: ns(-1), value: 0.25, traceId: TRACE, spanId: ROOT, attributes: {} }],
        count: 10,
        sum: 2.5,
        min: 0.2,
        max: 0.3,
        scale: 3,
        zeroCount: 0,
        zeroThreshold: 0,
        positive: { offset: -18, counts: [4, 6] },
        negative: { offset: 0, counts: [] },
      },
    ],
  }),
]

const main: ProfileFrame = { name: 'main', file: '/app/main.ts', line: 1 }
const hash: ProfileFrame = { name: 'hash', file: '/app/hash.ts', line: 7 }
/** A sample of 10 ms every ten minutes, of two hours. */
const profile: ProfileRecord = {
  valueTypes: [{ type: 'cpu', unit: 'nanoseconds' }],
  start: ns(-7200),
  duration: 7_200_000_000_000n,
  period: 10_000_000,
  periodType: { type: 'cpu', unit: 'nanoseconds' },
  samples: Array.from({ length: 12 }, (_, index) => ({ stack: index % 3 === 0 ? [main] : [hash, main], values: [10_000_000], time: ns(-7200 + index * 600), labels: { route: '/orders' } })),
}

const event = (name: string, attributes: LogEvent['attributes']): LogEvent => ({ name, time: ns(0), traceId: '', spanId: '', attributes, resource, scope })
const events: readonly LogEvent[] = [
  event(THRESHOLD_EVENT, breachAttributes({ type: 'PERFORMANCE_THRESHOLD_EXCEEDED', rule: 'slow', metric: 'm', value: 600, threshold: 500, severity: 'critical', message: 'slow', tags: { board: '7' } })),
  event(ADAPTED_EVENT, adaptationAttributes({ reason: 'over_budget', share: 0.07, budget: 0.05, sampling: 0.5, profile: 1 })),
  event(INVENTORY_EVENT, inventoryAttributes([{ kind: 'route', name: 'POST /orders' }, { kind: 'job', name: 'digest' }])),
  event(STALL_EVENT, stallAttributes({ seconds: 0.75, cpuSeconds: 0.7, kind: 'cpu', stack: 'at hash (/app/hash.ts:7)', share: 0.5, samples: 12, route: '/orders' })),
]
const failure = (seconds: number, message: string): Parameters<typeof encodeExceptions>[0][number] => ({ time: ns(seconds), type: 'RangeError', message, stack: 'RangeError\n    at pay (/app/pay.ts:3:1)', handled: false, traceId: TRACE, spanId: ROOT, attributes: { 'http.route': '/orders' }, resource, scope })

async function send(url: string, path: string, body: Uint8Array, type = 'application/x-protobuf'): Promise<void> {
  const identity = writeAgentIdentity({ service: 'shop', instance: 'host:1', version: '0.1.0', revision: 0, capabilities: ['sampling'] })
  const answer = await fetch(`${url}${path}`, { method: path.endsWith('/control') ? 'PUT' : 'POST', body: Buffer.from(body), headers: { 'content-type': type, 'andon-instance': identity } })
  const text = await answer.text()
  if (answer.status !== 200 || /reject/i.test(text)) throw new Error(`${path} was answered ${answer.status}: ${text}`)
}

async function write(dataDir: string, config: string): Promise<void> {
  writeFileSync(config, `retention:\n${RETENTION}\n`)
  const app = new App(readOptions({ file: config, flags: { 'listen.port': '0', data_dir: dataDir } }), { log: createLog('warn', () => Date.now()) })
  await app.start()
  try {
    await send(app.url, '/v1/traces', encodeSpans([span, child]))
    await send(app.url, '/v1/metrics', encodeMetrics(metrics))
    await send(app.url, '/v1/logs', encodeExceptions([failure(-5, 'no 17'), failure(0, 'no 18')]))
    await send(app.url, '/v1/logs', encodeEvents(events))
    await send(app.url, '/api/profiles?service=shop&env=test&version=1.2.3&instance=host:1', encodePprof(profile), 'application/octet-stream')
    await send(app.url, '/api/service/shop/control', Buffer.from(JSON.stringify({ sampling: 0.25, expires: Date.now() + 600_000 })), 'application/json')
  } finally {
    await app.stop()
  }
}

const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'packages/server/package.json'), 'utf8'))
const kept = join(folder, `${version}.tar.gz`)
if (existsSync(kept)) {
  process.stderr.write(`${relative(root, kept)} is there already: what a release wrote is never replaced. Raise the version first.\n`)
  process.exit(1)
}
const scratch = mkdtempSync(join(tmpdir(), 'andon-release-'))
try {
  const dataDir = join(scratch, 'data')
  await write(dataDir, join(scratch, 'andon.yaml'))
  mkdirSync(folder, { recursive: true })
  // Symbolic links of the engine name the scratch folder; it makes them anew.
  const tar = spawnSync('sh', ['-c', 'find . -type f -print | LC_ALL=C sort | tar -cz --owner=0 --group=0 --numeric-owner -f "$1" -T -', 'sh', kept], { cwd: dataDir, stdio: 'inherit' })
  if (tar.status !== 0) throw new Error('the directory could not be packed')
  process.stdout.write(`${relative(root, kept)}: ${statSync(kept).size} bytes\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
