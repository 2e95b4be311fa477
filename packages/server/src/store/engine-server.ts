// The database outside: a ClickHouse server or cluster by its address.
import { Readable } from 'node:stream'
import { AndonError, type Bytes } from '@andon/model'
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client'
import type { Log } from '../runtime/log.ts'
import { bound } from './bound.ts'
import { number, rowsOf, stringOf } from './cells.ts'
import { type Database, INSERT_SETTINGS, NO_RESERVE, noRoom, type Reserve, reserveSettings, unfitValue } from './database.ts'
import { addressed, fill, type Layout, layoutOf } from './layout.ts'
import { meaningOf, setupHint } from './server-errors.ts'
import { FOREGROUND } from './sharding.ts'
import { type Sql, sql, text } from './sql.ts'
import type { TsvRows } from './tsv.ts'

/** Which server, and how it is spoken to. */
export interface ServerOptions {
  /** `http://` or `https://` with host and port, without user, password or path. */
  readonly url: string
  readonly user: string
  readonly password: string
  /** A name of letters, digits and underscores. */
  readonly database: string
  /** A name of system.clusters; undefined for a single server. */
  readonly cluster: string | undefined
  /** The certificates of those who may vouch for the server, PEM; undefined for those that Node knows. */
  readonly ca: Buffer | undefined
  /** What becomes of a query while a shard cannot be reached: it fails, or is answered without it. */
  readonly lostShards: 'fail' | 'skip'
}

/** Versions before lack the functions of the rates that are calculated in the database. */
const LEAST_VERSION: readonly [number, number] = [25, 8]

/** The times of the domain are UTC, whatever the server's own zone. */
const EVERY: ClickHouseSettings = { session_timezone: 'UTC', wait_end_of_query: 1 }

/** `readonly` lets the server end a query whose asker has gone, and keeps a read from being anything else. */
const READ: ClickHouseSettings = {
  readonly: '2',
  cancel_http_readonly_queries_on_client_close: 1,
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_denormals: 1,
  max_query_size: String(64 * 1024 * 1024),
  distributed_product_mode: 'global',
}

/** The first shard alone, or an error: never an answer without it. */
const FIRST_SHARD: ClickHouseSettings = { skip_unavailable_shards: 0, optimize_skip_unused_shards: 1, force_optimize_skip_unused_shards: '1', optimize_skip_unused_shards_limit: '10000' }

/**
 * An insert goes to each shard as one block: of several, each would wait in a file of its own and arrive under the same token, and all but
 * the first would be left out.
 */
const ONE_BLOCK: ClickHouseSettings = { min_insert_block_size_rows: '1000000000', min_insert_block_size_bytes: '0' }

/** How long DDL waits for the nodes of a cluster, in seconds. */
const DDL: ClickHouseSettings = { distributed_ddl_task_timeout: '60', distributed_foreground_insert: 1 }

/** Longer than any query may take (limits.query_ms) and than DDL waits. */
const REQUEST_MS = 150_000
const CONNECTIONS = 64

/** A ClickHouse server or cluster. It owns its connections until `close`, which cuts what is under way; `open` comes first. */
export class ServerDatabase implements Database {
  readonly layout: Layout
  protected readonly client: ClickHouseClient
  readonly #options: ServerOptions
  readonly #log: Log
  /** Whether a query is answered without the shards that are lost. */
  readonly #skip: 0 | 1
  #version = ''
  #closed = false
  #reserve: Reserve = NO_RESERVE
  /** Whether the last answer was that there is none. */
  #unreachable = false

  /** Opens no connection yet. */
  constructor(options: ServerOptions, log: Log) {
    this.#options = options
    this.#log = log
    this.#skip = options.lostShards === 'skip' ? 1 : 0
    this.layout = layoutOf(options.database, options.cluster)
    this.client = createClient({
      url: options.url,
      username: options.user,
      password: options.password,
      application: 'andon',
      request_timeout: REQUEST_MS,
      max_open_connections: CONNECTIONS,
      clickhouse_settings: EVERY,
      // Its own lines would hold statements with their parameters.
      log: { level: ClickHouseLogLevel.OFF },
      ...(options.ca !== undefined && { tls: { ca_cert: options.ca } }),
    })
  }

  get engine(): string {
    const { url, database, cluster } = this.#options
    return `ClickHouse ${this.#version} at ${url}, database ${database}${cluster === undefined ? '' : ` on the cluster ${cluster}`}`
  }

  /**
   * Reaches the server and makes the databases that are not there.
   *
   * @throws AndonError unavailable when it cannot be reached; bad_config when it refuses the user, is too old, or knows no such cluster
   */
  async open(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      await this.close()
      throw asSetup(error)
    }
  }

  async #open(): Promise<void> {
    const { cluster } = this.#options
    const { database, all } = this.layout
    const [version = ''] = await this.query(sql`SELECT version()`, ([cell]) => stringOf(cell))
    this.#version = version
    const [major = 0, minor = 0] = version.split('.').map(Number)
    if (major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1])) {
      throw new AndonError('bad_config', `The ClickHouse server at ${this.#options.url} is of version ${version}.`, { hint: `Andon needs ${LEAST_VERSION.join('.')} or later.` })
    }
    if (cluster !== undefined) {
      const [nodes = 0] = await this.query(sql`SELECT count() FROM system.clusters WHERE cluster = ${text(cluster)}`, ([count]) => number(count))
      // A name by a macro, such as {cluster}, is only known to the server.
      if (nodes === 0 && !cluster.includes('{')) throw new AndonError('bad_config', `The ClickHouse server knows no cluster ${cluster}.`, { hint: setupHint(701) ?? '' })
    }
    const known = new Set(await this.query(sql`SELECT name FROM system.databases`, ([name]) => stringOf(name)))
    // Not at every start: on a cluster it waits for all nodes, and a user without the right to it may still have a database.
    for (const name of new Set([database, all])) if (!known.has(name)) await this.command(`CREATE DATABASE IF NOT EXISTS ${name} {on_cluster}`)
  }

  async command(ddl: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#mustBeOpen()
    try {
      await this.execute(fill(ddl, this.layout, values))
    } catch (error) {
      throw this.#failure(error, ddl)
    }
  }

  /** Runs one statement that has no answer, as it is. */
  protected async execute(statement: string): Promise<void> {
    await this.client.command({ query: statement, clickhouse_settings: DDL })
  }

  async query<T>(statement: Sql, columns: (row: readonly unknown[]) => T, signal?: AbortSignal): Promise<T[]> {
    return rowsOf((await this.#read(statement, 'JSONCompactEachRow', signal)).toString('utf8'), columns)
  }

  async binary(statement: Sql, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#read(statement, 'RowBinary', signal)
  }

  async native(statement: Sql, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#read(statement, 'Native', signal)
  }

  async #read(statement: Sql, format: string, signal?: AbortSignal): Promise<Buffer> {
    this.#mustBeOpen()
    signal?.throwIfAborted()
    const { text: body, params } = bound(statement)
    try {
      const { stream } = await this.client.exec({
        query: `${addressed(body, this.layout)} FORMAT ${format}`,
        query_params: params,
        clickhouse_settings: { ...READ, ...this.#shardsFor(statement) },
        ...(signal !== undefined && { abort_signal: signal }),
      })
      const answer = await collected(stream, signal)
      this.#reached()
      return answer
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw this.#failure(error, statement.text)
    }
  }

  #shardsFor({ shards }: Sql): ClickHouseSettings {
    if (this.layout.cluster === undefined) return {}
    return shards === 'first' ? FIRST_SHARD : { skip_unavailable_shards: shards === 'all' ? 0 : this.#skip }
  }

  keepFree(bytes: Bytes, except: ReadonlySet<string>): void {
    this.#reserve = { bytes, except }
  }

  async insert(table: string, columns: readonly string[], rows: TsvRows, token?: string): Promise<void> {
    if (rows.rows === 0) return
    this.#mustBeOpen()
    const [first, ...others] = columns
    if (first === undefined) return
    try {
      await this.client.insert({
        table: `${this.layout.all}.${table}`,
        columns: [first, ...others],
        values: Readable.from(rows.bytes(), { objectMode: false }),
        format: 'TabSeparated',
        clickhouse_settings: {
          ...INSERT_SETTINGS,
          ...reserveSettings(table, this.#reserve),
          insert_deduplicate: 1,
          ...(token !== undefined && { insert_deduplication_token: token }),
          ...(this.layout.cluster !== undefined && { ...ONE_BLOCK, distributed_foreground_insert: FOREGROUND.has(table) ? 1 : 0 }),
        },
      })
      this.#reached()
    } catch (error) {
      const unfit = error instanceof ClickHouseError ? (unfitValue(table, error.type ?? '', error) ?? noRoom(`${error.type ?? ''} ${error.message}`, error)) : undefined
      if (unfit !== undefined) throw unfit
      const known = this.#failure(error, `INSERT INTO ${table}`)
      // A row that does not fit is the caller's; a limit of memory that was met passes.
      throw known.code === 'overloaded' || known.code === 'unavailable' ? known : error
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.client.close()
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new AndonError('unavailable', 'the store is closed')
  }

  #reached(): void {
    if (this.#unreachable) this.#log.info('ClickHouse can be reached again', { url: this.#options.url })
    this.#unreachable = false
  }

  /** What went wrong, for one who asks; logged, where it is not merely that the server is away. */
  #failure(error: unknown, statement: string): AndonError {
    if (error instanceof AndonError) return error
    const reason = error instanceof Error ? error.message : String(error)
    if (!(error instanceof ClickHouseError)) {
      const told = (systemCode(error) ?? reason).slice(0, 200)
      if (!this.#unreachable) this.#log.warn('ClickHouse cannot be reached', { url: this.#options.url, reason: told })
      this.#unreachable = true
      return new AndonError('unavailable', `The ClickHouse server at ${this.#options.url} cannot be reached: ${told}`, { hint: UNREACHABLE, cause: error })
    }
    this.#reached()
    const code = meaningOf(Number(error.code)) ?? 'query_failed'
    this.#log.warn('query failed', { statement: statement.slice(0, 2000), code: error.code, error })
    return new AndonError(code, reason.slice(0, 500), { cause: error, ...(code === 'unavailable' && { hint: 'ClickHouse cannot do this now, because a node, a shard, Keeper or its disk is missing; try again shortly.' }) })
  }
}

const UNREACHABLE = 'Is it running, and does CLICKHOUSE_URL name its HTTP port (8123, or 8443 with https://)? A certificate of your own needs CLICKHOUSE_CA_FILE.'

/** Such as ECONNREFUSED, or SELF_SIGNED_CERT_IN_CHAIN. */
function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' && code !== '' ? code : undefined
}

/** What keeps a server from being opened, as something to set up. */
function asSetup(error: unknown): unknown {
  if (!(error instanceof AndonError) || !(error.cause instanceof ClickHouseError)) return error
  const hint = setupHint(Number(error.cause.code))
  return hint === undefined ? error : new AndonError('bad_config', `The ClickHouse server refuses: ${error.message}`, { hint, cause: error.cause })
}

/** All of a stream. When the signal is aborted the connection is cut, at which the server ends the query. */
async function collected(stream: Readable, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  const cut = (): void => void stream.destroy(new Error('the query was given up'))
  signal?.addEventListener('abort', cut, { once: true })
  try {
    if (signal?.aborted === true) cut()
    for await (const chunk of stream) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))
  } finally {
    signal?.removeEventListener('abort', cut)
  }
  return Buffer.concat(chunks)
}
