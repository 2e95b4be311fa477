// node:sqlite where Node has it; better-sqlite3 by its own JavaScript shape, because its addon cannot be installed without a download.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import Module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { get } from './wrap.ts'

const WORK = `
const run = () => {
  db.exec('CREATE TABLE cards (id INTEGER PRIMARY KEY, title TEXT)')
  const insert = db.prepare('INSERT INTO cards VALUES (?, ?)')
  for (let i = 0; i < 3; i += 1) insert.run(i, 'canary')
  const select = db.prepare("SELECT * FROM cards WHERE title = 'canary'")
  if (select.all().length !== 3 || select.get().id !== 0 || [...select.iterate()].length !== 3) throw new Error('wrong rows')
  try { insert.run(0, 'again') } catch {}
  try { select.iterate({ unknown: 1 }) } catch {}
}
trace.getTracer('t').startActiveSpan('work', (span) => { run(); span.end() })
console.log('done')
`
const EXPECTED = ['["CREATE cards",-1,"unset"]', ...['error', 'unset', 'unset', 'unset'].map((code) => `["INSERT cards",-1,"${code}"]`), '["SELECT cards",-1,"error"]', ...[1, 3, 3].map((rows) => `["SELECT cards",${rows},"unset"]`)]

/** What differs between the libraries: how one names that a key is there already, and what it tells of its file. */
interface Library {
  readonly unique: string
  readonly namespace: string | undefined
  readonly disabled?: string
}

async function check(t: TestContext, type: 'module' | 'commonjs', text: string, { unique, namespace, disabled = '' }: Library): Promise<void> {
  const receiver = await startReceiver(t)
  const { code, stdout, stderr } = await runProgram(t, type, text, receiver.url, { NODE_NO_WARNINGS: '1', OTEL_NODE_DISABLED_INSTRUMENTATIONS: disabled })
  assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])
  const { spans } = receiver
  const work = spans.find(({ name }) => name === 'work')
  const below = spans.filter(({ parentSpanId }) => parentSpanId === work?.spanId)
  assert.deepEqual(below.map(({ name, attributes, status }) => JSON.stringify([name, Number(attributes['db.response.returned_rows'] ?? -1), status.code])).toSorted(), EXPECTED)
  const [select] = below.filter(({ name }) => name === 'SELECT cards')
  assert.deepEqual(['db.system.name', 'db.namespace', 'db.query.text'].map((key) => select?.attributes[key]), ['sqlite', namespace, 'SELECT * FROM cards WHERE title = ?'])
  const failed = below.filter(({ status }) => status.code === 'error').map(({ attributes }) => [attributes['db.response.status_code'], attributes['error.type']])
  // What the iteration could not bind, the engine was never asked.
  assert.deepEqual(failed, [[unique, unique], [undefined, 'ERR_INVALID_STATE']])
  assert.ok(!receiver.requests.some(({ body }) => body.includes('canary')))
}

const hasSqlite = Module.isBuiltin('node:sqlite')
/** What Node tells of the database's file. */
const MEMORY = hasSqlite && 'location' in Object(get(get(process.getBuiltinModule('node:sqlite'), 'DatabaseSync'), 'prototype')) ? ':memory:' : undefined

for (const [type, load] of [['module', `import { DatabaseSync } from 'node:sqlite'\nimport { trace } from '@opentelemetry/api'`], ['commonjs', `const { DatabaseSync } = require('node:sqlite')\nconst { trace } = require('@opentelemetry/api')`]] as const) {
  test(`node:sqlite, ${type}: each statement is a span of the work that waits for it`, { timeout: 60_000, skip: !hasSqlite && 'this Node has no node:sqlite' }, (t) => check(t, type, `${load}\nconst db = new DatabaseSync(':memory:')\n${WORK}`, { unique: '1555', namespace: MEMORY }))
}

/** The parts of better-sqlite3 that are patched, as its version 12 has them, on the same engine. */
const SHAPE = `
const { DatabaseSync } = require('node:sqlite')
class Statement {
  constructor(database, inner, source) { this.database = database; this.source = source; this.inner = inner }
  run(...args) { try { return this.inner.run(...args) } catch (error) { throw Object.assign(new Error(error.message), { name: 'SqliteError', code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }) } }
  get(...args) { return this.inner.get(...args) }
  all(...args) { return this.inner.all(...args) }
  iterate(...args) { return this.inner.all(...args)[Symbol.iterator]() }
}
function Database(name) { this.name = name; Object.defineProperty(this, 'cppdb', { value: new DatabaseSync(name) }) }
Database.prototype.prepare = function prepare(source) { return new Statement(this, this.cppdb.prepare(source), source) }
Database.prototype.exec = function exec(source) { this.cppdb.exec(source); return this }
module.exports = Database
`

test('better-sqlite3: each statement is a span of the work that waits for it, recorded once', { timeout: 60_000, skip: !hasSqlite && 'this Node has no node:sqlite to stand behind it' }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'andon-sqlite-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'node_modules', 'better-sqlite3')
  mkdirSync(join(folder, 'lib'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'better-sqlite3', version: '12.11.1', main: 'lib/index.js' }))
  writeFileSync(join(folder, 'lib', 'index.js'), `module.exports = require('./database')`)
  writeFileSync(join(folder, 'lib', 'database.js'), SHAPE)
  await check(t, 'commonjs', `const Database = require(${JSON.stringify(folder)})\nconst { trace } = require('@opentelemetry/api')\nconst db = new Database(':memory:')\n${WORK}`, { unique: 'SQLITE_CONSTRAINT_PRIMARYKEY', namespace: ':memory:', disabled: 'sqlite' })
})
