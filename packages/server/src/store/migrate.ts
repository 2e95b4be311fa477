import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AndonError } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Database } from './database.ts'
import { distribute } from './distributed.ts'
import { firstShard, Param, sql, text } from './sql.ts'

/** How long each kind of data is kept, in whole days from 1 to 10,000: beyond 2106 the engine's times would wrap round and all data expire. */
export interface Retention {
  /** Raw samples and histograms. */
  readonly rawDays: number
  /** Spans, errors, exemplars. */
  readonly spansDays: number
  /** Five-minute rollups. */
  readonly rollupDays: number
  /** One-hour rollups and small state. */
  readonly longDays: number
}

export const defaultRetention: Retention = { rawDays: 15, spansDays: 7, rollupDays: 90, longDays: 400 }

/** All there can be, by the four digits of their files. */
const VERSIONS = new Param('Array(UInt32)', Array.from({ length: 10_000 }, (_, version) => version))

/** The migrations stand beside the source, which is published with the package. */
const folder = join(import.meta.dirname, '../../src/store/migrations')

/** What each table's time to live is counted from, and which retention holds for it. */
const LIFETIMES: readonly (readonly [table: string, column: string, retention: keyof Retention])[] = [
  ['metric_meta', 'last_seen', 'longDays'],
  ['series', 'last_seen', 'longDays'],
  ['samples', 'toDateTime(ts)', 'rawDays'],
  ['samples_5m', 'ts', 'rollupDays'],
  ['samples_1h', 'ts', 'longDays'],
  ['hist', 'toDateTime(ts)', 'rawDays'],
  ['hist_5m', 'ts', 'rollupDays'],
  ['hist_1h', 'ts', 'longDays'],
  ['exemplars', 'toDateTime(ts)', 'spansDays'],
  ['spans', 'toDateTime(ts)', 'spansDays'],
  ['resources', 'last_seen', 'rollupDays'],
  ['red_1m', 'minute', 'rollupDays'],
  ['stacks', 'last_seen', 'rollupDays'],
  ['profile_sets', 'toDateTime(ts)', 'rollupDays'],
  ['profile_samples', 'toDateTime(ts)', 'spansDays'],
  ['profile_5m', 'ts', 'rollupDays'],
  ['errors', 'toDateTime(ts)', 'spansDays'],
  ['error_groups', 'day', 'longDays'],
  ['stalls', 'toDateTime(ts)', 'spansDays'],
  ['state_log', 'toDateTime(written)', 'longDays'],
  ['inventory', 'last_seen', 'rollupDays'],
  ['agents', 'toDateTime(last_seen)', 'rollupDays'],
  ['edges_1m', 'minute', 'rollupDays'],
  ['db_queries', 'last_seen', 'longDays'],
  ['db_stats_1m', 'minute', 'rollupDays'],
]

function placeholders(retention: Retention): Record<string, string> {
  return {
    ttl_raw_days: String(retention.rawDays),
    ttl_spans_days: String(retention.spansDays),
    ttl_rollup_days: String(retention.rollupDays),
    ttl_long_days: String(retention.longDays),
  }
}

/** Statements of a migration: separated by semicolons at the end of a line, comments left out. */
function statements(file: string): string[] {
  return readFileSync(file, 'utf8')
    .replaceAll(/--[^\n]*/g, '')
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/**
 * Brings the tables to the newest version: applies the numbered files that were not applied yet, in order, each recorded
 * when it is done. Every statement can be repeated, so that a crash in the middle of a file does no harm.
 *
 * @throws AndonError bad_config when the data were written by a newer Andon
 */
export async function migrate(database: Database, retention: Retention, clock: Clock, log: Log): Promise<void> {
  const [known = 0] = await database.query(sql`SELECT count() FROM system.tables WHERE database = ${text(database.layout.database)} AND name = 'schema_migrations'`, ([count]) => Number(count))
  // Not at every start: on a cluster DDL waits for all nodes.
  if (known === 0) {
    await database.command("CREATE TABLE IF NOT EXISTS {db}.schema_migrations {on_cluster} (version UInt32, file String, applied DateTime64(3,'UTC')) ENGINE = {MergeTree} ORDER BY version")
  }
  await distribute(database)
  const applied = new Set(await database.query(firstShard(sql`SELECT file FROM andon.schema_migrations WHERE version IN ${VERSIONS}`), ([file]) => String(file)))
  const files = readdirSync(folder)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .toSorted((a, b) => a.localeCompare(b))
  const unknown = [...applied].filter((file) => !files.includes(file))
  if (unknown.length > 0) throw new AndonError('bad_config', `the data were written by a newer Andon (migration ${unknown.join(', ')})`, { hint: 'Start that version or a later one.' })
  for (const file of files.filter((each) => !applied.has(each))) {
    for (const statement of statements(join(folder, file))) await database.command(statement, placeholders(retention))
    await distribute(database)
    await database.command(`INSERT INTO {db_all}.schema_migrations VALUES (${Number(file.slice(0, 4))}, '${file}', fromUnixTimestamp64Milli(${clock.now()}))`)
    log.info('migration applied', { file })
  }
}

/** How long each table says that it keeps its data, in days; undefined where it says nothing. */
export type Lifetimes = Readonly<Record<string, number | undefined>>

async function lifetimes(database: Database): Promise<Lifetimes> {
  const rows = await database.query(sql`SELECT name, extract(create_table_query, 'TTL [^\n]*toIntervalDay\\((\\d+)\\)') FROM system.tables WHERE database = ${text(database.layout.database)}`, ([table, days]) => [String(table), days === '' ? undefined : Number(days)] as const)
  return Object.fromEntries(rows)
}

/**
 * Makes the tables keep their data as long as is configured, also when they were made with another retention.
 *
 * @returns what the tables say afterwards, read back from the database
 */
export async function applyRetention(database: Database, retention: Retention, log: Log): Promise<Lifetimes> {
  const before = await lifetimes(database)
  for (const [table, column, key] of LIFETIMES) {
    if (before[table] === retention[key]) continue
    await database.command(`ALTER TABLE {db}.${table} {on_cluster} MODIFY TTL ${column} + INTERVAL ${retention[key]} DAY`)
    log.info('retention changed', { table, days: retention[key] })
  }
  return await lifetimes(database)
}
