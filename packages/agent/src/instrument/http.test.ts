// HTTP in and out through real servers: names, statuses, contexts, aborted answers, keep-alive.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { createServer, get, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { context, propagation, trace } from '@opentelemetry/api'
import type { MetricRecord, SpanRecord } from '@andon/model'
import { activeContext, AsyncContextManager, requestOf } from '../context.ts'
import { AgentMeterProvider } from '../metrics/meter.ts'
import { createPropagator } from '../propagation.ts'
import { recordSpans } from '../span-recorder.test.ts'
import { HttpClientInstrumentation } from './http-client.ts'
import { HttpServerInstrumentation } from './http-server.ts'

interface Setting {
  readonly spans: SpanRecord[]
  readonly url: string
  readonly metrics: () => MetricRecord[]
  /** Settles when so many spans have ended. */
  readonly until: (count: number) => Promise<void>
}

async function serve(t: TestContext, listener: RequestListener): Promise<Setting> {
  const { provider, spans } = recordSpans()
  const meters = new AgentMeterProvider()
  context.setGlobalContextManager(new AsyncContextManager())
  propagation.setGlobalPropagator(createPropagator(['tracecontext', 'baggage']))
  const ends = [new HttpServerInstrumentation(provider.getTracer('http'), meters.getMeter('http')).start(), new HttpClientInstrumentation(provider.getTracer('http'), meters.getMeter('http')).start()]
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const end of ends) end()
    server.closeAllConnections()
    server.close()
    context.disable()
    propagation.disable()
  })
  const address = server.address()
  const resource = { attributes: {}, droppedAttributes: 0, schemaUrl: '' }
  return {
    spans,
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    metrics: () => meters.collect(resource, { start: 1n, time: 2n }),
    until: async (count) => {
      while (spans.length < count) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

async function read(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return text
}

async function fetchText(url: string, headers: http.OutgoingHttpHeaders = {}): Promise<string> {
  return await new Promise((resolve, reject) => {
    // The named import is the patched one, too.
    get(url, { headers }, (response) => resolve(read(response))).on('error', reject)
  })
}

test('a request is one client and one server span of one trace, named after the route, with the attributes of the conventions', { timeout: 20_000 }, async (t) => {
  let peerPort = 0
  const { spans, url, metrics, until } = await serve(t, (request, response) => {
    peerPort = request.socket.remotePort ?? 0
    const served = requestOf(activeContext())
    if (served !== undefined) served.route = '/boards/:id'
    response.end('board')
  })
  assert.equal(await fetchText(`${url}/boards/7?token=abc&page=2`, { 'user-agent': 'test' }), 'board')
  await until(2)
  const server = spans.find(({ kind }) => kind === 'server')
  const client = spans.find(({ kind }) => kind === 'client')
  assert.ok(server !== undefined && client !== undefined)
  assert.deepEqual([server.name, client.name, server.traceId, server.parentSpanId], ['GET /boards/:id', 'GET', client.traceId, client.spanId])
  const port = BigInt(new URL(url).port)
  assert.deepEqual({ ...server.attributes }, {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'http.response.status_code': 200n,
    'network.protocol.version': '1.1',
    'http.route': '/boards/:id',
    'url.path': '/boards/7',
    'url.query': 'token=[redacted]&page=2',
    'server.address': '127.0.0.1',
    'server.port': port,
    'user_agent.original': 'test',
    'network.peer.address': '127.0.0.1',
    'network.peer.port': BigInt(peerPort),
    'client.address': '127.0.0.1',
    'http.response.body.size': 5n,
  })
  assert.equal(client.attributes['url.full'], `${url}/boards/7?token=[redacted]&page=2`)
  assert.deepEqual([client.attributes['http.response.status_code'], client.attributes['server.port']], [200n, port])
  for (const { name, data } of metrics()) {
    if (data.type !== 'exponentialHistogram') continue
    assert.deepEqual([data.points.length, data.points[0]?.count], [1, 1], name)
    if (name === 'http.server.request.duration') assert.deepEqual([data.points[0]?.attributes['http.route'], data.points[0]?.exemplars[0]?.traceId], ['/boards/:id', server.traceId])
  }
})

test('a request whose headers are a list carries the context, too', { timeout: 20_000 }, async (t) => {
  const { spans, url, until } = await serve(t, (request, response) => response.end(String(request.headers['x-own'])))
  for (const headers of [['x-own', 'a', 'host', 'h'], [['x-own', 'a'], ['host', 'h']]]) {
    const request = http.request(url, { headers: Object.assign([], headers) })
    request.end()
    const [response]: IncomingMessage[] = await once(request, 'response')
    assert.ok(response !== undefined)
    assert.equal(await read(response), 'a')
  }
  await until(4)
  const [first, second] = [spans.filter(({ kind }) => kind === 'server'), spans.filter(({ kind }) => kind === 'client')]
  assert.deepEqual(first.map(({ parentSpanId }) => parentSpanId), second.map(({ spanId }) => spanId))
})

test('errors: 500 is an error of the server, 404 only of the client, a refused connection has its code, an aborted answer ends its span', { timeout: 20_000 }, async (t) => {
  const { spans, url, until } = await serve(t, (request, response) => {
    if (request.url === '/never') {
      response.write('x')
      return
    }
    response.writeHead(request.url === '/missing' ? 404 : 500).end()
  })
  await fetchText(`${url}/missing`)
  await fetchText(`${url}/broken`)
  await until(4)
  const of = (path: string, kind: string): SpanRecord | undefined => spans.find((span) => span.kind === kind && [path, `${url}${path}`, `http://127.0.0.1:9${path}`].some((each) => each === (span.attributes['url.path'] ?? span.attributes['url.full'])))
  assert.deepEqual([of('/missing', 'server')?.status.code, of('/missing', 'client')?.status.code], ['unset', 'error'])
  assert.deepEqual([of('/broken', 'server')?.status.code, of('/broken', 'server')?.attributes['error.type']], ['error', '500'])
  const gone = get(`${url}/never`)
  gone.on('error', () => undefined)
  await once(gone, 'response')
  gone.destroy()
  await until(6)
  assert.equal(of('/never', 'server')?.attributes['andon.http.aborted'], true)
  await assert.rejects(fetchText('http://127.0.0.1:9/closed'), { code: 'ECONNREFUSED' })
  await until(7)
  assert.deepEqual([of('/closed', 'client')?.status.code, of('/closed', 'client')?.attributes['error.type']], ['error', 'ECONNREFUSED'])
})

test('a request that Node does not make is thrown to who asks for it, and is a failed span and one of the durations', { timeout: 20_000 }, async (t) => {
  const { spans, url, metrics } = await serve(t, (_request, response) => response.end('x'))
  const { port } = new URL(url)
  const asked: readonly (readonly [code: string, method: string, ask: () => unknown])[] = [
    ['ERR_INVALID_CHAR', 'GET', () => http.request(url, { headers: { 'x-bad': 'a\nb' } })],
    ['ERR_UNESCAPED_CHARACTERS', 'POST', () => http.request({ hostname: '127.0.0.1', port, path: '/a b', method: 'POST' })],
    ['ERR_INVALID_PROTOCOL', 'GET', () => http.get('https://127.0.0.1/')],
    ['ERR_INVALID_URL', 'GET', () => http.get('no url')],
  ]
  for (const [code, , ask] of asked) assert.throws(ask, { code })
  assert.deepEqual(
    spans.map(({ name, kind, status, attributes }) => [name, kind, status.code, attributes['error.type'], attributes['server.address']]),
    asked.map(([code, method], index) => [method, 'client', 'error', code, index < 3 ? '127.0.0.1' : undefined]),
  )
  const duration = metrics().find(({ name }) => name === 'http.client.request.duration')
  assert.ok(duration?.data.type === 'exponentialHistogram')
  assert.deepEqual(duration.data.points.map(({ attributes, count }) => [attributes['error.type'], count]), asked.map(([code]) => [code, 1]))
})

test('requests of one connection and pipelined ones have contexts of their own; nothing is active between them', { timeout: 20_000 }, async (t) => {
  const seen: (string | undefined)[] = []
  const { spans, url, until } = await serve(t, (_request, response) => {
    const traceId = trace.getActiveSpan()?.spanContext().traceId
    setImmediate(() => {
      seen.push(trace.getActiveSpan()?.spanContext().traceId === traceId ? traceId : 'lost')
      response.end('x')
    })
  })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const ids = ['11111111111111111111111111111111', '22222222222222222222222222222222', '33333333333333333333333333333333']
  socket.write(ids.map((id) => `GET / HTTP/1.1\r\nhost: a\r\ntraceparent: 00-${id}-aaaaaaaaaaaaaaaa-01\r\n\r\n`).join(''))
  socket.resume()
  await until(3)
  socket.destroy()
  assert.deepEqual(seen, ids)
  assert.deepEqual(spans.map(({ traceId, parentSpanId }) => [traceId, parentSpanId]), ids.map((id) => [id, 'aaaaaaaaaaaaaaaa']))
  assert.equal(trace.getActiveSpan(), undefined)
})

const headOf = (path: string, length: number): string => `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`

test('who listens to the parts of a request is called in its context, however late they come and whichever request was before', { timeout: 20_000 }, async (t) => {
  const seen: string[] = []
  const { spans, url, until } = await serve(t, (request, response) => {
    const own = trace.getActiveSpan()?.spanContext().spanId
    const see = (what: string): void => void seen.push(`${request.url ?? ''} ${what} ${trace.getActiveSpan()?.spanContext().spanId === own ? 'own' : 'lost'}`)
    request.on('data', (chunk: Buffer) => see(chunk.toString())).on('close', () => see('close'))
    request.on('end', () => {
      see('end')
      response.end('x')
    })
    request.on('error', () => see('error'))
  })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.resume()
  // At once with its head, then in parts of their own, on one connection.
  socket.write(`${headOf('/one', 3)}one`)
  await until(1)
  const isSeen = async (what: string): Promise<void> => {
    while (!seen.includes(what)) await new Promise(setImmediate)
  }
  socket.write(headOf('/two', 6))
  socket.write('two')
  await isSeen('/two two own')
  socket.write('end')
  await until(2)
  // Given up in the middle.
  socket.write(`${headOf('/three', 9)}three`)
  await isSeen('/three three own')
  socket.destroy()
  await until(3)
  await isSeen('/three close own')
  assert.deepEqual(seen, ['/one one own', '/one end own', '/one close own', '/two two own', '/two end own', '/two end own', '/two close own', '/three three own', '/three error own', '/three close own'])
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 3)
})

test('a request to a proxy is recorded by the address that it asks for, a tunnel by its other end; the proxy is who answers', { timeout: 20_000 }, async (t) => {
  const { spans, url, until } = await serve(t, (_request, response) => response.end('x'))
  const { port } = new URL(url)
  const asked = http.request({ host: '127.0.0.1', port, path: 'http://shop.example/items?page=2' }, (response) => response.resume()).end()
  await once(asked, 'close')
  const tunnel = http.request({ host: '127.0.0.1', port, method: 'CONNECT', path: 'shop.example:443' }).end()
  await once(tunnel, 'error')
  await until(3)
  assert.deepEqual(spans.filter(({ kind }) => kind === 'client').map(({ name, attributes }) => [name, attributes['url.full'], attributes['server.port']]), [['GET', 'http://shop.example/items?page=2', BigInt(port)], ['CONNECT', 'shop.example:443', BigInt(port)]])
})

test('an answer that nobody reads is thrown away by Node as without the agent; methods that are not known make no series', { timeout: 20_000 }, async (t) => {
  const { spans, url, metrics, until } = await serve(t, (_request, response) => response.end('x'.repeat(100_000)))
  const request = http.request(url, { method: 'GET' }).end()
  await once(request, 'close')
  await until(2)
  for (const method of ['PROPFIND', 'MKCOL']) {
    const odd = http.request(url, { method }, (response) => response.resume()).end()
    await once(odd, 'close')
  }
  await until(6)
  const duration = metrics().find(({ name }) => name === 'http.server.request.duration')
  assert.ok(duration?.data.type === 'exponentialHistogram')
  assert.deepEqual(duration.data.points.map(({ attributes, count }) => [attributes['http.request.method'], count]), [['GET', 1], ['_OTHER', 2]])
  assert.deepEqual(spans.filter(({ kind }) => kind === 'server').map(({ name }) => name), ['GET', 'HTTP', 'HTTP'])
})

test('who asks is told of every request of a connection, also where it changes', { timeout: 20_000 }, async (t) => {
  const { spans, url, until } = await serve(t, (_request, response) => response.end('x'))
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  const asked = [
    { host: 'a', agent: 'x' },
    { host: 'a', agent: 'x' },
    { host: 'a:81', agent: 'x' },
    { host: 'a', agent: 'x' },
    { host: 'a', agent: 'y', forwarded: '10.0.0.7, 10.0.0.8' },
    { host: 'a', agent: 'x' },
  ]
  socket.write(asked.map(({ host, agent, forwarded }) => `GET / HTTP/1.1\r\nhost: ${host}\r\nuser-agent: ${agent}\r\n${forwarded === undefined ? '' : `x-forwarded-for: ${forwarded}\r\n`}\r\n`).join(''))
  socket.resume()
  await until(asked.length)
  const { localPort = 0 } = socket
  socket.destroy()
  const told = spans.map(({ attributes }) => ['server.address', 'server.port', 'user_agent.original', 'network.peer.address', 'network.peer.port', 'client.address'].map((key) => attributes[key]))
  assert.deepEqual(
    told,
    asked.map(({ host, agent, forwarded }) => ['a', host === 'a:81' ? 81n : 80n, agent, '127.0.0.1', BigInt(localPort), forwarded === undefined ? '127.0.0.1' : '10.0.0.7']),
  )
})
