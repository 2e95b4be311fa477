// The database inside this process: chDB on a directory of its own.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AndonError, type Bytes } from '@andon/model'
import { drainPending, Session } from 'chdb'
import type { Log } from '../runtime/log.ts'
import { rowsOf, stringOf } from './cells.ts'
import { type Database, INSERT_SETTINGS, NO_RESERVE, noRoom, type Reserve, reserveSettings, unfitValue } from './database.ts'
import { EMBEDDED, fill, type Layout } from './layout.ts'
import { mendRepetitionLogs } from './repetition-log.ts'
import { type Sql, sql } from './sql.ts'
import type { TsvRows } from './tsv.ts'

const MIB: Bytes = 2 ** 20
/**
 * What the engine keeps in memory, where it takes the memory of a machine of its own for granted: marks and primary keys are read again
 * where they have been given up. Its own memory is looked at once a second in place of twenty times, which an idle process notices.
 */
export const ENGINE_LIMITS: Readonly<Record<string, number>> = {
  mark_cache_size: 128 * MIB,
  primary_index_cache_size: 128 * MIB,
  index_mark_cache_size: 64 * MIB,
  query_condition_cache_size: 16 * MIB,
  compiled_expression_cache_size: 32 * MIB,
  memory_worker_period_ms: 1000,
}

/** chDB on a directory, which it owns until `close`. */
export class EmbeddedDatabase implements Database {
  readonly layout: Layout = EMBEDDED
  readonly #session: Session
  readonly #lock: string
  readonly #log: Log
  #engine = ''
  #closed = false
  #reserve: Reserve = NO_RESERVE

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
  static async open(dataDir: string, log: Log): Promise<EmbeddedDatabase> {
    mkdirSync(dataDir, { recursive: true })
    const lock = takeLock(join(dataDir, 'andon.lock'))
    try {
      const directory = join(dataDir, 'clickhouse')
      const mended = mendRepetitionLogs(directory)
      if (mended > 0) log.info('the last insert of tables was not complete: its repetition will be stored', { tables: mended })
      const database = new EmbeddedDatabase(new Session(directory, { connectionArgs: Object.entries(ENGINE_LIMITS).map(([name, value]) => `--${name}=${value}`) }), lock, log)
      await database.command('CREATE DATABASE IF NOT EXISTS {db}')
      const [version = ''] = await database.query(sql`SELECT version()`, ([cell]) => stringOf(cell))
      database.#engine = `ClickHouse ${version}, embedded`
      return database
    } catch (error) {
      giveLock(lock)
      throw error
    }
  }

  get engine(): string {
    return this.#engine
  }

  async command(ddl: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#session.queryAsync(fill(ddl, this.layout, values))
  }

  async query<T>(statement: Sql, columns: (row: readonly unknown[]) => T, signal?: AbortSignal): Promise<T[]> {
    const settings = 'SETTINGS output_format_json_quote_64bit_integers = 1, output_format_json_quote_denormals = 1'
    return rowsOf((await this.#run(`${statement.text} ${settings}`, statement.params, 'JSONCompactEachRow', signal)).text(), columns)
  }

  async binary(statement: Sql, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#run(statement.text, statement.params, 'RowBinary', signal)).bytes()
  }

  async native(statement: Sql, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#run(statement.text, statement.params, 'Native', signal)).bytes()
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

  keepFree(bytes: Bytes, except: ReadonlySet<string>): void {
    this.#reserve = { bytes, except }
  }

  async insert(table: string, columns: readonly string[], rows: TsvRows, token?: string): Promise<void> {
    if (rows.rows === 0) return
    if (this.#closed) throw new AndonError('unavailable', 'the store is closed')
    try {
      await this.#session.insert({
        table: `${this.layout.all}.${table}`,
        columns: [...columns],
        values: rows.bytes(),
        format: 'TSV',
        settings: { ...INSERT_SETTINGS, ...reserveSettings(table, this.#reserve), ...(token !== undefined && { insert_deduplication_token: token }) },
      })
    } catch (error) {
      throw unfitValue(table, String(error), error) ?? noRoom(String(error), error) ?? error
    }
  }

  /** Waits for what is under way and gives the directory free. */
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
    writeFileSync(path, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      // On a full disk the file may be there without what it was to hold.
      rmSync(path, { force: true })
      throw error
    }
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
