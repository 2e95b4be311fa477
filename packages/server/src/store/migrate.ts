import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AndonError } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Database } from './database.ts'
import { distribute } from './distributed.ts'
import { type Retention, retentionPlaceholders } from './retention.ts'
import { firstShard, Param, sql, text } from './sql.ts'

/** All there can be, by the four digits of their files. */
const VERSIONS = new Param('Array(UInt32)', Array.from({ length: 10_000 }, (_, version) => version))

/** The migrations stand beside the source, which is published with the package. */
const folder = join(import.meta.dirname, '../../src/store/migrations')

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
 * @param hasRoom - whether the disk has room for it: changed on a full one, tables are lost
 * @throws AndonError bad_config when the data were written by a newer Andon, disk_full when there is something to do and no room
 */
export async function migrate(database: Pick<Database, 'command' | 'query' | 'layout'>, retention: Retention, clock: Clock, log: Log, hasRoom = true): Promise<void> {
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
  const due = files.filter((each) => !applied.has(each))
  if (due.length > 0 && !hasRoom) throw new AndonError('disk_full', `the disk is too full to bring the data to this version (${due.join(', ')})`, { hint: 'Free some space, then start again.' })
  for (const file of due) {
    for (const statement of statements(join(folder, file))) await database.command(statement, retentionPlaceholders(retention))
    await distribute(database)
    await database.command(`INSERT INTO {db_all}.schema_migrations VALUES (${Number(file.slice(0, 4))}, '${file}', fromUnixTimestamp64Milli(${clock.now()}))`)
    log.info('migration applied', { file })
  }
}
