// Statements of mysql2, with callbacks, events and promises, each under the request that asked for it.
import { type Context, diag } from '@opentelemetry/api'
import { activeContext, isSuppressed, runIn } from '../context.ts'
import { databaseOf, endFailed } from './databases.ts'
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

function run(original: Method, connection: object, args: unknown[], active: Context): unknown {
  const [first] = args
  const sql = typeof first === 'string' ? first : getText(first, 'sql')
  const call = sql === undefined ? undefined : begin(connection, sql, active)
  if (call === undefined) return Reflect.apply(original, connection, args)
  const at = args.findLastIndex(isMethod)
  const callback = args[at]
  const onResult = get(first, 'onResult')
  const isCalledBack = isMethod(callback) || isMethod(onResult)
  if (isMethod(callback)) args[at] = taken(callback, call, active)
  else if (isMethod(onResult) && typeof first === 'object' && first !== null) Reflect.set(first, 'onResult', taken(onResult, call, active))
  try {
    const command = Reflect.apply(original, connection, args)
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
        const active = activeContext()
        return typeof this !== 'object' || this === null || isSuppressed(active) ? Reflect.apply(original, this, args) : run(original, this, args, active)
      },
    )
  }
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
