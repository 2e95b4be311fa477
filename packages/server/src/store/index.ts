// Opens the store: all tables of one database.
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Database } from './database.ts'
import { applyRetention, defaultRetention, migrate, type Retention } from './migrate.ts'
import { SpanStore } from './spans.ts'

export interface StoreOptions {
  readonly dataDir: string
  readonly log: Log
  readonly clock: Clock
  readonly retention?: Retention
}

export interface Store {
  readonly spans: SpanStore
  /** Waits for what is under way and gives the data directory free. */
  close(): Promise<void>
}

/**
 * Opens the store on a directory: migrates its tables and applies the retention.
 *
 * @throws AndonError store_locked when another process holds the directory; bad_config when a newer Andon wrote it
 */
export async function openStore({ dataDir, log, clock, retention = defaultRetention }: StoreOptions): Promise<Store> {
  const database = await Database.open(dataDir, log)
  try {
    await migrate(database, retention, clock, log)
    await applyRetention(database, retention, log)
  } catch (error) {
    await database.close()
    throw error
  }
  return { spans: new SpanStore(database, clock), close: () => database.close() }
}
