// Statements of mysql2, with callbacks, events and promises, each under the request that asked for it.
import { type Context, diag } from '@opentelemetry/api'
import { activeContext, isSuppressed, runIn } from '../context.ts'
import { databaseOf } from './databases.ts'
import { failure } from './failures.ts'
import { onModule } from './load.ts'
import type { Call, DatabaseAddress } from './statements.ts'
import { get, getText, isMethod, type Method, wrap } from './wrap.ts'

/** Rows of an answer; of several statements in one text all of them; undefined for an answer without rows. */
function rowsOf(result: unknown): number | undefined {
  if (!Array.isArray(result)) return undefined
  return Array.isArray(result[0]) ? result.reduce((sum: number, each: unknown) => sum + (Array.isArray(each) ? each.length : 0), 0) : result.length
}

function placeOf(connection: object): DatabaseAddress {
  const config = get(connection, 'config')
  const socket = getText(config, 'socketPath')
  return { system: 'mysql', namespace: getText(config, 'database') ?? '', address: socket ?? getText(config, 'host') ?? 'localhost', port: socket === undefined ? Number(get(config, 'port')) || 3306 : 0 }
}

/** How long a statement waited for the connection that it is about to use, in milliseconds. */
const WAITED = Symbol('andon.waited')

function begin(connection: object, sql: string, active: Context): Call | undefined {
  const call = databaseOf(connection, () => placeOf(connection))?.begin(sql, active)
  const waited: unknown = Reflect.get(connection, WAITED)
  if (call === undefined || typeof waited !== 'number') return call
  Reflect.deleteProperty(connection, WAITED)
  // Less is no wait: a free connection is given in the next turn.
  if (waited >= 1) call.span.append('andon.db.pool_wait', waited / 1000)
  return call
}

/** By the server's number, where it is the server's error: others have a number of the operating system. */
function endFailed(call: Call, error: unknown): void {
  const number = getText(error, 'sqlMessage') === undefined ? undefined : get(error, 'errno')
  call.end(failure(error, typeof number === 'number' ? String(number) : undefined))
}

/** A callback that ends the call and runs in the caller's context: answers come by a connection that others share. */
function taken(callback: Method, call: Call, active: Context): Method {
  return (...answer) => {
    const [error, result] = answer
    if (error === undefined || error === null) call.end({ rows: rowsOf(result) })
    else endFailed(call, error)
    return runIn(active, () => Reflect.apply(callback, undefined, answer))
  }
}

/** Sees the events of a command without being a listener: one for 'error' would hide that nobody else listens. */
function followEvents(command: object, call: Call, active: Context): void {
  const emit = get(command, 'emit')
  if (!isMethod(emit)) return
  let rows = 0
  let hasRows = false
  Reflect.set(command, 'emit', (...args: unknown[]) => {
    const [event, value] = args
    if (event === 'fields') hasRows = value !== undefined
    else if (event === 'result') rows += 1
    else if (event === 'error') endFailed(call, value)
    else if (event === 'end') call.end({ rows: hasRows ? rows : undefined })
    return runIn(active, () => Reflect.apply(emit, command, args))
  })
}

/** What a connection is asked to run. */
interface Asked {
  readonly connection: object
  readonly sql: string | undefined
}

/** @param owner - has the method: the connection itself, or a prepared statement of it */
function run(original: Method, owner: object, { connection, sql }: Asked, args: unknown[]): unknown {
  const [first] = args
  const active = activeContext()
  const call = sql === undefined || isSuppressed(active) ? undefined : begin(connection, sql, active)
  if (call === undefined) return Reflect.apply(original, owner, args)
  const at = args.findLastIndex(isMethod)
  const callback = args[at]
  const onResult = get(first, 'onResult')
  const isCalledBack = isMethod(callback) || isMethod(onResult)
  if (isMethod(callback)) args[at] = taken(callback, call, active)
  else if (isMethod(onResult) && typeof first === 'object' && first !== null) Reflect.set(first, 'onResult', taken(onResult, call, active))
  try {
    const command = Reflect.apply(original, owner, args)
    if (!isCalledBack && typeof command === 'object' && command !== null) followEvents(command, call, active)
    return command
  } catch (error) {
    endFailed(call, error)
    throw error
  }
}

function patchConnection(Connection: unknown): void {
  const prototype = get(Connection, 'prototype')
  for (const name of ['query', 'execute']) {
    // In newer versions the class of this file inherits them from one in another.
    if (typeof prototype !== 'object' || prototype === null || !Object.hasOwn(prototype, name)) continue
    wrap(prototype, name, (original) =>
      function patched(this: unknown, ...args) {
        const [first] = args
        return typeof this !== 'object' || this === null ? Reflect.apply(original, this, args) : run(original, this, { connection: this, sql: typeof first === 'string' ? first : getText(first, 'sql') }, args)
      },
    )
  }
  if (typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'prepare')) patchPrepare(prototype)
}

/** The class of prepared statements is not exported: the first statement shows it. */
function patchPrepare(prototype: object): void {
  wrap(prototype, 'prepare', (prepare) =>
    function patchedPrepare(this: unknown, ...args) {
      const [options, callback] = args
      if (!isMethod(callback)) return Reflect.apply(prepare, this, args)
      const active = activeContext()
      const bound: Method = (...answer) => {
        try {
          patchStatement(answer[1])
        } catch (error) {
          diag.error('andon: a prepared statement of mysql2 will not be recorded', error)
        }
        return runIn(active, () => Reflect.apply(callback, undefined, answer))
      }
      return Reflect.apply(prepare, this, [options, bound])
    },
  )
}

/** @param statement - undefined where the server refused it */
function patchStatement(statement: unknown): void {
  if (typeof statement !== 'object' || statement === null) return
  wrap(Reflect.getPrototypeOf(statement), 'execute', (execute) =>
    function patchedExecute(this: unknown, ...args) {
      const connection = get(this, '_connection')
      return typeof this !== 'object' || this === null || typeof connection !== 'object' || connection === null ? Reflect.apply(execute, this, args) : run(execute, this, { connection, sql: getText(this, 'query') }, args)
    },
  )
}

/** A pool calls whoever waits for a connection in the context of who gives one back. */
function patchPool(Pool: unknown): void {
  const prototype = get(Pool, 'prototype')
  if (typeof prototype !== 'object' || prototype === null || !Object.hasOwn(prototype, 'getConnection')) return
  wrap(prototype, 'getConnection', (original) =>
    function getConnection(this: unknown, ...args) {
      const [callback] = args
      if (!isMethod(callback)) return Reflect.apply(original, this, args)
      const active = activeContext()
      const asked = performance.now()
      const bound: Method = (...answer) => {
        try {
          const [, connection] = answer
          if (typeof connection === 'object' && connection !== null) Reflect.set(connection, WAITED, performance.now() - asked)
        } catch (error) {
          diag.error('andon: a wait for a connection of mysql2 could not be recorded', error)
        }
        return runIn(active, () => Reflect.apply(callback, undefined, answer))
      }
      return Reflect.apply(original, this, [bound])
    },
  )
}

/** Patches every copy that is loaded from now on. */
export function instrumentMysql2(): void {
  for (const file of ['lib/connection.js', 'lib/base/connection.js']) onModule('mysql2', { versions: '>=2.3 <4', file }, patchConnection)
  for (const file of ['lib/pool.js', 'lib/base/pool.js']) onModule('mysql2', { versions: '>=2.3 <4', file }, patchPool)
}
