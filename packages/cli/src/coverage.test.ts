import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { coverage, renderCoverage } from './coverage.ts'
import { CommandError, EXIT } from './exit.ts'

const SHOP = {
  service: 'shop',
  reports: true,
  total: 3,
  covered: 2,
  share: 2 / 3,
  operations: [
    { kind: 'route', name: 'GET /cart', metrics: true, traces: true },
    { kind: 'route', name: 'POST /cart', metrics: false, traces: true },
    { kind: 'job', name: 'digest', metrics: false, traces: false },
  ],
}

test('the share and what has no data are told; a share is never rounded up', () => {
  assert.equal(
    renderCoverage([SHOP]),
    'shop: 66.6 % (2 of 3 critical operations have metrics or traces)\nNo data in the last day:\nkind  operation\n────  ─────────\njob   digest\n\nObjectives and alerts are not held against operations yet: this version has none.',
  )
  assert.match(renderCoverage([{ ...SHOP, covered: 2999, total: 3000, share: 2999 / 3000, operations: [] }]), /^shop: 99\.9 %/)
  assert.match(renderCoverage([{ ...SHOP, reports: false, total: 0, covered: 0, share: null, operations: [] }]), /^shop: no operation known\nIt does not report what it registers/)
  assert.equal(renderCoverage([]), 'No service has sent anything in the last day.')
})

test('the service and the token go with the request; a refusal is a problem with its message', async (t) => {
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    asked.push([request.url, request.headers.authorization])
    const isRight = request.headers.authorization === 'Bearer secret'
    response.writeHead(isRight ? 200 : 401).end(JSON.stringify(isRight ? { services: [SHOP] } : { error: { code: 'unauthorized', message: 'This request needs a token that Andon knows.' } }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  assert.deepEqual(JSON.parse(await coverage({ url, service: 'a b', token: 'secret', json: true })), { services: [SHOP] })
  assert.deepEqual(asked, [['/api/coverage?service=a%20b', 'Bearer secret']])
  await assert.rejects(coverage({ url }), (error) => error instanceof CommandError && error.code === EXIT.problem && error.message === 'This request needs a token that Andon knows.')
})
