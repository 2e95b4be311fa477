// The tables db_queries and db_stats_1m: what is written to them and read from them.
import { type BucketCounts, type Milliseconds, nanosecondsToMilliseconds, type Seconds, type TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { counts, number, stringOf, texts } from './cells.ts'
import type { Database } from './database.ts'
import { minutesIn, stepOf } from './edges.ts'
import { LastWritten } from './last-written.ts'
import { once, type WriteOptions } from './spans.ts'
import { all, i64, ids, Sql, sql, text, u32 } from './sql.ts'
import type { IdentifiedStatement } from './statement-text.ts'
import { TsvRows } from './tsv.ts'

/** What executions of a statement add up to; counts are by weight and may be fractions. */
export interface StatementSums {
  readonly calls: number
  readonly errors: number
  /** Of all calls. */
  readonly seconds: Seconds
  /** Calls that are known to have waited for a connection, and how long these did. */
  readonly waits: number
  readonly waitSeconds: Seconds
  /** Calls of which the time between question and answer is known, and its sum. */
  readonly serverCalls: number
  readonly serverSeconds: Seconds
  /** Calls of which the number of returned rows is known, and its sum. */
  readonly answers: number
  readonly rows: number
  /** The most executions within one trace. */
  readonly perTraceMax: number
  /** Of SPAN_SCALE, in seconds. */
  readonly buckets: BucketCounts
}

/** Executions of one statement by one service, route and caller within one minute. */
export interface StatementRow extends StatementSums {
  readonly service: string
  readonly env: string
  readonly version: string
  /** xxHash64 of its text without values; 0 for those over the limit of different ones. */
  readonly statement: bigint
  readonly route: string
  readonly caller: string
  readonly minute: Milliseconds
}

/** What a statement is, by its id in decimal. */
export interface KnownStatement {
  readonly id: string
  readonly system: string
  readonly text: string
  readonly operation: string
  readonly collections: readonly string[]
}

export interface StatementTotals extends StatementSums {
  readonly service: string
  readonly id: string
}

/** A part of a statement's executions; the key is what they have in common. */
export interface StatementPart extends StatementSums {
  readonly key: string
}

/** One execution, of which the whole trace can be read. */
export interface StatementExample {
  readonly traceId: string
  readonly spanId: string
  readonly time: Milliseconds
  readonly seconds: Seconds
  /** Executions of the statement by this service within the trace. */
  readonly perTrace: number
  readonly isFailed: boolean
}

export interface StatementQuery {
  readonly range: TimeRange
  readonly service?: string
  readonly env?: string
}

const STATS_COLUMNS = ['service', 'env', 'version', 'fp', 'route', 'caller', 'minute', 'n', 'err', 'dur_sum', 'wait_n', 'wait_sum', 'server_n', 'server_sum', 'rows_n', 'rows', 'per_trace_max', 'pos']
const QUERY_COLUMNS = ['fp', 'system', 'statement', 'tables', 'op', 'last_seen']
const SUMS = new Sql('sum(n), sum(err), sum(dur_sum), sum(wait_n), sum(wait_sum), sum(server_n), sum(server_sum), sum(rows_n), sum(rows), max(per_trace_max), sumMap(pos)', {})
const REMEMBERED = 20_000
const PARTS_MAX = 200
/** By what the parts of a statement are told apart. */
export type StatementBy = 'route' | 'caller' | 'version'
const PARTS: Readonly<Record<StatementBy, Sql>> = { route: new Sql('route', {}), caller: new Sql('caller', {}), version: new Sql('version', {}) }

export class StatementStore {
  readonly #database: Database
  readonly #clock: Pick<Clock, 'now'>
  /** Texts, by their ids. */
  readonly #written: LastWritten<bigint>

  constructor(database: Database, clock: Pick<Clock, 'now'>) {
    this.#database = database
    this.#clock = clock
    this.#written = new LastWritten(clock, REMEMBERED)
  }

  /** Stores what statements cost and, before it, what they are; settles when it is stored. */
  async write(rows: readonly StatementRow[], statements: readonly IdentifiedStatement[], options: WriteOptions = {}): Promise<void> {
    await this.#writeTexts(statements)
    const tsv = new TsvRows(rows.length * 256)
    for (const row of rows) {
      tsv.text(row.service).text(row.env).text(row.version).number(row.statement).text(row.route).text(row.caller).number(row.minute / 1000)
      tsv.number(row.calls).number(row.errors).number(row.seconds).number(row.waits).number(row.waitSeconds).number(row.serverCalls).number(row.serverSeconds)
      tsv.number(row.answers).number(row.rows).number(Math.min(row.perTraceMax, 0xffff_ffff)).valueMap(row.buckets).end()
    }
    await once(options, 'db_stats', (dedup) => this.#database.insert('db_stats_1m', STATS_COLUMNS, tsv, dedup))
  }

  async #writeTexts(statements: readonly IdentifiedStatement[]): Promise<void> {
    const due = statements.filter(({ id }) => this.#written.isDue(id))
    if (due.length === 0) return
    const seconds = Math.floor(this.#clock.now() / 1000)
    const tsv = new TsvRows(due.length * 512)
    for (const { id, system, text: words, collections, operation } of due) {
      tsv.number(id).text(system).text(words).list(collections, (part, each) => part.text(each)).text(operation).number(seconds).end()
    }
    await this.#database.insert('db_queries', QUERY_COLUMNS, tsv)
    this.#written.note(due.map(({ id }) => id))
  }

  /** Statements by service, those with the most time first. Reads one partition per week. */
  async totals(query: StatementQuery, limit: number): Promise<StatementTotals[]> {
    return await this.#database.query(
      sql`SELECT ${SUMS}, service, toString(fp) FROM andon.db_stats_1m WHERE ${conditions(query)} GROUP BY service, fp ORDER BY sum(dur_sum) DESC, service, fp LIMIT ${u32(limit)}`,
      (row) => ({ ...sumsOf(row), service: stringOf(row[11]), id: stringOf(row[12]) }),
    )
  }

  /** Seconds that all statements took together. */
  async seconds(query: StatementQuery): Promise<Seconds> {
    const [sum = 0] = await this.#database.query(sql`SELECT sum(dur_sum) FROM andon.db_stats_1m WHERE ${conditions(query)}`, ([value]) => number(value))
    return sum
  }

  /** What statements are; unknown ones are absent. */
  async texts(statements: readonly string[]): Promise<Map<string, KnownStatement>> {
    if (statements.length === 0) return new Map()
    const found = await this.#database.query(
      sql`SELECT toString(fp), argMax(system, last_seen), argMax(statement, last_seen), argMax(op, last_seen), argMax(tables, last_seen) FROM andon.db_queries WHERE fp IN ${ids(statements.map(BigInt))} GROUP BY fp`,
      ([id, system, words, operation, collections]) => ({ id: stringOf(id), system: stringOf(system), text: stringOf(words), operation: stringOf(operation), collections: texts(collections) }),
    )
    return new Map(found.map((each) => [each.id, each]))
  }

  /** One statement by route, caller or version; those with the most time first, at most 200. */
  async parts(statement: string, query: StatementQuery, by: StatementBy): Promise<StatementPart[]> {
    return await this.#database.query(
      sql`SELECT ${SUMS}, ${PARTS[by]} FROM andon.db_stats_1m WHERE ${conditions(query, statement)} GROUP BY ${PARTS[by]} ORDER BY sum(dur_sum) DESC, ${PARTS[by]} LIMIT ${u32(PARTS_MAX)}`,
      (row) => ({ ...sumsOf(row), key: stringOf(row[11]) }),
    )
  }

  /** One statement over time, by the start of each step in milliseconds. @param step - a multiple of a minute */
  async course(statement: string, query: StatementQuery, step: Milliseconds): Promise<Map<Milliseconds, StatementSums>> {
    const found = await this.#database.query(
      sql`SELECT ${SUMS}, ${stepOf(step, query.range)} AS t FROM andon.db_stats_1m WHERE ${conditions(query, statement)} GROUP BY t ORDER BY t`,
      (row) => [number(row[11]), sumsOf(row)] as const,
    )
    return new Map(found)
  }

  /** The slowest executions, each of another trace. Reads the spans of the statement in the range. */
  async examples(statement: string, { range, service }: StatementQuery, limit: number): Promise<StatementExample[]> {
    const of = service === undefined ? sql`1` : sql`service = ${text(service)}`
    return await this.#database.query(
      sql`SELECT lower(hex(trace_id)), lower(hex(argMax(span_id, dur / repeat))), toUnixTimestamp64Nano(argMax(ts, dur / repeat)), max(dur / repeat) / 1e9 AS slowest, sum(repeat), max(status = 'error')
        FROM andon.spans WHERE db_fp IN ${ids([BigInt(statement)])} AND ${of}
        AND ts >= fromUnixTimestamp64Milli(${i64(Math.floor(range.start))}) AND ts < fromUnixTimestamp64Milli(${i64(Math.ceil(range.end))})
        GROUP BY trace_id, service ORDER BY slowest DESC, trace_id LIMIT ${u32(limit)}`,
      ([traceId, spanId, time, seconds, perTrace, failed]) => ({
        traceId: stringOf(traceId),
        spanId: stringOf(spanId).padStart(16, '0'),
        time: nanosecondsToMilliseconds(BigInt(stringOf(time))),
        seconds: number(seconds),
        perTrace: number(perTrace),
        isFailed: number(failed) === 1,
      }),
    )
  }
}

function conditions({ range, service, env }: StatementQuery, statement?: string): Sql {
  const list = [minutesIn(range)]
  if (service !== undefined) list.push(sql`service = ${text(service)}`)
  if (env !== undefined) list.push(sql`env = ${text(env)}`)
  if (statement !== undefined) list.push(sql`fp IN ${ids([BigInt(statement)])}`)
  return all(list)
}

function sumsOf(row: readonly unknown[]): StatementSums {
  return {
    calls: number(row[0]),
    errors: number(row[1]),
    seconds: number(row[2]),
    waits: number(row[3]),
    waitSeconds: number(row[4]),
    serverCalls: number(row[5]),
    serverSeconds: number(row[6]),
    answers: number(row[7]),
    rows: number(row[8]),
    perTraceMax: number(row[9]),
    buckets: counts(row[10]),
  }
}
