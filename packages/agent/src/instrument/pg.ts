// Statements of pg and the wait for a connection of pg-pool, each under the request that asked for it.
import { type Context, diag } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { activeContext, isSuppressed, NO_CONTEXT, runIn } from '../context.ts'
import { failure } from './failures.ts'
import { onModule } from './load.ts'
import { hashParameters } from './parameters.ts'
import { type PgClient, type PgMetrics, poolWait } from './pg-pool.ts'
import type { Call, Database } from './statements.ts'
import { followed, get, getText, isMethod, list, type Method, wrap } from './wrap.ts'

type Callback = (error: unknown, result: unknown) => void

/** When a statement that had to wait was written to the server: what a busy queue would add is apart. */
const SENT = Symbol('andon.sent')

/** Of pg's statement what is used here. Fields are read and written plainly: Reflect costs ten times as much. */
interface PgQuery {
  callback?: unknown
  query_timeout?: unknown
  [SENT]?: Milliseconds
  submit(connection: unknown): unknown
}

type QueryClass = new (config: unknown, values: unknown) => PgQuery

interface PgResult {
  readonly rows?: unknown
}

/** What a statement may be given as beside its text. */
interface PgConfig {
  readonly submit?: unknown
  readonly text?: unknown
  readonly cursor?: unknown
  readonly values?: unknown
  readonly callback?: unknown
  readonly query_timeout?: unknown
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function rowsOfOne(result: unknown): number {
  if (!isObject(result)) return 0
  const { rows }: PgResult = result
  return Array.isArray(rows) ? rows.length : 0
}

/** Rows of an answer; of several statements in one text all of them. */
function rowsOf(result: unknown): number {
  return Array.isArray(result) ? list(result).reduce<number>((sum, each) => sum + rowsOfOne(each), 0) : rowsOfOne(result)
}

/** Ends a call that failed: by its SQLSTATE where it is the server's error, which alone has a severity. */
function fail(call: Call, error: unknown): void {
  const state = getText(error, 'severity') === undefined ? undefined : getText(error, 'code')
  const end = failure(error, state)
  // A message of class 22, data exception, quotes the value.
  call.end(state?.startsWith('22') === true ? { ...end, message: end.message?.replaceAll(/"[^"]*"|'[^']*'/g, '?') } : end)
}

function finish(call: Call, error: unknown, result: unknown, endMs: Milliseconds = performance.now()): void {
  if (error === undefined || error === null) call.succeeded(endMs, result === undefined ? -1 : rowsOf(result))
  else fail(call, error)
}

/** Classes of statements that say when they are written to the server: one for each copy of pg. */
const timedClasses = new WeakMap<object, QueryClass>()

function timedClass(Query: QueryClass): QueryClass {
  const known = timedClasses.get(Query)
  if (known !== undefined) return known
  class Timed extends Query {
    override [SENT] = 0

    override submit(connection: unknown): unknown {
      this[SENT] = performance.now()
      return super.submit(connection)
    }
  }
  timedClasses.set(Query, Timed)
  return Timed
}

/** The classes of one copy of pg. */
interface PgClasses {
  readonly Query: QueryClass
  readonly Timed: QueryClass
}

/** A statement that has to wait says when it is written. */
function newQuery({ Query, Timed }: PgClasses, { readyForQuery }: PgClient, config: unknown, values: unknown): PgQuery {
  return readyForQuery === true ? new Query(config, values) : new Timed(config, values)
}

/** Ends a call whose statement was made here. */
function answered(call: Call, query: PgQuery, error: unknown, result: unknown): void {
  const endMs = performance.now()
  // Without a time of its own it was written at once; with 0 never.
  const sent = query[SENT] ?? call.span.startMs
  if (sent > 0) call.span.append('andon.db.server_time', Math.max(0, endMs - sent) / 1000)
  finish(call, error, result, endMs)
}

export class PgInstrumentation {
  readonly #metrics: PgMetrics

  constructor(metrics: PgMetrics) {
    this.#metrics = metrics
  }

  /** Patches every copy of pg that is loaded from now on. */
  start(): void {
    // The second one is loaded where an application uses libpq, through the package pg-native.
    for (const file of ['lib/client.js', 'lib/native/client.js']) {
      onModule('pg', { versions: '>=8.0.3 <9', file }, (Client) => {
        this.#patchQuery(Client)
        this.#patchConnect(Client)
      })
    }
  }

  #patchQuery(Client: unknown): void {
    const Query = get(Client, 'Query')
    if (!isClass(Query)) throw new Error('its class Query is not where it was')
    const classes = { Query, Timed: timedClass(Query) }
    wrap(get(Client, 'prototype'), 'query', (original) => {
      const run = this.#run.bind(this, original, classes)
      return function query(this: unknown, ...args: unknown[]): unknown {
        const active = activeContext()
        const [config] = args
        if (config === undefined || config === null || !isObject(this) || isSuppressed(active)) return Reflect.apply(original, this, args)
        return run(this, args, active)
      }
    })
  }

  #run(original: Method, classes: PgClasses, client: PgClient, args: unknown[], active: Context): unknown {
    const [config, second, third] = args
    const given: PgConfig = isObject(config) ? config : NO_CONFIG
    const isSubmittable = isMethod(given.submit)
    const sql = typeof config === 'string' ? config : textOf(given)
    if (sql === '' && !isSubmittable) return Reflect.apply(original, client, args)
    const call = this.#metrics.databaseOf(client).begin(sql, active)
    const wait = poolWait(client)
    if (wait > 0) call.span.append('andon.db.pool_wait', wait / 1000)
    if (isSubmittable) return follow(original, client, args, call, active)
    const values = isMethod(second) ? undefined : second
    describeValues(call, values ?? given.values)
    const callback = isMethod(third) ? third : isMethod(second) ? second : given.callback
    try {
      // A statement made here takes the callback, so that neither a promise of pg is awaited nor the caller's object changed.
      const query = newQuery(classes, client, config, values)
      if (given.query_timeout !== undefined) query.query_timeout = given.query_timeout
      return isMethod(callback) ? called(original, client, query, call, { active, callback }) : promised(original, client, query, call)
    } catch (error) {
      fail(call, error)
      throw error
    }
  }

  /**
   * A connection is opened outside of every request: its socket lives on, and what comes by it is nobody's. Its span is
   * of the request that waits for it.
   */
  #patchConnect(Client: unknown): void {
    wrap(get(Client, 'prototype'), 'connect', (original) => {
      const databaseOf = (client: object): Database => this.#metrics.databaseOf(client)
      return function connect(this: unknown, ...args: unknown[]): unknown {
        const active = activeContext()
        const [callback] = args
        if (typeof this !== 'object' || this === null || isSuppressed(active)) return Reflect.apply(original, this, args)
        const call = databaseOf(this).beginConnect(active)
        if (isMethod(callback)) {
          const bound = (...answer: unknown[]): void => {
            finish(call, answer[0], undefined)
            runIn(active, () => Reflect.apply(callback, undefined, answer))
          }
          return runIn(NO_CONTEXT, () => Reflect.apply(original, this, [bound]))
        }
        const opened: unknown = runIn(NO_CONTEXT, () => Reflect.apply(original, this, args))
        return followed(opened, () => finish(call, undefined, undefined), (error) => finish(call, error, undefined))
      }
    })
  }
}

const NO_CONFIG: PgConfig = {}

/** The text of a statement that is given as an object; a stream of rows keeps it in its cursor. */
function textOf({ text, cursor }: PgConfig): string {
  return typeof text === 'string' ? text : (getText(cursor, 'text') ?? '')
}

function isClass(value: unknown): value is QueryClass {
  return typeof value === 'function'
}

function describeValues(call: Call, values: unknown): void {
  if (!Array.isArray(values) || values.length === 0 || !call.span.isRecording()) return
  const hash = hashParameters(values)
  if (hash !== '') call.span.append('andon.db.params_hash', hash)
}

function called(original: Method, client: object, query: PgQuery, call: Call, { active, callback }: { active: Context; callback: Method }): unknown {
  const taken: Callback = (error, result) => {
    answered(call, query, error, result)
    // In the caller's context: the answer comes by a connection that another request opened.
    runIn(active, () => callback.call(undefined, error, result))
  }
  query.callback = taken
  original.call(client, query)
  return undefined
}

function promised(original: Method, client: PgClient, query: PgQuery, call: Call): unknown {
  const { _Promise: own } = client
  const Chosen: PromiseConstructor = isPromiseClass(own) ? own : Promise
  return new Chosen<unknown>((resolve, reject) => {
    const taken: Callback = (error, result) => {
      answered(call, query, error, result)
      if (error === undefined || error === null) resolve(result)
      else reject(error)
    }
    query.callback = taken
    try {
      original.call(client, query)
    } catch (error) {
      finish(call, error, undefined)
      reject(error)
    }
  }).catch(retrace)
}

function isPromiseClass(value: unknown): value is PromiseConstructor {
  return typeof value === 'function' && 'resolve' in value
}

/** As pg does it: a stack that leads to the caller in the place of one that leads to the socket. */
function retrace(error: unknown): never {
  if (error instanceof Error) Error.captureStackTrace(error)
  throw error
}

/** Puts a function around a method of one statement: it runs in the context of the caller. @param told - gets its arguments before */
function over(statement: object, name: string, active: Context, told?: (answer: readonly unknown[]) => void): void {
  const method = get(statement, name)
  if (!isMethod(method)) return
  Reflect.set(statement, name, function handle(this: unknown, ...answer: unknown[]): unknown {
    try {
      told?.(answer)
    } catch (error) {
      diag.error('andon: a statement could not be ended', error)
    }
    return runIn(active, () => Reflect.apply(method, this, answer))
  })
}

/** Cursors, streams and statements of the caller's own: they end with the server's answer, and call back in their context. */
function follow(original: Method, client: object, args: unknown[], call: Call, active: Context): unknown {
  const [submittable] = args
  if (!isObject(submittable)) return Reflect.apply(original, client, args)
  if (get(submittable, 'handleReadyForQuery') === undefined) return followNative(original.bind(client), submittable, args[1], call, active)
  over(submittable, 'handleReadyForQuery', active, () => call.end())
  over(submittable, 'handleError', active, ([error]) => finish(call, error, undefined))
  // Closed before its end, a cursor is not told that the server is ready.
  for (const name of ['handlePortalSuspended', 'handleCommandComplete', 'handleEmptyQuery', 'close']) over(submittable, name, active)
  return Reflect.apply(original, client, args)
}

/** Of a statement for libpq there are events, and a callback that may stand beside it. */
function followNative(run: (statement: object) => unknown, statement: object, beside: unknown, call: Call, active: Context): unknown {
  if (isMethod(beside)) Reflect.set(statement, 'callback', beside)
  // Told once the error has what the server said of it.
  over(statement, 'callback', active, ([error]) => error instanceof Error && finish(call, error, undefined))
  over(statement, 'emit', active, ([event, value]) => {
    if (event === 'end') finish(call, undefined, value)
    else if (event === 'error') finish(call, value, undefined)
  })
  return run(statement)
}
