// Increments of histograms added up in the database, cell by cell, for rates over windows that hold many of them.
import type { LabelMatcher, Labels, Milliseconds } from '@andon/model'
import type { Database } from './database.ts'
import { groupIndex, type GroupedSeries, type KnownSeries, seriesApart } from './known-series.ts'
import type { HistogramValue } from './metric-rows.ts'
import { readBuckets } from './metric-read.ts'
import { STALE } from './metric-write.ts'
import { RowBinary } from './row-binary.ts'
import { i64, ids, type Sql, sql, u32 } from './sql.ts'

/** What is asked for: cells (origin, origin + cell], … of the histograms that match. */
export interface DeltaRequest {
  readonly matchers: readonly LabelMatcher[]
  readonly origin: Milliseconds
  readonly cell: Milliseconds
  readonly count: number
  /** Below so many points, as estimated, it is not worth it. */
  readonly leastPoints: number
}

/** What a cell holds. */
export interface DeltaCell {
  /** All increments, by their schemas. */
  readonly sums: readonly HistogramValue[]
  readonly first: HistogramValue
  /** When the first one was measured. */
  readonly firstTime: Milliseconds
}

/** Increments of one series, of which all have one layout, schemas apart. */
export interface DeltaHistogram {
  readonly labels: Labels
  /** The points that PromQL sees: one where an increment was measured, and one where its interval opens after the last point. */
  readonly ts: Float64Array
  /** The running count at each point. */
  readonly counts: Float64Array
  /** The coarsest schema up to each point. */
  readonly schemas: Int8Array
  readonly cells: readonly (DeltaCell | undefined)[]
}

export interface DeltaAnswer {
  readonly series: readonly DeltaHistogram[]
  /** How many points the database read. */
  readonly samples: number
}

interface Found {
  readonly count: number
  readonly fits: boolean
}

/** Whether all points are increments of one layout: then a running sum has no resets, and what is between two points is a sum. */
async function look(database: Database, rows: Sql, series: GroupedSeries, signal?: AbortSignal): Promise<Found> {
  const [found] = await database.query(
    sql`SELECT count(), countIf(bitAnd(flags, ${u32(STALE)}) = 0 AND (form != 'delta' OR hint = 'gauge' OR NOT isFinite(sm))), uniqExactIf((zero_threshold, bounds, schema = -53), bitAnd(flags, ${u32(STALE)}) = 0),
      (SELECT count() FROM andon.samples WHERE id IN ${ids(series.ids)}) ${rows}`,
    ([count, others, layouts, floats]) => ({ count: Number(count), fits: Number(others) === 0 && Number(layouts) <= 1 && Number(floats) === 0 }),
    signal,
  )
  return found ?? { count: 0, fits: false }
}

type Seen = Pick<DeltaHistogram, 'ts' | 'counts' | 'schemas'>

/** The points of one series, in the order of their times. @see RunningHistogram, which does the same to points with all that they hold */
class SeenPoints {
  readonly #ts: number[] = []
  readonly #counts: number[] = []
  readonly #schemas: number[] = []
  #last = -Infinity
  #count = 0
  #schema: number | undefined

  #push(ts: Milliseconds, schema: number): void {
    this.#ts.push(ts)
    this.#counts.push(this.#count)
    this.#schemas.push(schema)
  }

  /** @returns false where a point of the same time came before, which cannot be told apart later */
  add(ts: Milliseconds, start: Milliseconds, point: { readonly count: number; readonly schema: number } | undefined): boolean {
    if (ts <= this.#last) return false
    if (point !== undefined) {
      this.#schema ??= point.schema
      if (start > 0 && start < ts && start > this.#last) this.#push(start, this.#schema)
      this.#schema = Math.min(this.#schema, point.schema)
      this.#count += point.count
      this.#push(ts, this.#schema)
    }
    this.#last = ts
    return true
  }

  value(): Seen {
    return { ts: Float64Array.from(this.#ts), counts: Float64Array.from(this.#counts), schemas: Int8Array.from(this.#schemas) }
  }
}

async function seenPoints(database: Database, rows: Sql, series: GroupedSeries, signal?: AbortSignal): Promise<Map<number, Seen> | undefined> {
  const bytes = await database.binary(sql`SELECT ${groupIndex(series)} AS g, toUnixTimestamp64Milli(ts), toUnixTimestamp64Milli(start), n, schema, flags ${rows} ORDER BY id, ts`, signal)
  const row = new RowBinary(bytes)
  const found = new Map<number, SeenPoints>()
  while (row.more) {
    const group = row.uint32()
    let points = found.get(group)
    if (points === undefined) found.set(group, (points = new SeenPoints()))
    const [ts, start, count, schema, flags] = [row.int64(), row.int64(), row.float64(), row.int8(), row.uint8()]
    if (!points.add(ts, start, (flags & STALE) === 0 ? { count, schema } : undefined)) return undefined
  }
  return new Map([...found].map(([group, points]) => [group, points.value()]))
}

function readValue(row: RowBinary, schema: number, layout: Pick<HistogramValue, 'zeroThreshold' | 'bounds'>): HistogramValue {
  return { schema, ...layout, zeroCount: row.float64(), count: row.float64(), sum: row.float64(), positive: readBuckets(row), negative: readBuckets(row) }
}

/** The cells of each series, by their schemas at first. */
async function cellsOf(database: Database, rows: Sql, series: GroupedSeries, { origin, cell, count }: DeltaRequest, signal?: AbortSignal): Promise<Map<number, (DeltaCell | undefined)[]>> {
  const index = sql`toUInt32(intDiv(toUnixTimestamp64Milli(ts) - ${i64(origin)} - 1, ${i64(cell)}))`
  const statement = sql`SELECT ${groupIndex(series)} AS g, ${index} AS c, schema, any(zero_threshold), any(bounds), sum(zero), sum(n), sum(sm), sumMap(pos), sumMap(neg), toUnixTimestamp64Milli(min(ts)), argMin((zero, n, sm, pos, neg), ts)
    ${rows} AND bitAnd(flags, ${u32(STALE)}) = 0 GROUP BY g, c, schema`
  const row = new RowBinary(await database.binary(statement, signal))
  const found = new Map<number, (DeltaCell | undefined)[]>()
  while (row.more) {
    const [group, at, schema] = [row.uint32(), row.uint32(), row.int8()]
    const layout = { zeroThreshold: row.float64(), bounds: row.float64s() }
    const sum = readValue(row, schema, layout)
    const firstTime = row.int64()
    const first = readValue(row, schema, layout)
    let cells = found.get(group)
    if (cells === undefined) found.set(group, (cells = Array.from({ length: count }, () => undefined)))
    const held = cells[at]
    const earlier = held !== undefined && held.firstTime < firstTime ? held : { first, firstTime }
    cells[at] = { sums: [...(held?.sums ?? []), sum], first: earlier.first, firstTime: earlier.firstTime }
  }
  return found
}

/**
 * The increments of histograms, cell by cell.
 *
 * @returns undefined where they are not all increments of one layout
 */
export async function deltaHistograms(database: Database, known: readonly KnownSeries[], request: DeltaRequest, signal?: AbortSignal): Promise<DeltaAnswer | undefined> {
  const series = seriesApart(known)
  const { origin, cell, count } = request
  const rows = sql`FROM andon.hist WHERE id IN ${ids(series.ids)} AND ts > fromUnixTimestamp64Milli(${i64(origin)}) AND ts <= fromUnixTimestamp64Milli(${i64(origin + cell * count)})`
  const { count: samples, fits } = await look(database, rows, series, signal)
  const seen = fits ? await seenPoints(database, rows, series, signal) : undefined
  if (seen === undefined) return undefined
  const cells = await cellsOf(database, rows, series, request, signal)
  return { samples, series: [...seen].map(([group, points]) => ({ labels: series.labels[group] ?? {}, ...points, cells: cells.get(group) ?? [] })) }
}
