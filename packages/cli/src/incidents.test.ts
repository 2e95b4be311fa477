import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Command } from 'commander'
import { addIncidentCommands } from './incident-commands.ts'
import { commentIncident, listIncidents, postmortem, setIncidentState, showIncident } from './incidents.ts'

interface Got {
  readonly method: string
  readonly url: string
  readonly token: string
  readonly body: unknown
}

/** A server that answers by path, and notes what it was asked. */
async function serve(t: TestContext, answers: Readonly<Record<string, unknown>>): Promise<{ readonly url: string; readonly got: Got[] }> {
  const got: Got[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      got.push({ method: request.method ?? '', url: request.url ?? '', token: request.headers.authorization ?? '', body: text === '' ? undefined : (JSON.parse(text) as unknown) })
      const answer = answers[(request.url ?? '').split('?')[0] ?? '']
      if (typeof answer === 'string') response.setHeader('content-type', 'text/markdown').end(answer)
      else response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? { error: { code: 'not_found', message: 'There is no incident.', hint: 'List them.' } }))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got }
}

const now = Date.UTC(2026, 10, 2, 12)
const row = { id: 'i20261102-1', title: 'shop: \u001b[31mmany errors', state: 'detected', severity: 'critical', service: 'shop', detectedAt: now - 150_000, firing: 1, alerts: 2, acknowledged: null }
const incident = {
  id: 'i20261102-1',
  title: 'many errors',
  state: 'resolved',
  revision: 3,
  severity: 'critical',
  services: ['shop', 'db'],
  environment: 'live',
  onsetAt: now - 400_000,
  alerts: [{ rule: 'ManyErrors', status: 'firing', severity: 'critical', annotations: { summary: '12 %' } }],
  steps: [{ text: 'Divide it', actor: 'ann' }],
}
const shown = {
  incident,
  figures: { mttdMs: 90_000, mttaMs: 200_000, mttmMs: null, mttrMs: 9_000_000 },
  timeline: [{ id: '1', at: now, kind: 'comment', actor: 'ann', text: 'pool was full', detail: {} }],
  evidence: [{ name: 'errors', title: 'Errors of shop' }],
  runbooks: [{ name: 'error-burst', title: 'Many requests fail', url: '' }],
}

test('a list, one incident and a post-mortem as text', async (t) => {
  const { url, got } = await serve(t, { '/api/incidents': { now, incidents: [row] }, '/api/incidents/i20261102-1': shown, '/api/incidents/i20261102-1/postmortem.md': '# Post-mortem\n' })
  const list = await listIncidents({ url, token: 'secret' })
  assert.ok(list.includes('3 min ago') && list.includes('1/2') && !list.includes('\u001b'), list)
  assert.deepEqual(got[0], { method: 'GET', url: '/api/incidents?state=open', token: 'Bearer secret', body: undefined })
  const text = await showIncident('i20261102-1', { url })
  for (const part of ['i20261102-1  many errors', 'resolved (revision 3), critical, shop, db, live', 'detected after 90 s, acknowledged after 3 min, mitigated after –, resolved after 2 h 30 min', 'ManyErrors (critical) 12 %', 'error-burst: Many requests fail', '[x] Divide it (ann)', '2026-11-02 12:00:00Z  pool was full (ann)', 'errors: Errors of shop']) assert.ok(text.includes(part), `${part}\nin\n${text}`)
  assert.equal(await postmortem('i20261102-1', { url }), '# Post-mortem')
  await assert.rejects(postmortem('i2', { url }), { message: 'There is no incident.\nList them.', code: 1 })
})

test('a state, a comment: what is sent, and what is refused before anything is', async (t) => {
  const { url, got } = await serve(t, { '/api/incidents/i1/state': incident, '/api/incidents/i1/comments': incident })
  assert.equal(await setIncidentState('i1', 'resolved', { url, revision: '2', note: 'gone', verdict: ['A=b=real', 'C=noise'] }), 'i20261102-1 is resolved (revision 3).')
  await commentIncident('i1', 'limit it', { url, action: true, owner: 'ben' })
  assert.deepEqual(got.map(({ method, body }) => [method, body]), [
    ['POST', { state: 'resolved', revision: 2, note: 'gone', verdicts: { 'A=b': 'real', C: 'noise' } }],
    ['POST', { text: 'limit it', action: true, owner: 'ben' }],
  ])
  await assert.rejects(setIncidentState('i1', 'resolved', { url, verdict: ['A=maybe'] }), { code: 2 })
  await assert.rejects(setIncidentState('i1', 'resolved', { url, revision: 'x' }), { code: 2 })
  await assert.rejects(listIncidents({ url: 'http://127.0.0.1:1' }), { code: 3 })
  assert.equal(got.length, 2)
})

test('the commands are list, show, one for each state, comment and postmortem', () => {
  const program = new Command()
  addIncidentCommands(program, 'http://127.0.0.1:4318', undefined)
  assert.deepEqual(program.commands[0]?.commands.map((command) => command.name()), ['list', 'show', 'ack', 'mitigate', 'resolve', 'review', 'reopen', 'comment', 'postmortem'])
})
