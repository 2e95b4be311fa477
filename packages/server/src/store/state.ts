// The table state_log: small state as an append-only log, of which the newest row of each key holds.
import type { Milliseconds, TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { token, type WriteOptions } from './spans.ts'
import { firstShard, i64, Param, Sql, sql, text, u32 } from './sql.ts'
import { KINDS, type StateKind } from './state-kinds.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['kind', 'key', 'rev', 'written', 'state', 'service', 'severity', 'actor', 'doc']

export { isStateKind, type StateKind } from './state-kinds.ts'

/** When an entry was written first: one that holds for long is written again (state-in-force.ts), which is no new entry. */
export const FIRST_WRITTEN: Sql = new Sql('if(toUnixTimestamp64Milli(first_written) = 0, written, first_written)', {})

/** One entry of the log. */
export interface StateRow {
  readonly kind: StateKind
  /** Which thing of this kind. */
  readonly key: string
  /** Such as set, removed, exceeded. */
  readonly state: string
  readonly service: string
  readonly severity: string
  /** Who did it; '' where nobody did. */
  readonly actor: string
  /** Kept as JSON. */
  readonly doc: unknown
}

/** An entry as it is read back. */
export interface StoredState {
  readonly key: string
  readonly revision: number
  /** When it was written first. */
  readonly written: Milliseconds
  readonly state: string
  readonly actor: string
  readonly doc: unknown
}

const SELECTED = ([key, revision, written, state, actor, doc]: readonly unknown[]): StoredState => {
  const parsed: unknown = JSON.parse(stringOf(doc))
  return { key: stringOf(key), revision: number(revision), written: number(written), state: stringOf(state), actor: stringOf(actor), doc: parsed }
}

export class StateLog {
  readonly #database: Database
  readonly #clock: Pick<Clock, 'now'>
  #revision: number

  private constructor(database: Database, clock: Pick<Clock, 'now'>, revision: number) {
    this.#database = database
    this.#clock = clock
    this.#revision = revision
  }

  /** Reads the highest revision that was ever given, so that a new one is higher. */
  static async open(database: Database, clock: Pick<Clock, 'now'>): Promise<StateLog> {
    const [highest = 0] = await database.query(firstShard(sql`SELECT max(rev) FROM andon.state_log WHERE kind IN ${new Param('Array(String)', [...KINDS])}`), ([rev]) => number(rev))
    return new StateLog(database, clock, highest)
  }

  /**
   * Appends rows in one insert, so that they are stored together or not at all; settles when they are stored.
   *
   * @returns the revision of each row, in order; higher than all before, also after a restart
   */
  async append(rows: readonly StateRow[], options: WriteOptions = {}): Promise<number[]> {
    const written = this.#clock.now()
    const tsv = new TsvRows(1024)
    const revisions = rows.map(({ kind, key, state, service, severity, actor, doc }) => {
      this.#revision += 1
      tsv.text(kind).text(key).number(this.#revision).milliseconds(written).text(state).text(service).text(severity).text(actor).text(JSON.stringify(doc)).end()
      return this.#revision
    })
    await this.#database.insert('state_log', COLUMNS, tsv, token(options, 'state_log'))
    return revisions
  }

  /**
   * The entry that holds of each key of a kind.
   *
   * @param options.except - entries whose newest state is one of these are left out
   */
  async latest(kind: StateKind, { except = [] }: { readonly except?: readonly string[] } = {}): Promise<StoredState[]> {
    return await this.#database.query(
      firstShard(sql`SELECT key, max(rev), toUnixTimestamp64Milli(argMax(${FIRST_WRITTEN}, rev)), argMax(state, rev), argMax(actor, rev), argMax(doc, rev)
        FROM andon.state_log WHERE kind = ${text(kind)} GROUP BY key HAVING NOT has(${new Param('Array(String)', [...except])}, argMax(state, rev)) ORDER BY key`),
      SELECTED,
    )
  }

  /** All entries of one key, the newest first; at most `limit`. */
  async history(kind: StateKind, key: string, limit: number): Promise<StoredState[]> {
    return await this.#database.query(
      firstShard(sql`SELECT key, rev, toUnixTimestamp64Milli(${FIRST_WRITTEN}) AS since, state, actor, doc FROM andon.state_log
        WHERE kind = ${text(kind)} AND key = ${text(key)} ORDER BY since DESC, rev DESC LIMIT 1 BY rev, since LIMIT ${u32(limit)}`),
      SELECTED,
    )
  }

  /** All entries of a kind that were written in a time, the oldest first; at most `limit`, of the newest. */
  async between(kind: StateKind, { start, end }: TimeRange, limit: number): Promise<StoredState[]> {
    const found = await this.#database.query(
      firstShard(sql`SELECT key, rev, toUnixTimestamp64Milli(${FIRST_WRITTEN}) AS since, state, actor, doc FROM andon.state_log
        WHERE kind = ${text(kind)} AND written >= fromUnixTimestamp64Milli(${i64(start)}) AND since >= ${i64(start)} AND since < ${i64(end)}
        ORDER BY since DESC, rev DESC LIMIT 1 BY key, rev, since LIMIT ${u32(limit)}`),
      SELECTED,
    )
    return found.toReversed()
  }
}
