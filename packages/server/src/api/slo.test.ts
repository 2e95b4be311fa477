// Objectives over the real store: every number is equal to a recount of the raw spans, and the API tells it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { seeded, type SpanRecord } from '@andon/model'
import { parse } from '@andon/promql'
import fastify, { type FastifyInstance } from 'fastify'
import { answerOf, conforms, type Document } from './openapi/conforms.test.ts'
import { openApiDocument } from './openapi/document.ts'
import { SLO } from './openapi/slo.ts'
import { registerErrors } from './errors.ts'
import { registerSlo } from './slo.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { openTestStore } from '../store/fixture.test.ts'
import type { Store } from '../store/index.ts'
import { ObjectiveManager } from '../slo/manager.ts'
import { ObjectiveReader } from '../slo/reader.ts'
import { readObjectives } from '../slo/schema.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const BEGIN = Date.UTC(2026, 10, 10, 10)
const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
const folder = mkdtempSync(join(tmpdir(), 'andon-objectives-'))
const clock = new FakeClock(BEGIN)
const random = seeded(11)
let store: Store
let manager: ObjectiveManager

before(async () => {
  store = await openTestStore({ dataDir: folder, log: silentLog, clock, retention: forever })
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const OBJECTIVES = readObjectives(
  `
objectives:
  - id: works
    service: shop
    environment: production
    indicator: { availability: { except_routes: [/health] } }
    target: 95
    windows: [28d, month]
    maintenance: [{ start: 2026-11-10T10:20:00Z, end: 2026-11-10T10:30:30Z, comment: "move | of the disks" }]
    agreement: { customer: "Example, Ltd", consequence: a tenth is given back, target: 60, time_zone: Europe/Berlin }
  - id: fast
    service: shop
    environment: production
    indicator: { latency: { under: 300ms, routes: ["/orders*"] } }
    target: 90
`,
  'o.yaml',
)

interface Request {
  readonly at: number
  readonly ms: number
  readonly route: string
  readonly version: string
  readonly env: string
  readonly weight: number
  readonly repeat: number
  readonly status: number
  readonly kind: 'server' | 'client'
}

let ids = 0

function spanOf({ at, ms, route, version, env, weight, repeat, status, kind }: Request): SpanRecord {
  const start = BigInt(at) * 1_000_000n
  ids += 1
  return {
    traceId: ids.toString(16).padStart(32, '0'),
    spanId: ids.toString(16).padStart(16, '0'),
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: `GET ${route}`,
    kind,
    start,
    end: start + BigInt(ms * repeat) * 1_000_000n,
    attributes: { 'http.route': route, 'http.response.status_code': BigInt(status), ...(weight !== 1 && { 'andon.weight': weight }), ...(repeat !== 1 && { 'andon.repeat': BigInt(repeat) }) },
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: status >= 500 && random() < 0.5 ? 'error' : 'unset', message: '' },
    resource: { attributes: { 'service.name': 'shop', 'service.version': version, 'deployment.environment.name': env }, droppedAttributes: 0, schemaUrl: '' },
    scope: { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
  }
}

const one = <T>(...values: readonly [T, ...T[]]): T => values[Math.floor(random() * values.length)] ?? values[0]

function requestAt(at: number): Request {
  return { at, ms: one(5, 100, 299, 300, 301, 2000), route: one('/orders', '/orders/:id', '/cart', '/health'), version: one('1.0', '1.1'), env: one('production', 'production', 'test'), weight: one(1, 1, 4, 2.5), repeat: one(1, 1, 3), status: one(200, 200, 200, 404, 500, 503), kind: one('server', 'server', 'client') }
}

type Filter = (request: Request) => boolean
const counts = (requests: readonly Request[], filter: Filter): number => requests.filter(filter).reduce((sum, { weight, repeat }) => sum + weight * repeat, 0)
const isProduction: Filter = ({ env, kind }) => env === 'production' && kind === 'server'
const failed: Filter = ({ status }) => status >= 500
const maintained: Filter = ({ at }) => at >= BEGIN + 20 * MINUTE && at < BEGIN + 31 * MINUTE

const ofWorks: Filter = (each) => isProduction(each) && each.route !== '/health' && !maintained(each)
const ofFast: Filter = (each) => isProduction(each) && each.route.startsWith('/orders') && !failed(each)
const ofMaintenance: Filter = (each) => isProduction(each) && each.route !== '/health' && maintained(each)
async function open(): Promise<ObjectiveManager> {
  return await ObjectiveManager.open(
    OBJECTIVES,
    { query: () => Promise.resolve([]), slices: store.slices, receiver: { accept: () => Promise.resolve() }, log: store.state, clock, logger: silentLog, own: new OwnMetrics() },
    { defaults: false, delayMs: 15_000, backfillMs: 6 * HOUR, externalUrl: () => '' },
  )
}

const requests: Request[] = []

async function bring(added: readonly Request[]): Promise<void> {
  requests.push(...added)
  await store.spans.write(added.map(spanOf))
}

test('counts are those of the raw spans by their weights, also of late ones, after restarts and when all is counted again', { timeout: 120_000 }, async () => {
  await clock.advance(30 * MINUTE)
  await bring(Array.from({ length: 800 }, () => requestAt(BEGIN + Math.floor(random() * 30 * MINUTE))))
  manager = await open()
  await manager.evaluate()
  // Killed, and what is counted again replaces itself.
  manager = await open()
  await manager.evaluate()
  for (let step = 0; step < 20; step += 1) {
    const now = clock.now()
    await bring([...Array.from({ length: 20 }, () => requestAt(now - Math.floor(random() * 100_000))), ...(step % 5 === 0 ? [requestAt(BEGIN + Math.floor(random() * 30 * MINUTE))] : [])])
    await clock.advance(15_000)
    await manager.evaluate()
    if (step === 10) {
      await manager.stop()
      manager = await open()
    }
  }
  await clock.advance(BEGIN + 3 * HOUR + 10 * MINUTE - clock.now())
  await manager.evaluate()
  await manager.stop()
  const reader = new ObjectiveReader({ standings: () => manager.standings, slices: store.slices, incidents: () => Promise.resolve([]), clock })
  const [works, fast] = [await reader.one('works'), await reader.one('fast')]
  for (const { expression } of [works, fast]) assert.ok(expression !== null && parse(expression).kind === 'binary')
  const total = counts(requests, ofWorks)
  const bad = counts(requests, (each) => ofWorks(each) && failed(each))
  for (const window of works.windows) assert.deepEqual([window.total, window.bad, window.attainment], [total, bad, 1 - bad / total], window.name)
  assert.equal(works.windows[0]?.remaining, (total * (1 - 0.95) - bad) / (total * (1 - 0.95)))
  assert.deepEqual([fast.windows[0]?.total, fast.windows[0]?.bad], [counts(requests, ofFast), counts(requests, (each) => ofFast(each) && each.ms > 300)])
})

test('routes tell it as their document says, each account adds up, and an agreement has its report in three forms', async () => {
  const total = counts(requests, ofWorks)
  const bad = counts(requests, (each) => ofWorks(each) && failed(each))
  const incidents = [
    { id: 'i1', title: 'First', start: BEGIN + 2 * MINUTE, end: BEGIN + 8 * MINUTE },
    { id: 'i2', title: 'Second', start: BEGIN + 5 * MINUTE, end: BEGIN + 15 * MINUTE },
  ]
  const app = await api(incidents)
  const document = openApiDocument(app.guarded, { operations: SLO, schemas: {}, version: '1' }) as unknown as Document
  const get = async (key: string, url: string): Promise<Record<string, never>> => {
    const { statusCode, body } = await app.server.inject({ method: 'GET', url })
    assert.equal(statusCode, 200, body)
    const answer: unknown = JSON.parse(body)
    conforms(document, answerOf(document, key), answer, key)
    return answer as Record<string, never>
  }
  const list = (await get('GET /api/objectives', '/api/objectives?service=shop'))['objectives'] as unknown as readonly { readonly id: string }[]
  assert.deepEqual(list.map(({ id }) => id).toSorted(), ['fast', 'works'])
  await get('GET /api/objectives/:id', '/api/objectives/works')
  const down = await get('GET /api/objectives/:id/burn-down', '/api/objectives/works/burn-down?window=month')
  const points = down['points'] as unknown as readonly { readonly bad: number; readonly remaining: number; readonly ideal: number }[]
  assert.equal(points.reduce((sum, point) => sum + point.bad, 0), bad)
  const ledger = await get('GET /api/objectives/:id/ledger', '/api/objectives/works/ledger')
  for (const account of ['byIncident', 'byRoute', 'byRelease']) {
    const entries = ledger[account] as unknown as readonly { readonly key: string; readonly bad: number; readonly share: number }[]
    assert.ok(Math.abs(entries.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-12, account)
    assert.equal(entries.reduce((sum, entry) => sum + entry.bad, 0), bad, account)
  }
  const byIncident = ledger['byIncident'] as unknown as readonly { readonly key: string; readonly bad: number }[]
  const within = (start: number, end: number): number => counts(requests, (each) => ofWorks(each) && failed(each) && each.at >= BEGIN + start * MINUTE && each.at < BEGIN + end * MINUTE)
  assert.equal(byIncident.find(({ key }) => key === 'i1')?.bad, within(2, 8))
  assert.equal(byIncident.find(({ key }) => key === 'i2')?.bad, within(8, 15))
  const other = await get('GET /api/objectives/:id/what-if', '/api/objectives/works/what-if?target=50')
  const [first] = other['windows'] as unknown as readonly { readonly remaining: number }[]
  assert.equal(first?.remaining, (total * 0.5 - bad) / (total * 0.5))
  const report = await get('GET /api/agreements/:id/report', '/api/agreements/works/report?month=2026-11')
  assert.deepEqual([report['kept'], report['total'], report['bad'], report['period'], report['isFinal']], [1 - bad / total >= 0.6, total, bad, '2026-11', false])
  const [maintenance] = report['maintenance'] as unknown as readonly { readonly total: number; readonly bad: number }[]
  assert.deepEqual([maintenance?.total, maintenance?.bad], [counts(requests, ofMaintenance), counts(requests, (each) => ofMaintenance(each) && failed(each))])
  const days = report['days'] as unknown as readonly { readonly bad: number; readonly total: number }[]
  assert.deepEqual([days.length, days.reduce((sum, day) => sum + day.total, 0)], [10, total])
  const { body: markdown, headers } = await app.server.inject({ method: 'GET', url: '/api/agreements/works/report?format=md' })
  assert.match(String(headers['content-type']), /text\/markdown/)
  assert.match(markdown, /\| Customer \| Example, Ltd \|/)
  assert.match(markdown, /move \\\| of the disks/)
  const { body: csv } = await app.server.inject({ method: 'GET', url: '/api/agreements/works/report?format=csv' })
  const rows = csv.trimEnd().split('\r\n')
  assert.match(rows[1] ?? '', /^works,"Example, Ltd",shop,2026-11,period,works,2026-10-31T23:00:00Z,2026-11-30T23:00:00Z,/)
  for (const [url, status] of [['/api/objectives/nothing', 404], ['/api/agreements/fast/report', 404], ['/api/objectives/works/what-if', 400], ['/api/objectives/works/ledger?window=1d', 400], ['/api/agreements/works/report?month=2027-01', 400], ['/api/agreements/works/report?format=pdf', 400]] as const) {
    assert.equal((await app.server.inject({ method: 'GET', url })).statusCode, status, url)
  }
})

async function api(incidents: readonly { id: string; title: string; start: number; end: number }[]): Promise<{ readonly server: FastifyInstance; readonly guarded: { method: string; path: string; role: 'viewer'; live: boolean }[] }> {
  const server = fastify()
  const guarded: { method: string; path: string; role: 'viewer'; live: boolean }[] = []
  server.addHook('onRoute', ({ method, url }) => {
    if (method === 'GET') guarded.push({ method, path: url, role: 'viewer', live: true })
  })
  registerErrors(server, silentLog)
  registerSlo(server, { objectives: new ObjectiveReader({ standings: () => manager.standings, slices: store.slices, incidents: () => Promise.resolve(incidents), clock }) })
  await server.ready()
  return { server, guarded }
}
