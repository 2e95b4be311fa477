// The pool of connections, and the database behind it: our own PostgreSQL unless DATABASE_URL names another.
import pg from 'pg'
import { startPostgres } from './embedded-postgres.ts'
import { migrate } from './migrations.ts'

/** Connections kept at most, and how long one is waited for. */
export const POOL_OPTIONS = { max: 10, connectionTimeoutMillis: 10_000 } as const

/** What runs statements: the pool, or one connection within a transaction. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>>
}

export interface Database extends Queryable {
  /** Runs within one transaction, which is undone when `work` fails. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>
  /** The connections themselves. */
  readonly pool: pg.Pool
  close(): Promise<void>
}

/** Runs `work` within a transaction of one connection, which is undone when it fails. */
export async function transact<T>(client: pg.ClientBase, work: (connection: Queryable) => Promise<T>): Promise<T> {
  try {
    await client.query('BEGIN')
    const result = await work({ query: (text, values) => client.query(text, values === undefined ? undefined : [...values]) })
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

export interface DatabaseOptions {
  /** A PostgreSQL server; our own is started when absent. */
  readonly url: string | undefined
  /** Where our own keeps its data. */
  readonly dataDir: string
}

/** Opens the database with its newest tables. @throws Error when it cannot be reached or started */
export async function openDatabase({ url, dataDir }: DatabaseOptions): Promise<Database> {
  const embedded = url === undefined ? await startPostgres(dataDir) : undefined
  const pool = new pg.Pool({ ...POOL_OPTIONS, connectionString: url ?? embedded?.connectionString })
  // An idle connection that breaks is replaced at the next use.
  pool.on('error', () => undefined)
  const close = async (): Promise<void> => {
    await pool.end()
    await embedded?.stop()
  }
  const transaction = async <T>(work: (connection: Queryable) => Promise<T>): Promise<T> => {
    const client = await pool.connect()
    try {
      return await transact(client, work)
    } finally {
      client.release()
    }
  }
  const database: Database = { query: (text, values) => pool.query(text, values === undefined ? undefined : [...values]), transaction, pool, close }
  try {
    await migrate(database)
  } catch (error) {
    await close()
    throw error
  }
  return database
}
