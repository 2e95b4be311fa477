// Every way in which a process ends, under the agent and without it: the same exit code or signal, in time.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import type { MetricRecord, NumberPoint } from '@andon/model'
import { decodeSpans } from '@andon/wire'
import { runProgram, startReceiver } from './otlp-receiver.test.ts'

const SPAN = `require('@opentelemetry/api').trace.getTracer('t').startSpan('last').end(); require('@opentelemetry/api').metrics.getMeter('t').createCounter('c').add(1)`

/** By the way it ends: a program, and whether its last span can be sent. */
const ENDS: Readonly<Record<string, string>> = {
  'process.exit in a timer': `setTimeout(() => { ${SPAN}; process.exit(7) }, 5)`,
  'process.exit in an exit handler': `process.on('exit', () => process.exit(9)); ${SPAN}`,
  'process.exitCode': `process.exitCode = 4; ${SPAN}`,
  'process.exit in beforeExit': `process.on('beforeExit', () => { ${SPAN}; process.exit(5) })`,
  'process.exit in beforeExit, recorded before': `process.on('beforeExit', () => process.exit(5)); ${SPAN}`,
  'work that begins in beforeExit': `let turns = 0; process.on('beforeExit', () => { if ((turns += 1) < 3) setTimeout(() => { if (turns === 2) { ${SPAN} } }, 300) })`,
  'an uncaught error': `setTimeout(() => { ${SPAN}; throw new TypeError('x') }, 5)`,
  'an unhandled rejection': `${SPAN}; Promise.reject(new TypeError('x'))`,
  'an uncaught error that the host handles': `process.on('uncaughtException', () => process.exit(6)); setTimeout(() => { ${SPAN}; throw new Error('x') }, 5)`,
  'an unhandled rejection that the host handles': `process.on('unhandledRejection', () => { ${SPAN}; process.exitCode = 8 }); Promise.reject(new Error('x'))`,
  'SIGTERM without a handler': `setInterval(() => {}, 1000); ${SPAN}; process.kill(process.pid, 'SIGTERM')`,
  'SIGTERM with a handler that exits at once': `setInterval(() => {}, 1000); process.on('SIGTERM', () => { ${SPAN}; process.exit(3) }); process.kill(process.pid, 'SIGTERM')`,
  'SIGTERM with a handler that exits later': `setInterval(() => {}, 1000); process.on('SIGTERM', () => setTimeout(() => { ${SPAN}; process.exit(2) }, 20)); process.kill(process.pid, 'SIGTERM')`,
  // As the package signal-exit does it.
  'SIGTERM with a handler that ends the process where it is the only one': `setInterval(() => {}, 1000)
    const only = () => { if (process.listeners('SIGTERM').length > 1) return; process.removeListener('SIGTERM', only); process.kill(process.pid, 'SIGTERM') }
    process.on('SIGTERM', only); ${SPAN}; setTimeout(() => process.kill(process.pid, 'SIGTERM'), 20)`,
  'SIGTERM with a handler that was taken off': `setInterval(() => {}, 1000); const handle = () => process.exit(1); process.on('SIGTERM', handle); setImmediate(() => { process.off('SIGTERM', handle); ${SPAN}; process.kill(process.pid, 'SIGTERM') })`,
  'SIGTERM twice, with a handler for the first': `setInterval(() => {}, 1000); process.once('SIGTERM', () => { ${SPAN}; process.kill(process.pid, 'SIGTERM') }); process.kill(process.pid, 'SIGTERM')`,
  'SIGINT without a handler': `setInterval(() => {}, 1000); ${SPAN}; process.kill(process.pid, 'SIGINT')`,
}

/** By series of what is a gauge in Prometheus: whether its last point says that there is no value any more. */
function endsOf(metrics: readonly MetricRecord[]): Map<string, boolean> {
  const last = new Map<string, NumberPoint>()
  for (const { name, data } of metrics) {
    if (data.type !== 'gauge' && !(data.type === 'sum' && !data.monotonic)) continue
    for (const point of data.points) {
      const series = `${name} ${JSON.stringify(point.attributes)}`
      const known = last.get(series)
      if (known === undefined || known.time < point.time) last.set(series, point)
    }
  }
  return new Map([...last].map(([series, { flags }]) => [series, (flags & 1) === 1]))
}

function without(text: string): readonly [number | null, string | null] {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env
  const { status, signal } = spawnSync(process.execPath, ['--input-type=commonjs', '-e', text], { env, stdio: 'ignore', cwd: import.meta.dirname })
  return [status, signal]
}

for (const [how, text] of Object.entries(ENDS)) {
  test(`${how}: ended as without the agent, and the last span and the last count arrive`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const { code, signal, stderr } = await runProgram(t, 'commonjs', text, receiver.url)
    assert.deepEqual([code, signal], without(text), stderr)
    assert.deepEqual(receiver.spans.map(({ name }) => name), ['last'])
    const counted = receiver.metrics.flatMap(({ name, data }) => (name === 'c' && data.type === 'sum' ? data.points.map(({ value }) => value) : []))
    assert.equal(counted.reduce((sum, value) => sum + value, 0), 1)
    const ends = endsOf(receiver.metrics)
    assert.ok(ends.size > 10)
    assert.deepEqual([...ends].filter(([, isEnded]) => !isEnded), [])
  })
}

test('a process that is told to end and goes on for a while: its gauges go on, and end with it', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `const gauge = require('@opentelemetry/api').metrics.getMeter('t').createGauge('level')
    let level = 0
    const timer = setInterval(() => gauge.record(level += 1), 20)
    process.on('SIGTERM', () => setTimeout(() => clearInterval(timer), 400))
    process.kill(process.pid, 'SIGTERM')`
  const { code } = await runProgram(t, 'commonjs', text, receiver.url, { OTEL_METRIC_EXPORT_INTERVAL: '100' })
  assert.equal(code, 0)
  const points = receiver.metrics.flatMap(({ name, data }) => (name === 'level' && data.type === 'gauge' ? data.points : [])).toSorted((a, b) => Number(a.time - b.time))
  assert.ok(points.length > 3)
  assert.deepEqual(points.map(({ flags }) => flags), points.map((_point, index) => (index === points.length - 1 ? 1 : 0)))
})

test('process.exit() while a batch is under way: it is sent again under its number', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  // It takes the first one, and is silent on it.
  receiver.answer = ({ path }, response) => {
    if (path !== '/v1/traces' || receiver.of('/v1/traces').length > 1) response.writeHead(200).end()
  }
  const control = createHttpServer((_request, response) => {
    void receiver.until(() => receiver.of('/v1/traces').length > 0).then(() => response.end('now'))
  }).listen(0, '127.0.0.1')
  await once(control, 'listening')
  t.after(() => control.close())
  const address = control.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { code } = await runProgram(t, 'commonjs', `${SPAN}; require('http').get('http://127.0.0.1:${port}/', () => process.exit(6))`, receiver.url, { OTEL_BSP_SCHEDULE_DELAY: '10' })
  assert.equal(code, 6)
  const batches = receiver.of('/v1/traces').filter(({ body }) => decodeSpans(body).some(({ name }) => name === 'last')).map(({ batch }) => batch)
  assert.deepEqual([batches.length, new Set(batches).size], [2, 1])
})

/** A server that takes every connection and says nothing. */
async function silentServer(t: TestContext): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

for (const how of ['process.exit in a timer', 'process.exitCode', 'an uncaught error', 'SIGTERM without a handler', 'SIGTERM with a handler that exits at once']) {
  test(`${how}, with a server that is dead or says nothing: ended as without the agent, within the deadline`, { timeout: 60_000 }, async (t) => {
    const text = ENDS[how] ?? assert.fail()
    const expected = without(text)
    await Promise.all(
      ['http://127.0.0.1:9', await silentServer(t)].map(async (endpoint) => {
        const began = performance.now()
        const { code, signal, stderr } = await runProgram(t, 'commonjs', text, endpoint)
        assert.deepEqual([code, signal], expected, stderr)
        // Three seconds for the deadline, the rest for a slow machine to start the program.
        assert.ok(performance.now() - began < 15_000, `${endpoint}: ${performance.now() - began} ms`)
      }),
    )
  })
}
