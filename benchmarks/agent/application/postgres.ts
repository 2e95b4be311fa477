// A real PostgreSQL with the tables of the application, on the core of whoever starts it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Database } from './measure.ts'

const BOARDS = 100
const ROWS_PER_BOARD = 3
/** All applications of a round, each with its pool, and some to spare. */
const CONNECTIONS = 150

export interface Embedded {
  readonly connectionString: string
  stop(): Promise<void>
}

/** The one of the kanban, which is no package to depend on. */
export async function startEmbedded(folder: string): Promise<Embedded> {
  const kanban: { readonly startPostgres: (dataDir: string, connections: number) => Promise<Embedded> } = await import(new URL('../../../../apps/kanban/dist/embedded-postgres.js', import.meta.url).href)
  return await kanban.startPostgres(folder, CONNECTIONS)
}

async function fill(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const table of ['cards', 'labels']) {
    await client.query(`CREATE TABLE ${table} (id int PRIMARY KEY, board_id int NOT NULL, title text NOT NULL)`)
    await client.query(`INSERT INTO ${table} SELECT n, n % ${BOARDS}, 'Write report ' || n FROM generate_series(1, ${BOARDS * ROWS_PER_BOARD}) n`)
    await client.query(`CREATE INDEX ON ${table} (board_id)`)
    await client.query(`ANALYZE ${table}`)
  }
  await client.end()
}

/** Starts it in a folder of its own, which its stop removes. */
export async function startBoards(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const database = await startEmbedded(folder)
  const stop = async (): Promise<void> => {
    await database.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await fill(database.connectionString)
  } catch (error) {
    await stop()
    throw error
  }
  return { url: database.connectionString, stop }
}
