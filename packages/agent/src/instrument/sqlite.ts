// Statements of better-sqlite3 and of Node's own node:sqlite. Both block: a span is the time the whole process waits.
import { basename } from 'node:path'
import { activeContext, isSuppressed } from '../context.ts'
import { databaseOf } from './databases.ts'
import { failure } from './failures.ts'
import { beforeBuiltin, onModule, patchBuiltin } from './load.ts'
import type { Call, DatabaseAddress } from './statements.ts'
import { get, getText, isMethod, type Method, wrap } from './wrap.ts'

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The file's name: its folder is where an installation put it. @param path - undefined where it is not known */
function placeOf(path: unknown): DatabaseAddress {
  const name = typeof path === 'string' && path !== '' ? basename(path) : ':memory:'
  return { system: 'sqlite', namespace: path === undefined ? '' : name, address: '', port: 0 }
}

function begin(database: object, sql: string, path: () => unknown): Call | undefined {
  const active = activeContext()
  return isSuppressed(active) ? undefined : databaseOf(database, () => placeOf(path()))?.begin(sql, active)
}

/** The result code: better-sqlite3 has its name, node:sqlite its number. */
function statusOf(error: unknown): string | undefined {
  const code = getText(error, 'code')
  if (code?.startsWith('SQLITE_') === true) return code
  const number = get(error, 'errcode')
  return typeof number === 'number' ? String(number) : undefined
}

function endFailed(call: Call, error: unknown): void {
  call.end(failure(error, statusOf(error)))
}

function timed(call: Call, run: () => unknown, rowsOf: (result: unknown) => number | undefined): unknown {
  try {
    const result = run()
    call.end({ rows: rowsOf(result) })
    return result
  } catch (error) {
    endFailed(call, error)
    throw error
  }
}

const ROWS: Readonly<Record<string, (result: unknown) => number | undefined>> = {
  run: () => undefined,
  get: (result) => (result === undefined ? 0 : 1),
  all: (result) => (Array.isArray(result) ? result.length : undefined),
}

/** An iterator that ends the call with its last row, or when its reader leaves early. */
function followRows(call: Call, iterator: object): void {
  let rows = 0
  const next = get(iterator, 'next')
  const leave = get(iterator, 'return')
  if (!isMethod(next)) {
    call.end()
    return
  }
  const step: Method = (...args) => {
    try {
      const result = Reflect.apply(next, iterator, args)
      if (get(result, 'done') === true) call.end({ rows })
      else rows += 1
      return result
    } catch (error) {
      endFailed(call, error)
      throw error
    }
  }
  Reflect.defineProperty(iterator, 'next', { value: step, configurable: true, writable: true })
  if (!isMethod(leave)) return
  const left: Method = (...args) => {
    call.end({ rows })
    return Reflect.apply(leave, iterator, args)
  }
  Reflect.defineProperty(iterator, 'return', { value: left, configurable: true, writable: true })
}

/** What is recorded of a statement. */
interface Source {
  readonly database: object
  readonly sql: string
}

/** Patches the class of prepared statements. @param sourceOf - undefined for a statement that is not to be recorded */
function patchStatements(prototype: object, sourceOf: (statement: object) => Source | undefined, pathOf: (database: object) => unknown): void {
  const start = (statement: unknown): Call | undefined => {
    const source = isObject(statement) ? sourceOf(statement) : undefined
    return source === undefined ? undefined : begin(source.database, source.sql, () => pathOf(source.database))
  }
  for (const [name, rowsOf] of Object.entries(ROWS)) {
    wrap(prototype, name, (original) =>
      function patched(this: unknown, ...args) {
        const call = start(this)
        return call === undefined ? Reflect.apply(original, this, args) : timed(call, () => Reflect.apply(original, this, args), rowsOf)
      },
    )
  }
  if (!isMethod(get(prototype, 'iterate'))) return
  wrap(prototype, 'iterate', (original) =>
    function iterate(this: unknown, ...args) {
      const call = start(this)
      if (call === undefined) return Reflect.apply(original, this, args)
      try {
        const iterator = Reflect.apply(original, this, args)
        if (isObject(iterator)) followRows(call, iterator)
        else call.end()
        return iterator
      } catch (error) {
        // Such as a value that cannot be bound.
        endFailed(call, error)
        throw error
      }
    },
  )
}

function patchExec(prototype: unknown, pathOf: (database: object) => unknown): void {
  wrap(prototype, 'exec', (original) =>
    function exec(this: unknown, ...args) {
      const [sql] = args
      const database = isObject(this) ? this : undefined
      const call = database !== undefined && typeof sql === 'string' ? begin(database, sql, () => pathOf(database)) : undefined
      return call === undefined ? Reflect.apply(original, this, args) : timed(call, () => Reflect.apply(original, this, args), () => undefined)
    },
  )
}

const patchedPrototypes = new WeakSet<object>()

function nameOf(database: object): unknown {
  return get(database, 'name')
}

function sourceOfBetter(statement: object): Source | undefined {
  const database = get(statement, 'database')
  const sql = getText(statement, 'source')
  return isObject(database) && sql !== undefined ? { database, sql } : undefined
}

/** The class of statements is inside the addon: its first statement shows it. */
function patchBetterSqlite(Database: unknown): void {
  const prototype = get(Database, 'prototype')
  patchExec(prototype, nameOf)
  wrap(prototype, 'prepare', (prepare) =>
    function patchedPrepare(this: unknown, ...args) {
      const statement = Reflect.apply(prepare, this, args)
      const statements: unknown = isObject(statement) ? Reflect.getPrototypeOf(statement) : undefined
      if (isObject(statements) && !patchedPrototypes.has(statements)) {
        patchedPrototypes.add(statements)
        patchStatements(statements, sourceOfBetter, nameOf)
      }
      return statement
    },
  )
}

/** Statements of node:sqlite do not know their database. */
const databases = new WeakMap<object, object>()

/** Node tells it since 22.16; null in memory. */
function locationOf(database: object): unknown {
  const location = get(database, 'location')
  return isMethod(location) ? Reflect.apply(location, database, []) : undefined
}

function sourceOfNode(statement: object): Source | undefined {
  const database = databases.get(statement)
  const sql = getText(statement, 'sourceSQL')
  return database === undefined || sql === undefined ? undefined : { database, sql }
}

function patchNodeSqlite(exports: unknown): void {
  const prototype = get(get(exports, 'DatabaseSync'), 'prototype')
  const statements = get(get(exports, 'StatementSync'), 'prototype')
  if (!isObject(statements)) throw new Error('it has no class of statements')
  patchExec(prototype, locationOf)
  wrap(prototype, 'prepare', (prepare) =>
    function patchedPrepare(this: unknown, ...args) {
      const statement = Reflect.apply(prepare, this, args)
      if (isObject(statement) && isObject(this)) databases.set(statement, this)
      return statement
    },
  )
  patchStatements(statements, sourceOfNode, locationOf)
}

/** Patches every copy that is loaded from now on; node:sqlite when the application loads it, where Node tells of that. */
export function instrumentSqlite(): void {
  onModule('better-sqlite3', { versions: '>=7 <14', file: 'lib/database.js' }, patchBetterSqlite)
  beforeBuiltin('node:sqlite', () => patchBuiltin('node:sqlite', 'andon', patchNodeSqlite))
}
