// Opens the store: all tables of one database.
import type { Bytes } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { AgentStore } from './agents.ts'
import { number, stringOf } from './cells.ts'
import { Database } from './database.ts'
import { EdgeStore } from './edges.ts'
import { ExceptionStore } from './exceptions.ts'
import { InventoryStore } from './inventory.ts'
import { MetricsStore } from './metrics.ts'
import { applyRetention, defaultRetention, type Lifetimes, migrate, type Retention } from './migrate.ts'
import { ProfileStore } from './profiles.ts'
import { RollupStore } from './rollups.ts'
import { SpanStore } from './spans.ts'
import { CalledStore } from './spans-called.ts'
import { SpanRateStore } from './spans-rates.ts'
import { sql, text } from './sql.ts'
import { StallStore } from './stalls.ts'
import { StatementStore } from './statements.ts'
import { StateLog } from './state.ts'

export interface StoreOptions {
  readonly dataDir: string
  readonly log: Log
  readonly clock: Clock
  readonly retention?: Retention
}

/** What the store says of itself. */
export interface StoreStatus {
  readonly engine: string
  /** On disk, of all tables. */
  readonly bytes: Bytes
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly bytes: Bytes }[]
  /** Days that each table keeps its data, as the database says it. */
  readonly retentionDays: Lifetimes
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
 * Opens the store on a directory: migrates its tables and applies the retention.
 *
 * @throws AndonError store_locked when another process holds the directory; bad_config when a newer Andon wrote it
 */
export async function openStore({ dataDir, log, clock, retention = defaultRetention }: StoreOptions): Promise<Store> {
  const database = await Database.open(dataDir, log)
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
  const tables = await database.query(
    sql`SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE database = ${text('andon')} AND active GROUP BY table ORDER BY table`,
    ([name, rows, bytes]) => ({ name: stringOf(name), rows: number(rows), bytes: number(bytes) }),
  )
  const [engine = ''] = await database.query(sql`SELECT version()`, ([version]) => stringOf(version))
  return { engine: `ClickHouse ${engine}, embedded`, bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0), tables, retentionDays }
}
