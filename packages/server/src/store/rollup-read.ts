// The statements that read rollups, and the bytes that they answer.
import type { Labels, Milliseconds } from '@andon/model'
import type { Database } from './database.ts'
import { groupIndex, type GroupedSeries } from './known-series.ts'
import { type Buckets, CUSTOM_BOUNDS, type HistogramValue } from './metric-rows.ts'
import { RowBinary } from './row-binary.ts'
import { i64, ids, name, Sql, sql, u32 } from './sql.ts'

/** How finely it is rolled up. */
export type Resolution = '5m' | '1h'

export const BUCKETS: Readonly<Record<Resolution, Milliseconds>> = { '5m': 300_000, '1h': 3_600_000 }

/** Cells of equal length, each of whole buckets of the rollup. */
export interface CellGrid {
  /** When the first cell begins, a multiple of the bucket. */
  readonly origin: Milliseconds
  /** A cell's length, a multiple of the bucket. */
  readonly cell: Milliseconds
  readonly count: number
  /** Of each `every` cells only the first `used` are read; all where `every` is 0. */
  readonly every: number
  readonly used: number
}

/** Points that make a rate. How many there were is not kept of histograms: each of their cells counts as so many. */
export const ENOUGH = 2

/** Numbers of one series or group, cell by cell; 0 in `counts` where there is nothing. */
export interface FloatCells {
  readonly labels: Labels
  readonly values: Float64Array
  /** Points of the cell. */
  readonly counts: Float64Array
}

/** What came to the histograms of one series or group, cell by cell: several values where their layouts differ. */
export interface HistogramCells {
  readonly labels: Labels
  readonly cells: readonly (readonly HistogramValue[] | undefined)[]
}

/** Of the points of a cell: their sum, the least, the greatest, the last one, how many they are. */
export type FloatColumn = 'sum' | 'min' | 'max' | 'last' | 'count'

/** How a column is made of the rows of a cell, and of which table. */
const COLUMNS: Readonly<Record<FloatColumn | 'inc' | 'hist_n' | 'hist_sm', readonly [table: 'samples' | 'hist', value: string]>> = {
  inc: ['samples', 'sum(inc)'],
  sum: ['samples', 'sum(sm)'],
  min: ['samples', 'min(mn)'],
  max: ['samples', 'max(mx)'],
  last: ['samples', 'argMaxMerge(last)'],
  count: ['samples', 'toFloat64(sum(n))'],
  hist_n: ['hist', 'toFloat64(sum(n))'],
  hist_sm: ['hist', 'sum(sm)'],
}

export interface RollupRead {
  readonly database: Database
  readonly resolution: Resolution
  readonly grid: CellGrid
  readonly signal: AbortSignal | undefined
}

/** The index of a row's cell. */
function cellIndex({ origin, cell }: CellGrid): Sql {
  return sql`toUInt32(intDiv(toInt64(toUnixTimestamp(ts)) - ${i64(origin / 1000)}, ${i64(cell / 1000)}))`
}

function rowsOf(table: 'samples' | 'hist', { resolution, grid }: RollupRead, series: GroupedSeries): Sql {
  const { origin, cell, count, every, used } = grid
  const when = sql`ts >= toDateTime(${i64(Math.max(0, origin / 1000))}) AND ts < toDateTime(${i64(Math.max(0, (origin + cell * count) / 1000))})`
  const within = every > used ? sql` AND ${cellIndex(grid)} % ${u32(every)} < ${u32(used)}` : new Sql('', {})
  return sql`FROM ${name(`andon.${table}_${resolution}`)} WHERE id IN ${ids(series.ids)} AND ${when}${within}`
}

/**
 * Numbers of each group.
 *
 * @returns undefined where a cell holds increments of what is no counter, of which only the running sum is a gauge
 */
export async function readFloatCells(read: RollupRead, column: keyof typeof COLUMNS, series: GroupedSeries): Promise<FloatCells[] | undefined> {
  if (series.ids.length === 0) return []
  const [table, value] = COLUMNS[column]
  const points = table === 'hist' ? new Sql(`toFloat64(${ENOUGH})`, {}) : column === 'inc' ? new Sql('toFloat64(sum(n))', {}) : new Sql('if(isNaN(sum(inc)), -1., toFloat64(sum(n)))', {})
  const cells = sql`SELECT ${groupIndex(series)} AS g, ${cellIndex(read.grid)} AS c, ${new Sql(value, {})} AS x, ${points} AS p ${rowsOf(table, read, series)} GROUP BY g, c`
  const row = new RowBinary(await read.database.binary(sql`SELECT g, groupArray((c, x, p)) FROM (${cells}) GROUP BY g`, read.signal))
  const found: FloatCells[] = []
  while (row.more) {
    const each: FloatCells = { labels: series.labels[row.uint32()] ?? {}, values: new Float64Array(read.grid.count), counts: new Float64Array(read.grid.count) }
    for (let left = row.length(); left > 0; left -= 1) {
      const cell = row.uint32()
      each.values[cell] = row.float64()
      const count = row.float64()
      if (count < 0) return undefined
      each.counts[cell] = count
    }
    found.push(each)
  }
  return found
}

function readBuckets(row: RowBinary): Buckets {
  const buckets = new Map<number, number>()
  for (let left = row.length(); left > 0; left -= 1) {
    const index = row.int16()
    const count = row.uint64()
    if (count > 0) buckets.set(index, count)
  }
  return buckets
}

/** What came to the histograms of each group. A cell in which nothing was observed has an empty one. */
export async function readHistogramCells(read: RollupRead, series: GroupedSeries): Promise<HistogramCells[]> {
  if (series.ids.length === 0) return []
  const statement = sql`SELECT ${groupIndex(series)} AS g, ${cellIndex(read.grid)} AS c, schema, bounds, sum(zero), sum(n), sum(sm), sumMap(pos), sumMap(neg) ${rowsOf('hist', read, series)} GROUP BY g, c, schema, bounds`
  const row = new RowBinary(await read.database.binary(statement, read.signal))
  const found = new Map<number, (HistogramValue[] | undefined)[]>()
  while (row.more) {
    const [group, cell] = [row.uint32(), row.uint32()]
    const schema = row.int8()
    const bounds = row.float64s()
    const value: HistogramValue = { schema, bounds: schema === CUSTOM_BOUNDS ? bounds : [], zeroThreshold: 0, zeroCount: row.uint64(), count: row.uint64(), sum: row.float64(), positive: readBuckets(row), negative: readBuckets(row) }
    let cells = found.get(group)
    if (cells === undefined) found.set(group, (cells = Array.from({ length: read.grid.count }, () => undefined)))
    // The layout of what was not observed says nothing.
    const held = cells[cell] ?? []
    cells[cell] = value.count > 0 ? [...held.filter(({ count }) => count > 0), value] : held.length > 0 ? held : [value]
  }
  return [...found].map(([group, cells]) => ({ labels: series.labels[group] ?? {}, cells }))
}
