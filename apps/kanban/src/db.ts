// The pool of connections, and the database behind it: our own PostgreSQL unless DATABASE_URL names another.
import pg from 'pg'
import { startPostgres } from './embedded-postgres.ts'
import { migrate } from './migrations.ts'

/** Connections kept at most. */
const POOL_SIZE = 10

/** What runs statements: the pool, or one connection within a transaction. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>>
}

export interface Database extends Queryable {
  /** Runs within one transaction, which is undone when `work` fails. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
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
  const pool = new pg.Pool({ connectionString: url ?? embedded?.connectionString, max: POOL_SIZE, connectionTimeoutMillis: 10_000 })
  // An idle connection that breaks is replaced at the next use.
  pool.on('error', () => undefined)
  const close = async (): Promise<void> => {
    await pool.end()
    await embedded?.stop()
  }
  const transaction = async <T>(work: (connection: Queryable) => Promise<T>): Promise<T> => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const result = await work({ query: (text, values) => client.query(text, values === undefined ? undefined : [...values]) })
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined)
      throw error
    } finally {
      client.release()
    }
  }
  const database: Database = { query: (text, values) => pool.query(text, values === undefined ? undefined : [...values]), transaction, close }
  try {
    await migrate(database)
  } catch (error) {
    await close()
    throw error
  }
  return database
}
