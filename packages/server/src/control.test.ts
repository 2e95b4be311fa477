// Control, broken thresholds and coverage over HTTP and a real store, also across a restart.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ADAPTED_EVENT, adaptationAttributes, breachAttributes, INVENTORY_EVENT, inventoryAttributes, type Resource, type Scope, THRESHOLD_EVENT, writeAgentIdentity } from '@andon/model'
import { encodeEvents, encodeMetrics, encodeSpans, type LogEvent } from '@andon/wire'
import { App } from './app.ts'
import { testOptions } from './fixture.test.ts'
import { silentLog } from './runtime/log.ts'

const resource: Resource = { attributes: { 'service.name': 'shop', 'service.version': '1.2.3', 'service.instance.id': 'host:1' }, droppedAttributes: 0, schemaUrl: '' }
const scope: Scope = { name: 'andon', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const nanoseconds = (): bigint => BigInt(Date.now()) * 1_000_000n

const event = (name: string, attributes: LogEvent['attributes']): LogEvent => ({ name, time: nanoseconds(), traceId: '', spanId: '', attributes, resource, scope })

async function start(t: TestContext, dataDir: string): Promise<App> {
  const app = new App(testOptions(dataDir), { log: silentLog })
  await app.start()
  t.after(() => app.stop())
  return app
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'andon-control-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function send(app: App, path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(`${app.url}${path}`, { method: 'POST', body: Buffer.from(body), headers: { 'content-type': 'application/x-protobuf', ...headers } })
  assert.equal(answer.status, 200, await answer.clone().text())
  return answer
}

async function json<T>(app: App, path: string): Promise<T> {
  const answer = await fetch(`${app.url}${path}`)
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return JSON.parse(text) as T
}

interface Agents {
  readonly agents: readonly { readonly instance: string; readonly lastSeen: number; readonly stale: boolean; readonly wantedRevision: number }[]
}

async function setControl(app: App, path: string, state: object): Promise<{ revision: number }> {
  const answer = await fetch(`${app.url}${path}`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...state, expires: Date.now() + 600_000 }) })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return JSON.parse(text) as { revision: number }
}

test('what is wanted of an agent survives a restart; breaches and adaptations are kept once however often they are sent', { timeout: 120_000 }, async (t) => {
  const dataDir = folder(t)
  const identity = { 'andon-instance': writeAgentIdentity({ service: 'shop', instance: 'host:1', version: '0.1.0', revision: 0, capabilities: ['sampling'] }) }
  const first = await start(t, dataDir)
  const { revision } = await setControl(first, '/api/service/shop/control', { sampling: 0.25 })
  const breach = encodeEvents([event(THRESHOLD_EVENT, breachAttributes({ type: 'PERFORMANCE_THRESHOLD_EXCEEDED', rule: 'slow', metric: 'm', value: 600, threshold: 500, severity: 'critical', message: 'slow', tags: { board: '7' } })), event(ADAPTED_EVENT, adaptationAttributes({ reason: 'over_budget', share: 0.07, budget: 0.05, sampling: 0.5, profile: 1 })), event('andon.unheard.of', {})])
  const batch = { 'andon-batch': `${'a'.repeat(32)}/1` }
  for (let time = 0; time < 2; time += 1) {
    const answer = await send(first, '/v1/logs', breach, { ...identity, ...batch })
    assert.equal(answer.headers.get('andon-control'), String(revision))
  }
  const gone = { 'andon-instance': writeAgentIdentity({ service: 'shop', instance: 'gone:1', version: '0.1.0', revision: 0, capabilities: ['sampling', 'profile'] }) }
  await send(first, '/v1/logs', new Uint8Array(), gone)
  const heard = (await json<Agents>(first, '/api/agents')).agents
  assert.deepEqual(heard.map(({ instance }) => instance), ['gone:1', 'host:1'])
  await first.stop()

  const second = await start(t, dataDir)
  assert.deepEqual((await json<Agents>(second, '/api/agents')).agents, heard)
  const answer = await send(second, '/v1/logs', new Uint8Array(), identity)
  assert.equal(answer.headers.get('andon-control'), String(revision))
  const control = await json<{ revision: number; sampling: number }>(second, '/api/agents/host%3A1/control')
  assert.deepEqual([control.revision, control.sampling], [revision, 0.25])
  const { breaches } = await json<{ breaches: { rule: string; value: number; service: string; instance: string; tags: object }[] }>(second, '/api/agents/host%3A1/breaches')
  assert.deepEqual(breaches.map(({ rule, value, service, instance, tags }) => ({ rule, value, service, instance, tags })), [{ rule: 'slow', value: 600, service: 'shop', instance: 'host:1', tags: { board: '7' } }])
  const { adaptations } = await json<{ adaptations: { reason: string; share: number; sampling: number; profile: number; service: string }[] }>(second, '/api/agents/host%3A1/adaptations')
  assert.deepEqual(adaptations.map(({ reason, share, sampling, profile, service }) => [reason, share, sampling, profile, service]), [['over_budget', 0.07, 0.5, 1, 'shop']])

  // For one that is not there a state is kept, also over a restart, and told when it comes back.
  const { revision: wanted } = await setControl(second, '/api/agents/gone%3A1/control', { sampling: 0.5 })
  await second.stop()
  const third = await start(t, dataDir)
  assert.deepEqual((await json<Agents>(third, '/api/agents')).agents.map(({ instance, wantedRevision }) => [instance, wantedRevision]), [['gone:1', wanted], ['host:1', revision]])
  assert.equal((await send(third, '/v1/logs', new Uint8Array(), gone)).headers.get('andon-control'), String(wanted))
  assert.equal((await json<{ sampling: number }>(third, '/api/agents/gone%3A1/control')).sampling, 0.5)
})

test('coverage holds what is registered against series and spans in the store', { timeout: 120_000 }, async (t) => {
  const app = await start(t, folder(t))
  const items = [
    { kind: 'route', name: 'GET /cart' },
    { kind: 'route', name: 'POST /cart' },
    { kind: 'job', name: 'digest' },
    { kind: 'dependency', name: 'postgresql/shop' },
    { kind: 'dependency', name: 'mail:25' },
  ] as const
  await send(app, '/v1/logs', encodeEvents([event(INVENTORY_EVENT, inventoryAttributes(items))]))
  const time = nanoseconds()
  const point = { attributes: { 'http.request.method': 'POST', 'http.route': '/cart' }, start: time - 10_000_000_000n, time, flags: 0, exemplars: [], count: 1, sum: 0.1, min: 0.1, max: 0.1, bounds: [1], counts: [1, 0] }
  await send(app, '/v1/metrics', encodeMetrics([{ name: 'http.server.request.duration', description: '', unit: 's', resource, scope, data: { type: 'histogram', temporality: 'delta', points: [point] } }]))
  const span = (name: string, kind: 'server' | 'client' | 'internal', spanId: string, attributes = {}) => ({
    traceId: 'b'.repeat(32), spanId: spanId.repeat(16), parentSpanId: '', traceState: '', flags: 1, name, kind, start: time - 1000n, end: time, attributes, droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' } as const, resource, scope,
  })
  await send(app, '/v1/traces', encodeSpans([span('GET /cart', 'server', '1'), span('SELECT', 'client', '2', { 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'db.query.text': 'SELECT * FROM carts WHERE id = $1' })]))
  const { services } = await json<{ services: { service: string; total: number; covered: number; share: number; reports: boolean; operations: { kind: string; name: string; metrics: boolean; traces: boolean }[] }[] }>(app, '/api/coverage')
  assert.deepEqual(
    services.map(({ operations, ...rest }) => ({ ...rest, operations: operations.map(({ kind, name, metrics, traces }) => [kind, name, metrics, traces].join(' ')) })),
    [
      {
        service: 'shop',
        total: 6,
        covered: 4,
        share: 4 / 6,
        reports: true,
        operations: [
          'dependency mail:25 false false',
          'dependency postgresql/shop false true',
          'job digest false false',
          'route GET /cart false true',
          'route POST /cart true false',
          'statement SELECT * FROM carts WHERE id = $1 false true',
        ],
      },
    ],
  )
  assert.equal((await json<{ services: unknown[] }>(app, '/api/coverage?service=shop')).services.length, 1)
})
