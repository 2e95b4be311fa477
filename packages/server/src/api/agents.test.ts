import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeAgentIdentity } from '@andon/model'
import { createFixture, type Fixture, HOST, NOW } from './fixture.test.ts'
import { hashToken } from './guard.ts'

const tokens = (['ingest', 'viewer', 'editor'] as const).map((role) => ({ name: `the ${role}`, role, sha256: hashToken(`${role}-token-0123456789`) }))
const other = { name: 'another', role: 'ingest', sha256: hashToken('another-token-0123456789') } as const
const as = (role: string): Record<string, string> => ({ host: HOST, authorization: `Bearer ${role}-token-0123456789` })
const agent = (instance: string, revision = 0): Record<string, string> => ({ 'andon-instance': writeAgentIdentity({ service: 'shop', instance, version: '0.1.0', revision, capabilities: ['sampling'] }) })
const STATE = { sampling: 0.25, thresholds: [{ rule: 'slow', metric: 'm', operator: 'gt', value: 5, severity: 'critical', message: 'slow', tags: {} }], expires: NOW + 60_000 }

async function exportFrom({ app }: Fixture, headers: Record<string, string>): Promise<{ status: number; control: unknown }> {
  const { statusCode, headers: answered } = await app.inject({ method: 'POST', url: '/v1/traces', headers: { ...as('ingest'), 'content-type': 'application/x-protobuf', ...headers }, payload: Buffer.alloc(0) })
  return { status: statusCode, control: answered['andon-control'] }
}

interface Answer {
  readonly revision: number
  readonly actor?: string
  readonly sampling?: number
  readonly error: { readonly code: string; readonly message: string }
}

async function ask({ app }: Fixture, role: string, method: 'GET' | 'PUT' | 'DELETE', url: string, payload?: object): Promise<{ status: number; body: Answer }> {
  const { statusCode, body } = await app.inject({ method, url, headers: as(role), ...(payload !== undefined && { payload }) })
  return { status: statusCode, body: (body === '' ? {} : JSON.parse(body)) as Answer }
}

test('what an editor sets is told with the next answer and read by the agent', async () => {
  const fixture = await createFixture({ tokens: [...tokens, other] })
  assert.deepEqual(await exportFrom(fixture, agent('host:1')), { status: 200, control: '0' })
  const { status, body: set } = await ask(fixture, 'editor', 'PUT', '/api/agents/host%3A1/control', STATE)
  assert.deepEqual([status, set.actor, set.sampling], [200, 'the editor', 0.25])
  assert.deepEqual(await exportFrom(fixture, agent('host:1')), { status: 200, control: String(set.revision) })
  const { body: read } = await ask(fixture, 'ingest', 'GET', '/api/agents/host%3A1/control')
  assert.deepEqual(read, { revision: set.revision, now: NOW, sampling: 0.25, profile: null, thresholds: STATE.thresholds, expires: STATE.expires })
  await exportFrom(fixture, agent('host:1', set.revision))
  const { body: known } = await ask(fixture, 'viewer', 'GET', '/api/agents')
  assert.deepEqual(known, { now: NOW, agents: [{ service: 'shop', instance: 'host:1', version: '0.1.0', revision: set.revision, capabilities: ['sampling'], lastSeen: NOW, stale: false, wantedRevision: set.revision }] })
  assert.equal((await ask(fixture, 'editor', 'DELETE', '/api/agents/host%3A1/control')).status, 204)
  assert.equal((await exportFrom(fixture, agent('host:1', set.revision))).control, '0')
  assert.equal((await ask(fixture, 'editor', 'DELETE', '/api/agents/host%3A1/control')).status, 404)
})

test('a state for a whole service reaches all its instances', async () => {
  const fixture = await createFixture({ tokens })
  const { body: set } = await ask(fixture, 'editor', 'PUT', '/api/service/shop/control', STATE)
  for (const instance of ['a', 'b']) assert.equal((await exportFrom(fixture, agent(instance))).control, String(set.revision))
  assert.equal((await ask(fixture, 'viewer', 'GET', '/api/service/shop/control')).body.revision, set.revision)
  assert.equal((await ask(fixture, 'viewer', 'GET', '/api/service/bank/control')).status, 404)
})

test('an ingest token reads what is wanted of its own agents and nothing else', async () => {
  const fixture = await createFixture({ tokens: [...tokens, other] })
  await exportFrom(fixture, agent('host:1'))
  assert.equal((await ask(fixture, 'ingest', 'GET', '/api/agents/host%3A1/control')).status, 200)
  assert.equal((await ask(fixture, 'another', 'GET', '/api/agents/host%3A1/control')).status, 403)
  assert.equal((await ask(fixture, 'ingest', 'GET', '/api/agents/host%3A2/control')).status, 403)
  // Nor by claiming another's instance.
  assert.equal((await exportFrom(fixture, { ...as('another'), ...agent('host:1') })).control, undefined)
  assert.equal((await ask(fixture, 'another', 'GET', '/api/agents/host%3A1/control')).status, 403)
  for (const [method, url] of [['GET', '/api/agents'], ['GET', '/api/agents/host%3A1/breaches'], ['GET', '/api/agents/host%3A1/adaptations'], ['GET', '/api/service/shop/control'], ['GET', '/api/coverage'], ['PUT', '/api/agents/host%3A1/control'], ['PUT', '/api/service/shop/control'], ['DELETE', '/api/service/shop/control']] as const) {
    assert.equal((await ask(fixture, 'ingest', method, url, method === 'PUT' ? STATE : undefined)).status, 403, `${method} ${url}`)
  }
  for (const method of ['PUT', 'DELETE'] as const) assert.equal((await ask(fixture, 'viewer', method, '/api/service/shop/control', method === 'PUT' ? STATE : undefined)).status, 403, method)
  assert.equal((await ask(fixture, 'viewer', 'GET', '/api/agents/host%3A1/control')).status, 200)
})

test('what is wrong with a state is named; senders without the header are left alone', async () => {
  const fixture = await createFixture({ tokens })
  assert.deepEqual(await exportFrom(fixture, {}), { status: 200, control: undefined })
  assert.deepEqual(await exportFrom(fixture, { 'andon-instance': 'nonsense' }), { status: 200, control: undefined })
  const { status, body } = await ask(fixture, 'editor', 'PUT', '/api/service/shop/control', { ...STATE, expires: NOW })
  assert.deepEqual([status, body.error.code], [400, 'bad_body'])
  assert.match(body.error.message, /^expires must be/)
  assert.equal((await ask(fixture, 'editor', 'PUT', '/api/agents/unheard/control', STATE)).status, 404)
  assert.equal((await ask(fixture, 'editor', 'PUT', '/api/service/shop/control', { ...STATE, thresholds: [{ rule: 'x'.repeat(70_000) }] })).status, 413)
})
