// The table slo_slices: what was good of what an objective counts, per minute; and the counting of spans for it.
import { AndonError, type Milliseconds, type TimeRange } from '@andon/model'
import { columns, number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { i64, Param, Sql, sql, text, u32 } from './sql.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['slo', 'ts', 'route', 'version', 'good', 'total', 'rev']
const ROWS_MAX = 1_000_000

/** One minute of one route in one version. */
export interface SloSlice {
  /** Which objective, in which wording. */
  readonly slo: string
  /** The start of the minute. */
  readonly time: Milliseconds
  readonly route: string
  readonly version: string
  readonly good: number
  readonly total: number
}

/** Good and total over some time. */
export interface SloSum {
  readonly good: number
  readonly total: number
}

export interface SloQuery {
  readonly slo: string
  /** Whole minutes. */
  readonly range: TimeRange
  /** Times that do not count, whole minutes. */
  readonly except?: readonly TimeRange[]
}

/** Requests of one route within one slice, as the service itself saw them. */
export interface SpanCount {
  readonly service: string
  readonly env: string
  readonly version: string
  readonly route: string
  /** The start of the slice in which they began. */
  readonly time: Milliseconds
  /** By weight, as all that follow. */
  readonly ok: number
  readonly failed: number
  /** Sums of squared weights: by them one knows how many independent ones the samples are worth. */
  readonly okSquares: number
  readonly failedSquares: number
  /** Of those that did not fail, how many took longer than each of the asked limits. */
  readonly slow: readonly number[]
}

export interface SpanCountQuery {
  readonly range: TimeRange
  readonly sliceMs: Milliseconds
  readonly limitsMs: readonly Milliseconds[]
  /** Undefined for all. */
  readonly services: readonly string[] | undefined
}

const seconds = (time: Milliseconds): number => Math.min(0xffff_ffff, Math.max(0, Math.floor(time / 1000)))

function excepted(ranges: readonly TimeRange[]): Sql {
  if (ranges.length === 0) return sql`0`
  const [starts, ends] = [ranges.map(({ start }) => seconds(start)), ranges.map(({ end }) => seconds(end))]
  return sql`arrayExists((a, b) -> toUnixTimestamp(ts) >= a AND toUnixTimestamp(ts) < b, ${new Param('Array(UInt32)', starts)}, ${new Param('Array(UInt32)', ends)})`
}

function where({ slo, range, except = [] }: SloQuery): Sql {
  return sql`slo = ${text(slo)} AND ts >= toDateTime(${i64(seconds(range.start))}) AND ts < toDateTime(${i64(seconds(range.end))}) AND NOT ${excepted(except)}`
}

export class SloSliceStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Stores minutes; settles when they are stored. A minute of the same objective, route and version is replaced.
   *
   * @param revision - higher than that of what is replaced
   */
  async write(slices: readonly SloSlice[], revision: number): Promise<void> {
    if (slices.length === 0) return
    const rows = new TsvRows(slices.length * 96)
    for (const { slo, time, route, version, good, total } of slices) rows.text(slo).number(seconds(time)).text(route).text(version).number(good).number(total).number(revision).end()
    await this.#database.insert('slo_slices', COLUMNS, rows)
  }

  /** The minutes themselves, in order. @throws AndonError query_too_large past a million */
  async read(query: SloQuery): Promise<SloSlice[]> {
    const found = await this.#database.query(
      sql`SELECT toUnixTimestamp(ts), route, version, good, total FROM andon.slo_slices FINAL WHERE ${where(query)} ORDER BY ts, route, version LIMIT ${i64(ROWS_MAX + 1)}`,
      ([time, route, version, good, total]) => ({ slo: query.slo, time: number(time) * 1000, route: stringOf(route), version: stringOf(version), good: number(good), total: number(total) }),
    )
    if (found.length > ROWS_MAX) throw new AndonError('query_too_large', `the slices of ${query.slo} are more than ${ROWS_MAX}`)
    return found
  }

  /** Good and total of each step of a range; a step of which nothing was counted is left out. */
  async course(query: SloQuery, stepMs: Milliseconds): Promise<(SloSum & { readonly time: Milliseconds })[]> {
    const step = i64(Math.max(60, Math.round(stepMs / 1000)))
    const first = i64(seconds(query.range.start))
    return await this.#database.query(
      sql`SELECT ${first} + intDiv(toUnixTimestamp(ts) - ${first}, ${step}) * ${step} AS t, sum(good), sum(total) FROM andon.slo_slices FINAL WHERE ${where(query)} GROUP BY t HAVING sum(total) > 0 ORDER BY t LIMIT ${i64(ROWS_MAX)}`,
      ([time, good, total]) => ({ time: number(time) * 1000, good: number(good), total: number(total) }),
    )
  }

  /** Good and total of a range, in how many minutes something was counted, and when first and last. */
  async sum(query: SloQuery): Promise<SloSum & { readonly minutes: number; readonly first: Milliseconds | undefined; readonly last: Milliseconds | undefined }> {
    const [found] = await this.#database.query(
      sql`SELECT sum(good), sum(total), uniqExactIf(ts, total > 0), toUnixTimestamp(minIf(ts, total > 0)), toUnixTimestamp(maxIf(ts, total > 0)) FROM andon.slo_slices FINAL WHERE ${where(query)}`,
      ([good, total, minutes, first, last]) => ({ good: number(good), total: number(total), minutes: number(minutes), first: number(first) * 1000, last: number(last) * 1000 }),
    )
    const { good = 0, total = 0, minutes = 0, first = 0, last = 0 } = found ?? {}
    return { good, total, minutes, first: minutes === 0 ? undefined : first, last: minutes === 0 ? undefined : last }
  }

  /** Good and total by route or by version, what was worst first. */
  async by(query: SloQuery, column: 'route' | 'version', limit: number): Promise<(SloSum & { readonly key: string })[]> {
    const key = new Sql(column, {})
    return await this.#database.query(
      sql`SELECT ${key}, sum(good) AS g, sum(total) AS n FROM andon.slo_slices FINAL WHERE ${where(query)} GROUP BY ${key} HAVING n > 0 ORDER BY n - g DESC, ${key} LIMIT ${u32(limit)}`,
      ([of, good, total]) => ({ key: stringOf(of), good: number(good), total: number(total) }),
    )
  }

  /** The minutes in which something was bad, in order. */
  async badMinutes(query: SloQuery, limit: number): Promise<(SloSum & { readonly time: Milliseconds })[]> {
    return await this.#database.query(
      sql`SELECT toUnixTimestamp(ts) AS t, sum(good) AS g, sum(total) AS n FROM andon.slo_slices FINAL WHERE ${where(query)} GROUP BY t HAVING n > g ORDER BY t LIMIT ${u32(limit)}`,
      ([time, good, total]) => ({ time: number(time) * 1000, good: number(good), total: number(total) }),
    )
  }

  /**
   * Counts the requests and messages that services handled, from spans by their weights. A folded span counts as often as it was
   * folded, each with the mean of their durations. Reads one partition per day of the range.
   *
   * @throws AndonError query_too_large past a million rows
   */
  async countSpans({ range, sliceMs, limitsMs, services }: SpanCountQuery, signal?: AbortSignal): Promise<SpanCount[]> {
    const of = services === undefined ? sql`1` : sql`service IN ${new Param('Array(String)', [...services])}`
    const limits = new Param('Array(UInt64)', limitsMs.map((ms) => Math.round(ms * 1e6)))
    const slice = i64(sliceMs)
    const found = await this.#database.query(
      sql`SELECT service, env, version, r, t, sumIf(w, NOT f), sumIf(w, f), sumIf(w * weight, NOT f), sumIf(w * weight, f), sumForEach(arrayMap(x -> if(NOT f AND dur > x * repeat, w, 0.), ${limits}))
        FROM (SELECT service, env, version, if(route = '', name, route) AS r, intDiv(toUnixTimestamp64Milli(ts), ${slice}) * ${slice} AS t, weight, repeat, dur, weight * repeat AS w, status = 'error' OR http_status >= 500 AS f
          FROM andon.spans WHERE kind IN ('server', 'consumer') AND ${of} AND ts >= fromUnixTimestamp64Milli(${i64(range.start)}) AND ts < fromUnixTimestamp64Milli(${i64(range.end)}))
        GROUP BY service, env, version, r, t LIMIT ${i64(ROWS_MAX + 1)}`,
      (row) => ({
        service: stringOf(row[0]),
        env: stringOf(row[1]),
        version: stringOf(row[2]),
        route: stringOf(row[3]),
        time: number(row[4]),
        ok: number(row[5]),
        failed: number(row[6]),
        okSquares: number(row[7]),
        failedSquares: number(row[8]),
        slow: columns(row[9]).map(number),
      }),
      signal,
    )
    if (found.length > ROWS_MAX) throw new AndonError('query_too_large', `the requests of objectives are more than ${ROWS_MAX} rows`)
    return found
  }
}
