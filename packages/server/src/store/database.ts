// One dialect, two engines: chDB inside this process now; a ClickHouse server by address is to come behind the same class.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AndonError } from '@andon/model'
import { drainPending, Session } from 'chdb'
import type { Log } from '../runtime/log.ts'
import type { Sql } from './sql.ts'
import type { TsvRows } from './tsv.ts'

/** Placeholders of the DDL for the embedded engine. */
const EMBEDDED: Readonly<Record<string, string>> = {
  db: 'andon',
  on_cluster: '',
  MergeTree: 'MergeTree',
  Aggregating: 'AggregatingMergeTree',
  Summing: 'SummingMergeTree',
  dedup: 'non_replicated_deduplication_window = 1000',
}

/** Partitions are days, and times are bounded by the retention: a batch over more than 100 days is one that was kept back. */
const INSERT_SETTINGS = { async_insert: 0, deduplicate_blocks_in_dependent_materialized_views: 1, max_partitions_per_insert_block: 0 }

/** One open database. It owns its data directory until `close`. */
export class Database {
  readonly #session: Session
  readonly #lock: string
  readonly #log: Log
  #closed = false

  private constructor(session: Session, lock: string, log: Log) {
    this.#session = session
    this.#lock = lock
    this.#log = log
  }

  /**
   * Opens the embedded engine on a directory, which is made when it is not there.
   *
   * @throws AndonError store_locked when a living process holds the directory
   */
  static async open(dataDir: string, log: Log): Promise<Database> {
    mkdirSync(dataDir, { recursive: true })
    const lock = takeLock(join(dataDir, 'andon.lock'))
    try {
      const database = new Database(new Session(join(dataDir, 'clickhouse')), lock, log)
      await database.command('CREATE DATABASE IF NOT EXISTS {db}')
      return database
    } catch (error) {
      giveLock(lock)
      throw error
    }
  }

  /** A statement without parameters or answer, whose placeholders in braces are filled in: DDL of our own files only. */
  async command(ddl: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
    const filled = ddl.replaceAll(/\{([a-zA-Z_]+)(?::(\w+))?\}/g, (whole, key: string, argument: string | undefined) => {
      if (key === 'Replacing') return `ReplacingMergeTree(${argument ?? ''})`
      return values[key] ?? EMBEDDED[key] ?? whole
    })
    await this.#session.queryAsync(filled)
  }

  /**
   * Rows of a query, each as its columns in order; 64-bit integers come as text, what is not finite as "nan", "inf".
   *
   * @param columns - checks and converts one row
   * @throws AndonError query_failed, or the signal's reason when it is aborted
   */
  async query<T>(statement: Sql, columns: (row: readonly unknown[]) => T, signal?: AbortSignal): Promise<T[]> {
    const settings = 'SETTINGS output_format_json_quote_64bit_integers = 1, output_format_json_quote_denormals = 1'
    const text = (await this.#run(`${statement.text} ${settings}`, statement.params, 'JSONCompactEachRow', signal)).text()
    const rows: T[] = []
    for (const line of text.split('\n')) {
      if (line === '') continue
      const row: readonly unknown[] = JSON.parse(line)
      rows.push(columns(row))
    }
    return rows
  }

  /** The answer of a query as RowBinary. */
  async binary(statement: Sql, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#run(statement.text, statement.params, 'RowBinary', signal)).bytes()
  }

  async #run(statement: string, params: Readonly<Record<string, unknown>>, format: string, signal?: AbortSignal): ReturnType<Session['queryBindAsync']> {
    if (this.#closed) throw new AndonError('unavailable', 'the store is closed')
    try {
      return await this.#session.queryBindAsync(statement, params, { format, ...(signal !== undefined && { signal }) })
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      this.#log.warn('query failed', { statement: statement.slice(0, 2000), error })
      throw new AndonError('query_failed', error instanceof Error ? error.message.slice(0, 500) : String(error), { cause: error })
    }
  }

  /**
   * Inserts rows into a table and settles when they are stored.
   *
   * @throws AndonError bad_body when a value can never be stored; what the engine throws when it did not store just now
   * @param token - an insert with a token that the table's window still remembers is left out
   */
  async insert(table: string, columns: readonly string[], rows: TsvRows, token?: string): Promise<void> {
    if (rows.rows === 0) return
    if (this.#closed) throw new AndonError('unavailable', 'the store is closed')
    try {
      await this.#session.insert({
        table: `${EMBEDDED['db'] ?? ''}.${table}`,
        columns: [...columns],
        values: rows.bytes(),
        format: 'TSV',
        settings: { ...INSERT_SETTINGS, ...(token !== undefined && { insert_deduplication_token: token }) },
      })
    } catch (error) {
      // Sent again it would fail again, for ever.
      if (error instanceof Error && /CANNOT_PARSE|VALUE_IS_OUT_OF_RANGE/.test(error.message)) throw new AndonError('bad_body', `a value cannot be stored in ${table}`, { cause: error })
      throw error
    }
  }

  /** Waits for what is under way and gives the directory free. Harmless when called again. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await drainPending()
    this.#session.close()
    giveLock(this.#lock)
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Directories that this very process has open: a process id alone would not tell it from itself. */
const held = new Set<string>()

/** A file with our process id; that of a process which is dead, or of an earlier life of our own id, is replaced. */
function takeLock(path: string): string {
  try {
    const file = openSync(path, 'wx')
    writeSync(file, String(process.pid))
    closeSync(file)
  } catch {
    const pid = Number(readFileSync(path, 'utf8'))
    if (held.has(path) || (pid !== process.pid && Number.isInteger(pid) && pid > 0 && alive(pid))) {
      throw new AndonError('store_locked', `${path} is held by process ${pid}`)
    }
    rmSync(path)
    return takeLock(path)
  }
  held.add(path)
  return path
}

function giveLock(path: string): void {
  held.delete(path)
  rmSync(path, { force: true })
}
