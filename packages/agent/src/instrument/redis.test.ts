// ioredis and node-redis on a real Redis: every command under the work it belongs to, values not recorded.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { copyAs } from './library-copy.test.ts'
import { startRedis } from './redis-server.test.ts'

const WORK = `
const tracer = trace.getTracer('t')
const work = (name, fn) => tracer.startActiveSpan(name, async (span) => { try { await fn() } finally { span.end() } })
`
const IOREDIS = `${WORK}
const redis = new Redis({ port: Number(process.env.PORT), host: '127.0.0.1' })
const run = async () => {
  await Promise.all(Array.from({ length: 30 }, (_, i) => work('work ' + i, async () => {
    await redis.set('key' + i, 'canary' + i)
    await redis.get('key' + i)
    await redis.pipeline().incr('count').get('key' + i).exec()
  })))
  await work('failing', async () => { await redis.lpush('key0', 'canary').catch(() => {}) })
  await work('failing transaction', async () => { await redis.multi().lpush('key0', 'canary').exec().catch(() => {}) })
  await redis.quit()
}
run().then(() => console.log('done'))
`
const NODE_REDIS = `${WORK}
const client = redis.createClient({ socket: { host: '127.0.0.1', port: Number(process.env.PORT) } })
const run = async () => {
  const other = client.duplicate({ database: 2 })
  const opened = other.connect()
  // Before the connection is there, while it selects its database, and after.
  const early = work('in 2', () => other.get('key0'))
  await opened
  await early
  await other.select(3)
  await work('in 3', () => other.get('key0'))
  await other.select(3000).catch(() => {})
  await work('still in 3', () => other.get('key0'))
  await other.quit()
  await client.connect()
  await Promise.all(Array.from({ length: 30 }, (_, i) => work('work ' + i, async () => {
    await client.set('key' + i, 'canary' + i)
    await client.get('key' + i)
    await client.multi().incr('count').get('key' + i).exec()
  })))
  await work('failing', async () => { await client.lPush('key0', 'canary').catch(() => {}) })
  await work('failing transaction', async () => { await client.multi().lPush('key0', 'canary').exec().catch(() => {}) })
  await client.quit()
}
run().then(() => console.log('done'))
`

/** Connect and subscribe in the middle of some work. */
const SUBSCRIBERS = {
  ioredis: `import Redis from 'ioredis'
const options = { port: Number(process.env.PORT), host: '127.0.0.1', lazyConnect: true }
const open = async (hear, connected) => {
  const client = new Redis(options)
  await new Promise((resolve) => client.connect(() => resolve(connected())))
  client.on('message', hear)
  await client.subscribe('news')
  return client
}
const publisher = () => new Redis(options)`,
  'redis 5': `import { createClient } from 'redis'
const options = { socket: { port: Number(process.env.PORT), host: '127.0.0.1' } }
const open = async (hear, connected) => {
  const client = createClient(options)
  await client.connect()
  connected()
  await client.subscribe('news', hear)
  return client
}
const publisher = () => createClient(options).connect()`,
} as const
const HEAR = `
import { trace } from '@opentelemetry/api'
const tracer = trace.getTracer('t')
const make = (name) => tracer.startSpan(name).end()
let subscriber
const heard = new Promise((resolve) => tracer.startActiveSpan('work', async (span) => {
  subscriber = await open(() => { make('heard'); resolve() }, () => make('connected'))
  span.end()
  const client = await publisher()
  await client.publish('news', 'x')
  await client.quit()
}))
await heard
await subscriber.quit()
`

const CASES = [
  { name: 'ioredis 5', load: { module: `import Redis from 'ioredis'`, commonjs: `const Redis = require('ioredis')` }, text: IOREDIS, below: ['GET', 'GET', 'INCR', 'SET'], namespaces: [], alias: undefined },
  { name: 'redis 5', load: { module: `import * as redis from 'redis'`, commonjs: `const redis = require('redis')` }, text: NODE_REDIS, below: ['EXEC', 'GET', 'GET', 'INCR', 'MULTI', 'SET'], namespaces: ['2', '3', '3'], alias: undefined },
  { name: 'redis 4', load: { module: '', commonjs: `const redis = require(process.env.FILE)` }, text: NODE_REDIS, below: ['EXEC', 'GET', 'GET', 'INCR', 'MULTI', 'SET'], namespaces: ['2', '3', '3'], alias: 'redis4' },
] as const

test('commands that share a connection stay with their work, without keys and values', { timeout: 180_000 }, async (t) => {
  const port = await startRedis(t)
  if (port === undefined) {
    t.skip('no Redis is installed and none can be had')
    return
  }
  await t.test('a command that fails and that nobody awaits ends the process, as without the agent', async (inner) => {
    const receiver = await startReceiver(inner)
    const program = `import { createClient } from 'redis'\nconst client = createClient({ socket: { host: '127.0.0.1', port: ${port} } })\nawait client.connect()\nclient.sendCommand(['NOTHING'])`
    for (const env of [{ OTEL_SDK_DISABLED: 'true' }, {}]) {
      const { code, stderr } = await runProgram(inner, 'module', program, receiver.url, env)
      assert.equal(code, 1)
      assert.match(stderr, /unknown command/)
    }
  })
  for (const [name, text] of Object.entries(SUBSCRIBERS)) {
    await t.test(`${name}: a message comes to a subscriber outside of the work in which it was connected`, async (inner) => {
      const receiver = await startReceiver(inner)
      const { code, stderr } = await runProgram(inner, 'module', `${text}\n${HEAR}`, receiver.url, { PORT: String(port) })
      assert.deepEqual([code, stderr], [0, ''])
      const { spans } = receiver
      const work = spans.find((span) => span.name === 'work')
      assert.deepEqual(spans.filter((span) => span.name === 'heard').map(({ parentSpanId, traceId }) => [parentSpanId, traceId === work?.traceId]), [['', false]])
      assert.deepEqual(spans.filter((span) => span.name === 'connected').map(({ parentSpanId }) => parentSpanId), [work?.spanId])
    })
  }
  for (const each of CASES) {
    for (const type of ['module', 'commonjs'] as const) if (each.load[type] !== '') await t.test(`${each.name}, ${type}`, (inner) => check(inner, each, type, port))
  }
})

async function check(t: TestContext, { load, text, below, namespaces, alias }: (typeof CASES)[number], type: 'module' | 'commonjs', port: number): Promise<void> {
  const receiver = await startReceiver(t)
  const api = type === 'module' ? `import { trace } from '@opentelemetry/api'` : `const { trace } = require('@opentelemetry/api')`
  const file = alias === undefined ? '' : copyAs(t, alias, 'redis').replace('app.js', 'node_modules/redis')
  const { code, stdout, stderr } = await runProgram(t, type, `${load[type]}\n${api}\n${text}`, receiver.url, { PORT: String(port), FILE: file })
  assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])

  const { spans } = receiver
  const works = spans.filter((span) => span.name.startsWith('work '))
  assert.equal(works.length, 30)
  for (const { spanId, traceId } of works) {
    const commands = spans.filter(({ parentSpanId }) => parentSpanId === spanId)
    assert.deepEqual(commands.map((span) => span.name).toSorted(), below)
    assert.ok(commands.every((span) => span.traceId === traceId && span.kind === 'client'))
  }
  const [set] = spans.filter((span) => span.name === 'SET')
  assert.deepEqual(['db.system.name', 'db.operation.name', 'db.query.text', 'db.namespace', 'server.address', 'server.port'].map((key) => set?.attributes[key]), ['redis', 'SET', 'SET ?', '0', '127.0.0.1', BigInt(port)])
  const [failing] = spans.filter((span) => span.name === 'LPUSH')
  assert.deepEqual([failing?.status.code, failing?.attributes['error.type'], failing?.attributes['db.response.status_code']], ['error', 'WRONGTYPE', 'WRONGTYPE'])
  const transaction = spans.find(({ name }) => name === 'failing transaction')
  const [exec] = spans.filter(({ name, parentSpanId }) => name === 'EXEC' && parentSpanId === transaction?.spanId)
  assert.deepEqual([exec?.status.code, exec?.attributes['error.type']], ['error', 'WRONGTYPE'])
  const selected = spans.filter(({ name }) => name.includes('in ')).map(({ spanId }) => spans.find(({ parentSpanId }) => parentSpanId === spanId)?.attributes['db.namespace'])
  assert.deepEqual(selected, namespaces)
  assert.ok(!receiver.requests.some(({ body }) => body.includes('canary')))
  const duration = receiver.metrics.filter((metric) => metric.name === 'db.client.operation.duration').flatMap(({ data }) => (data.type === 'exponentialHistogram' ? data.points : []))
  const gets = duration.filter(({ attributes }) => attributes['db.operation.name'] === 'GET').reduce((sum, { count }) => sum + count, 0)
  assert.equal(gets, 60 + namespaces.length)
  const wrong = duration.find(({ attributes }) => attributes['error.type'] === 'WRONGTYPE' && attributes['db.operation.name'] === 'LPUSH')
  assert.equal(wrong?.attributes['db.response.status_code'], 'WRONGTYPE')
}
