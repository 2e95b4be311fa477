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
    await pool.query('SELECT ' + i + ' AS request')
    await pool.query('SELECT ' + i + ' AS request')
    span.end()
  }))
  const background = () => new Promise((resolve, reject) => pool.query('SELECT ' + i + ' AS background', (error) => {
    if (trace.getSpan(context.active()) !== undefined) strangers.push(i)
    if (error) reject(error)
    else resolve(pool.query('SELECT ' + i + ' AS background'))
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
      const [, number, where] = /^SELECT (\d+) AS (\w+)$/.exec(text) ?? []
      assert.equal(attributes['db.system.name'], 'postgresql')
      assert.equal(requests.get(parentSpanId), where === 'request' ? `request ${number}` : undefined, text)
      if (where === 'background') assert.equal(parentSpanId, '')
    }
    const duration = receiver.metrics.find(({ name }) => name === 'db.client.operation.duration')
    assert.ok(duration?.data.type === 'exponentialHistogram')
    assert.equal(duration.unit, 's')
    assert.equal(duration.data.points.reduce((sum, { count }) => sum + count, 0), 48)
  })
}
