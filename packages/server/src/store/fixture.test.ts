// The store of a test: embedded, or by the address of a ClickHouse server where ANDON_TEST_CLICKHOUSE names one, so that the same tests
// run against both. by-url.test.ts runs them so.
import { basename } from 'node:path'
import type { ServerOptions } from './engine-server.ts'
import { silentLog } from '../runtime/log.ts'
import type { Database } from './database.ts'
import { openDatabase, openStore, type Store, type StoreOptions } from './index.ts'

/** JSON of ServerOptions. */
export const VARIABLE = 'ANDON_TEST_CLICKHOUSE'

/** The server that is to be used, with a database of its own for each data directory; undefined for the embedded engine. */
export function testServer(dataDir: string): ServerOptions | undefined {
  const given = process.env[VARIABLE]
  if (given === undefined || given === '') return undefined
  const options = JSON.parse(given) as ServerOptions
  return { ...options, database: `t_${basename(dataDir).replaceAll(/\W/g, '_')}` }
}

/** Its database alone. */
export async function openTestDatabase(dataDir: string): Promise<Database> {
  return await openDatabase({ dataDir, server: testServer(dataDir), log: silentLog })
}

/** `openStore` on either engine. A test that reopens its folder finds its data again. */
export async function openTestStore(options: StoreOptions): Promise<Store> {
  return await openStore({ ...options, server: testServer(options.dataDir) })
}
