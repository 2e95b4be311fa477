// Which series there are: the table of series, by matchers of labels.
import { AndonError, type LabelMatcher, type Labels, labelsKey, type MetricType, type Milliseconds, type TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { stringOf, textRecord } from './cells.ts'
import type { Database } from './database.ts'
import { EMBEDDED } from './layout.ts'
import { condition } from './matchers.ts'
import { all, i64, ids, Param, Sql, sql, text, u32 } from './sql.ts'
import { untilGone } from './until-gone.ts'

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

/** Rows of series that match and were seen since. */
function chosen(matchers: readonly LabelMatcher[], since: Milliseconds): Sql {
  return all([...matchers.map(condition), sql`last_seen >= toDateTime(${i64(Math.max(0, Math.floor(since / 1000)))})`])
}

async function lookUp(database: Database, rows: Sql, most: number): Promise<readonly KnownSeries[]> {
  return await database.query(
    sql`SELECT id, any(toString(name)), any(toString(type)), any((mapKeys(labels), mapValues(labels))) FROM andon.series WHERE ${rows} GROUP BY id ORDER BY id LIMIT ${u32(most)}`,
    ([id, metric, type, labels]) => ({ id: BigInt(stringOf(id)), type: metricType(stringOf(type)), labels: { __name__: stringOf(metric), ...textRecord(labels) } }),
  )
}

/** Since when series must have been seen that have points in a range. */
function sinceOf({ start }: TimeRange): Milliseconds {
  return Math.floor((start - SEEN_SLACK) / SINCE) * SINCE
}

/** What is remembered is asked anew after this time: series expire, after days. */
const KEPT: Milliseconds = 600_000
/** The same where other servers may write series into the same tables. */
const KEPT_OF_OTHERS: Milliseconds = 5000
/** From how long ago series are looked up is rounded down to this, so that a moving range finds what was remembered; the slack allows for it. */
const SINCE: Milliseconds = 3_600_000
const LOOKUPS_MAX = 1000
const REMEMBERED_MAX = 200_000

interface Remembered {
  readonly at: Milliseconds
  readonly series: readonly KnownSeries[]
}

/**
 * The table of series as queries ask it. One expression looks the same selector up several times, rules and open pages the same ones every
 * few seconds, and new series are rare: answers are remembered until one is written. May be used concurrently.
 */
export class SeriesIndex {
  readonly #database: Database
  readonly #clock: Pick<Clock, 'now'>
  readonly #kept: Milliseconds
  readonly #remembered = new Map<string, Remembered>()
  /** What is being looked up. */
  readonly #under = new Map<string, Promise<readonly KnownSeries[]>>()
  #size = 0
  /** Grows with every write of series: what was asked before one may not know of it. */
  #written = 0

  constructor(database: Database, clock: Pick<Clock, 'now'>) {
    this.#database = database
    this.#clock = clock
    this.#kept = database.layout === EMBEDDED ? KEPT : KEPT_OF_OTHERS
  }

  /**
   * The series that match and were seen since the range began, in the order of their ids.
   *
   * @throws AndonError query_too_large past 100,000 series
   */
  async find(matchers: readonly LabelMatcher[], range: TimeRange, signal?: AbortSignal): Promise<readonly KnownSeries[]> {
    const now = this.#clock.now()
    const since = sinceOf(range)
    const key = JSON.stringify([since, matchers.map(({ name, operator, value }) => [name, operator, value])])
    const known = this.#remembered.get(key)
    if (known !== undefined && now >= known.at && now - known.at < this.#kept) return known.series
    // Those who ask the same at the same time wait for one answer, which is not stopped where one of them has gone.
    return await untilGone(this.#under.get(key) ?? this.#lookUp(key, chosen(matchers, since), now), signal)
  }

  #lookUp(key: string, rows: Sql, at: Milliseconds): Promise<readonly KnownSeries[]> {
    const written = this.#written
    const under = lookUp(this.#database, rows, SERIES_MAX + 1).then((series) => {
      if (series.length > SERIES_MAX) throw new AndonError('query_too_large', `the selector matches more than ${SERIES_MAX} series`)
      if (written === this.#written) this.#remember(key, { at, series })
      return series
    })
    this.#under.set(key, under)
    const forget = (): void => void (this.#under.get(key) === under && this.#under.delete(key))
    under.then(forget, forget)
    return under
  }

  /**
   * Labels of some of the series that `find` would find, in the order of their ids.
   *
   * @param most - how many at most; there may be more than can be found at once
   */
  async labels(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<Labels[]> {
    return (await lookUp(this.#database, chosen(matchers, sinceOf(range)), most)).map(({ labels }) => labels)
  }

  /** Names of the labels of the series that match, `__name__` among them; the first `most` in order. Reads the names and what the matchers ask for, loads no series. */
  async labelNames(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<string[]> {
    const names = new Sql("arrayPushFront(CAST(mapKeys(labels) AS Array(String)), '__name__')", {})
    return await this.#distinct(sql`arrayJoin(${names})`, chosen(matchers, sinceOf(range)), most)
  }

  /** Values of one label of the series that match; the first `most` in order. */
  async labelValues(label: string, matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<string[]> {
    const rows = chosen(matchers, sinceOf(range))
    if (label === '__name__') return await this.#distinct(new Sql('toString(name)', {}), rows, most)
    const value = sql`labels[${text(label)}]`
    return await this.#distinct(value, sql`${rows} AND ${value} != ''`, most)
  }

  async #distinct(cell: Sql, rows: Sql, most: number): Promise<string[]> {
    return await this.#database.query(sql`SELECT DISTINCT ${cell} AS answer FROM andon.series WHERE ${rows} ORDER BY answer LIMIT ${u32(most)}`, ([answer]) => stringOf(answer))
  }

  /** To be called before series are written, and when they are. */
  forget(): void {
    this.#written += 1
    this.#under.clear()
    this.#remembered.clear()
    this.#size = 0
  }

  #remember(key: string, answer: Remembered): void {
    this.#drop(key)
    this.#remembered.set(key, answer)
    this.#size += answer.series.length
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= LOOKUPS_MAX && this.#size <= REMEMBERED_MAX) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#size -= this.#remembered.get(key)?.series.length ?? 0
    this.#remembered.delete(key)
  }
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
