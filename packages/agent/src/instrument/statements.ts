// What every client of a database shares: where it is, its statements by text, and the span and duration of a call.
import { type Context, SpanStatusCode } from '@opentelemetry/api'
import { describeSql, type Milliseconds, type SqlDialect } from '@andon/model'
import { encodeAttributes } from '@andon/wire'
import { registerInventory } from '../inventory.ts'
import type { Bound } from '../metrics/instrument.ts'
import type { AgentRecorder } from '../metrics/meter.ts'
import { redactSql } from '../secrets/sql.ts'
import type { Span } from '../span.ts'
import type { AgentTracer } from '../tracer.ts'
import { callerOf } from './caller.ts'

const CLIENT = 3
/** Texts of each of two generations that are remembered; text that never comes again goes past them. */
const MAX_TEXTS = 500

/** A statement by its text: what all its calls share. */
interface Statement {
  readonly name: string
  /** The attributes that are the same each time, encoded. */
  readonly block: Uint8Array
  /** Those of them that its duration has. */
  readonly measured: Readonly<Record<string, string | number>>
  readonly duration: Bound
  calls: number
}

/** Where the statements of a database go. */
export interface DatabaseAddress {
  /** OpenTelemetry's name, such as `postgresql`. */
  readonly system: string
  readonly namespace: string
  readonly address: string
  readonly port: number
}

/** What is told of a call that ends. */
export interface CallEnd {
  readonly rows?: number | undefined
  /** Of a call that failed: the class of the error, which is the database's own code where it gave one. */
  readonly errorType?: string | undefined
  /** What the database itself answered with, such as an SQLSTATE. */
  readonly status?: string | undefined
  readonly message?: string | undefined
}

/** One database that the process talks to. */
export class Database {
  readonly #tracer: AgentTracer
  readonly #duration: AgentRecorder
  readonly #shared: Readonly<Record<string, string | number>>
  readonly #dialect: SqlDialect
  #young = new Map<string, Statement>()
  #old = new Map<string, Statement>()
  #connect: Statement | undefined
  readonly #failed = new Map<string, Bound>()

  constructor(tracer: AgentTracer, duration: AgentRecorder, { system, namespace, address, port }: DatabaseAddress) {
    registerInventory({ kind: 'dependency', name: namespace === '' ? system : `${system}/${namespace}` })
    this.#tracer = tracer
    this.#duration = duration
    this.#dialect = system === 'mysql' || system === 'mariadb' ? 'mysql' : 'standard'
    this.#shared = { 'db.system.name': system, ...(namespace !== '' && { 'db.namespace': namespace }), ...(address !== '' && { 'server.address': address }), ...(port > 0 && { 'server.port': port }) }
  }

  /** Starts the span of a call under that of a context. */
  begin(sql: string, active: Context, startMs: Milliseconds = performance.now()): Call {
    const statement = this.#statement(sql)
    const span = this.#tracer.begin(statement.name, CLIENT, active, startMs)
    if (!span.isRecording()) return new Call(span, statement, this)
    span.block = statement.block
    statement.calls += 1
    // Who calls is looked for at the 1st, 2nd, 4th, 8th … call: a stack costs more than the span.
    if ((statement.calls & (statement.calls - 1)) === 0) {
      for (const [key, value] of callerOf()) span.append(key, value)
    }
    return new Call(span, statement, this)
  }

  /** Starts the span of opening a connection. */
  beginConnect(active: Context): Call {
    this.#connect ??= this.#describe('CONNECT', false)
    const span = this.#tracer.begin('CONNECT', CLIENT, active)
    span.block = this.#connect.block
    return new Call(span, this.#connect, this)
  }

  #statement(sql: string): Statement {
    const young = this.#young.get(sql)
    if (young !== undefined) return young
    const statement = this.#old.get(sql) ?? this.#describe(sql)
    if (this.#young.size >= MAX_TEXTS) {
      this.#old = this.#young
      this.#young = new Map<string, Statement>()
    }
    this.#young.set(sql, statement)
    return statement
  }

  #describe(sql: string, hasText = true): Statement {
    const text = redactSql(sql, String(this.#shared['db.system.name']))
    const { operation, collection, summary } = describeSql(text, this.#dialect)
    const measured = { ...this.#shared, ...(operation !== '' && { 'db.operation.name': operation }), ...(collection !== '' && { 'db.collection.name': collection }) }
    const block = encodeAttributes(Object.entries({ ...measured, ...(hasText && { 'db.query.summary': summary, 'db.query.text': text }) }).flat())
    const name = summary === '' ? String(this.#shared['db.system.name']) : summary
    return { name, block, measured, calls: 0, duration: this.#duration.bind(measured) }
  }

  /** The duration of calls of a statement that failed in one way. */
  failed({ name, measured }: Statement, errorType: string, status: string | undefined): Bound {
    const key = `${name}\n${errorType}`
    const known = this.#failed.get(key)
    if (known !== undefined) return known
    const made = this.#duration.bind({ ...measured, ...(status !== undefined && { 'db.response.status_code': status }), 'error.type': errorType })
    if (this.#failed.size < MAX_TEXTS) this.#failed.set(key, made)
    return made
  }
}

/** A call of a statement that runs. */
export class Call {
  readonly span: Span
  readonly #statement: Statement
  readonly #database: Database

  constructor(span: Span, statement: Statement, database: Database) {
    this.span = span
    this.#statement = statement
    this.#database = database
  }

  /** Ends a call that did what it should; a second end is ignored. @param rows - negative where there is no number of them */
  succeeded(endMs: Milliseconds, rows: number): void {
    const { span } = this
    if (span.endMs >= 0) return
    this.#statement.duration.record((endMs - span.startMs) / 1000, span)
    if (rows >= 0) span.append('db.response.returned_rows', rows)
    span.endAt(endMs)
  }

  /** Ends it; a second end is ignored. */
  end({ rows, errorType, status, message }: CallEnd = {}): void {
    const { span } = this
    const endMs = performance.now()
    if (errorType === undefined) {
      this.succeeded(endMs, rows ?? -1)
      return
    }
    if (span.endMs >= 0) return
    this.#database.failed(this.#statement, errorType, status).record((endMs - span.startMs) / 1000, span)
    if (rows !== undefined) span.append('db.response.returned_rows', rows)
    if (status !== undefined) span.append('db.response.status_code', status)
    span.append('error.type', errorType)
    span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? '' })
    span.endAt(endMs)
  }
}
