// Programs under `node --import @andon/agent/register`, and what a receiver gets of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpanRecord } from '@andon/model'
import { runProgram, startReceiver } from './otlp-receiver.test.ts'

/** Listens, asks itself /api/boards/7 which asks /inner, closes, and lets the process end by itself. */
const BODY = `
const inner = http.createServer((request, response) => response.end('inner')).listen(0, '127.0.0.1', async () => {
  const app = fastify()
  app.get('/api/boards/:id', () => new Promise((resolve, reject) => http.get({ port: inner.address().port, host: '127.0.0.1', path: '/inner', agent: false }, (answer) => { answer.resume(); answer.on('end', () => resolve({ ok: true })) }).on('error', reject)))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = await fetch(url + '/api/boards/7', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', connection: 'close' } })
  console.log(answer.status)
  await app.close()
  inner.close()
})
`
const PROGRAMS = {
  module: `import http from 'node:http'\nimport fastify from 'fastify'\n${BODY}`,
  commonjs: `const http = require('http')\nconst fastify = require('fastify')\n${BODY}`,
} as const

function only(spans: readonly SpanRecord[], what: (span: SpanRecord) => boolean): SpanRecord {
  const found = spans.filter(what)
  assert.equal(found.length, 1, `${found.length} of ${spans.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`)
  const [span] = found
  assert.ok(span)
  return span
}

for (const type of ['module', 'commonjs'] as const) {
  test(`${type}: incoming and outgoing requests hang under one another, routes have names, all arrives at a natural end`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const { code, stdout, stderr } = await runProgram(t, type, PROGRAMS[type], receiver.url)
    assert.deepEqual([code, stdout], [0, '200\n'], stderr)

    const { spans } = receiver
    const server = only(spans, ({ kind, name }) => kind === 'server' && name === 'GET /api/boards/:id')
    assert.equal(server.attributes['http.route'], '/api/boards/:id')
    assert.equal(server.attributes['http.response.status_code'], 200n)
    const client = only(spans, ({ kind, parentSpanId }) => kind === 'client' && parentSpanId === server.spanId)
    const inner = only(spans, ({ kind, parentSpanId }) => kind === 'server' && parentSpanId === client.spanId)
    assert.deepEqual([client.traceId, inner.traceId], [server.traceId, server.traceId])
    assert.equal(server.resource.attributes['service.name'], 'program')

    const served = receiver.metrics.find(({ name }) => name === 'http.server.request.duration')
    assert.ok(served?.data.type === 'exponentialHistogram')
    assert.deepEqual([served.unit, served.data.temporality], ['s', 'delta'])
    const route = served.data.points.find(({ attributes }) => attributes['http.route'] === '/api/boards/:id')
    assert.equal(route?.count, 1)
    // The agent's own requests are neither spans nor measured.
    const port = new URL(receiver.url).port
    const own = receiver.metrics.filter(({ name }) => name === 'http.client.request.duration').flatMap(({ data }): readonly { readonly attributes: Readonly<Record<string, unknown>> }[] => data.points)
    assert.ok(own.length > 0 && own.every(({ attributes }) => String(attributes['server.port']) !== port))
    assert.ok(spans.every(({ attributes }) => attributes['url.path'] !== '/v1/traces' && attributes['url.full'] !== `${receiver.url}/v1/traces`))
  })
}

test('the names and units of the runtime and the host are those that the server reads', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  await runProgram(t, 'module', `setTimeout(() => {}, 700)`, receiver.url, { OTEL_METRIC_EXPORT_INTERVAL: '200' })
  const units = Object.fromEntries(receiver.metrics.map(({ name, unit }) => [name, unit]))
  const expected = {
    'nodejs.eventloop.delay.p50': 's',
    'nodejs.eventloop.delay.p99': 's',
    'nodejs.eventloop.utilization': '1',
    'v8js.memory.heap.used': 'By',
    'v8js.memory.heap.limit': 'By',
    'process.cpu.time': 's',
    'process.memory.usage': 'By',
    'process.uptime': 's',
    'system.cpu.utilization': '1',
    'system.memory.utilization': '1',
    'system.filesystem.utilization': '1',
    'andon.agent.queue.size': 'By',
  }
  for (const [name, unit] of Object.entries(expected)) assert.equal(units[name], unit, name)
  const memory = receiver.metrics.find(({ name }) => name === 'system.memory.utilization')
  assert.ok(memory?.data.points.some(({ attributes }) => attributes['system.memory.state'] === 'used'))
})

test('a short program is spared the sampler of the continuous profile, which is on: it is neither loaded nor sent anything', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `process.on('exit', () => console.log(Object.keys(require.cache).filter((path) => path.includes('pprof')).length)); setTimeout(() => {}, 50)`
  const { code, stdout, stderr } = await runProgram(t, 'commonjs', text, receiver.url, { OTEL_LOG_LEVEL: 'warn' })
  assert.deepEqual([code, stdout, stderr], [0, '0\n', ''])
  assert.ok(receiver.requests.length > 0 && receiver.requests.every(({ path }) => !path.startsWith('/api/profiles')))
})

test('an error that nothing caught arrives, and the exit code is as without the agent', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { code } = await runProgram(t, 'module', `setTimeout(() => { throw new RangeError('too far') }, 10)`, receiver.url)
  assert.equal(code, 1)
  const [error] = receiver.exceptions
  assert.deepEqual([error?.type, error?.message, error?.handled], ['RangeError', 'too far', false])
})

test('SIGTERM without a handler of the host sends what there is and then ends the process by that signal', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `import { trace } from '@opentelemetry/api'\nsetInterval(() => {}, 1000)\ntrace.getTracer('t').startSpan('last').end()\nprocess.kill(process.pid, 'SIGTERM')`
  const { signal } = await runProgram(t, 'module', text, receiver.url)
  assert.equal(signal, 'SIGTERM')
  assert.deepEqual(receiver.spans.map(({ name }) => name), ['last'])
})

test('a host that handles SIGTERM itself keeps its exit code, and what it recorded arrives when it ends by itself', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `
    import { trace } from '@opentelemetry/api'
    const timer = setInterval(() => {}, 1000)
    process.on('SIGTERM', () => { clearInterval(timer); process.exitCode = 3; trace.getTracer('t').startSpan('closing').end() })
    process.kill(process.pid, 'SIGTERM')`
  const { code } = await runProgram(t, 'module', text, receiver.url)
  assert.equal(code, 3)
  assert.deepEqual(receiver.spans.map(({ name }) => name), ['closing'])
})

test('a slow answer is waited for at a natural end', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  let answered = 0
  receiver.answer = (_request, response) => {
    setTimeout(() => {
      response.writeHead(200).end()
      answered += 1
    }, 200)
  }
  const { code } = await runProgram(t, 'module', `import { trace } from '@opentelemetry/api'\ntrace.getTracer('t').startSpan('last').end()`, receiver.url)
  assert.equal(code, 0)
  assert.deepEqual(receiver.spans.map(({ name }) => name), ['last'])
  assert.equal(answered, receiver.requests.length)
})

test('an awaited flush with no server settles at its deadline, and the exit code is the program’s own', { timeout: 60_000 }, async (t) => {
  const { code, stdout } = await runProgram(t, 'module', `import { getMonitor } from '@andon/agent'\nawait getMonitor().flush()\nconsole.log('after')`, 'http://127.0.0.1:9')
  assert.deepEqual([code, stdout], [0, 'after\n'])
})

test('a server that does not answer the port costs the host neither its result nor more than the deadline', { timeout: 60_000 }, async (t) => {
  const began = performance.now()
  const { code, stdout } = await runProgram(t, 'module', `import { trace } from '@opentelemetry/api'\nfor (let i = 0; i < 2000; i += 1) trace.getTracer('t').startSpan('x').end()\nconsole.log('done')`, 'http://127.0.0.1:9')
  assert.deepEqual([code, stdout], [0, 'done\n'])
  assert.ok(performance.now() - began < 10_000)
})

test('spans that are not sampled can be used like others; what is switched off sends nothing', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `
    import { getMonitor } from '@andon/agent'
    const span = getMonitor().createSpan('quiet')
    span.setTag('a', 1)
    span.finish()
    console.log('ok')`
  const off = await runProgram(t, 'module', text, receiver.url, { OTEL_TRACES_SAMPLER: 'always_off' })
  assert.deepEqual([off.code, off.stdout], [0, 'ok\n'], off.stderr)
  assert.deepEqual(receiver.spans, [])
  receiver.requests.length = 0
  const disabled = await runProgram(t, 'module', text, receiver.url, { OTEL_SDK_DISABLED: 'true' })
  assert.deepEqual([disabled.code, disabled.stdout, receiver.requests.length], [0, 'ok\n', 0], disabled.stderr)
})

test('OTEL_PROPAGATORS=none neither reads nor writes headers', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  await runProgram(t, 'commonjs', PROGRAMS.commonjs, receiver.url, { OTEL_PROPAGATORS: 'none' })
  assert.ok(receiver.spans.length > 0)
  assert.ok(receiver.spans.every(({ traceId }) => traceId !== '0af7651916cd43dd8448eb211c80319c'))
  assert.ok(receiver.spans.filter(({ kind }) => kind === 'server').every(({ parentSpanId }) => parentSpanId === ''))
})
