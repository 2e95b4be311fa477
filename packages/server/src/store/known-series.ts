// Which series there are: the table of series, by matchers of labels.
import { AndonError, type LabelMatcher, type Labels, labelsKey, type MetricType, type Milliseconds, type TimeRange } from '@andon/model'
import { stringOf, textRecord } from './cells.ts'
import type { Database } from './database.ts'
import { condition } from './matchers.ts'
import { all, i64, ids, Param, type Sql, sql, u32 } from './sql.ts'

/** A series as it is kept: its id and labels, with `__name__`. */
export interface KnownSeries {
  readonly id: bigint
  readonly type: MetricType
  readonly labels: Labels
}

/** How far apart the points of a series are taken to be where their number is estimated. */
export const USUAL_INTERVAL: Milliseconds = 15_000

/** How many floats a point of a histogram costs to read. */
export const HISTOGRAM_WEIGHT = 20

const SERIES_MAX = 100_000
/** A series' row is written again at most once an hour. */
const SEEN_SLACK = 2 * 3_600_000
const TYPES: readonly MetricType[] = ['gauge', 'counter', 'updown', 'histogram', 'summary', 'info', 'unknown']

export function metricType(value: string): MetricType {
  return TYPES.find((type) => type === value) ?? 'unknown'
}

export function isHistogram({ type }: KnownSeries): boolean {
  return type === 'histogram'
}

/**
 * The series that match and were seen since the range began, in the order of their ids.
 *
 * @throws AndonError query_too_large past 100,000 series
 */
export async function knownSeries(database: Database, matchers: readonly LabelMatcher[], range: TimeRange, signal?: AbortSignal): Promise<KnownSeries[]> {
  const conditions = matchers.map(condition)
  const seen = sql`last_seen >= toDateTime(${i64(Math.max(0, Math.floor((range.start - SEEN_SLACK) / 1000)))})`
  const rows = await database.query(
    sql`SELECT id, any(toString(name)), any(toString(type)), any((mapKeys(labels), mapValues(labels))) FROM andon.series WHERE ${all([...conditions, seen])} GROUP BY id ORDER BY id LIMIT ${u32(SERIES_MAX + 1)}`,
    ([id, metric, type, labels]) => ({ id: BigInt(stringOf(id)), type: metricType(stringOf(type)), labels: { __name__: stringOf(metric), ...textRecord(labels) } }),
    signal,
  )
  if (rows.length > SERIES_MAX) throw new AndonError('query_too_large', `the selector matches more than ${SERIES_MAX} series`)
  return rows
}

/** Series by the group that they belong to. */
export interface GroupedSeries {
  readonly ids: readonly bigint[]
  /** The index of each one's group. */
  readonly groups: readonly number[]
  /** The labels of the groups. */
  readonly labels: readonly Labels[]
}

export function groupedSeries(series: readonly KnownSeries[], groupOf: (labels: Labels) => Labels): GroupedSeries {
  const found = new Map<string, { labels: Labels; index: number }>()
  const groups = series.map(({ labels }) => {
    const group = groupOf(labels)
    const key = labelsKey(group)
    const held = found.get(key) ?? { labels: group, index: found.size }
    found.set(key, held)
    return held.index
  })
  return { ids: series.map(({ id }) => id), groups, labels: [...found.values()].map(({ labels }) => labels) }
}

/** Each series as a group of its own. */
export function seriesApart(series: readonly KnownSeries[]): GroupedSeries {
  return { ids: series.map(({ id }) => id), groups: series.map((_, index) => index), labels: series.map(({ labels }) => labels) }
}

/** The index of a row's group, by its series. */
export function groupIndex({ ids: list, groups }: GroupedSeries): Sql {
  return sql`transform(id, ${ids(list)}, ${new Param('Array(UInt32)', groups)}, toUInt32(0))`
}
