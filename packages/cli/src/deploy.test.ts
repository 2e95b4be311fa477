import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { deploy } from './deploy.ts'
import { renderDetectors } from './detectors.ts'

test('a release is marked with what was said and nothing else; a refusal is told with its hint', async () => {
  const asked: { url: string | undefined; method: string | undefined; token: string | undefined; body: unknown }[] = []
  const answered = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(incoming)
    const parsed: unknown = JSON.parse(body)
    asked.push({ url: incoming.url, method: incoming.method, token: incoming.headers.authorization, body: parsed })
    const refused = typeof parsed === 'object' && parsed !== null && Reflect.get(parsed, 'at') !== undefined
    response.end(JSON.stringify(refused ? { error: { code: 'bad_body', message: '"at" is wrong.', hint: 'Mend it.' } } : { id: 'abc', service: 'shop', version: '1.2', at: 0 }))
  }
  const server = createServer((incoming, response) => void answered(incoming, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  try {
    const said = await deploy({ url, token: 't', service: 'shop', version: '1.2', note: 'a1b2c3' })
    assert.match(said, /^shop 1\.2 is marked at 1970-01-01T00:00:00\.000Z\.\n.*\/api\/deploys\/abc$/)
    assert.deepEqual(asked, [{ url: '/api/deploys', method: 'POST', token: 'Bearer t', body: { service: 'shop', version: '1.2', note: 'a1b2c3' } }])
    await assert.rejects(deploy({ url, service: 'shop', version: '1', at: 'never' }), { code: 1, message: '"at" is wrong.\nMend it.' })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('detectors are shown with units, their state and what alarms', () => {
  const one = { service: 'shop', environment: '', signal: 'p95', key: '', unit: 'seconds', state: 'page', because: 'never wrong', value: 0.812, expected: 0.31, low: 0.2, high: 0.42, firing: true }
  const said = renderDetectors({ replaying: true, until: 0, total: 2, detectors: [one] })
  assert.match(said, /shop +p95 +page, ALARM +812 ms +310 ms +200 ms to 420 ms +never wrong/)
  assert.match(said, /1 more are not shown/)
  assert.match(said, /still being read; it has come to 1970/)
  assert.match(renderDetectors({ until: 0, total: 0, detectors: [] }), /^No series is watched yet/)
})
