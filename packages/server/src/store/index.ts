// Opens the store: all tables of one database.
import type { Bytes } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { AgentStore } from './agents.ts'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { EdgeStore } from './edges.ts'
import { EmbeddedDatabase } from './engine-embedded.ts'
import { ServerDatabase, type ServerOptions } from './engine-server.ts'
import { ExceptionStore } from './exceptions.ts'
import { InventoryStore } from './inventory.ts'
import { parts } from './layout.ts'
import { MetricsStore } from './metrics.ts'
import { applyRetention, defaultRetention, type Lifetimes, migrate, type Retention } from './migrate.ts'
import { ProfileStore } from './profiles.ts'
import { RollupStore } from './rollups.ts'
import { SpanStore } from './spans.ts'
import { CalledStore } from './spans-called.ts'
import { SpanRateStore } from './spans-rates.ts'
import { Sql, sql, text } from './sql.ts'
import { StallStore } from './stalls.ts'
import { StatementStore } from './statements.ts'
import { StateLog } from './state.ts'

export interface StoreOptions {
  /** Where the embedded engine keeps its data. */
  readonly dataDir: string
  /** The server that is used in its place. */
  readonly server?: ServerOptions | undefined
  readonly log: Log
  readonly clock: Clock
  readonly retention?: Retention
}

/** What waits on the disk of the node that is asked, to be sent to other shards. */
export interface ShardQueue {
  readonly inserts: number
  readonly bytes: Bytes
  /** Why the last one could not be sent; '' where all could. */
  readonly error: string
}

/** What the store says of itself. */
export interface StoreStatus {
  readonly engine: string
  /** On disk, of all tables. */
  readonly bytes: Bytes
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly bytes: Bytes }[]
  /** Days that each table keeps its data, as the database says it. */
  readonly retentionDays: Lifetimes
  /** Of a cluster only. */
  readonly queue?: ShardQueue
}

export interface Store {
  readonly spans: SpanStore
  readonly metrics: MetricsStore
  readonly rollups: RollupStore
  readonly exceptions: ExceptionStore
  readonly profiles: ProfileStore
  readonly state: StateLog
  readonly inventory: InventoryStore
  readonly called: CalledStore
  readonly agents: AgentStore
  readonly stalls: StallStore
  readonly edges: EdgeStore
  readonly statements: StatementStore
  readonly spanRates: SpanRateStore
  status(): Promise<StoreStatus>
  /** Waits for what is under way and gives the data directory free. Harmless when called again. */
  close(): Promise<void>
}

/**
 * Opens the store on a directory or a server: migrates its tables and applies the retention.
 *
 * @throws AndonError store_locked when another process holds the directory; unavailable when the server cannot be reached; bad_config
 * when it refuses, or when a newer Andon wrote the data
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return await storeOver(await openDatabase(options), options)
}

/** The database alone, on a directory or a server; fails as `openStore` does. */
export async function openDatabase({ dataDir, server, log }: Pick<StoreOptions, 'dataDir' | 'server' | 'log'>): Promise<Database> {
  if (server === undefined) return await EmbeddedDatabase.open(dataDir, log)
  const database = new ServerDatabase(server, log)
  await database.open()
  return database
}

/** The store over an open database, which it owns from now on; it is closed when this fails. */
export async function storeOver(database: Database, { log, clock, retention = defaultRetention }: Omit<StoreOptions, 'dataDir' | 'server'>): Promise<Store> {
  let retentionDays: Lifetimes
  let state: StateLog
  try {
    await migrate(database, retention, clock, log)
    retentionDays = await applyRetention(database, retention, log)
    state = await StateLog.open(database, clock)
  } catch (error) {
    await database.close()
    throw error
  }
  return {
    spans: new SpanStore(database, clock),
    metrics: new MetricsStore(database, clock),
    rollups: new RollupStore(database, clock),
    exceptions: new ExceptionStore(database),
    profiles: new ProfileStore(database, clock, retention.spansDays),
    state,
    inventory: new InventoryStore(database, clock),
    called: new CalledStore(database),
    agents: new AgentStore(database),
    stalls: new StallStore(database),
    edges: new EdgeStore(database),
    statements: new StatementStore(database, clock),
    spanRates: new SpanRateStore(database),
    status: () => status(database, retentionDays),
    close: () => database.close(),
  }
}

async function status(database: Database, retentionDays: Lifetimes): Promise<StoreStatus> {
  const { layout, engine } = database
  // What can be said is said, also while a shard is lost.
  const settings = new Sql(layout.cluster === undefined ? '' : 'SETTINGS skip_unavailable_shards = 1', {})
  const tables = await database.query(
    sql`SELECT table, sum(rows), sum(bytes_on_disk) FROM ${parts(layout)} WHERE database = ${text(layout.database)} AND active GROUP BY table ORDER BY table ${settings}`,
    ([name, rows, bytes]) => ({ name: stringOf(name), rows: number(rows), bytes: number(bytes) }),
  )
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0)
  return { engine, bytes, tables, retentionDays, ...(layout.cluster !== undefined && { queue: await queueOf(database) }) }
}

async function queueOf(database: Database): Promise<ShardQueue> {
  const [queue] = await database.query(
    sql`SELECT sum(data_files), sum(data_compressed_bytes), left(anyIf(last_exception, error_count > 0 AND data_files > 0), 300) FROM system.distribution_queue WHERE database = ${text(database.layout.all)}`,
    ([inserts, bytes, error]) => ({ inserts: number(inserts), bytes: number(bytes), error: stringOf(error) }),
  )
  return queue ?? { inserts: 0, bytes: 0, error: '' }
}
