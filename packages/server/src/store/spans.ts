// The tables spans, resources and red_1m: what is written to them and read from them.
import { type BucketCounts, bucketQuantile, type Milliseconds, type Resource, SPAN_KINDS, SPAN_SCALE, type SpanKind, type SpanRecord, type TimeRange } from '@andon/model'
import { SpanView } from '@andon/wire'
import type { Clock } from '../runtime/clock.ts'
import { counts, number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { LastWritten } from './last-written.ts'
import { within } from './span-filter.ts'
import { appendSpan, resourceRow, SPAN_COLUMNS } from './span-row.ts'
import { type AttributeLimits, SpanViewRows } from './span-view-row.ts'
import { fixed, readSpans } from './spans-read.ts'
import { i64, Sql, sql, text } from './sql.ts'
import { TsvRows } from './tsv.ts'

/** How an insert is told from its own repetition. */
export interface WriteOptions {
  /** `PROCESS/SEQUENCE` of a numbered batch; a table that has seen it leaves the insert out. */
  readonly batch?: string
  /** Tables that hold the rows already, of an attempt that failed at a later one; each that is written is added. */
  readonly done?: Set<string>
}

export function token({ batch }: WriteOptions, table: string): string | undefined {
  return batch === undefined ? undefined : `${batch}/${table}`
}

/** Calls `insert` with the token of a table, unless an earlier attempt has written it. */
export async function once(options: WriteOptions, table: string, insert: (dedup: string | undefined) => Promise<void>): Promise<void> {
  if (options.done?.has(table) === true) return
  await insert(token(options, table))
  options.done?.add(table)
}

/** What a view may have at most, and what becomes of one that is past it. */
export interface SpanBounds extends AttributeLimits {
  readonly cut: (span: SpanRecord) => SpanRecord
}

const UNBOUND: SpanBounds = { attributes: Infinity, attributeLength: Infinity, nameLength: Infinity, cut: (span) => span }

/** Rows of spans and the resources that they refer to. */
export interface PreparedSpans {
  /** Those that the rows are of, within the bounds. */
  readonly spans: readonly SpanRecord[]
  readonly rows: TsvRows
  readonly resources: ReadonlySet<Resource>
}

/** Rate, errors and duration of one service, counted from its server and consumer spans. */
export interface RedSeries {
  readonly service: string
  /** Start of each step; all arrays below are as long. */
  readonly t: readonly Milliseconds[]
  /** Per second; null where nothing was seen. */
  readonly rate: readonly (number | null)[]
  readonly errorRatio: readonly (number | null)[]
  /** Seconds. */
  readonly p50: readonly (number | null)[]
  readonly p95: readonly (number | null)[]
  readonly p99: readonly (number | null)[]
}

const RESOURCES_REMEMBERED = 10_000

export class SpanStore {
  readonly #database: Database
  readonly #clock: Clock
  readonly #views = new SpanViewRows()
  /** By its hash. */
  readonly #resources: LastWritten<bigint>

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
    this.#resources = new LastWritten(clock, RESOURCES_REMEMBERED)
  }

  /** Stores spans; settles when they are stored. Their times must lie between 1970 and 2255. */
  async write(spans: readonly SpanRecord[], options: WriteOptions = {}): Promise<void> {
    await this.insert([this.prepare(spans)], options)
  }

  /**
   * The rows of spans, which can be made while others are being stored.
   *
   * @param bounds - of views; one that is past them is cut first
   * @throws AndonError bad_body where the attributes of a view cannot be read
   */
  prepare(spans: readonly SpanRecord[], bounds: SpanBounds = UNBOUND): PreparedSpans {
    const rows = new TsvRows(spans.length * 768)
    const resources = new Set<Resource>()
    const written = spans.map((span) => {
      resources.add(span.resource)
      if (span instanceof SpanView && this.#views.append(rows, span, bounds)) return span
      const record = span instanceof SpanView ? bounds.cut(span.record) : span
      appendSpan(rows, record)
      return record
    })
    return { spans: written, rows, resources }
  }

  /** Stores what was prepared, as one insert; settles when it is stored. */
  async insert(prepared: readonly PreparedSpans[], options: WriteOptions = {}): Promise<void> {
    const [first, ...others] = prepared
    if (first === undefined) return
    await this.#writeResources(new Set(prepared.flatMap(({ resources }) => [...resources])))
    // What is inserted must not change: the rows of others come after those of the first in a buffer of their own.
    const rows = others.length === 0 ? first.rows : new TsvRows(prepared.reduce((sum, each) => sum + each.rows.length, 0))
    if (rows !== first.rows) for (const each of prepared) rows.append(each.rows)
    await once(options, 'spans', (dedup) => this.#database.insert('spans', SPAN_COLUMNS, rows, dedup))
  }

  async #writeResources(resources: ReadonlySet<Resource>): Promise<void> {
    const due = new Map([...resources].map(resourceRow).filter(({ hash }) => this.#resources.isDue(hash)).map((row) => [row.hash, row]))
    if (due.size === 0) return
    const seconds = Math.floor(this.#clock.now() / 1000)
    const rows = new TsvRows()
    for (const { hash, texts: shown, rest } of due.values()) rows.number(hash).textMap(shown).raw(rest).number(seconds).end()
    await this.#database.insert('resources', ['hash', 'attrs', 'rest', 'last_seen'], rows)
    this.#resources.note(due.keys())
  }

  /**
   * All spans of a trace, by their start; [] when it is not known.
   *
   * @param near - a time within a day of the trace, which spares reading the other days
   */
  async trace(traceId: string, near?: Milliseconds): Promise<SpanRecord[]> {
    const day = 86_400_000
    const when = near === undefined ? sql`1` : sql`ts BETWEEN fromUnixTimestamp64Milli(${i64(near - day)}) AND fromUnixTimestamp64Milli(${i64(near + day)})`
    return await readSpans(this.#database, sql`trace_id = ${fixed(sql`${text(traceId)}`)} AND ${when}`, new Sql('ORDER BY ts, span_id LIMIT 100000', {}))
  }

  /** Names of the services that sent spans, in order. */
  async services(range: TimeRange): Promise<string[]> {
    return await this.#database.query(sql`SELECT DISTINCT service FROM andon.spans WHERE ${within(range)} ORDER BY service LIMIT 10000`, ([service]) => stringOf(service))
  }

  /** Names of a service's operations with their kinds, in order. */
  async operations(service: string, range: TimeRange): Promise<{ name: string; kind: SpanKind }[]> {
    const statement = sql`SELECT DISTINCT name, toInt8(kind) AS k FROM andon.spans WHERE service = ${text(service)} AND ${within(range)} ORDER BY name, k LIMIT 10000`
    return await this.#database.query(statement, ([name, kind]) => ({ name: stringOf(name), kind: SPAN_KINDS[number(kind)] ?? 'unspecified' }))
  }

  /**
   * Rate, errors and duration per service from red_1m, in the order of the names.
   *
   * @param step - milliseconds, a multiple of a minute
   */
  async red(range: TimeRange, step: Milliseconds, service?: string): Promise<RedSeries[]> {
    const rows = await this.#red(range, step, service, new Sql('service', {}))
    return [...groupBy(rows)].map(([name, points]) => redSeries(name, points, range, step))
  }

  /** The same per operation of one service, over the whole range as one step. */
  async redOfOperations(range: TimeRange, service: string): Promise<RedSeries[]> {
    const step = Math.max(60_000, Math.ceil((range.end - range.start) / 60_000) * 60_000)
    const rows = await this.#red(range, step, service, new Sql('name', {}))
    return [...groupBy(rows)].map(([name, points]) => redSeries(name, points, range, step))
  }

  async #red(range: TimeRange, step: Milliseconds, service: string | undefined, by: Sql): Promise<RedRow[]> {
    const chosen = service === undefined ? sql`1` : sql`service = ${text(service)}`
    const first = Math.floor(range.start / 60_000) * 60_000
    return await this.#database.query(
      sql`SELECT ${by}, ${i64(first)} + intDiv(toUnixTimestamp(minute) * 1000 - ${i64(first)}, ${i64(step)}) * ${i64(step)} AS t, sum(n), sum(err), sumMap(pos)
        FROM andon.red_1m WHERE kind IN ('server', 'consumer') AND ${chosen}
        AND toUnixTimestamp(minute) * 1000 >= ${i64(first)} AND toUnixTimestamp(minute) * 1000 < ${i64(range.end)} GROUP BY 1, 2 ORDER BY 1, 2`,
      ([key, t, n, errors, buckets]) => ({ key: stringOf(key), t: number(t), n: number(n), errors: number(errors), buckets: counts(buckets) }),
    )
  }

  /** When each service was last seen by its spans. */
  async lastSeen(range: TimeRange): Promise<Map<string, Milliseconds>> {
    const statement = sql`SELECT service, max(toUnixTimestamp64Milli(ts)) FROM andon.spans WHERE ${within(range)} GROUP BY service`
    return new Map(await this.#database.query(statement, ([service, last]) => [stringOf(service), number(last)] as const))
  }
}

interface RedRow {
  readonly key: string
  readonly t: Milliseconds
  readonly n: number
  readonly errors: number
  readonly buckets: BucketCounts
}

function groupBy(rows: readonly RedRow[]): Map<string, RedRow[]> {
  const groups = new Map<string, RedRow[]>()
  for (const row of rows) {
    const group = groups.get(row.key)
    if (group === undefined) groups.set(row.key, [row])
    else group.push(row)
  }
  return groups
}

function redSeries(service: string, rows: readonly RedRow[], range: TimeRange, step: Milliseconds): RedSeries {
  const byTime = new Map(rows.map((row) => [row.t, row]))
  const t: Milliseconds[] = []
  for (let at = Math.floor(range.start / 60_000) * 60_000; at < range.end; at += step) t.push(at)
  const quantile = (q: number): (number | null)[] =>
    t.map((at) => {
      const value = bucketQuantile(0, byTime.get(at)?.buckets ?? new Map(), SPAN_SCALE, q)
      return Number.isNaN(value) ? null : value
    })
  // The last step may not be over yet.
  const seconds = (at: Milliseconds): number => Math.max(1, Math.min(step, range.end - at) / 1000)
  return {
    service,
    t,
    rate: t.map((at) => (byTime.has(at) ? (byTime.get(at)?.n ?? 0) / seconds(at) : null)),
    errorRatio: t.map((at) => {
      const row = byTime.get(at)
      return row === undefined || row.n === 0 ? null : row.errors / row.n
    }),
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
  }
}
