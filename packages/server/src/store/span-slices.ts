// What services that send spans and no durations as metrics did, slice by slice, counted from the spans themselves.
import { AndonError, type BucketCounts, type Milliseconds, type TimeRange } from '@andon/model'
import { counts, number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { minutesIn } from './edges.ts'
import { measuredBy } from './spans-rates.ts'
import { i64, Param, type Sql, sql, text } from './sql.ts'

/** Requests that a service answered, calls that it made over HTTP or otherwise, or statements that it ran. */
export type SpanSide = 'server' | 'http' | 'database'

/** One slice, by weight; a folded span counts as often as it was folded, each with the mean of their durations. */
export interface SpanSlice {
  readonly service: string
  readonly env: string
  readonly side: SpanSide
  /** Whom it called; '' of requests. */
  readonly peer: string
  /** The start of the slice in which they ended. */
  readonly time: Milliseconds
  readonly calls: number
  readonly failed: number
  /** The sum of the squared weights: by it one knows how many independent ones the spans are worth. */
  readonly squares: number
  /** Of SPAN_SCALE, in seconds. */
  readonly buckets: BucketCounts
}

/** How long the requests of a service in an environment took. */
export interface SpanDurations {
  readonly service: string
  readonly env: string
  /** Of SPAN_SCALE, in seconds. */
  readonly buckets: BucketCounts
}

/** Any of them says how long something took that spans say as well. */
const METRICS = ['http_server_request_duration_seconds', 'http_client_request_duration_seconds', 'db_client_operation_duration_seconds']
/** A span that lasted longer is not found by the slice in which it ended. */
const LONGEST: Milliseconds = 300_000
const ROWS_MAX = 1_000_000
const SERVICES_MAX = 10_000

const among = (services: readonly string[]): Sql => sql`service IN ${new Param('Array(String)', [...services])}`

export class SpanSliceStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Services with spans in a range of which no metric says how long anything took, in order. */
  async alone(range: TimeRange, service?: string): Promise<string[]> {
    const of = service === undefined ? sql`service != ''` : sql`service = ${text(service)}`
    const found = await this.#database.query(sql`SELECT DISTINCT service FROM andon.red_1m WHERE ${minutesIn(range)} AND ${of} ORDER BY service LIMIT ${i64(SERVICES_MAX)}`, ([name]) => stringOf(name))
    if (found.length === 0) return []
    const known = new Set((await measuredBy(this.#database, METRICS, range)).map(({ service: name }) => name))
    return found.filter((name) => !known.has(name))
  }

  /**
   * Slices of services. Reads one partition per day of the range.
   *
   * @param range - its ends are multiples of a slice
   * @throws AndonError query_too_large past a million rows
   */
  async read(services: readonly string[], range: TimeRange, sliceMs: Milliseconds): Promise<SpanSlice[]> {
    if (services.length === 0) return []
    const [start, end, slice] = [i64(range.start), i64(range.end), i64(sliceMs)]
    const isDatabase = sql`attrs['db.system.name'] != '' OR attrs['db.system'] != ''`
    const found = await this.#database.query(
      sql`SELECT service, env, side, called, intDiv(ended, ${slice}) * ${slice} AS t, sum(w), sumIf(w, f), sum(w * weight), sumMap(map(bucket, w))
        FROM (SELECT service, env, if(kind = 'server', 'server', if(${isDatabase}, 'database', 'http')) AS side, if(kind = 'server', '', peer) AS called,
            toUnixTimestamp64Milli(ts) + intDiv(dur, 1000000) AS ended, weight, weight * repeat AS w, status = 'error' OR (kind = 'server' AND http_status >= 500) AS f,
            toInt16(ceil(log2(greatest(dur / repeat, 1) / 1e9) * 8) - 1) AS bucket
          FROM andon.spans WHERE ${among(services)} AND kind IN ('server', 'client') AND ts >= fromUnixTimestamp64Milli(${i64(range.start - LONGEST)}) AND ts < fromUnixTimestamp64Milli(${end}))
        WHERE ended >= ${start} AND ended < ${end} GROUP BY service, env, side, called, t ORDER BY service, env, side, called, t LIMIT ${i64(ROWS_MAX + 1)}`,
      (row) => ({
        service: stringOf(row[0]),
        env: stringOf(row[1]),
        side: sideOf(stringOf(row[2])),
        peer: stringOf(row[3]),
        time: number(row[4]),
        calls: number(row[5]),
        failed: number(row[6]),
        squares: number(row[7]),
        buckets: counts(row[8]),
      }),
    )
    if (found.length > ROWS_MAX) throw new AndonError('query_too_large', `the slices of spans are more than ${ROWS_MAX} rows`)
    return found
  }

  /** How long the requests of services took within the minutes of a range. */
  async durations(services: readonly string[], range: TimeRange): Promise<SpanDurations[]> {
    if (services.length === 0) return []
    return await this.#database.query(
      sql`SELECT service, env, sumMap(pos) FROM andon.red_1m WHERE ${minutesIn(range)} AND kind = 'server' AND ${among(services)} GROUP BY service, env ORDER BY service, env LIMIT ${i64(ROWS_MAX)}`,
      ([service, env, buckets]) => ({ service: stringOf(service), env: stringOf(env), buckets: counts(buckets) }),
    )
  }

  /** When the first minute of spans in a range begins; undefined where it has none. */
  async first(range: TimeRange): Promise<Milliseconds | undefined> {
    const [first = 0] = await this.#database.query(sql`SELECT toUnixTimestamp(min(minute)) FROM andon.red_1m WHERE ${minutesIn(range)}`, ([minute]) => number(minute))
    return first === 0 ? undefined : Math.max(range.start, first * 1000)
  }
}

function sideOf(side: string): SpanSide {
  return side === 'server' || side === 'database' ? side : 'http'
}
