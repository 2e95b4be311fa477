import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { CommandError } from './exit.ts'
import { testChannel } from './notify.ts'

test('a channel is tested, and what its receiver answered is said', async () => {
  const answers = [
    { delivered: true, state: 'delivered', detail: '', tookMs: 310 },
    { delivered: false, state: 'disabled', detail: 'Slack answered 403 invalid_token', tookMs: 20 },
    { error: { code: 'not_found', message: 'There is no channel "x y".', hint: 'GET /api/notifications/channels lists them.' } },
  ]
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    response.end(JSON.stringify(answers.shift()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const flags = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' }
  try {
    assert.equal(await testChannel('team.slack', flags), 'team.slack: taken in 0.31 s')
    await assert.rejects(testChannel('team.slack', flags), (error: CommandError) => error.code === 1 && error.message === 'team.slack: not taken after 0.02 s: Slack answered 403 invalid_token\nThe channel would be disabled until it is mended.')
    await assert.rejects(testChannel('x y', flags), /There is no channel "x y"\.\nGET/)
    assert.deepEqual(asked.map((line) => line.replace('secret', '…')), ['POST /api/notifications/channels/team.slack/test Bearer …', 'POST /api/notifications/channels/team.slack/test Bearer …', 'POST /api/notifications/channels/x%20y/test Bearer …'])
  } finally {
    server.close()
    server.closeAllConnections()
  }
})
