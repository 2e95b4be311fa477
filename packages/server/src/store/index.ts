// Opens the store: all tables of one database.
import type { Bytes } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { AgentStore } from './agents.ts'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { DiskStore, ROOM_FOR_CHANGES } from './disk.ts'
import { EdgeStore } from './edges.ts'
import { EmbeddedDatabase } from './engine-embedded.ts'
import { ServerDatabase, type ServerOptions } from './engine-server.ts'
import { ExceptionStore } from './exceptions.ts'
import { InventoryStore } from './inventory.ts'
import { lenient, parts } from './layout.ts'
import { SeriesIndex } from './known-series.ts'
import { MetricsStore } from './metrics.ts'
import { migrate } from './migrate.ts'
import { ProfileStore } from './profiles.ts'
import { applyRetention, defaultRetention, readRetention, type Retention, type TableRetention, wholeRetention } from './retention.ts'
import { RollupStore } from './rollups.ts'
import { SloSliceStore } from './slo-slices.ts'
import { SpanStore } from './spans.ts'
import { SpanAttributeStore } from './spans-attributes.ts'
import { CalledStore } from './spans-called.ts'
import { SpanSliceStore } from './span-slices.ts'
import { SpanRateStore } from './spans-rates.ts'
import { SpanSearchStore } from './spans-search.ts'
import { sql, text } from './sql.ts'
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
  /** How long each table keeps its data: as configured, and as the database says it. */
  readonly retention: readonly TableRetention[]
  /** Of a cluster only. */
  readonly queue?: ShardQueue
}

export interface Store {
  readonly spans: SpanStore
  readonly spanSearch: SpanSearchStore
  readonly spanAttributes: SpanAttributeStore
  readonly metrics: MetricsStore
  readonly rollups: RollupStore
  readonly exceptions: ExceptionStore
  readonly profiles: ProfileStore
  readonly state: StateLog
  readonly inventory: InventoryStore
  readonly called: CalledStore
  readonly agents: AgentStore
  readonly stalls: StallStore
  readonly slices: SloSliceStore
  readonly edges: EdgeStore
  readonly statements: StatementStore
  readonly spanRates: SpanRateStore
  readonly spanSlices: SpanSliceStore
  readonly disk: DiskStore
  status(): Promise<StoreStatus>
  /** On disk, of all tables. */
  bytes(): Promise<Bytes>
  /** Waits for what is under way and gives the data directory free. Harmless when called again. */
  close(): Promise<void>
}

/**
 * Opens the store on a directory or a server: migrates its tables, applies the retention and drops what has expired.
 *
 * @throws AndonError store_locked when another process holds the directory; unavailable when the server cannot be reached; bad_config
 * when it refuses, or when a newer Andon wrote the data; disk_full when its tables must be changed and there is no room
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
  const disk = new DiskStore(database, retention, log)
  let state: StateLog
  try {
    const hasRoom = (await disk.space()).freeBytes >= ROOM_FOR_CHANGES
    await migrate(database, retention, clock, log, hasRoom)
    if (hasRoom) await applyRetention(database, retention, log)
    else log.error('the disk is full: the retention of the tables stays as it is')
    await disk.dropExpired(clock.now())
    state = await StateLog.open(database, clock)
  } catch (error) {
    await database.close()
    throw error
  }
  const index = new SeriesIndex(database, clock)
  return {
    spans: new SpanStore(database, clock),
    spanSearch: new SpanSearchStore(database),
    spanAttributes: new SpanAttributeStore(database),
    metrics: new MetricsStore(database, clock, index),
    rollups: new RollupStore(database, clock, index),
    exceptions: new ExceptionStore(database),
    profiles: new ProfileStore(database, clock, wholeRetention(retention).profilesDays),
    state,
    inventory: new InventoryStore(database, clock),
    called: new CalledStore(database),
    agents: new AgentStore(database),
    stalls: new StallStore(database),
    slices: new SloSliceStore(database),
    edges: new EdgeStore(database),
    statements: new StatementStore(database, clock),
    spanRates: new SpanRateStore(database),
    spanSlices: new SpanSliceStore(database),
    disk,
    status: () => status(database, retention),
    bytes: () => bytesOf(database),
    close: () => database.close(),
  }
}

async function bytesOf(database: Database): Promise<Bytes> {
  const { layout } = database
  const [bytes = 0] = await database.query(sql`SELECT sum(bytes_on_disk) FROM ${parts(layout)} WHERE database = ${text(layout.database)} AND active ${lenient(layout)}`, ([sum]) => number(sum))
  return bytes
}

async function status(database: Database, retention: Retention): Promise<StoreStatus> {
  const { layout, engine } = database
  const tables = await database.query(
    sql`SELECT table, sum(rows), sum(bytes_on_disk) FROM ${parts(layout)} WHERE database = ${text(layout.database)} AND active GROUP BY table ORDER BY table ${lenient(layout)}`,
    ([name, rows, bytes]) => ({ name: stringOf(name), rows: number(rows), bytes: number(bytes) }),
  )
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0)
  return { engine, bytes, tables, retention: await readRetention(database, retention), ...(layout.cluster !== undefined && { queue: await queueOf(database) }) }
}

async function queueOf(database: Database): Promise<ShardQueue> {
  const [queue] = await database.query(
    sql`SELECT sum(data_files), sum(data_compressed_bytes), left(anyIf(last_exception, error_count > 0 AND data_files > 0), 300) FROM system.distribution_queue WHERE database = ${text(database.layout.all)}`,
    ([inserts, bytes, error]) => ({ inserts: number(inserts), bytes: number(bytes), error: stringOf(error) }),
  )
  return queue ?? { inserts: 0, bytes: 0, error: '' }
}
