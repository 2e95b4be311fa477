// mysql2 against the server that the package itself brings: the protocol is real, the answers are ours.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { MYSQL_SERVER } from './mysql-server.test.ts'

const PROGRAM = `
const tracer = trace.getTracer('t')
const strangers = []
const work = (name, fn) => tracer.startActiveSpan(name, async (span) => { await fn(); span.end() })
server.listen(0, '127.0.0.1', async () => {
  const options = { host: '127.0.0.1', port: server._server.address().port, user: 'u', database: 'shop', connectionLimit: 1 }
  const pool = mysql.createPool(options)
  const promised = pool.promise()
  const all = []
  for (let i = 0; i < 12; i += 1) {
    all.push(work('work ' + i, async () => {
      await promised.query('SELECT n FROM t WHERE owner = ' + i + ' AND name = ?', ['canary'])
      await new Promise((resolve, reject) => pool.query('INSERT INTO t VALUES (' + i + ')', (error) => error ? reject(error) : resolve()))
    }))
    all.push(context.with(ROOT_CONTEXT, () => new Promise((resolve) => pool.query('SELECT n FROM background', () => {
      if (trace.getSpan(context.active()) !== undefined) strangers.push(i)
      resolve()
    }))))
  }
  await Promise.all(all)
  await work('failing', async () => { await promised.query('SELECT n FROM broken').catch(() => {}) })
  const own = await promised.getConnection()
  const statement = await own.prepare('SELECT n FROM prepared WHERE n = ?')
  await Promise.all([1, 2, 3].map((n) => work('prepared ' + n, async () => {
    const [rows] = await statement.execute(['canary'])
    if (rows.length !== 2) throw new Error('wrong rows')
  })))
  await work('callback', () => new Promise((resolve) => own.connection.prepare('SELECT n FROM called', (error, each) => each.execute(() => {
    tracer.startSpan('in the callback').end()
    resolve()
  }))))
  const wrong = await own.prepare('SELECT n FROM broken')
  await work('failing prepared', async () => { await wrong.execute([]).catch(() => {}) })
  await statement.close()
  own.release()
  await work('events', () => new Promise((resolve) => pool.query('SELECT n FROM streamed').on('end', resolve)))
  await promised.end()
  server.close(() => {})
  console.log(JSON.stringify(strangers))
})
`

for (const [type, load] of [['module', `import mysql from 'mysql2'\nimport { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'`], ['commonjs', `const mysql = require('mysql2')\nconst { context, ROOT_CONTEXT, trace } = require('@opentelemetry/api')`]] as const) {
  test(`mysql2, ${type}: statements that wait for one connection stay with their work, those of the background with none`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const { code, stdout, stderr } = await runProgram(t, type, `${load}\n${MYSQL_SERVER}\n${PROGRAM}`, receiver.url)
    // The package's server counts the packets of the greeting, and of what it does not answer, into those of the next statement, and says so.
    assert.deepEqual([code, stdout, stderr.replace(/^Warning: got packets out of order.*\n/gm, '')], [0, '[]\n', ''])

    const { spans } = receiver
    const below = (name: string): readonly (readonly [string, unknown, unknown])[] => {
      const parent = spans.find((span) => span.name === name)
      return spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId).map((span) => [span.name, span.attributes['db.response.returned_rows'], span.attributes['error.type']] as const)
    }
    for (let i = 0; i < 12; i += 1) assert.deepEqual(below(`work ${i}`).toSorted(([a], [b]) => a.localeCompare(b)), [['INSERT t', undefined, undefined], ['SELECT t', 2n, undefined]])
    assert.deepEqual(below('failing'), [['SELECT broken', undefined, '1146']])
    for (const n of [1, 2, 3]) assert.deepEqual(below(`prepared ${n}`), [['SELECT prepared', 2n, undefined]])
    assert.deepEqual(below('callback').toSorted(([a], [b]) => a.localeCompare(b)), [['in the callback', undefined, undefined], ['SELECT called', 2n, undefined]])
    assert.deepEqual(below('failing prepared'), [['SELECT broken', undefined, '1146']])
    for (const { attributes, status } of spans.filter(({ name }) => name === 'SELECT broken')) assert.deepEqual([attributes['db.response.status_code'], status], ['1146', { code: 'error', message: 'no such table' }])
    assert.deepEqual(below('events'), [['SELECT streamed', 2n, undefined]])
    const background = spans.filter((span) => span.name === 'SELECT background')
    assert.equal(background.length, 12)
    assert.ok(background.every(({ parentSpanId }) => parentSpanId === ''))
    const [select] = spans.filter((span) => span.name === 'SELECT t')
    assert.deepEqual(['db.system.name', 'db.namespace', 'db.operation.name', 'db.query.text', 'server.address'].map((key) => select?.attributes[key]), ['mysql', 'shop', 'SELECT', 'SELECT n FROM t WHERE owner = ? AND name = ?', '127.0.0.1'])
    assert.ok(spans.some(({ attributes }) => typeof attributes['andon.db.pool_wait'] === 'number'))
    assert.ok(!receiver.requests.some(({ body }) => body.includes('canary')))
  })
}
