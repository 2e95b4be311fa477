// Clients of pg.native, on a stand-in for the package pg-native, whose addon wants PostgreSQL's library to be built.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { copyAs } from './library-copy.test.ts'

/** Of pg-native what pg calls. It answers by what was there before any statement, as a socket does. */
const STAND_IN = `
const { AsyncResource } = require('node:async_hooks')
const { EventEmitter } = require('node:events')
module.exports = class Native extends EventEmitter {
  constructor() {
    super()
    this.pq = { resultErrorFields: () => this.fields }
    const opened = new AsyncResource('CONNECTION')
    this.answer = (callback, ...answer) => setImmediate(() => opened.runInAsyncScope(callback, undefined, ...answer))
  }
  connect(_to, callback) { this.answer(callback, null) }
  query(text, values, callback = values) {
    this.fields = { severity: 'ERROR', sqlState: '42P01', messagePrimary: 'relation "nothing" does not exist' }
    if (text.includes('nothing')) this.answer(callback, new Error('it failed'))
    else this.answer(callback, null, [{ a: 1 }, { a: 2 }], { rows: [{ a: 1 }, { a: 2 }], rowCount: 2 })
  }
  end(callback) { this.answer(callback) }
}
`
const PROGRAM = `
const { trace } = require('@opentelemetry/api')
const { native } = require('node:module').createRequire(process.env.FILE)('pg')
const tracer = trace.getTracer('t')
const step = (name, run) => tracer.startActiveSpan(name, async (span) => { await run(); span.end() })
const inside = (name) => tracer.startSpan(name).end()
const run = async () => {
  const client = new native.Client('postgres://me@localhost:5433/shop')
  await step('connect', () => client.connect())
  await step('promise', async () => { const { rows } = await client.query('SELECT a FROM cards WHERE id = $1', [1]); if (rows.length !== 2) throw new Error('wrong rows') })
  await step('callback', () => new Promise((resolve) => client.query("SELECT a FROM cards WHERE b = 'canary'", () => { inside('in the callback'); resolve() })))
  await step('fails', () => client.query('SELECT a FROM nothing').catch((error) => { if (error.code !== '42P01') throw error }))
  await step('own', () => new Promise((resolve) => client.query(new native.Query('SELECT a FROM own'), () => { inside('in its callback'); resolve() })))
  await step('events', () => new Promise((resolve) => client.query(new native.Query('SELECT a FROM events')).on('end', () => { inside('at its end'); resolve() })))
  await step('own fails', () => new Promise((resolve) => client.query(new native.Query('SELECT a FROM nothing')).on('error', resolve)))
  const pool = new native.Pool({ connectionString: 'postgres://me@localhost:5433/shop', max: 1 })
  await Promise.all(['one', 'two'].map((name) => step(name, () => pool.query('SELECT a FROM ' + name))))
  await pool.end()
  await client.end()
  console.log('done')
}
run()
`
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  connect: ['CONNECT unset'],
  promise: ['SELECT cards unset 2'],
  callback: ['SELECT cards unset 2', 'in the callback unset'],
  fails: ['SELECT nothing error  42P01'],
  own: ['SELECT own unset 2', 'in its callback unset'],
  events: ['SELECT events unset 2', 'at its end unset'],
  'own fails': ['SELECT nothing error  42P01'],
  one: ['CONNECT unset', 'SELECT one unset 2'],
  two: ['SELECT two unset 2'],
}

const told = (value: unknown): string => (typeof value === 'bigint' || typeof value === 'string' ? String(value) : '')

test('pg.native: each statement is a span of who asked, with its rows or what the server answered; callbacks run in its context', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const file = copyAs(t, 'pg', 'pg')
  const folder = join(dirname(file), 'node_modules', 'pg-native')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'pg-native', version: '3.5.2', main: 'index.js' }))
  writeFileSync(join(folder, 'index.js'), STAND_IN)
  const { code, stdout, stderr } = await runProgram(t, 'commonjs', PROGRAM, receiver.url, { FILE: file })
  assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])
  const { spans } = receiver
  const found = Object.keys(EXPECTED).map((name) => {
    const step = spans.find((span) => span.name === name)
    const below = spans.filter(({ parentSpanId }) => parentSpanId === step?.spanId)
    return [name, below.map((span) => [span.name, span.status.code, told(span.attributes['db.response.returned_rows']), told(span.attributes['db.response.status_code'])].join(' ').trim()).toSorted()]
  })
  assert.deepEqual(Object.fromEntries(found), EXPECTED)
  const [first] = spans.filter(({ name }) => name === 'SELECT cards')
  assert.deepEqual(['db.system.name', 'db.namespace', 'server.address', 'server.port'].map((key) => first?.attributes[key]), ['postgresql', 'shop', 'localhost', 5433n])
  assert.ok(!receiver.requests.some(({ body }) => body.includes('canary')))
})
