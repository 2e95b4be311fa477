// How long each table keeps its data: from configuration, applied to the tables as they are, and read back.
import type { Bytes, Milliseconds } from '@andon/model'
import type { Log } from '../runtime/log.ts'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { lenient, parts } from './layout.ts'
import { sql, text } from './sql.ts'

/** How long each signal is kept, in whole days from 1 to 10,000: beyond 2106 the engine's times would wrap round and all data expire. */
export interface Retention {
  /** Raw samples and histograms. */
  readonly rawDays: number
  /** Spans, exemplars and stalls. */
  readonly spansDays: number
  /** Errors; as spans when absent. */
  readonly errorsDays?: number
  /** Samples of profiles; as spans when absent. */
  readonly profilesDays?: number
  /** Five-minute rollups. */
  readonly rollupDays: number
  /** One-hour rollups and small state. */
  readonly longDays: number
}

/** What `Retention` may name, in the order in which it is told. */
export const RETENTION_KEYS = ['rawDays', 'spansDays', 'errorsDays', 'profilesDays', 'rollupDays', 'longDays'] as const
export type RetentionKey = (typeof RETENTION_KEYS)[number]

export const defaultRetention: Retention = { rawDays: 15, spansDays: 7, rollupDays: 90, longDays: 400 }

const DAYS_MAX = 10_000

/** A retention with every signal named. */
export function wholeRetention(retention: Retention): Required<Retention> {
  const { rawDays, spansDays, errorsDays = spansDays, profilesDays = spansDays, rollupDays, longDays } = retention
  return { rawDays, spansDays, errorsDays, profilesDays, rollupDays, longDays }
}

/** What must be kept at least as long as what, because older ranges are answered from it. */
const AT_LEAST: readonly (readonly [longer: RetentionKey, shorter: RetentionKey])[] = [
  ['rollupDays', 'rawDays'],
  ['rollupDays', 'spansDays'],
  ['rollupDays', 'profilesDays'],
  ['longDays', 'rollupDays'],
  ['longDays', 'errorsDays'],
]

/** The first pair of signals of which the sums would expire before what they sum up; undefined where there is none. */
export function retentionFault(retention: Retention): { readonly longer: RetentionKey; readonly shorter: RetentionKey } | undefined {
  const days = wholeRetention(retention)
  const fault = AT_LEAST.find(([longer, shorter]) => days[longer] < days[shorter])
  return fault === undefined ? undefined : { longer: fault[0], shorter: fault[1] }
}

/**
 * What a table is to those who keep the disk free:
 * `detail` explains what happened, `raw` is what rules and pages are made of, `rollup` and `hourly` are sums of them;
 * `lookup` is referred to by others and `state` is small: neither is ever dropped to make room, and of `state` the engine drops nothing by
 * itself, since what still holds is written again before (`DiskStore.dropExpired`).
 */
export type TableKind = 'detail' | 'raw' | 'rollup' | 'hourly' | 'lookup' | 'state'

export interface TableLifetime {
  readonly table: string
  readonly kind: TableKind
  /** What the time to live is counted from. */
  readonly from: string
  /** The longest of these holds: a lookup table lives as long as what refers to it. */
  readonly days: readonly RetentionKey[]
}

/** Every table whose rows expire. A test compares it with what the database says of all tables. */
export const LIFETIMES: readonly TableLifetime[] = [
  { table: 'metric_meta', kind: 'lookup', from: 'last_seen', days: ['rawDays', 'rollupDays', 'longDays'] },
  { table: 'series', kind: 'lookup', from: 'last_seen', days: ['rawDays', 'rollupDays', 'longDays'] },
  { table: 'samples', kind: 'raw', from: 'toDateTime(ts)', days: ['rawDays'] },
  { table: 'samples_5m', kind: 'rollup', from: 'ts', days: ['rollupDays'] },
  { table: 'samples_1h', kind: 'hourly', from: 'ts', days: ['longDays'] },
  { table: 'hist', kind: 'raw', from: 'toDateTime(ts)', days: ['rawDays'] },
  { table: 'hist_5m', kind: 'rollup', from: 'ts', days: ['rollupDays'] },
  { table: 'hist_1h', kind: 'hourly', from: 'ts', days: ['longDays'] },
  { table: 'exemplars', kind: 'detail', from: 'toDateTime(ts)', days: ['spansDays'] },
  { table: 'spans', kind: 'detail', from: 'toDateTime(ts)', days: ['spansDays'] },
  { table: 'resources', kind: 'lookup', from: 'last_seen', days: ['spansDays', 'rollupDays'] },
  { table: 'red_1m', kind: 'rollup', from: 'minute', days: ['rollupDays'] },
  { table: 'stacks', kind: 'lookup', from: 'last_seen', days: ['profilesDays', 'rollupDays'] },
  { table: 'profile_sets', kind: 'rollup', from: 'toDateTime(ts)', days: ['rollupDays'] },
  { table: 'profile_samples', kind: 'detail', from: 'toDateTime(ts)', days: ['profilesDays'] },
  { table: 'profile_5m', kind: 'rollup', from: 'ts', days: ['rollupDays'] },
  { table: 'errors', kind: 'raw', from: 'toDateTime(ts)', days: ['errorsDays'] },
  { table: 'error_groups', kind: 'hourly', from: 'day', days: ['longDays'] },
  { table: 'stalls', kind: 'detail', from: 'toDateTime(ts)', days: ['spansDays'] },
  { table: 'slo_slices', kind: 'hourly', from: 'ts', days: ['longDays'] },
  { table: 'state_log', kind: 'state', from: 'toDateTime(written)', days: ['longDays'] },
  { table: 'inventory', kind: 'lookup', from: 'last_seen', days: ['rollupDays'] },
  { table: 'agents', kind: 'lookup', from: 'toDateTime(last_seen)', days: ['rollupDays'] },
  { table: 'edges_1m', kind: 'rollup', from: 'minute', days: ['rollupDays'] },
  { table: 'db_queries', kind: 'lookup', from: 'last_seen', days: ['spansDays', 'rollupDays', 'longDays'] },
  { table: 'db_stats_1m', kind: 'rollup', from: 'minute', days: ['rollupDays'] },
]

/** How long a table is to keep its data, in days. */
export function daysOf({ days }: Pick<TableLifetime, 'days'>, retention: Retention): number {
  const whole = wholeRetention(retention)
  return Math.min(DAYS_MAX, Math.max(...days.map((key) => whole[key])))
}

/** How long the engine is to keep the rows of a table, in days; null where it drops nothing by itself. */
function engineDays(lifetime: TableLifetime, retention: Retention): number | null {
  return lifetime.kind === 'state' ? null : daysOf(lifetime, retention)
}

/** What the placeholders of the migrations stand for; what a table's own key says is applied after them. */
export function retentionPlaceholders({ rawDays, spansDays, rollupDays, longDays }: Retention): Record<string, string> {
  return { ttl_raw_days: String(rawDays), ttl_spans_days: String(spansDays), ttl_rollup_days: String(rollupDays), ttl_long_days: String(longDays) }
}

/** What of retention is configured, and what the database says. */
export interface TableRetention {
  readonly name: string
  readonly kind: TableKind
  /** The options that decide, the first of several by name. */
  readonly signal: RetentionKey
  readonly configuredDays: number
  /** As the database says it; null where it says nothing, and nothing expires. Of small state as configured, unless the database says something. */
  readonly days: number | null
  /** The time of its oldest data; null where it is empty, or does not say. */
  readonly oldest: Milliseconds | null
  readonly bytes: Bytes
}

/** How long the database says that each table keeps its data, in days; null where it says nothing. Tables without rows of their own are left out. */
export async function readLifetimes(database: Pick<Database, 'query' | 'layout'>): Promise<Map<string, number | null>> {
  const rows = await database.query(
    sql`SELECT name, extract(create_table_query, 'TTL [^\n]*toIntervalDay\\((\\d+)\\)') FROM system.tables WHERE database = ${text(database.layout.database)} AND engine LIKE ${text('%MergeTree')}`,
    ([table, days]) => [stringOf(table), days === '' ? null : number(days)] as const,
  )
  return new Map(rows)
}

/** What is configured beside what the database says now, table by table. */
export async function readRetention(database: Pick<Database, 'query' | 'layout'>, retention: Retention): Promise<TableRetention[]> {
  const kept = await readLifetimes(database)
  const rows = await database.query(
    sql`SELECT table, sum(bytes_on_disk), toUnixTimestamp(min(min_time)) FROM ${parts(database.layout)} WHERE database = ${text(database.layout.database)} AND active AND rows > 0 GROUP BY table ${lenient(database.layout)}`,
    ([table, bytes, oldest]) => [stringOf(table), { bytes: number(bytes), oldest: number(oldest) }] as const,
  )
  const stored = new Map(rows)
  return LIFETIMES.map((lifetime) => {
    const { table, kind } = lifetime
    const { bytes, oldest } = stored.get(table) ?? { bytes: 0, oldest: 0 }
    const [signal = 'longDays'] = lifetime.days
    const configuredDays = daysOf(lifetime, retention)
    const days = kept.get(table) ?? (kind === 'state' ? configuredDays : null)
    return { name: table, kind, signal, configuredDays, days, oldest: oldest > 0 ? oldest * 1000 : null, bytes }
  })
}

/** How long the engine keeps parts that a merge has replaced, against a loss of power; eight minutes by itself, which is much of a small disk. */
const LEFTOVERS_SECONDS = 60

/** Tables whose leftovers are kept as long as the engine does by itself. */
async function withLongLeftovers(database: Pick<Database, 'query' | 'layout'>): Promise<Set<string>> {
  const names = await database.query(
    sql`SELECT name FROM system.tables WHERE database = ${text(database.layout.database)} AND engine LIKE ${text('%MergeTree')} AND position(engine_full, 'old_parts_lifetime') = 0`,
    ([table]) => stringOf(table),
  )
  return new Set(names)
}

/**
 * Makes the tables keep their data as long as is configured, also when they were made with another retention. The engine then
 * reckons anew, in the background, when the data that are there expire; `DiskStore.dropExpired` does not wait for that. A table that
 * cannot be changed is told in the log and served as it is.
 */
export async function applyRetention(database: Pick<Database, 'query' | 'command' | 'layout'>, retention: Retention, log: Log): Promise<void> {
  const change = async (table: string, what: string): Promise<boolean> => {
    try {
      await database.command(`ALTER TABLE {db}.${table} {on_cluster} ${what}`)
      return true
    } catch (error) {
      log.error('the retention could not be changed', { table, error })
      return false
    }
  }
  const before = await readLifetimes(database)
  const long = await withLongLeftovers(database)
  for (const lifetime of LIFETIMES) {
    const { table, from } = lifetime
    const days = engineDays(lifetime, retention)
    if (long.has(table)) await change(table, `MODIFY SETTING old_parts_lifetime = ${LEFTOVERS_SECONDS}`)
    if ((before.get(table) ?? null) === days) continue
    if (await change(table, days === null ? 'REMOVE TTL' : `MODIFY TTL ${from} + INTERVAL ${days} DAY`)) log.info('retention changed', { table, days, before: before.get(table) ?? null })
  }
  const after = await readLifetimes(database)
  const unlike = LIFETIMES.filter((lifetime) => (after.get(lifetime.table) ?? null) !== engineDays(lifetime, retention)).map(({ table }) => table)
  if (unlike.length > 0) log.error('the database does not keep these tables as long as is configured', { tables: unlike })
}
