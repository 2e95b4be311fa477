// The Distributed tables of a cluster, over the tables that the migrations make.
import { AndonError } from '@andon/model'
import { stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { SHARDING } from './sharding.ts'
import { sql, text } from './sql.ts'

/** What may wait on the disk of one node for shards that are lost; past it inserts are refused as overloaded. */
const QUEUE_BYTES = 16 * 1024 ** 3

type Columns = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Columns with their types of each table of a database, materialized ones left out. */
async function columnsOf(database: Pick<Database, 'query'>, name: string): Promise<Columns> {
  const rows = await database.query(
    sql`SELECT table, name, type FROM system.columns WHERE database = ${text(name)} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')
      AND table IN (SELECT name FROM system.tables WHERE database = ${text(name)} AND engine != 'MaterializedView') ORDER BY table, position`,
    (row) => row.map(stringOf),
  )
  const tables = new Map<string, Map<string, string>>()
  for (const [table = '', column = '', type = ''] of rows) tables.set(table, (tables.get(table) ?? new Map<string, string>()).set(column, type))
  return tables
}

/**
 * Makes a Distributed table over each table of a cluster that has none, and adds the columns that one lacks. Does nothing without a
 * cluster, and runs no DDL where nothing is missing, since that would wait for nodes that are lost.
 */
export async function distribute(database: Pick<Database, 'command' | 'query' | 'layout'>): Promise<void> {
  const { layout } = database
  if (layout.cluster === undefined) return
  const [local, all] = [await columnsOf(database, layout.database), await columnsOf(database, layout.all)]
  for (const [table, columns] of local) {
    const known = all.get(table)
    if (known === undefined) await database.command(distributedTable(table))
    else await addColumns(database, table, columns, known)
  }
}

/**
 * The DDL of a Distributed table, with placeholders.
 *
 * @throws AndonError internal for a table of which nobody said how it is spread
 */
export function distributedTable(table: string): string {
  if (!Object.hasOwn(SHARDING, table)) throw new AndonError('internal', `nothing is said of how the table ${table} is spread over shards`)
  const key = SHARDING[table]
  return `CREATE TABLE IF NOT EXISTS {db_all}.${table} {on_cluster} AS {db}.${table} ENGINE = Distributed('{cluster}', '{db}', '${table}'${key === undefined ? '' : `, ${key}`}) SETTINGS fsync_after_insert = 1, fsync_directories = 1, bytes_to_throw_insert = ${QUEUE_BYTES}`
}

async function addColumns(database: Pick<Database, 'command'>, table: string, columns: ReadonlyMap<string, string>, known: ReadonlyMap<string, string>): Promise<void> {
  for (const [column, type] of columns) {
    if (!known.has(column)) await database.command(`ALTER TABLE {db_all}.${table} {on_cluster} ADD COLUMN IF NOT EXISTS ${column} ${type}`)
  }
}
