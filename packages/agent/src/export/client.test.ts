// Reads from servers that are slow, hostile, or no servers of ours.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { readSignals } from '../options/signals.ts'
import { OtlpClient } from './client.ts'

function clientOf(endpoint: string, headers: Readonly<Record<string, string>>): OtlpClient {
  const general = { endpoint, headers, timeoutMs: 5000 }
  return new OtlpClient({ signals: readSignals(general, general, {}) })
}

async function serve(t: TestContext, listener: RequestListener): Promise<OtlpClient> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const client = clientOf(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, { authorization: 'Bearer secret' })
  t.after(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return client
}

test('an answer within the limits is given as text, and the request carries the agent\'s headers', async (t) => {
  let asked: unknown
  const client = await serve(t, ({ url, method, headers }, response) => {
    asked = [method, url, headers.authorization, headers.accept]
    response.end('{"a":"ä"}')
  })
  assert.equal(await client.read('/x?y=1', 100, 5000), '{"a":"ä"}')
  assert.deepEqual(asked, ['GET', '/x?y=1', 'Bearer secret', 'application/json'])
})

const drip: RequestListener = (_request, response) => {
  const timer = setInterval(() => response.write(' '), 5)
  response.once('close', () => clearInterval(timer))
}

for (const [what, listener] of [
  ['never answers', () => undefined],
  ['sends a byte now and then without end', drip],
  ['ends the connection', (_request, response) => void response.destroy()],
  ['breaks off in the middle', (_request, response) => void response.writeHead(200, { 'content-length': 50 }).write('{', () => response.destroy())],
  ['sends too much', (_request, response) => void response.end('x'.repeat(101))],
  ['sends without end', (_request, response) => {
    const more = (): void => void (response.destroyed || response.write('x'.repeat(65_536), more))
    more()
  }],
  ['refuses', (_request, response) => void response.writeHead(403).end('{}')],
  ['sends it elsewhere', (_request, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end()],
] as const satisfies readonly (readonly [string, RequestListener])[]) {
  test(`a server that ${what}: there is no answer, and the connection is let go`, { timeout: 20_000 }, async (t) => {
    const closed: Promise<void>[] = []
    const client = await serve(t, (request, response) => {
      closed.push(new Promise<void>((resolve) => request.socket.once('close', () => resolve())))
      listener(request, response)
    })
    assert.equal(await client.read('/', 100, what.includes('answers') || what.includes('byte') ? 100 : 10_000), undefined)
    await Promise.all(closed)
  })
}

test('where nobody listens, or the address is none, there is no answer', async () => {
  for (const endpoint of ['http://127.0.0.1:1', 'nonsense']) {
    const client = clientOf(endpoint, {})
    assert.equal(await client.read('/', 100, 5000), undefined)
    client.close()
  }
})

test('who asks goes with each batch, and what is wanted comes with its answer', async (t) => {
  const told: unknown[] = []
  const client = await serve(t, (request, response) => {
    told.push(request.headers['andon-instance'])
    response.writeHead(told.length === 1 ? 200 : 429, { 'andon-control': String(told.length) }).end()
  })
  client.control = { header: () => 'me', answered: (header) => void told.push(header) }
  await client.post('/v1/traces', new Uint8Array(), 'a/1')
  await client.post('/v1/traces', new Uint8Array(), 'a/2')
  assert.deepEqual(told, ['me', '1', 'me', '3'])
})

test('what a status means for a batch; what a server has taken is known of all signals that go to it', async (t) => {
  const client = await serve(t, ({ headers }, response) => response.writeHead(Number(String(headers['andon-batch']).split('/')[1])).end())
  const outcomes: Record<string, number[]> = {}
  for (const status of [200, 202, 302, 400, 401, 404, 408, 413, 429, 500, 501, 502, 503, 504, 507]) {
    const { outcome } = await client.post('/v1/metrics', new Uint8Array(), `a/${status}`)
    ;(outcomes[outcome] ??= []).push(status)
  }
  assert.deepEqual(outcomes, { taken: [200, 202], refused: [302, 400, 401, 404, 413], again: [408, 429, 502, 503, 504], failed: [500, 501, 507] })
  assert.deepEqual([client.taken('/v1/traces'), client.taken('/v1/metrics')], [2, 2])
})
