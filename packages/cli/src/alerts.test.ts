import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ageText, alerts, renderAlerts } from './alerts.ts'
import { CommandError, EXIT } from './exit.ts'
import { addSilence, expireSilences, listSilences } from './silence.ts'

const NOW = Date.UTC(2026, 0, 1)
const ALERT = {
  fingerprint: '0011223344556677',
  status: 'firing',
  state: 'active',
  flapping: false,
  service: 'shop',
  severity: 'critical',
  labels: { alertname: 'Slow', service_name: 'shop' },
  annotations: { summary: 'p95 is 812 ms' },
  startsAt: NOW - 7 * 60_000,
  silencedBy: [],
  inhibitedBy: [],
  mutedBy: [],
  receivers: ['ops'],
}
const SILENCE = { id: 'one', state: 'active', matchers: [{ name: 'service_name', operator: '=~', value: 'a|b' }], startsAt: NOW, endsAt: NOW + 7_200_000, updatedAt: NOW, createdBy: 'ann', comment: 'we deploy' }

async function serve(t: TestContext, answer: (request: IncomingMessage, body: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => answer(request, Buffer.concat(parts).toString(), response))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

test('what fires is a table that says what holds it back and who is told', () => {
  assert.equal(renderAlerts([], NOW), 'No alert fires.')
  const text = renderAlerts([ALERT, { ...ALERT, state: 'suppressed', silencedBy: ['one'] }, { ...ALERT, state: 'suppressed', mutedBy: ['night'] }, { ...ALERT, flapping: true }], NOW)
  assert.match(text, /critical {2}Slow {3}shop {5}firing {10}7m {3}ops {6}p95 is 812 ms/)
  for (const state of ['silenced', 'muted by night', 'flapping']) assert.ok(text.includes(state), state)
  assert.deepEqual([0, 59_999, 3_600_000 * 3 + 300_000, 86_400_000 * 2].map(ageText), ['0s', '59s', '3h 5m', '2d 0h'])
})

test('filters go with the request; a refusal is a problem with its hint', async (t) => {
  const urls: (string | undefined)[] = []
  const url = await serve(t, (request, _body, response) => {
    urls.push(request.url)
    const isBad = request.url?.includes('broken') === true
    response.writeHead(isBad ? 400 : 200).end(JSON.stringify(isBad ? { error: { code: 'bad_parameter', message: 'bad matcher format: broken', hint: 'Write NAME=VALUE.' } } : { now: NOW, alerts: [ALERT] }))
  })
  assert.match(await alerts({ url, filter: ['severity="critical"'], service: 'shop' }), /Slow/)
  assert.deepEqual(urls, ['/api/alerts?filter=severity%3D%22critical%22&service=shop'])
  await assert.rejects(alerts({ url, filter: ['broken'] }), (error) => error instanceof CommandError && error.code === EXIT.problem && error.message === 'bad matcher format: broken\nWrite NAME=VALUE.')
})

test('a silence is made, listed and ended', async (t) => {
  const asked: unknown[] = []
  const url = await serve(t, (request, body, response) => {
    asked.push([request.method, request.url, body === '' ? undefined : JSON.parse(body)])
    if (request.method === 'DELETE') return void (request.url?.endsWith('/one') === true ? response.writeHead(204).end() : response.writeHead(404).end(JSON.stringify({ error: { message: 'silence two not found', hint: '' } })))
    return void response.end(JSON.stringify(request.method === 'POST' ? SILENCE : { now: NOW, silences: [SILENCE, { ...SILENCE, id: 'old', state: 'expired' }] }))
  })
  assert.equal(await addSilence(['Slow', 'service_name=~a|b'], { url, duration: '2h', comment: 'we deploy', author: 'ann' }), 'one')
  assert.deepEqual(asked, [['POST', '/api/silences', { matchers: ['alertname="Slow"', 'service_name=~a|b'], duration: '2h', comment: 'we deploy', createdBy: 'ann' }]])
  const text = await listSilences({ url })
  assert.match(text, /one {2}active {2}2h 0m left {2}service_name=~"a\|b" {2}ann {2}we deploy/)
  assert.doesNotMatch(text, /old/)
  assert.match(await listSilences({ url, all: true }), /old/)
  assert.equal(await expireSilences(['one'], { url }), 'The silence has ended.')
  await assert.rejects(expireSilences(['one', 'two'], { url }), (error) => error instanceof CommandError && error.message === 'silence two not found')
})
