import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Incident } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import { createWorld, firing, resolved, type World } from '../incidents/fixture.test.ts'
import { RunbookShelf } from '../incidents/runbook-shelf.ts'
import { createFixture, HOST } from './fixture.test.ts'
import { type Guard, hashToken } from './guard.ts'
import { registerIncidentsApi } from './incidents.ts'
import { answerOf, conforms, type Document } from './openapi/conforms.test.ts'
import { openApiDocument } from './openapi/document.ts'
import { INCIDENTS } from './openapi/incidents.ts'

const TOKENS = [
  { name: 'ann', role: 'editor' as const, sha256: hashToken('secret-of-ann') },
  { name: 'eve', role: 'viewer' as const, sha256: hashToken('secret-of-eve') },
]

interface Served {
  readonly world: World
  readonly guard: Guard
  readonly document: Document
  /** As an editor, unless another token is named. */
  readonly call: (method: 'GET' | 'POST', url: string, body?: unknown, token?: string) => Promise<{ readonly status: number; readonly body: unknown }>
}

async function serve(t: TestContext): Promise<Served> {
  const world = await createWorld({
    yaml: { on_call: [{ name: 'primary', start: '2026-01-05', people: [{ name: 'Ann', receiver: 'ann' }, { name: 'Ben', receiver: 'ben' }] }], escalation: [{ name: 'all', steps: [{ wait: '5m' }, { notify: 'team' }, { notify_on_call: 'primary' }] }] },
    evidence: { slowTraces: () => Promise.resolve([]), errors: () => Promise.resolve([{ id: '1' }]), statements: () => Promise.resolve([]), series: () => Promise.resolve([]) },
  })
  let guard: Guard | undefined
  const actorOf: Pick<Guard, 'actor'> = { actor: (request) => guard?.actor(request) ?? assert.fail() }
  const more = (app: FastifyInstance): void =>
    registerIncidentsApi(app, {
      incidents: world.manager,
      runbooks: RunbookShelf.open(undefined),
      query: (query) => Promise.resolve([{ labels: { query: query.slice(0, 10) }, value: 1 }]),
      impact: () => Promise.resolve({ requests: 100, failed: 5, budgets: [{ objective: 'a', burned: 0.5 }] }),
      guard: actorOf,
      clock: world.clock,
    })
  const fixture = await createFixture({ tokens: TOKENS, more })
  guard = fixture.guard
  t.after(() => fixture.app.close())
  const document = JSON.parse(JSON.stringify(openApiDocument(fixture.guard.routes, { operations: INCIDENTS, schemas: {}, version: '0' }))) as Document
  const call: Served['call'] = async (method, url, body, token = 'secret-of-ann') => {
    const answer = await fixture.app.inject({ method, url, headers: { host: HOST, authorization: `Bearer ${token}` }, ...(body !== undefined && { payload: body as object }) })
    return { status: answer.statusCode, body: String(answer.headers['content-type']).includes('json') ? (JSON.parse(answer.body) as unknown) : answer.body }
  }
  return { world, guard: fixture.guard, document, call }
}

const fire = async ({ world }: Served): Promise<string> => {
  const made = firing({ at: world.clock.now(), rule: 'ManyErrors', more: { annotations: { summary: 'many', runbook_url: 'https://wiki/x' } } })
  return (await world.manager.join([made])).get(made.fingerprint) ?? assert.fail()
}

test('every route of incidents is described, and answers as it says', async (t) => {
  const served = await serve(t)
  const { world, guard, document, call } = served
  const own = guard.routes.filter(({ path }) => /^\/api\/(?:incidents|alert-quality|runbooks|on-call)/.test(path)).map(({ method, path }) => `${method} ${path}`)
  assert.deepEqual(own.filter((key) => !key.startsWith('HEAD')).toSorted(), Object.keys(INCIDENTS).toSorted())
  const id = await fire(served)
  await world.clock.advance(6 * 60_000)
  const answers: [string, string, unknown?][] = [
    ['POST /api/incidents', '/api/incidents', { title: 'The page is blank', service: 'web' }],
    ['POST /api/incidents/:id/state', `/api/incidents/${id}/state`, { state: 'acknowledged', revision: 1 }],
    ['POST /api/incidents/:id/comments', `/api/incidents/${id}/comments`, { text: 'hm', action: true, owner: 'ben' }],
    ['POST /api/incidents/:id/steps', `/api/incidents/${id}/steps`, { runbook: 'error-burst', step: 0 }],
    ['POST /api/incidents/:id/state', `/api/incidents/${id}/state`, { state: 'resolved', note: 'gone', verdicts: { ManyErrors: 'real' } }],
    ['POST /api/incidents/:id/quality', `/api/incidents/${id}/quality`, { verdicts: { ManyErrors: 'noise' } }],
    ['GET /api/incidents', '/api/incidents?state=open,resolved&from=now-1d'],
    ['GET /api/incidents/:id', `/api/incidents/${id}`],
    ['GET /api/incidents/:id/evidence', `/api/incidents/${id}/evidence`],
    ['GET /api/incidents/:id/postmortem', `/api/incidents/${id}/postmortem`],
    ['GET /api/incidents/figures', '/api/incidents/figures'],
    ['GET /api/alert-quality', '/api/alert-quality'],
    ['GET /api/on-call', '/api/on-call'],
    ['GET /api/runbooks', '/api/runbooks'],
    ['GET /api/runbooks/:name', `/api/runbooks/error-burst?incident=${id}`],
    ['GET /api/runbooks/:name', '/api/runbooks/memory-leak'],
  ]
  for (const [key, url, sent] of answers) {
    const { status, body } = await call(key.startsWith('POST') ? 'POST' : 'GET', url, sent)
    assert.equal(status, 200, `${key}: ${JSON.stringify(body)}`)
    conforms(document, answerOf(document, key), body, key)
  }
  const markdown = await call('GET', `/api/incidents/${id}/postmortem.md`)
  assert.match(String(markdown.body), /^# Post-mortem of i20261102-1: shop: many\n/)
  const body = (await call('GET', `/api/incidents/${id}`)).body as { incident: Incident; runbooks: readonly { name: string; url: string }[] }
  assert.deepEqual(body.runbooks.map(({ name, url }) => name + url), ['https://wiki/x', 'error-burst'])
  assert.deepEqual([body.incident.steps[0]?.actor, body.incident.verdicts['ManyErrors']?.verdict, body.incident.state], ['ann', 'noise', 'resolved'])
})

test('a stale revision is answered with 409, wrong bodies with 400, strangers with 403, and nothing is changed', async (t) => {
  const served = await serve(t)
  const { call, world } = served
  const id = await fire(served)
  const state = `/api/incidents/${id}/state`
  assert.equal((await call('POST', state, { state: 'acknowledged', revision: 1 })).status, 200)
  const before = JSON.stringify([await world.manager.find(id), await world.manager.timeline(id)])
  const refused: [number, string, unknown, string?][] = [
    [409, state, { state: 'mitigated', revision: 1 }],
    [409, state, { state: 'reviewed' }],
    [409, state, { state: 'detected' }],
    [409, state, { state: 'mitigated', revision: 1, verdicts: { ManyErrors: 'real' } }],
    [400, state, { state: 'gone' }],
    [400, state, { state: 'mitigated', revision: 'two' }],
    [400, state, { state: 'mitigated', verdicts: { Unknown: 'real' } }],
    [400, state, { state: 'mitigated', who: 'me' }],
    [400, `/api/incidents/${id}/comments`, { text: ' ' }],
    [400, `/api/incidents/${id}/comments`, { text: 'x'.repeat(10_001) }],
    [400, `/api/incidents/${id}/steps`, { runbook: 'error-burst', step: 99 }],
    [404, `/api/incidents/${id}/steps`, { runbook: 'nothing', step: 0 }],
    [400, `/api/incidents/${id}/quality`, { verdicts: { ManyErrors: 'maybe' } }],
    [404, '/api/incidents/i1/state', { state: 'mitigated' }],
    [400, '/api/incidents', {}],
    [403, state, { state: 'mitigated' }, 'secret-of-eve'],
    [401, state, { state: 'mitigated' }, 'secret-of-mallory'],
  ]
  for (const [status, url, body, token] of refused) assert.equal((await call('POST', url, body, token)).status, status, `${url} ${JSON.stringify(body)}`)
  assert.equal(JSON.stringify([await world.manager.find(id), await world.manager.timeline(id)]), before)
  assert.equal((await call('GET', `/api/incidents/${id}`, undefined, 'secret-of-eve')).status, 200)
  assert.equal((await call('GET', '/api/incidents/i1')).status, 404)
})

test('lists can be narrowed; what is over is not among the open ones', async (t) => {
  const served = await serve(t)
  const { call, world } = served
  const id = await fire(served)
  await world.manager.join([resolved({ at: world.clock.now() })])
  await call('POST', '/api/incidents', { title: 'Another', service: 'web' })
  const ids = async (query: string): Promise<string[]> => ((await call('GET', `/api/incidents${query}`)).body as { incidents: { id: string }[] }).incidents.map((one) => one.id)
  assert.deepEqual(await ids(''), ['i20261102-2', id])
  assert.deepEqual([await ids('?state=open'), await ids('?state=resolved'), await ids('?service=web'), await ids('?limit=1'), await ids('?from=now-2d&to=now-1d')], [['i20261102-2'], [id], ['i20261102-2'], ['i20261102-2'], []])
})
