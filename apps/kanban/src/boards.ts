// Boards, their columns and their rules of transition.
import type { Database, Queryable } from './db.ts'
import { notFound, Refusal } from './refusal.ts'

export interface BoardSummary {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly cards: number
}

export interface Column {
  readonly id: string
  readonly name: string
  readonly wipLimit: number | null
}

/** A move that is allowed; a board without rules allows every move. */
export interface Rule {
  readonly from: string
  readonly to: string
}

const SUMMARY = 'SELECT b.id, b.name, b.description, (SELECT count(*)::int FROM cards c WHERE c.board = b.id AND NOT c.archived) AS cards FROM boards b'
const COLUMN = 'id, name, wip_limit AS "wipLimit"'

export const DEFAULT_COLUMNS: readonly { readonly name: string; readonly wipLimit: number | null }[] = [
  { name: 'To do', wipLimit: null },
  { name: 'Doing', wipLimit: 5 },
  { name: 'Done', wipLimit: null },
]

export class Boards {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(): Promise<BoardSummary[]> {
    return (await this.#database.query<BoardSummary>(`${SUMMARY} WHERE NOT b.archived ORDER BY b.created, b.name`)).rows
  }

  async summary(id: string, connection: Queryable = this.#database): Promise<BoardSummary> {
    const { rows } = await connection.query<BoardSummary>(`${SUMMARY} WHERE b.id = $1`, [id])
    if (rows[0] === undefined) throw notFound('board')
    return rows[0]
  }

  /** Makes a board with columns, in one transaction. */
  async create(name: string, description: string, columns: typeof DEFAULT_COLUMNS = DEFAULT_COLUMNS): Promise<BoardSummary> {
    return await this.#database.transaction(async (connection) => {
      const { rows } = await connection.query<{ id: string }>('INSERT INTO boards (name, description) VALUES ($1, $2) RETURNING id', [name, description])
      const id = rows[0]?.id ?? ''
      for (const [index, column] of columns.entries()) {
        await connection.query('INSERT INTO columns (board, name, wip_limit, position) VALUES ($1, $2, $3, $4)', [id, column.name, column.wipLimit, index + 1])
      }
      return await this.summary(id, connection)
    })
  }

  async change(id: string, changes: { name?: string; description?: string; archived?: boolean }): Promise<BoardSummary> {
    await this.#database.query('UPDATE boards SET name = coalesce($2, name), description = coalesce($3, description), archived = coalesce($4, archived) WHERE id = $1', [id, changes.name, changes.description, changes.archived])
    return await this.summary(id)
  }

  async columns(board: string, connection: Queryable = this.#database): Promise<Column[]> {
    return (await connection.query<Column>(`SELECT ${COLUMN} FROM columns WHERE board = $1 AND NOT archived ORDER BY position, id`, [board])).rows
  }

  async addColumn(board: string, name: string, wipLimit: number | null): Promise<Column> {
    await this.summary(board)
    const { rows } = await this.#database.query<Column>(
      `INSERT INTO columns (board, name, wip_limit, position) VALUES ($1, $2, $3, (SELECT coalesce(max(position), 0) + 1 FROM columns WHERE board = $1)) RETURNING ${COLUMN}`,
      [board, name, wipLimit],
    )
    if (rows[0] === undefined) throw notFound('board')
    return rows[0]
  }

  /** @returns the column and its board */
  async changeColumn(id: string, changes: { name?: string; wipLimit?: number | null; archived?: boolean; before?: string | null }): Promise<{ column: Column; board: string }> {
    return await this.#database.transaction(async (connection) => {
      const { rows } = await connection.query<{ board: string }>('SELECT board FROM columns WHERE id = $1 FOR UPDATE', [id])
      const board = rows[0]?.board
      if (board === undefined) throw notFound('column')
      if (changes.archived === true) await refuseFull(connection, id)
      if (changes.before !== undefined) await placeColumn(connection, board, id, changes.before)
      const limit = changes.wipLimit === undefined ? [false, null] : [true, changes.wipLimit]
      const changed = await connection.query<Column>(
        `UPDATE columns SET name = coalesce($2, name), archived = coalesce($3, archived), wip_limit = CASE WHEN $4 THEN $5 ELSE wip_limit END WHERE id = $1 RETURNING ${COLUMN}`,
        [id, changes.name, changes.archived, ...limit],
      )
      const [column] = changed.rows
      if (column === undefined) throw notFound('column')
      return { column, board }
    })
  }

  async rules(board: string, connection: Queryable = this.#database): Promise<Rule[]> {
    return (await connection.query<Rule>('SELECT from_column AS "from", to_column AS "to" FROM rules WHERE board = $1', [board])).rows
  }

  /** Replaces the rules of a board. */
  async setRules(board: string, rules: readonly Rule[]): Promise<Rule[]> {
    return await this.#database.transaction(async (connection) => {
      const columns = new Set((await this.columns(board, connection)).map(({ id }) => id))
      if (rules.some(({ from, to }) => !columns.has(from) || !columns.has(to))) throw new Refusal(400, 'bad_rule', 'A rule names a column that the board has not.', 'Load the board again and take the ids of its columns.')
      await connection.query('DELETE FROM rules WHERE board = $1', [board])
      for (const { from, to } of rules) await connection.query('INSERT INTO rules (board, from_column, to_column) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [board, from, to])
      return await this.rules(board, connection)
    })
  }
}

async function refuseFull(connection: Queryable, column: string): Promise<void> {
  const { rows } = await connection.query<{ count: number }>('SELECT count(*)::int AS count FROM cards WHERE "column" = $1 AND NOT archived', [column])
  if ((rows[0]?.count ?? 0) > 0) throw new Refusal(409, 'column_not_empty', 'The column still has cards.', 'Move or archive them first.')
}

/** Columns are few: their positions are numbered anew at each move. */
async function placeColumn(connection: Queryable, board: string, id: string, before: string | null): Promise<void> {
  const { rows } = await connection.query<{ id: string }>('SELECT id FROM columns WHERE board = $1 AND NOT archived ORDER BY position, id FOR UPDATE', [board])
  const others = rows.map((row) => row.id).filter((other) => other !== id)
  const at = before === null ? others.length : others.indexOf(before)
  if (at < 0) throw notFound('column')
  const order = [...others.slice(0, at), id, ...others.slice(at)]
  await connection.query('UPDATE columns SET position = o.n FROM unnest($1::uuid[]) WITH ORDINALITY AS o(id, n) WHERE columns.id = o.id', [order])
}
