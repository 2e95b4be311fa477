// What is taken of the ranges of many series, aggregated in the database: one statement instead of all their points.
import type { LabelMatcher, Labels, Milliseconds } from '@andon/model'
import type { Database } from './database.ts'
import { groupIndex, type GroupedSeries } from './known-series.ts'
import { DELTA, STALE } from './metric-write.ts'
import { RowBinary } from './row-binary.ts'
import { f64, i64, ids, Sql, sql, u32 } from './sql.ts'

/**
 * What is taken of each window: of counters the rate of the last two points (irate); of gauges the
 * extrapolated difference (delta), that of the last two points (idelta) or the last point (last); `value` is the last point as an
 * instant selector sees it, which a stale marker ends.
 */
export type WindowKind = 'irate' | 'delta' | 'idelta' | 'last' | 'value'

export type GroupOperation = 'sum' | 'avg' | 'count' | 'min' | 'max'

/** What is asked for: windows that end at `first`, `first + step`, …, aggregated by group. */
export interface RateRequest {
  readonly matchers: readonly LabelMatcher[]
  readonly kind: WindowKind
  readonly op: GroupOperation
  readonly first: Milliseconds
  readonly step: Milliseconds
  readonly count: number
  readonly range: Milliseconds
  /** The labels of the group that a series belongs to. */
  readonly groupOf: (labels: Labels) => Labels
  /** Below so many points, as estimated, it is not worth it. */
  readonly leastPoints: number
}

/** Of a group at each step: what its series have, aggregated, and how many of them have something. */
export interface RateSums {
  readonly labels: Labels
  /** The least or the greatest, where that was asked for; else the sum. As long as the request's steps. */
  readonly values: Float64Array
  readonly counts: Float64Array
}

export interface RateAnswer {
  readonly groups: readonly RateSums[]
  /** How many points the database read. */
  readonly samples: number
}

interface Window {
  readonly start: Milliseconds
  readonly end: Milliseconds
}

function windowOf({ first, step, count, range }: RateRequest): Window {
  return { start: first - range, end: first + step * (count - 1) }
}

function pointsOf(series: GroupedSeries, { start, end }: Window): Sql {
  return sql`FROM andon.samples WHERE id IN ${ids(series.ids)} AND ts > fromUnixTimestamp64Milli(${i64(start)}) AND ts <= fromUnixTimestamp64Milli(${i64(end)})`
}

interface Found {
  readonly count: number
  readonly deltas: number
  /** Points that are no stale markers. */
  readonly living: number
  /** Of the living ones, those that are NaN or infinite. */
  readonly odd: number
  /** When the youngest counter began. */
  readonly start: Milliseconds
}

async function look(database: Database, points: Sql, needsValues: boolean, signal?: AbortSignal): Promise<Found> {
  const odd = needsValues ? sql`countIf(bitAnd(flags, ${u32(STALE)}) = 0 AND NOT isFinite(v))` : sql`0`
  const [found] = await database.query(
    sql`SELECT count(), countIf(bitAnd(flags, ${u32(DELTA)}) != 0), countIf(bitAnd(flags, ${u32(STALE)}) = 0), ${odd}, max(toUnixTimestamp64Milli(start)) ${points}`,
    ([count, deltas, living, notFinite, start]) => ({ count: Number(count), deltas: Number(deltas), living: Number(living), odd: Number(notFinite), start: Number(start) }),
    signal,
  )
  return found ?? { count: 0, deltas: 0, living: 0, odd: 0, start: 0 }
}

/**
 * What the points are, all of them; undefined where the database would not give what the engine gives.
 *
 * Of counters none may say that it began within the window, which the database does not know of. Where NaN or infinite values are
 * compared, or stand for stale markers, there may be none.
 */
function temporalityOf({ deltas, living, odd, start }: Found, { kind, op }: RateRequest, window: Window): 'cumulative' | 'delta' | undefined {
  if (odd > 0 && (op === 'min' || op === 'max' || kind === 'value')) return undefined
  if (deltas === 0) return kind !== 'irate' || start <= window.start ? 'cumulative' : undefined
  // What an instant selector sees of deltas depends on stale markers between them.
  return deltas === living && kind !== 'value' ? 'delta' : undefined
}

/**
 * Deltas as PromQL sees them: a running sum, with a point where an interval opens after the last point.
 * @see RunningSum, which does the same to points that were read
 */
function runningSums(points: Sql): Sql {
  const deltas = sql`SELECT id, ts, start, v, lagInFrame(ts, 1, fromUnixTimestamp64Milli(toInt64(0))) OVER (PARTITION BY id ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS last ${points} AND bitAnd(flags, ${u32(DELTA)}) != 0`
  const opened = sql`SELECT id, arrayJoin(if(start > last AND start < ts, [(ts, v), (start, 0.)], [(ts, v)])) AS point FROM (${deltas})`
  const steps = sql`SELECT id, point.1 AS at, sum(point.2) AS step FROM (${opened}) GROUP BY id, at`
  return sql`SELECT id, at AS ts, sum(step) OVER (PARTITION BY id ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS v FROM (${steps})`
}

const NOTHING = new Sql('', {})

/** Cumulative points, without those between windows that lie apart. */
function plainPoints(points: Sql, { kind, step, range }: RateRequest, { start }: Window): Sql {
  const within = step > range ? sql` AND (toUnixTimestamp64Milli(ts) - ${i64(start)} - 1) % ${i64(step)} < ${i64(range)}` : NOTHING
  // As NaN, since no other value is one.
  if (kind === 'value') return sql`FROM (SELECT id, ts, if(bitAnd(flags, ${u32(STALE)}) = 0, v, nan) AS v ${points}${within})`
  return sql`${points}${within} AND bitAnd(flags, ${u32(STALE)}) = 0`
}

const GRID_FUNCTIONS: Readonly<Record<WindowKind, string>> = {
  irate: 'timeSeriesInstantRateToGrid',
  delta: 'timeSeriesDeltaToGrid',
  idelta: 'timeSeriesInstantDeltaToGrid',
  last: 'timeSeriesLastToGrid',
  value: 'timeSeriesLastToGrid',
}

/** How series are put together at a step, and what a series without a value there counts as. */
const COMBINATIONS: Readonly<Record<'sum' | 'min' | 'max', readonly [together: Sql, absent: Sql]>> = {
  sum: [new Sql('sumForEach', {}), new Sql('0.', {})],
  min: [new Sql('minForEach', {}), new Sql('inf', {})],
  max: [new Sql('maxForEach', {}), new Sql('-inf', {})],
}

/** Rows of RowBinary: a group, its values and its counts. */
function readSums(bytes: Uint8Array, steps: number): { group: number; values: Float64Array; counts: Float64Array }[] {
  const row = new RowBinary(bytes)
  const numbers = (): Float64Array => {
    const list = new Float64Array(steps)
    const size = row.length()
    for (let index = 0; index < size; index += 1) list[index] = row.float64()
    return list
  }
  const rows: { group: number; values: Float64Array; counts: Float64Array }[] = []
  while (row.more) rows.push({ group: row.uint32(), values: numbers(), counts: numbers() })
  return rows
}

/**
 * What is taken of ranges, aggregated by group in the database.
 *
 * @param series - of floats only
 * @returns undefined where the engine's own way would give something else
 */
export async function rateSums(database: Database, series: GroupedSeries, request: RateRequest, signal?: AbortSignal): Promise<RateAnswer | undefined> {
  const { kind, op } = request
  const window = windowOf(request)
  const points = pointsOf(series, window)
  const found = await look(database, points, op === 'min' || op === 'max' || kind === 'value', signal)
  const temporality = temporalityOf(found, request, window)
  if (temporality === undefined) return undefined
  const seen = temporality === 'delta' ? sql`FROM (${runningSums(points)})` : plainPoints(points, request, window)
  const grid = sql`${new Sql(GRID_FUNCTIONS[kind], {})}(fromUnixTimestamp64Milli(${i64(request.first)}), fromUnixTimestamp64Milli(${i64(window.end)}), toDecimal64(${f64(request.step / 1000)}, 3), toDecimal64(${f64(request.range / 1000)}, 3))`
  const each = sql`SELECT ${groupIndex(series)} AS g, ${grid}(ts, v) AS r ${seen} GROUP BY id`
  const [together, absent] = COMBINATIONS[op === 'min' || op === 'max' ? op : 'sum']
  const isAbsent = kind === 'value' ? sql`isNull(x) OR isNaN(assumeNotNull(x))` : sql`isNull(x)`
  const statement = sql`SELECT g, ${together}(arrayMap(x -> if(${isAbsent}, ${absent}, assumeNotNull(x)), r)), sumForEach(arrayMap(x -> if(${isAbsent}, 0., 1.), r)) FROM (${each}) GROUP BY g SETTINGS allow_experimental_time_series_aggregate_functions = 1`
  const rows = readSums(await database.binary(statement, signal), request.count)
  return { samples: found.count, groups: rows.map(({ group, values, counts }) => ({ labels: series.labels[group] ?? {}, values, counts })) }
}
