// The ailment slow-query: an index that is missing, on a table that has grown.
import type { Database } from './db.ts'

/** The archived board that holds the history; by its name what a killed kanban left is found again. */
const MARK = 'Andon fault: slow-query'
const INDEX = 'CREATE INDEX IF NOT EXISTS comments_card ON comments (card, at)'

/** Takes the history away and makes the index again; does nothing where all is well. */
export async function restoreHistory(database: Database): Promise<void> {
  const { rows } = await database.query('SELECT 1 FROM boards WHERE name = $1', [MARK])
  await database.query(INDEX)
  if (rows.length === 0) return
  await database.query('DELETE FROM boards WHERE name = $1', [MARK])
  // The rows that went are still read by a scan until they are cleaned up.
  await database.query('VACUUM ANALYZE comments')
}

/**
 * Has the database keep comments of an archived card, without the index of comments by card.
 *
 * @param thousands - of comments; 0 takes them away and makes the index again
 */
export async function growHistory(database: Database, thousands: number): Promise<void> {
  await restoreHistory(database)
  if (thousands === 0) return
  await database.transaction(async (connection) => {
    const board = await connection.query<{ id: string }>('INSERT INTO boards (name, archived) VALUES ($1, true) RETURNING id', [MARK])
    const column = await connection.query<{ id: string }>("INSERT INTO columns (board, name, position) VALUES ($1, 'Old', 1) RETURNING id", [board.rows[0]?.id])
    const card = await connection.query<{ id: string }>('INSERT INTO cards (board, "column", position, title, archived) VALUES ($1, $2, 1024, $3, true) RETURNING id', [board.rows[0]?.id, column.rows[0]?.id, MARK])
    await connection.query(
      "INSERT INTO comments (card, person, text) SELECT $1, (SELECT id FROM people ORDER BY name LIMIT 1), 'An old comment, number ' || n FROM generate_series(1, $2::int) n",
      [card.rows[0]?.id, Math.round(thousands * 1000)],
    )
    await connection.query('DROP INDEX comments_card')
  })
  await database.query('ANALYZE comments')
}
