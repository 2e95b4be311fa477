// One dialect, two engines: what the store asks of either. chDB inside this process is engine-embedded.ts, a ClickHouse server or
// cluster by its address engine-server.ts; index.ts chooses.
import { AndonError, type Bytes } from '@andon/model'
import type { Layout } from './layout.ts'
import type { Sql } from './sql.ts'
import type { TsvRows } from './tsv.ts'

/** One open database. Statements call its tables `andon.TABLE`, whatever it is called. */
export interface Database {
  /** Where its tables stand. */
  readonly layout: Layout
  /** Its product, version and place, without any secret. */
  readonly engine: string

  /** A statement without parameters or answer, whose placeholders in braces are filled in: DDL of our own files only. */
  command(ddl: string, values?: Readonly<Record<string, string>>): Promise<void>

  /**
   * Rows of a query, each as its columns in order; 64-bit integers come as text, what is not finite as "nan", "inf".
   *
   * @param columns - checks and converts one row
   * @throws AndonError query_failed, or the signal's reason when it is aborted; of a server also unavailable, query_too_large,
   * query_timeout and overloaded
   */
  query<T>(statement: Sql, columns: (row: readonly unknown[]) => T, signal?: AbortSignal): Promise<T[]>

  /** The answer of a query as RowBinary; fails as `query` does. */
  binary(statement: Sql, signal?: AbortSignal): Promise<Uint8Array>

  /** The answer of a query in the Native format, column by column: the fastest where there are many rows of numbers; fails as `query` does. */
  native(statement: Sql, signal?: AbortSignal): Promise<Uint8Array>

  /**
   * From now on an insert is refused while less than this is free on the disk.
   *
   * @param except - tables whose inserts may use what is kept free
   */
  keepFree(bytes: Bytes, except: ReadonlySet<string>): void

  /**
   * Inserts rows into a table and settles when they are stored.
   *
   * @param token - an insert with a token that the table's window still remembers is left out
   * @throws AndonError bad_body when a value can never be stored; disk_full where the disk has no room, or less than is kept free; what the engine throws when it did not store just now; unavailable or overloaded where a server cannot take them now; whether they are stored is then not known
   */
  insert(table: string, columns: readonly string[], rows: TsvRows, token?: string): Promise<void>

  /** Ends what is under way and gives free what it holds. Harmless when called again. */
  close(): Promise<void>
}

/**
 * What an insert failed with that failed for a value: sent again it would fail again, for ever.
 *
 * @param words - that hold the name of the engine's error
 */
export function unfitValue(table: string, words: string, cause: unknown): AndonError | undefined {
  return /CANNOT_PARSE|VALUE_IS_OUT_OF_RANGE/.test(words) ? new AndonError('bad_body', `a value cannot be stored in ${table}`, { cause }) : undefined
}

/**
 * Of every insert: an acknowledged one is stored, and rollups leave out what the table before them leaves out. Partitions are days, and times are
 * bounded by the retention: a batch over more than 100 days is one that was kept back.
 */
export const INSERT_SETTINGS: Readonly<Record<string, number>> = { async_insert: 0, deduplicate_blocks_in_dependent_materialized_views: 1, max_partitions_per_insert_block: 0 }

/** What is kept free for others than an insert. */
export interface Reserve {
  readonly bytes: Bytes
  /** Tables whose inserts may use it. */
  readonly except: ReadonlySet<string>
}

export const NO_RESERVE: Reserve = { bytes: 0, except: new Set() }

/** The settings of an insert that keep a reserve free. */
export function reserveSettings(table: string, { bytes, except }: Reserve): Record<string, string> {
  return bytes > 0 && !except.has(table) ? { min_free_disk_bytes_to_perform_insert: String(Math.floor(bytes)) } : {}
}

/**
 * What an insert failed with that failed for want of room; undefined where it did not.
 *
 * @param words - the engine's message
 */
export function noRoom(words: string, cause: unknown): AndonError | undefined {
  return /NOT_ENOUGH_SPACE|No space left on device/i.test(words) ? new AndonError('disk_full', 'The disk of the database has no room for this.', { cause }) : undefined
}
