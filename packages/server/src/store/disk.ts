// The disk under the tables: how full it is, which partitions there are, and how they are dropped.
import type { Bytes, Milliseconds } from '@andon/model'
import type { Log } from '../runtime/log.ts'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { disks, lenient, parts } from './layout.ts'
import { daysOf, LIFETIMES, type Retention, type TableKind } from './retention.ts'
import { sql, text } from './sql.ts'
import { writeInForceAgain } from './state-in-force.ts'

/** How full the fullest of the database's disks is. */
export interface DiskSpace {
  readonly totalBytes: Bytes
  /** What the database may still write. */
  readonly freeBytes: Bytes
}

/** All parts of one table in one span of time. */
export interface Partition {
  readonly table: string
  readonly kind: TableKind
  /** The database's name for it. */
  readonly id: string
  readonly rows: number
  readonly bytes: Bytes
  /** The time of its newest row, to the second. */
  readonly newest: Milliseconds
}

/** What must be free where tables are to be changed: on a full disk the engine puts an empty definition in place of the old one, and opens no more. */
export const ROOM_FOR_CHANGES: Bytes = 1024 ** 2

const DAY: Milliseconds = 86_400_000
const lifetimes = new Map(LIFETIMES.map((lifetime) => [lifetime.table, lifetime]))
const smallState: ReadonlySet<string> = new Set(LIFETIMES.filter(({ kind }) => kind === 'state').map(({ table }) => table))

/** The begin of the month (UTC) that holds a time. */
function monthOf(time: Milliseconds): Milliseconds {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
}

/** What the guard of the disk asks and does; owns nothing. */
export class DiskStore {
  readonly #database: Pick<Database, 'query' | 'command' | 'insert' | 'keepFree' | 'layout'>
  readonly #retention: Retention
  readonly #log: Log

  constructor(database: Pick<Database, 'query' | 'command' | 'insert' | 'keepFree' | 'layout'>, retention: Retention, log: Log) {
    this.#database = database
    this.#retention = retention
    this.#log = log
  }

  async space(): Promise<DiskSpace> {
    const { layout } = this.#database
    const [disk = { totalBytes: 0, freeBytes: 0 }] = await this.#database.query(
      sql`SELECT total_space, free_space FROM ${disks(layout)} WHERE total_space > 0 AND total_space < toUInt64(pow(2, 62)) ORDER BY free_space / total_space LIMIT 1 ${lenient(layout)}`,
      ([total, free]) => ({ totalBytes: number(total), freeBytes: number(free) }),
    )
    return disk
  }

  /** What dropped partitions still hold: it is free as soon as no query reads them. */
  async leaving(): Promise<Bytes> {
    const { layout } = this.#database
    const [bytes = 0] = await this.#database.query(sql`SELECT sum(bytes_on_disk) FROM ${parts(layout)} WHERE database = ${text(layout.database)} AND NOT active AND toUnixTimestamp(remove_time) = 0 ${lenient(layout)}`, ([sum]) => number(sum))
    return bytes
  }

  /** Partitions of the tables whose rows expire. Tables without partitions, and what does not say its time, are left out. */
  async partitions(): Promise<Partition[]> {
    const { layout } = this.#database
    const rows = await this.#database.query(
      // A part of a table that is partitioned by a column of days knows its days, one of a column of times its times.
      sql`SELECT table, partition_id, sum(rows), sum(bytes_on_disk), greatest(toUnixTimestamp(max(max_time)), if(max(max_date) > toDate(0), toUnixTimestamp(toDateTime(max(max_date) + 1, 'UTC')) - 1, 0)) AS newest
        FROM ${parts(layout)} WHERE database = ${text(layout.database)} AND active AND rows > 0 GROUP BY table, partition_id HAVING newest > 0 ORDER BY table, partition_id ${lenient(layout)}`,
      ([table, id, count, bytes, newest]) => ({ table: stringOf(table), id: stringOf(id), rows: number(count), bytes: number(bytes), newest: number(newest) * 1000 }),
    )
    return rows.flatMap((row) => {
      const kind = lifetimes.get(row.table)?.kind
      return kind === undefined || kind === 'lookup' ? [] : [{ ...row, kind }]
    })
  }

  /** Drops a partition, whatever its size. Its bytes are free when no query reads it any more. */
  async drop({ table, id }: Pick<Partition, 'table' | 'id'>): Promise<void> {
    if (!lifetimes.has(table) || !/^\w+$/.test(id)) throw new Error(`no partition to drop: ${table} ${id}`)
    await this.#database.command(`ALTER TABLE {db}.${table} {on_cluster} DROP PARTITION ID '${id}' SETTINGS max_partition_size_to_drop = 0`)
  }

  /**
   * Drops the partitions of which every row is older than its table keeps: at once, where the engine would wait for a merge. Of small state what
   * still holds is written again before; where that fails nothing of it is dropped.
   *
   * @param now - milliseconds since the Unix epoch
   * @returns what was dropped
   */
  async dropExpired(now: Milliseconds): Promise<Partition[]> {
    const expired = (await this.partitions()).filter((partition) => partition.newest < this.#expiry(partition, now))
    const dropped: Partition[] = []
    for (const partition of await this.#mayGo(expired, now)) {
      const { table, id, rows, bytes } = partition
      try {
        await this.drop(partition)
        dropped.push(partition)
        this.#log.info('partition expired', { table, partition: id, rows, bytes })
      } catch (error) {
        // Tried again with the next turn; what is no small state the engine drops by itself in the end.
        this.#log.warn('an expired partition could not be dropped', { table, partition: id, error })
      }
    }
    return dropped
  }

  /** What was written before has expired. Of small state nothing of this month: what still holds is written again into its partition. */
  #expiry({ table, kind }: Pick<Partition, 'table' | 'kind'>, now: Milliseconds): Milliseconds {
    const lifetime = lifetimes.get(table)
    if (lifetime === undefined) return -Infinity
    const expiry = now - daysOf(lifetime, this.#retention) * DAY
    return kind === 'state' ? Math.min(expiry, monthOf(now)) : expiry
  }

  /** Of partitions that have expired those of which nothing is needed any more. */
  async #mayGo(expired: readonly Partition[], now: Milliseconds): Promise<readonly Partition[]> {
    const state = expired.find(({ kind }) => kind === 'state')
    if (state === undefined) return expired
    try {
      const rows = await writeInForceAgain(this.#database, { before: this.#expiry(state, now), now })
      if (rows > 0) this.#log.info('what still holds was written again', { table: state.table, rows })
      return expired
    } catch (error) {
      this.#log.warn('what still holds could not be written again: its partitions stay', { table: state.table, error })
      return expired.filter(({ kind }) => kind !== 'state')
    }
  }

  /** Inserts of telemetry are refused by the database while less than this is free; those of small state go on. */
  keepFree(bytes: Bytes): void {
    this.#database.keepFree(bytes, smallState)
  }
}
