// Requests of fetch and of undici's own functions against a real server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'

const SERVER = `
import http from 'node:http'
import { trace } from '@opentelemetry/api'
const seen = []
const server = http.createServer((request, response) => {
  seen.push(request.headers.traceparent)
  if (request.url.startsWith('/fail')) response.statusCode = 503
  if (request.url.startsWith('/hang')) { response.flushHeaders(); return }
  response.end('hello')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = 'http://127.0.0.1:' + server.address().port
const tracer = trace.getTracer('t')
const work = (name, fn) => tracer.startActiveSpan(name, async (span) => { await fn(); span.end() })
`
const END = `
server.closeAllConnections()
server.close()
console.log(JSON.stringify(seen))
`

test('fetch: each request under its own work with keep-alive, the context in its headers, status and duration recorded', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `${SERVER}
await Promise.all(Array.from({ length: 20 }, (_, i) => work('work ' + i, async () => { await (await fetch(url + '/item/' + i + '?token=s3cret&page=2')).text() })))
await work('failing', async () => { await (await fetch(url + '/fail')).text() })
${END}`
  const { code, stdout, stderr } = await runProgram(t, 'module', text, receiver.url)
  assert.deepEqual([code, stderr], [0, ''])
  const { spans } = receiver
  const clients = spans.filter(({ kind }) => kind === 'client')
  assert.equal(clients.length, 21)
  const works = new Map(spans.filter(({ name }) => name.startsWith('work ')).map(({ spanId, name }) => [spanId, name.slice(5)]))
  for (const { name, parentSpanId, attributes } of clients.filter(({ attributes: { 'http.response.status_code': status } }) => status === 200n)) {
    assert.equal(name, 'GET')
    const full = attributes['url.full']
    assert.ok(typeof full === 'string' && full.endsWith(`/item/${works.get(parentSpanId)}?token=[redacted]&page=2`))
    assert.equal(attributes['server.address'], '127.0.0.1')
    assert.equal(attributes['network.peer.address'], '127.0.0.1')
  }
  const [failing] = clients.filter(({ attributes }) => attributes['error.type'] === '503')
  assert.equal(failing?.status.code, 'error')
  const headers: string[] = JSON.parse(stdout)
  assert.deepEqual(new Set(headers), new Set(clients.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`)))
  const duration = receiver.metrics.filter(({ name }) => name === 'http.client.request.duration')
  assert.equal(duration.reduce((sum, { data }) => sum + (data.type === 'exponentialHistogram' ? data.points.reduce((total, { count }) => total + count, 0) : 0), 0), 21)
})

test('refused connections are errors with their code; who aborts is none; both are one span', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `${SERVER}
const gone = http.createServer()
await new Promise((resolve) => gone.listen(0, '127.0.0.1', resolve))
const closed = 'http://127.0.0.1:' + gone.address().port
await new Promise((resolve) => gone.close(resolve))
await fetch(closed).catch(() => {})
const abort = new AbortController()
await fetch(url + '/hang', { signal: abort.signal }).then((answer) => { abort.abort(); return answer.text() }).catch(() => {})
${END}`
  const { stderr } = await runProgram(t, 'module', text, receiver.url)
  assert.equal(stderr, '')
  const clients = receiver.spans.filter(({ kind }) => kind === 'client')
  assert.deepEqual(clients.map(({ attributes, status }) => [attributes['error.type'], status.code]), [['ECONNREFUSED', 'error'], [undefined, 'unset']])
})

for (const type of ['module', 'commonjs'] as const) {
  test(`${type}: undici's own request is recorded as fetch is`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const load = type === 'module' ? `import { request } from 'undici'\nimport http from 'node:http'` : `const { request } = require('undici')\nconst http = require('http')`
    const text = `${load}
http.createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1', async function () {
  const { body } = await request('http://127.0.0.1:' + this.address().port + '/undici', { method: 'POST', body: 'four' })
  console.log(await body.text())
  this.closeAllConnections()
  this.close()
})`
    const { stdout, stderr } = await runProgram(t, type, text, receiver.url)
    assert.deepEqual([stdout, stderr], ['hello\n', ''])
    const [client] = receiver.spans.filter(({ kind }) => kind === 'client')
    assert.deepEqual([client?.name, client?.attributes['http.request.body.size'], client?.attributes['http.response.status_code']], ['POST', 4n, 200n])
    const [server] = receiver.spans.filter(({ kind }) => kind === 'server')
    assert.equal(server?.parentSpanId, client?.spanId)
  })
}

test('what is called by fetch is in the inventory as what is called by http is, once for all that is asked of it', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `import { inventoryItems } from '${new URL('../inventory.js', import.meta.url).href}'
${SERVER}
for (const path of ['/a', '/fail', '/c']) await (await fetch(url + path)).text()
const gone = http.createServer()
await new Promise((resolve) => gone.listen(0, '127.0.0.1', resolve))
const closed = gone.address().port
await new Promise((resolve) => gone.close(resolve))
await fetch('http://127.0.0.1:' + closed).catch(() => {})
console.log(JSON.stringify([server.address().port, closed, inventoryItems().filter(({ kind }) => kind === 'dependency').map(({ name }) => name)]))
${END}`
  const { stdout } = await runProgram(t, 'module', text, receiver.url)
  const [port, closed, names]: [number, number, string[]] = JSON.parse(stdout.split('\n', 1)[0] ?? '')
  assert.deepEqual(names, [`127.0.0.1:${port}`, `127.0.0.1:${closed}`])
})
