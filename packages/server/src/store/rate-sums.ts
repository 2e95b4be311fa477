// Rates of many series added up in the database: one statement instead of all their points.
import type { LabelMatcher, Labels, Milliseconds } from '@andon/model'
import type { Database } from './database.ts'
import { DELTA, STALE } from './metric-write.ts'
import { f64, i64, ids, Param, type Sql, sql, u32 } from './sql.ts'

/** What is asked for: rates over windows that end at `first`, `first + step`, …, added up by group. */
export interface RateRequest {
  readonly matchers: readonly LabelMatcher[]
  readonly first: Milliseconds
  readonly step: Milliseconds
  readonly count: number
  readonly range: Milliseconds
  /** The labels of the group that a series belongs to. */
  readonly groupOf: (labels: Labels) => Labels
  /** Below so many points, as estimated, it is not worth it. */
  readonly leastPoints: number
}

/** The sum over the series of a group that have a rate at a step, and how many these are. */
export interface RateSums {
  readonly labels: Labels
  /** Per second; as long as the request's steps. */
  readonly sums: Float64Array
  readonly counts: Float64Array
}

export interface RateAnswer {
  readonly groups: readonly RateSums[]
  /** How many points the database read. */
  readonly samples: number
}

/** A series and the index of its group. */
export interface GroupedSeries {
  readonly id: bigint
  readonly group: number
}

interface Window {
  readonly start: Milliseconds
  readonly end: Milliseconds
}

function windowOf({ first, step, count, range }: RateRequest): Window {
  return { start: first - range, end: first + step * (count - 1) }
}

function pointsOf(series: readonly GroupedSeries[], { start, end }: Window): Sql {
  return sql`FROM andon.samples WHERE id IN ${ids(series.map(({ id }) => id))} AND ts > fromUnixTimestamp64Milli(${i64(start)}) AND ts <= fromUnixTimestamp64Milli(${i64(end)})`
}

/** What the points are, all of them; undefined where the database's own rate would not be the engine's. */
type Temporality = 'cumulative' | 'delta' | undefined

/** Of cumulative points none may say that its counter began within the window, which the database does not know of. */
async function temporalityOf(database: Database, points: Sql, window: Window, signal?: AbortSignal): Promise<{ temporality: Temporality; samples: number }> {
  const [found] = await database.query(
    sql`SELECT count(), countIf(bitAnd(flags, ${u32(DELTA)}) != 0), countIf(bitAnd(flags, ${u32(STALE)}) = 0), max(toUnixTimestamp64Milli(start)) ${points}`,
    ([count, deltas, living, start]) => {
      const temporality: Temporality = Number(deltas) === 0 ? (Number(start) <= window.start ? 'cumulative' : undefined) : Number(deltas) === Number(living) ? 'delta' : undefined
      return { temporality, samples: Number(count) }
    },
    signal,
  )
  return found ?? { temporality: undefined, samples: 0 }
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

/** Rows of RowBinary: a group, its sums and its counts. */
function readSums(bytes: Uint8Array, steps: number): { group: number; sums: Float64Array; counts: Float64Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const rows: { group: number; sums: Float64Array; counts: Float64Array }[] = []
  let at = 0
  const length = (): number => {
    let [value, shift, byte] = [0, 0, 0x80]
    while (byte >= 0x80) {
      byte = view.getUint8(at)
      at += 1
      value += (byte & 0x7f) * 2 ** shift
      shift += 7
    }
    return value
  }
  const numbers = (): Float64Array => {
    const list = new Float64Array(steps)
    const size = length()
    for (let index = 0; index < size; index += 1, at += 8) if (index < steps) list[index] = view.getFloat64(at, true)
    return list
  }
  while (at < bytes.length) {
    const group = view.getUint32(at, true)
    at += 4
    rows.push({ group, sums: numbers(), counts: numbers() })
  }
  return rows
}

/**
 * The sums of rates by group, calculated in the database.
 *
 * @param series - of floats only
 * @returns undefined where the engine's own way would give something else, or is as fast
 */
export async function rateSums(database: Database, series: readonly GroupedSeries[], groups: readonly Labels[], request: RateRequest, signal?: AbortSignal): Promise<RateAnswer | undefined> {
  const window = windowOf(request)
  const points = pointsOf(series, window)
  const { temporality, samples } = await temporalityOf(database, points, window, signal)
  if (temporality === undefined) return undefined
  const seen = temporality === 'delta' ? sql`FROM (${runningSums(points)})` : sql`${points} AND bitAnd(flags, ${u32(STALE)}) = 0`
  const groupOf = sql`transform(id, ${ids(series.map(({ id }) => id))}, ${new Param('Array(UInt32)', series.map(({ group }) => group))}, toUInt32(0))`
  const grid = sql`timeSeriesRateToGrid(fromUnixTimestamp64Milli(${i64(request.first)}), fromUnixTimestamp64Milli(${i64(window.end)}), toDecimal64(${f64(request.step / 1000)}, 3), toDecimal64(${f64(request.range / 1000)}, 3))`
  const rates = sql`SELECT id, ${groupOf} AS g, ${grid}(ts, v) AS r ${seen} GROUP BY id`
  const statement = sql`SELECT g, sumForEach(arrayMap(x -> ifNull(x, 0.), r)), sumForEach(arrayMap(x -> toFloat64(isNotNull(x)), r)) FROM (${rates}) GROUP BY g SETTINGS allow_experimental_time_series_aggregate_functions = 1`
  const rows = readSums(await database.binary(statement, signal), request.count)
  return { samples, groups: rows.map(({ group, sums, counts }) => ({ labels: groups[group] ?? {}, sums, counts })) }
}
