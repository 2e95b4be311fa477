// Secrets are planted wherever a program has them; none may be in any byte that is sent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanStatusCode } from '@opentelemetry/api'
import fc from 'fast-check'
import { Exporter } from '../exporter.ts'
import { AgentMeterProvider } from '../metrics/meter.ts'
import { ApplicationPerformanceMonitor } from '../monitor.ts'
import { readOptions } from '../options.ts'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { Sampler } from '../sampler.ts'
import { AgentTracerProvider } from '../tracer.ts'

const CANARY = 'CANARY7f3a'
const resource = { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: 'test', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

const key = fc
  .tuple(fc.constantFrom('', 'user.', 'http.request.header.', 'db_', 'X-'), fc.constantFrom('password', 'passwd', 'secret', 'clientSecret', 'token', 'accessToken', 'Authorization', 'cookie', 'set-cookie', 'api_key', 'apiKey', 'api-key', 'credentials', 'PASSWORD'))
  .map((parts) => parts.join(''))
const parameter = fc.constantFrom('token', 'access_token', 'password', 'pass', 'api_key', 'key', 'sig', 'X-Amz-Signature', 'code', 'client_secret', 'auth')
const plain = fc.string({ unit: fc.constantFrom('a', 'B', '0', '9', '-', '_', '.') })
const secret = plain.map((text) => `${text}${CANARY}${text}`)
const query = fc.array(fc.tuple(parameter, secret), { minLength: 1, maxLength: 4 }).map((pairs) => pairs.map((pair) => pair.join('=')).join('&'))

test('attributes of spans, events, links and metrics, URLs, and contexts of errors at any depth', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const meters = new AgentMeterProvider()
  const exporter = new Exporter(readOptions({ endpoint: receiver.url }, {}), resource, meters)
  t.after(() => exporter.stop())
  const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (of) => exporter.spans.sinkOf(of)).getTracer('t')
  const counter = meters.getMeter('t').createCounter('c')
  const monitor = new ApplicationPerformanceMonitor({ record: (exception) => exporter.recordException({ ...exception, resource, scope }) })
  let planted = 0
  fc.assert(
    fc.property(key, secret, query, fc.integer({ min: 0, max: 4 }), (name, value, parameters, depth) => {
      planted += 1
      const context = tracer.startSpan('other').spanContext()
      const span = tracer.startSpan('s', { attributes: { [name]: value, 'url.query': parameters }, links: [{ context, attributes: { [name]: value } }] })
      span.setAttribute('url.full', `https://user:${value}@example.com/a?x=1&${parameters}#top`).setAttribute('http.target', `/a?${parameters}`)
      span.setAttribute(`${name}.list`, 1).setAttribute(name, [value, value])
      span.addEvent('e', { [name]: value, 'url.full': `http://h/?${parameters}` })
      span.end()
      counter.add(1, { [name]: value })
      let nested: unknown = { [name]: value }
      for (let level = 0; level < depth; level += 1) nested = level % 2 === 0 ? { inner: nested } : [nested]
      monitor.recordError(new Error('failed'), { [name]: value, nested, 'url.full': `http://h/?${parameters}` })
    }),
    { numRuns: 300 },
  )
  await exporter.flush(20_000)
  assert.ok(receiver.spans.length >= planted && receiver.exceptions.length >= planted && receiver.metrics.length > 0)
  for (const { path, body } of receiver.requests) assert.equal(body.indexOf(CANARY), -1, path)
})

/** Texts in which a secret is found by its name, its scheme, its form or its place. */
const leak = fc.oneof(
  fc.tuple(fc.constantFrom('password=', '"password": "', 'apiKey: \'', 'secret => ', 'Bearer ', 'authorization: Basic ', 'postgres://user:', '/a?b=1&access_token=', 'Key (email)=('), secret).map(([before, value]) => before + value + (before.startsWith('postgres') ? '@host/db' : before.startsWith('Key') ? ') already exists.' : '')),
  secret.map((value) => `insert into users (email) values ('${value}')`),
)

test('messages and stacks of errors: of spans, of their events and status, of recordError and its context', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const exporter = new Exporter(readOptions({ endpoint: receiver.url }, {}), resource, new AgentMeterProvider())
  t.after(() => exporter.stop())
  const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (of) => exporter.spans.sinkOf(of)).getTracer('t')
  const monitor = new ApplicationPerformanceMonitor({ record: (exception) => exporter.recordException({ ...exception, resource, scope }) })
  fc.assert(
    fc.property(leak, leak, (text, detail) => {
      const error = new Error(`it failed: ${text}`)
      const span = tracer.startSpan('s')
      span.recordException(error)
      span.addEvent('exception', { 'exception.message': text, 'exception.stacktrace': error.stack ?? '' })
      span.setStatus({ code: SpanStatusCode.ERROR, message: text })
      span.end()
      monitor.recordError(error, { detail, cause: new Error(text), nested: { list: [detail] } })
    }),
    { numRuns: 300 },
  )
  await exporter.flush(20_000)
  assert.deepEqual([receiver.spans.length, receiver.exceptions.length], [300, 300])
  for (const { path, body } of receiver.requests) assert.equal(body.indexOf(CANARY), -1, `${path}: ${body.subarray(Math.max(0, body.indexOf(CANARY) - 200), body.indexOf(CANARY) + 20).toString()}`)
  // What helps is there.
  assert.ok(receiver.exceptions.every(({ message, stack }) => message.startsWith('it failed: ') && stack.includes('secrets.test.')))
})

test('a program: headers, bodies, query parameters and passwords in addresses of requests in and out', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `
    const http = require('http')
    const secret = '${CANARY}'
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(request.url.startsWith('/fail') ? 500 : 200, { 'set-cookie': 'sid=' + secret, 'x-api-key': secret }).end(secret))
    }).listen(0, '127.0.0.1', async () => {
      const base = 'http://127.0.0.1:' + server.address().port
      const headers = { authorization: 'Bearer ' + secret, cookie: 'sid=' + secret, 'x-api-key': secret }
      for (const path of ['/ok', '/fail']) {
        await fetch(base + path + '?token=' + secret + '&api_key=' + secret, { method: 'POST', headers, body: secret }).then((answer) => answer.text())
        await new Promise((resolve) => http.get(base + path + '?access_token=' + secret, { headers, auth: 'user:' + secret, agent: false }, (answer) => answer.resume().on('end', resolve)))
      }
      await new Promise((resolve) => http.get('http://127.0.0.1:9/?password=' + secret).on('error', () => undefined).on('close', resolve))
      server.close(() => { throw new Error('cannot reach postgres://user:' + secret + '@db/x with {"token":"' + secret + '"}') })
      server.closeAllConnections()
    })`
  const { code, stderr } = await runProgram(t, 'commonjs', text, receiver.url)
  assert.equal(code, 1, stderr)
  assert.equal(receiver.exceptions.length, 1)
  const of = (kind: string): number => receiver.spans.filter((span) => span.kind === kind).length
  assert.deepEqual([of('server'), of('client')], [4, 5])
  for (const { path, body } of receiver.requests) assert.equal(body.indexOf(CANARY), -1, path)
})
