// Queries of pg under the agent on a real PostgreSQL: every one under the request it belongs to, those of the background
// under none, also when all wait for one connection of a pool.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { noPostgres, startPostgres } from '../postgres.test.ts'

/**
 * Twelve requests and twelve background queries contend for one connection, with promises and with callbacks. Each
 * statement says where it belongs; each callback says in which trace it runs.
 */
const PROGRAM = `
import { context, trace, ROOT_CONTEXT } from '@opentelemetry/api'
const pool = new pg.Pool({ connectionString: process.env.PGURL, max: 1 })
const tracer = trace.getTracer('test')
const work = []
const strangers = []
for (let i = 0; i < 12; i += 1) {
  work.push(tracer.startActiveSpan('request ' + i, async (span) => {
    await pool.query('SELECT 1 AS request_' + i)
    await pool.query('SELECT 1 AS request_' + i)
    span.end()
  }))
  const background = () => new Promise((resolve, reject) => pool.query('SELECT 1 AS background_' + i, (error) => {
    if (trace.getSpan(context.active()) !== undefined) strangers.push(i)
    if (error) reject(error)
    else resolve(pool.query('SELECT 1 AS background_' + i))
  }))
  work.push(context.with(ROOT_CONTEXT, background))
}
await Promise.all(work)
await pool.end()
console.log(JSON.stringify(strangers))
`

for (const [kind, load] of [['import', `import pg from 'pg'`], ['require', `import { createRequire } from 'node:module'\nconst pg = createRequire(process.cwd() + '/x.js')('pg')`]] as const) {
  test(`pg by ${kind}: queries that wait for a connection stay with their request, those of the background with none`, { timeout: 120_000, skip: noPostgres }, async (t) => {
    const receiver = await startReceiver(t)
    const url = await startPostgres(t)
    const { code, stdout, stderr } = await runProgram(t, 'module', `${load}\n${PROGRAM}`, receiver.url, { PGURL: url })
    assert.deepEqual([code, stdout], [0, '[]\n'], stderr)

    const { spans } = receiver
    const queries = spans.flatMap(({ attributes, parentSpanId }) => {
      const text = attributes['db.query.text']
      return typeof text === 'string' ? [{ attributes, parentSpanId, text }] : []
    })
    assert.equal(queries.length, 48)
    const requests = new Map(spans.filter(({ name }) => name.startsWith('request ')).map(({ name, spanId }) => [spanId, name]))
    for (const { attributes, parentSpanId, text } of queries) {
      const [, where, number] = /^SELECT \? AS ([a-z]+)_(\d+)$/.exec(text) ?? []
      assert.equal(attributes['db.system.name'], 'postgresql')
      assert.equal(requests.get(parentSpanId), where === 'request' ? `request ${number}` : undefined, text)
      if (where === 'background') assert.equal(parentSpanId, '')
    }
    const duration = receiver.metrics.find(({ name }) => name === 'db.client.operation.duration')
    assert.ok(duration?.data.type === 'exponentialHistogram')
    assert.equal(duration.unit, 's')
    const statements = duration.data.points.filter(({ attributes }) => attributes['db.operation.name'] === 'SELECT')
    assert.equal(statements.reduce((sum, { count }) => sum + count, 0), 48)
  })
}

const HABITS = `
import pg from 'pg'
const client = new pg.Client(process.env.PGURL)
await client.connect()
const statement = { name: 'one', text: 'SELECT $1::int AS a', values: [1] }
const seen = []
for (let i = 0; i < 3; i += 1) seen.push((await client.query(statement)).rows[0].a)
seen.push(Object.keys(statement).join())
await new Promise((resolve) => client.query(statement, (error, result) => { seen.push(result.rows[0].a); resolve() }))
seen.push(client.query('SELECT 1', () => undefined) === undefined)
async function asksWrongly() { await client.query('SELECT nothing') }
try { await asksWrongly() } catch (error) { seen.push(error.code, error.stack.includes('asksWrongly')) }
try { await client.query({ text: 'SELECT pg_sleep(5)', query_timeout: 50 }) } catch (error) { seen.push(error.message) }
try { client.query(null) } catch (error) { seen.push(error.name) }
const again = new pg.Client(process.env.PGURL)
await again.connect()
seen.push((await again.query('SELECT 1; SELECT 2 AS b')).length)
seen.push((await again.query({ text: 'SELECT 3', rowMode: 'array' })).rows[0][0])
await again.end()
await client.end().catch(() => undefined)
console.log(JSON.stringify(seen))
process.exit(0)
`

test('pg does what it does without the agent: objects of the caller stay as they are, errors lead to the caller, timeouts hold', { timeout: 60_000, skip: noPostgres }, async (t) => {
  const url = await startPostgres(t)
  const receiver = await startReceiver(t)
  const { stdout, stderr } = await runProgram(t, 'module', HABITS, receiver.url, { PGURL: url })
  const { stdout: bare } = await runProgram(t, 'module', HABITS, receiver.url, { PGURL: url, OTEL_SDK_DISABLED: 'true' })
  assert.deepEqual(JSON.parse(stdout), [1, 1, 1, 'name,text,values', 1, true, '42703', true, 'Query read timeout', 'TypeError', 2, 3], stderr)
  // The callback that pg writes into the caller's object is the one thing that differs.
  assert.equal(stdout, bare.replace('"name,text,values,callback"', '"name,text,values"'))
})

const QUEUED = `
import pg from 'pg'
const client = new pg.Client(process.env.PGURL)
await client.connect()
await Promise.all([client.query('SELECT pg_sleep(0.2) AS first'), client.query('SELECT pg_sleep(0.2) AS second')])
await client.query('SELECT pg_sleep(0.2) AS third')
await client.end()
`

test('the time in the server has no wait of the client in it', { timeout: 120_000, skip: noPostgres }, async (t) => {
  const receiver = await startReceiver(t)
  const { code, stderr } = await runProgram(t, 'module', QUEUED, receiver.url, { PGURL: await startPostgres(t) })
  assert.equal(code, 0, stderr)
  const all = receiver.spans.filter(({ name }) => name.startsWith('SELECT')).toSorted((a, b) => Number(a.end - b.end))
  assert.equal(all.length, 3)
  const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = all.map(({ attributes }) => Number(attributes['andon.db.server_time']))
  for (const time of [first, second, third]) assert.ok(time >= 0.19, `${time}`)
  const [, queued] = all
  assert.ok(queued !== undefined)
  // The second waited for the first: its span is that much longer than its time in the server.
  assert.ok(Number(queued.end - queued.start) / 1e9 - second > 0.15)
})

const FAILING = `
import pg from 'pg'
const client = new pg.Client(process.env.PGURL)
await client.connect()
await client.query('SELECT * FROM nothing').catch(() => undefined)
await client.query({ text: 'SELECT pg_sleep(5)', query_timeout: 20 }).catch(() => undefined)
await new pg.Client({ host: '127.0.0.1', port: 9, user: 'u', database: 'd' }).connect().catch(() => undefined)
process.exit(0)
`

test('what failed says why: by its SQLSTATE where the server said it, on the span and on the duration', { timeout: 60_000, skip: noPostgres }, async (t) => {
  const receiver = await startReceiver(t)
  await runProgram(t, 'module', FAILING, receiver.url, { PGURL: await startPostgres(t) })
  const said = (name: string): unknown => receiver.spans.filter((span) => span.name === name && span.status.code === 'error').map(({ attributes }) => [attributes['error.type'], attributes['db.response.status_code']])
  assert.deepEqual([said('SELECT nothing'), said('SELECT'), said('CONNECT')], [[['42P01', '42P01']], [['Error', undefined]], [['ECONNREFUSED', undefined]]])
  const points = receiver.metrics.flatMap(({ name, data }) => (name === 'db.client.operation.duration' && data.type === 'exponentialHistogram' ? data.points : []))
  const failed = points.filter(({ attributes }) => attributes['error.type'] !== undefined).map(({ attributes }) => ['db.operation.name', 'db.collection.name', 'error.type', 'db.response.status_code'].map((key) => attributes[key]))
  assert.deepEqual(new Set(failed.map((each) => JSON.stringify(each))), new Set(['["CONNECT",null,"ECONNREFUSED",null]', '["SELECT",null,"Error",null]', '["SELECT","nothing","42P01","42P01"]']))
})

for (const [what, text] of [
  ['a connection', `new pg.Client({ host: '127.0.0.1', port: 9, user: 'u', database: 'd' }).connect()`],
  ['a connection of a pool', `new pg.Pool({ host: '127.0.0.1', port: 9, user: 'u', database: 'd' }).connect()`],
  ['a statement', `new pg.Pool({ host: '127.0.0.1', port: 9, user: 'u', database: 'd' }).query('SELECT 1')`],
] as const) {
  test(`${what} that fails and that nobody awaits ends the process, as without the agent`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const program = `import pg from 'pg'\n${text}`
    const [bare, ours] = await Promise.all([runProgram(t, 'module', program, receiver.url, { OTEL_SDK_DISABLED: 'true' }), runProgram(t, 'module', program, receiver.url)])
    assert.match(bare.stderr, /ECONNREFUSED/)
    assert.match(ours.stderr, /ECONNREFUSED/)
    assert.deepEqual([bare.code, ours.code], [1, 1])
  })
}
