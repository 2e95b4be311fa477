import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { fingerprintOf } from '../alerts/fingerprint.ts'
import { HOUR, MINUTE, START, World } from '../alerts/fixture.test.ts'
import { silentLog } from '../runtime/log.ts'
import { registerAlertmanager } from './alertmanager.ts'
import { registerAlerts } from './alerts.ts'
import { createFixture, HOST } from './fixture.test.ts'
import { hashToken, type Token } from './guard.ts'
import { ALERTS } from './openapi/alerts.ts'

const CONFIG = `
route:
  receiver: ops
  group_by: [cluster]
  group_wait: 10s
  routes: [{matchers: [team="db"], receiver: db}]
receivers: [{name: ops, slack_configs: [{api_url: 'http://SECRET'}]}, {name: db}]
inhibit_rules: [{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [cluster]}]
`

/** An alert as Alertmanager shows it. */
interface Shown {
  readonly labels: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly receivers: unknown
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] }
}
interface ShownGroup {
  readonly labels: unknown
  readonly receiver: unknown
  readonly alerts: readonly Shown[]
}
/** An alert, or a change, as we show it. */
interface Own {
  readonly status: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: string
  readonly silencedBy: readonly string[]
  readonly inhibitedBy: readonly string[]
  readonly incident: string | null
  readonly receivers: readonly string[]
  readonly severity: string
  readonly value: number | null
  readonly onsetAt: number | null
}
interface OwnSilence {
  readonly id: string
  readonly createdBy: string
  readonly startsAt: number
  readonly endsAt: number
  readonly state: string
  readonly matchers: unknown
}

interface Api {
  readonly world: World
  readonly app: FastifyInstance
  readonly ask: (method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown, headers?: Record<string, string>) => Promise<{ status: number; body: string; json: LightMyRequestResponse['json'] }>
}

async function open(tokens: readonly Token[] = []): Promise<Api> {
  const world = await World.open({ config: CONFIG })
  const { app } = await createFixture({
    tokens,
    more: (server) => {
      registerAlertmanager(server, { alerts: world.manager, clock: world.clock, log: silentLog, version: '1.2.3', startedAt: START })
      registerAlerts(server, { alerts: world.manager, guard: { actor: () => ({ name: 'ann', role: 'admin' }) }, clock: world.clock })
    },
  })
  return {
    world,
    app,
    ask: async (method, url, body, headers = {}) => {
      const answer = await app.inject({ method, url, headers: { host: HOST, ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }) })
      return { status: answer.statusCode, body: answer.body, json: answer.json.bind(answer) }
    },
  }
}

const text = (ms: number): string => new Date(ms).toISOString()
const critical = { labels: { alertname: 'Down', cluster: 'x', severity: 'critical', empty: '' }, annotations: { summary: 'it is down' }, generatorURL: 'http://prometheus/graph' }
const warning = { labels: { alertname: 'Slow', cluster: 'x', severity: 'warning', team: 'db' } }

test('alerts that are posted are answered as Alertmanager does', async () => {
  const { ask, world } = await open()
  const posted = await ask('POST', '/api/v2/alerts', [{ ...critical, startsAt: text(START - MINUTE), endsAt: text(START + 4 * MINUTE) }, warning])
  assert.deepEqual([posted.status, posted.body], [200, ''])
  const answer = await ask('GET', '/api/v2/alerts')
  const down = { alertname: 'Down', cluster: 'x', severity: 'critical' }
  const [first, second] = answer.json<readonly Shown[]>().toSorted((a, b) => (a.startsAt < b.startsAt ? -1 : 1))
  assert.ok(second)
  assert.deepEqual(first, {
    annotations: { summary: 'it is down' },
    endsAt: text(START + 4 * MINUTE),
    fingerprint: fingerprintOf(down),
    receivers: [{ name: 'ops' }],
    startsAt: text(START - MINUTE),
    status: { inhibitedBy: [], mutedBy: [], silencedBy: [], state: 'active' },
    updatedAt: text(START),
    generatorURL: 'http://prometheus/graph',
    labels: down,
  })
  // Where it says no end it is believed for the resolve timeout.
  assert.deepEqual([second.startsAt, second.endsAt, second.status.inhibitedBy, second.status.state, second.receivers], [text(START), text(START + 5 * MINUTE), [fingerprintOf(down)], 'suppressed', [{ name: 'db' }]])
  await world.advance(4 * MINUTE)
  assert.deepEqual((await ask('GET', '/api/v2/alerts')).json<readonly Shown[]>().map(({ labels }) => labels['alertname'] ?? ''), ['Slow'])
})

test('filters of alerts and groups', async () => {
  const { ask, world } = await open()
  await ask('POST', '/api/v2/alerts', [critical, warning, { labels: { alertname: 'Other', cluster: 'y' } }])
  const names = async (query: string): Promise<string> => (await ask('GET', `/api/v2/alerts?${query}`)).json<readonly Shown[]>().map(({ labels }) => labels['alertname'] ?? '').toSorted().join()
  assert.equal(await names(''), 'Down,Other,Slow')
  assert.equal(await names('inhibited=false'), 'Down,Other')
  assert.equal(await names('active=false'), 'Slow')
  assert.equal(await names('receiver=d.*'), 'Slow')
  assert.equal(await names('receiver=d'), '')
  assert.equal(await names(`filter=${encodeURIComponent('cluster="x"')}&filter=${encodeURIComponent('severity=~"warn.*|none"')}`), 'Slow')
  assert.equal(await names('unprocessed=true&silenced=true'), 'Down,Other,Slow')
  await world.manager.silences.set({ id: '', matchers: [{ name: 'cluster', operator: '=', value: 'y' }], startsAt: 0, endsAt: START + HOUR, createdBy: 'me', comment: 'x' })
  assert.equal(await names('silenced=false'), 'Down,Slow')
  const groups = (await ask('GET', '/api/v2/alerts/groups')).json<readonly ShownGroup[]>()
  assert.deepEqual(groups.map((group) => [group.labels, group.receiver, group.alerts.map((one) => one.labels['alertname'])]), [
    [{ cluster: 'x' }, { name: 'db' }, ['Slow']],
    [{ cluster: 'x' }, { name: 'ops' }, ['Down']],
    [{ cluster: 'y' }, { name: 'ops' }, ['Other']],
  ])
  assert.equal((await ask('GET', '/api/v2/alerts/groups?receiver=db&inhibited=false')).body, '[]')
})

test('errors have the form of Alertmanager; what is well formed is taken nevertheless', async () => {
  const { ask } = await open()
  assert.deepEqual([(await ask('GET', '/api/v2/alerts?filter=broken')).json<unknown>(), (await ask('GET', '/api/v2/alerts?receiver=(')).status], ['bad matcher format: broken', 400])
  const mixed = await ask('POST', '/api/v2/alerts', [critical, { labels: {} }, { labels: { a: 'b' }, startsAt: text(START), endsAt: text(START - 1) }])
  assert.deepEqual([mixed.status, mixed.json<unknown>()], [400, 'at least one label pair required; start time must be before end time'])
  assert.equal((await ask('GET', '/api/v2/alerts')).json<readonly Shown[]>().length, 1)
  assert.deepEqual([(await ask('POST', '/api/v2/alerts', [{}])).json<unknown>(), (await ask('POST', '/api/v2/alerts', {})).status], [{ code: 602, message: '0.labels in body is required' }, 422])
  assert.equal((await ask('POST', '/api/v2/alerts', '[{')).json<{ code: number }>().code, 400)
  assert.equal((await ask('POST', '/api/v2/alerts', [{ labels: { a: 'b' }, endsAt: 'soon' }])).status, 400)
  assert.equal((await ask('GET', '/api/v2/alerts?active=perhaps')).status, 422)
  // Go's time of what never was: no time.
  assert.equal((await ask('POST', '/api/v2/alerts', [{ labels: { alertname: 'z' }, startsAt: '0001-01-01T00:00:00.000Z', endsAt: '0001-01-01T00:00:00.000Z' }])).status, 200)
})

const SILENCE = { matchers: [{ isEqual: true, isRegex: false, name: 'zone', value: 'a' }, { name: 'cluster', value: 'x|z', isRegex: true, isEqual: false }], startsAt: text(START), endsAt: text(START + HOUR), createdBy: 'ann', comment: 'why' }

test('silences by Alertmanager: made, changed, found, ended', async () => {
  const { ask } = await open()
  const { silenceID: id } = (await ask('POST', '/api/v2/silences', SILENCE)).json<{ silenceID: string }>()
  const silence = (await ask('GET', `/api/v2/silence/${id}`)).json()
  assert.deepEqual(silence, { ...SILENCE, id, status: { state: 'active' }, updatedAt: text(START) })
  assert.deepEqual((await ask('POST', '/api/v2/silences', { ...SILENCE, id, comment: 'other' })).json<unknown>(), { silenceID: id })
  const { silenceID: second } = (await ask('POST', '/api/v2/silences', { ...SILENCE, matchers: [{ name: 'a', value: 'b', isRegex: false }] })).json<{ silenceID: string }>()
  assert.notEqual(second, id)
  const ids = async (query: string): Promise<string[]> => (await ask('GET', `/api/v2/silences?${query}`)).json<readonly { id: string }[]>().map((one) => one.id)
  assert.deepEqual([await ids(`filter=${encodeURIComponent('cluster!~"x|z"')}`), await ids('filter=cluster=x'), (await ids('creator=ann')).length, await ids('creator=bob')], [[id], [], 2, []])
  assert.deepEqual([(await ask('DELETE', `/api/v2/silence/${id}`)).status, (await ask('DELETE', `/api/v2/silence/${id}`)).status], [200, 200])
  assert.equal((await ask('GET', `/api/v2/silence/${id}`)).json<Shown>().status.state, 'expired')
  const nobody = '00000000-0000-4000-8000-999999999999'
  assert.deepEqual([(await ask('GET', `/api/v2/silence/${nobody}`)).status, (await ask('DELETE', `/api/v2/silence/${nobody}`)).status, (await ask('GET', '/api/v2/silence/x')).status], [404, 404, 422])
  assert.deepEqual([(await ask('POST', '/api/v2/silences', { ...SILENCE, id: nobody })).status, (await ask('POST', '/api/v2/silences', { ...SILENCE, endsAt: text(START) })).json<unknown>()], [404, 'Failed to create silence: start time must be before end time'])
  assert.equal((await ask('POST', '/api/v2/silences', { ...SILENCE, matchers: [] })).status, 422)
  assert.deepEqual((await ask('POST', '/api/v2/silences', { ...SILENCE, matchers: SILENCE.matchers.slice(1) })).json<unknown>(), 'at least one matcher must not match the empty string')
})

test('status and receivers hold no secret', async () => {
  const { ask } = await open()
  const status = (await ask('GET', '/api/v2/status')).json<{ cluster: unknown; uptime: string; versionInfo: { version: string }; config: { original: string } }>()
  assert.deepEqual([status.cluster, status.uptime, status.versionInfo.version], [{ name: '', peers: [], status: 'disabled' }, text(START), '1.2.3'])
  assert.match(status.config.original, /receiver: ops/)
  assert.doesNotMatch(JSON.stringify(status), /SECRET/)
  assert.deepEqual((await ask('GET', '/api/v2/receivers')).json<unknown>(), [{ name: 'ops' }, { name: 'db' }])
})

test('roles: whoever sends telemetry may send alerts and nothing else; readers do not silence', async () => {
  const tokens = (['ingest', 'viewer', 'editor'] as const).map((role): Token => ({ name: role, role, sha256: hashToken(`${role}-0123456789`) }))
  const { ask } = await open(tokens)
  const as = async (role: string, method: 'GET' | 'POST', url: string, body?: unknown): Promise<number> => (await ask(method, url, body, { authorization: `Bearer ${role}-0123456789` })).status
  assert.deepEqual([await as('ingest', 'POST', '/api/v2/alerts', [critical]), await as('ingest', 'GET', '/api/v2/alerts'), await as('viewer', 'POST', '/api/v2/alerts', [critical])], [200, 403, 403])
  assert.deepEqual([await as('viewer', 'GET', '/api/alerts'), await as('viewer', 'POST', '/api/v2/silences', SILENCE), await as('editor', 'POST', '/api/v2/silences', SILENCE)], [200, 403, 200])
  assert.deepEqual([await as('nobody', 'GET', '/api/v2/alerts'), await as('viewer', 'POST', '/api/silences', {})], [401, 403])
})

/** Holds an answer against what the document says of its route. */
function check(key: string, value: unknown): void {
  const answer = ALERTS[key]?.answer
  assert.ok(typeof answer === 'object' && 'schema' in answer)
  const validate = new Ajv2020({ strict: true }).compile(answer.schema)
  assert.ok(validate(value), `${key}: ${JSON.stringify(validate.errors)}`)
}

test('our own routes: alerts, their history, silences; the answers are of their schemas', async () => {
  const { ask, world } = await open()
  await world.fire({ ...warning.labels, service_name: 'shop' }, { value: 812, expression: 'p95', onsetAt: START - MINUTE })
  await world.fire(critical.labels)
  const made = (await ask('POST', '/api/silences', { matchers: 'service_name="shop"', duration: '2h', comment: 'deploy' })).json<OwnSilence>()
  check('POST /api/silences', made)
  assert.deepEqual([made.createdBy, made.endsAt - made.startsAt, made.state], ['ann', 2 * HOUR, 'active'])
  const alerts = (await ask('GET', '/api/alerts')).json<{ alerts: readonly Own[] }>()
  check('GET /api/alerts', alerts)
  const slow = alerts.alerts.find(({ labels }) => labels['alertname'] === 'Slow')
  assert.ok(slow)
  assert.deepEqual([slow.state, slow.silencedBy, slow.inhibitedBy.length, slow.incident, slow.receivers, slow.severity, slow.value, slow.onsetAt], ['suppressed', [made.id], 1, 'incident of shop', ['db'], 'warning', 812, START - MINUTE])
  assert.deepEqual((await ask('GET', '/api/alerts?service=shop')).json<{ alerts: readonly Own[] }>().alerts.length, 1)
  assert.equal((await ask('GET', '/api/alerts?filter=x')).json<{ error: { code: string } }>().error.code, 'bad_parameter')
  await world.advance(MINUTE)
  await world.resolve(critical.labels)
  const history = (await ask('GET', `/api/alerts/history?from=${START}&to=${START + HOUR}`)).json<{ changes: readonly Own[] }>()
  check('GET /api/alerts/history', history)
  assert.deepEqual(history.changes.map(({ status, labels }) => `${status} ${labels['alertname'] ?? ''}`).toSorted(), ['firing Down', 'firing Slow', 'resolved Down'])
  assert.equal(history.changes[0]?.status, 'resolved')
  check('GET /api/silences', (await ask('GET', '/api/silences')).json<unknown>())
  assert.deepEqual([(await ask('DELETE', `/api/silences/${made.id}`)).status, (await ask('DELETE', '/api/silences/none')).status], [204, 404])
  for (const body of [{}, { matchers: 'a=b', comment: 'x' }, { matchers: 'a=b', duration: 'long', comment: 'x' }, { matchers: 7, duration: '1h', comment: 'x' }, { matchers: [{ name: 'a' }], duration: '1h', comment: 'x' }, { matchers: 'a=~".*"', duration: '1h', comment: 'x' }]) {
    assert.equal((await ask('POST', '/api/silences', body)).status, 400, JSON.stringify(body))
  }
  const listed = (await ask('POST', '/api/silences', { matchers: [{ name: 'a', operator: '!=', value: 'b' }, 'c=~"d|e"'], startsAt: 'now+1h', endsAt: START + 5 * HOUR, comment: 'later', createdBy: 'bob' })).json<OwnSilence>()
  assert.deepEqual([listed.state, listed.matchers, listed.createdBy], ['pending', [{ name: 'a', operator: '!=', value: 'b' }, { name: 'c', operator: '=~', value: 'd|e' }], 'bob'])
})
