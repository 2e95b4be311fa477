// Where the tables stand, and what the placeholders of the DDL and the name `andon.` of the statements become there.
import { Sql } from './sql.ts'

/** Where the tables of one database stand. */
export interface Layout {
  /** The database of the tables themselves. */
  readonly database: string
  /** The database that is read and written: the same, or on a cluster that of the Distributed tables over them. */
  readonly all: string
  /** The name of the cluster; undefined where there is none. */
  readonly cluster: string | undefined
}

/** As everywhere in statements. */
const LOGICAL = 'andon'

/** The tables of one server, or of a cluster. */
export function layoutOf(database: string, cluster?: string): Layout {
  return { database, all: cluster === undefined ? database : `${database}_all`, cluster }
}

export const EMBEDDED: Layout = layoutOf(LOGICAL)

/** The engine family of one node and its window of inserts that are remembered. */
const ALONE: Readonly<Record<string, string>> = {
  on_cluster: '',
  MergeTree: 'MergeTree',
  Replacing: 'ReplacingMergeTree',
  Aggregating: 'AggregatingMergeTree',
  Summing: 'SummingMergeTree',
  dedup: 'non_replicated_deduplication_window = 1000',
}

/** Without arguments a replicated engine takes its path and the replica's name from the server's configuration. */
const REPLICATED: Readonly<Record<string, string>> = {
  MergeTree: 'ReplicatedMergeTree',
  Replacing: 'ReplicatedReplacingMergeTree',
  Aggregating: 'ReplicatedAggregatingMergeTree',
  Summing: 'ReplicatedSummingMergeTree',
  dedup: 'replicated_deduplication_window = 1000, replicated_deduplication_window_seconds = 604800',
}

/**
 * DDL with its placeholders filled in: `{db}`, `{db_all}`, `{on_cluster}`, `{cluster}`, the engine family, `{dedup}` and what `values`
 * names. `{Replacing:COLUMN}` is an engine with an argument. What is not known stays as it is.
 */
export function fill(ddl: string, { database, all, cluster }: Layout, values: Readonly<Record<string, string>> = {}): string {
  const own = { ...ALONE, ...(cluster !== undefined && { ...REPLICATED, on_cluster: `ON CLUSTER '${cluster}'`, cluster }), db: database, db_all: all, ...values }
  return ddl.replaceAll(/\{([a-zA-Z_]+)(?::(\w+))?\}/g, (whole, key: string, argument: string | undefined) => {
    const filled: string | undefined = Object.hasOwn(own, key) ? Reflect.get(own, key) : undefined
    return filled === undefined ? whole : `${filled}${argument === undefined ? '' : `(${argument})`}`
  })
}

/** The text of a statement in which `andon.TABLE` is the table that is read; what stands in quotes is no table. */
export function addressed(statement: string, { all }: Layout): string {
  if (all === LOGICAL) return statement
  return statement.replaceAll(/'(?:[^'\\]|\\.)*'|\bandon\.(?=[A-Za-z_])/g, (found) => (found.startsWith("'") ? found : `${all}.`))
}

/** The parts of all tables: of this node, or of one replica of each shard of a cluster. */
export function parts({ cluster }: Layout): Sql {
  return new Sql(cluster === undefined ? 'system.parts' : `cluster('${cluster}', system.parts)`, {})
}

/** The disks of this node, or of one replica of each shard of a cluster. */
export function disks({ cluster }: Layout): Sql {
  return new Sql(cluster === undefined ? 'system.disks' : `cluster('${cluster}', system.disks)`, {})
}

/** At the end of a statement that says what it can, also while a shard is lost. */
export function lenient({ cluster }: Layout): Sql {
  return new Sql(cluster === undefined ? '' : 'SETTINGS skip_unavailable_shards = 1', {})
}
