// What a service calls, read from its spans: other systems and database statements.
import type { TimeRange } from '@andon/model'
import { stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { i64, sql, type Sql, text } from './sql.ts'

function within({ start, end }: TimeRange): Sql {
  return sql`ts >= fromUnixTimestamp64Milli(${i64(Math.floor(start))}) AND ts < fromUnixTimestamp64Milli(${i64(Math.ceil(end))})`
}

export class CalledStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Services, databases and hosts that a service called, in order; at most 1,000. */
  async peers(service: string, range: TimeRange): Promise<string[]> {
    const statement = sql`SELECT DISTINCT peer FROM andon.spans WHERE service = ${text(service)} AND ${within(range)} AND peer != '' ORDER BY peer LIMIT 1000`
    return await this.#database.query(statement, ([peer]) => stringOf(peer))
  }

  /** Database statements of a service by fingerprint, each with one of its texts cut at 300 characters, the most frequent first; at most 1,000. */
  async statements(service: string, range: TimeRange): Promise<{ readonly id: string; readonly text: string }[]> {
    const statement = sql`SELECT toString(db_fp), substringUTF8(any(if(attrs['db.query.text'] = '', attrs['db.statement'], attrs['db.query.text'])), 1, 300)
      FROM andon.spans WHERE service = ${text(service)} AND ${within(range)} AND db_fp != 0 GROUP BY db_fp ORDER BY sum(weight * repeat) DESC, db_fp LIMIT 1000`
    return await this.#database.query(statement, ([id, words]) => ({ id: stringOf(id), text: stringOf(words) }))
  }
}
