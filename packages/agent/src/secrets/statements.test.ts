// What instrumentation of others tells of statements, from their calls to the bytes that are sent.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NO_CONTEXT } from '../context.ts'
import { Database } from '../instrument/statements.ts'
import { AgentMeterProvider } from '../metrics/meter.ts'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { recordSpans } from '../span-recorder.test.ts'
import { redactStatement } from './statements.ts'

test('documents keep their keys, commands only their name', () => {
  const cases: readonly (readonly [system: string, statement: string, text: string])[] = [
    ['mongodb', '{"aggregate":"cards","pipeline":[{"$match":{"a":"canary","b":{"$in":[1,2]}}},{"$limit":5}]}', '{"aggregate":"?","pipeline":[{"$match":{"a":"?","b":{"$in":["?","?"]}}},{"$limit":"?"}]}'],
    ['mongodb', '{"find":"cards","filter":{"name":"canary of which the end was cu', '{?:?,?:{?:?'],
    ['elasticsearch', '{"query":{"match":{"name":"canary"}}}', '{"query":{"match":{"name":"?"}}}'],
    ['', '{"query":{"match":{"name":"canary"}}}\n{"size":5}', '{?:{?:{?:?}}}\n{?:?}'],
    ['redis', 'set user:canary canary', 'SET ?'],
    ['memcached', 'get canary', 'GET ?'],
    ['mssql', "SELECT [a] FROM t WHERE b = 'canary'", 'SELECT [a] FROM t WHERE b = ?'],
  ]
  for (const [system, statement, text] of cases) {
    assert.equal(redactStatement(statement, system), text)
    // It is remembered.
    assert.equal(redactStatement(statement, system), text)
  }
  assert.ok(redactStatement(`SELECT '${'x'.repeat(100_000)}'`, 'mysql').length < 20)
  assert.equal(redactStatement(`${'['.repeat(5000)}1${']'.repeat(5000)}`, '').includes('1'), false)
})

test('a span takes out the values of its statement by the rules of its database, whichever is told first and by whichever name', () => {
  const { provider, spans } = recordSpans()
  const tracer = provider.getTracer('t')
  tracer.startSpan('SELECT', { attributes: { 'db.query.text': `SELECT "canary", 'it\\'s canary'`, 'db.system.name': 'mysql' } }).end()
  const late = tracer.startSpan('query')
  late.setAttribute('db.system', 'postgresql').setAttribute('db.statement', `SELECT "a b" FROM t WHERE c = 'first'`)
  late.setAttribute('db.statement', `SELECT "a b" FROM t WHERE c = 'canary'`)
  late.end()
  tracer.startSpan('unknown', { attributes: { 'db.query.text': `SELECT "canary", 5` } }).end()
  const other = tracer.startSpan('event')
  other.addEvent('slow', { 'db.query.text': `SELECT 'canary'` }).addLink({ context: late.spanContext(), attributes: { 'db.statement': `SELECT 'canary'` } })
  other.end()
  // As instrumentation does that takes all up to the first blank.
  tracer.startSpan(`SELECT\n'canary'`, { attributes: { 'db.query.text': `SELECT\n'canary' FROM t`, 'db.system.name': 'mysql' } }).end()
  tracer.startSpan('memcached get', { attributes: { 'db.system.name': 'memcached', 'db.memcached.key': 'canary' } }).end()
  const texts = spans.map(({ name, attributes, events, links }) => [name, attributes['db.query.text'] ?? attributes['db.statement'] ?? events[0]?.attributes['db.query.text'], links[0]?.attributes['db.statement']])
  assert.deepEqual(texts, [
    ['SELECT', 'SELECT ?, ?', undefined],
    ['query', 'SELECT "a b" FROM t WHERE c = ?', undefined],
    ['unknown', 'SELECT ?, ?', undefined],
    ['event', 'SELECT ?', 'SELECT ?'],
    ['SELECT\n?', 'SELECT\n? FROM t', undefined],
    ['memcached get', undefined, undefined],
  ])
  assert.ok(!JSON.stringify(spans, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).includes('canary'))
})

test('statements that our own instrumentation records have no value either, in their texts, names and durations', () => {
  const { provider, spans } = recordSpans()
  const meters = new AgentMeterProvider()
  const duration = meters.getMeter('t').createHistogram('d')
  const cases: readonly (readonly [system: string, sql: string, text: string])[] = [
    ['postgresql', `SELECT E'a\\\n\\'canary', 0b101, 1_000 FROM cards -- 'canary'`, 'SELECT ?, ?, ? FROM cards -- ?'],
    ['mysql', `SELECT 5--'canary' FROM cards WHERE a = "it's canary"`, 'SELECT ?--? FROM cards WHERE a = ?'],
    ['sqlite', `SELECT [it's], 'canary' FROM cards`, `SELECT [it's], ? FROM cards`],
  ]
  for (const [system, sql] of cases) new Database(provider.getTracer('t'), duration, { system, namespace: 'n', address: '', port: 0 }).begin(sql, NO_CONTEXT).end()
  assert.deepEqual(spans.map(({ name, attributes }) => [name, attributes['db.query.text']]), cases.map(([system, , text]) => [system === 'postgresql' ? 'SELECT cards' : 'SELECT', text]))
  const told = [spans, meters.collect({ attributes: {}, droppedAttributes: 0, schemaUrl: '' }, { start: 1n, time: 2n })]
  assert.ok(!JSON.stringify(told, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).includes('canary'))
})

/** Of each package what its published instrumentation patches. */
const MYSQL = `
const { EventEmitter } = require('node:events')
exports.createConnection = (config) => Object.assign(new EventEmitter(), { config, query(sql, callback) { setImmediate(callback, null, []) } })
exports.createPool = exports.createPoolCluster = () => new EventEmitter()
`
const TEDIOUS = `
const { EventEmitter } = require('node:events')
class Connection extends EventEmitter {
  constructor() { super(); this.config = { server: 'localhost', options: { port: 1433 } } }
  connect() {}
  execSql(request) { setImmediate(() => request.callback(null)) }
}
for (const name of ['callProcedure', 'execSqlBatch', 'execute', 'prepare', 'execBulkLoad']) Connection.prototype[name] = Connection.prototype.execSql
class Request extends EventEmitter { constructor(text, callback) { super(); this.sqlTextOrProcedure = text; this.callback = callback } }
module.exports = { Connection, Request }
`
const PACKAGES: readonly (readonly [name: string, version: string, source: string])[] = [['mysql', '2.18.1', MYSQL], ['tedious', '18.6.1', TEDIOUS]]

test('the published instrumentations of mysql and tedious, which record what they are given: no value is sent', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const root = mkdtempSync(join(tmpdir(), 'andon-statements-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [name, version, source] of PACKAGES) {
    mkdirSync(join(root, 'node_modules', name), { recursive: true })
    writeFileSync(join(root, 'node_modules', name, 'package.json'), JSON.stringify({ name, version, main: 'index.js' }))
    writeFileSync(join(root, 'node_modules', name, 'index.js'), source)
  }
  const text = `
const require = process.getBuiltinModule('node:module').createRequire(${JSON.stringify(join(root, 'app.js'))})
const mysql = require('mysql')
mysql.createConnection({ host: 'localhost' }).query('SELECT * FROM cards WHERE title = "canary" AND id = 7', () => {
  const { Connection, Request } = require('tedious')
  new Connection().execSql(new Request("SELECT [a] FROM cards WHERE title = N'canary'", () => console.log('done')))
})`
  const { code, stdout, stderr } = await runProgram(t, 'module', text, receiver.url)
  assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])
  const texts = receiver.spans.map(({ attributes }) => [attributes['db.system.name'], attributes['db.query.text']])
  assert.deepEqual(texts, [['mysql', 'SELECT * FROM cards WHERE title = ? AND id = ?'], ['microsoft.sql_server', 'SELECT [a] FROM cards WHERE title = ?']])
  assert.ok(!receiver.requests.some(({ body }) => body.includes('canary')))
})
