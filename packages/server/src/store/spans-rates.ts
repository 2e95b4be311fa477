// Rates of spans per minute (red_1m), and which services say their rates by metrics.
import { AndonError, type BucketCounts, type Milliseconds, type Seconds, SPAN_KINDS, type SpanKind, type TimeRange } from '@andon/model'
import { counts, number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { type EdgeQuery, minutesIn, stepOf } from './edges.ts'
import { i64, Param, Sql, sql, text } from './sql.ts'

/** Spans of one operation within one minute, by weight. */
export interface SpanRate {
  readonly service: string
  readonly env: string
  readonly version: string
  readonly kind: SpanKind
  readonly name: string
  readonly minute: Milliseconds
  readonly calls: number
  readonly errors: number
  readonly seconds: Seconds
  /** Of SPAN_SCALE, in seconds; empty where they were not asked for. */
  readonly buckets: BucketCounts
}

export interface SpanRateQuery extends Omit<EdgeQuery, 'client'> {
  readonly service?: string
}

const ROWS_MAX = 1_000_000
/** A series' row is written again at most once an hour. */
const SEEN_SLACK: Milliseconds = 2 * 3_600_000

/** Histograms of durations by the kind of span that they count as well. */
const METRICS: readonly (readonly [metric: string, kind: SpanKind])[] = [
  ['http_server_request_duration_seconds', 'server'],
  ['http_server_duration_milliseconds', 'server'],
  ['rpc_server_duration_milliseconds', 'server'],
  ['rpc_server_call_duration_seconds', 'server'],
  ['http_client_request_duration_seconds', 'client'],
  ['http_client_duration_milliseconds', 'client'],
  ['rpc_client_duration_milliseconds', 'client'],
  ['rpc_client_call_duration_seconds', 'client'],
  ['db_client_operation_duration_seconds', 'client'],
  ['messaging_process_duration_seconds', 'consumer'],
]

/** Which services sent which of some metrics within a range. */
export async function measuredBy(database: Pick<Database, 'query'>, metrics: readonly string[], { start }: TimeRange, signal?: AbortSignal): Promise<{ readonly metric: string; readonly service: string }[]> {
  const seen = Math.min(0xffff_ffff, Math.max(0, Math.floor((start - SEEN_SLACK) / 1000)))
  return await database.query(
    sql`SELECT DISTINCT toString(name), labels['service_name'] FROM andon.series WHERE name IN ${new Param('Array(String)', [...metrics])} AND last_seen >= toDateTime(${i64(seen)})`,
    ([metric, service]) => ({ metric: stringOf(metric), service: stringOf(service) }),
    signal,
  )
}

export class SpanRateStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Rates of the minutes of a range, added up by step; `minute` is then the start of the step.
   *
   * @throws AndonError query_too_large past a million rows
   */
  async read({ range, step, buckets, service }: SpanRateQuery, signal?: AbortSignal): Promise<SpanRate[]> {
    const of = service === undefined ? sql`1` : sql`service = ${text(service)}`
    const maps = new Sql(buckets ? 'sumMap(pos)' : '0', {})
    const rates = await this.#database.query(
      sql`SELECT service, env, version, toInt8(kind) AS k, name, ${stepOf(step, range)} AS t, sum(n), sum(err), sum(dur_sum), ${maps} FROM andon.red_1m WHERE ${minutesIn(range)} AND ${of}
        GROUP BY service, env, version, k, name, t ORDER BY service, env, version, k, name, t LIMIT ${i64(ROWS_MAX + 1)}`,
      (row) => ({
        service: stringOf(row[0]),
        env: stringOf(row[1]),
        version: stringOf(row[2]),
        kind: SPAN_KINDS[number(row[3])] ?? 'unspecified',
        name: stringOf(row[4]),
        minute: number(row[5]),
        calls: number(row[6]),
        errors: number(row[7]),
        seconds: number(row[8]),
        buckets: counts(row[9]),
      }),
      signal,
    )
    if (rates.length > ROWS_MAX) throw new AndonError('query_too_large', `the rates of spans are more than ${ROWS_MAX} rows`)
    return rates
  }

  /** Services that send the duration of what spans of a kind stand for as a metric, each as `service\0kind`. */
  async measured(range: TimeRange, signal?: AbortSignal): Promise<Set<string>> {
    const kinds = new Map(METRICS)
    return new Set((await measuredBy(this.#database, [...kinds.keys()], range, signal)).map(({ metric, service }) => `${service}\0${kinds.get(metric) ?? ''}`))
  }

  /** Whether anything was ever stored and is still kept. */
  async any(): Promise<boolean> {
    const [found] = await this.#database.query(sql`SELECT count() FROM andon.red_1m`, ([count]) => number(count) > 0)
    return found ?? false
  }
}
