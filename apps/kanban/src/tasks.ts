// Cards: what they hold, their order, and what may be done with them.
import type { Person } from './accounts.ts'
import type { Database, Queryable } from './db.ts'
import { notFound, Refusal } from './refusal.ts'

export type Priority = 'low' | 'medium' | 'high' | 'urgent'

export interface ChecklistItem {
  readonly text: string
  readonly done: boolean
}

export interface CardSummary {
  readonly id: string
  readonly columnId: string
  readonly title: string
  readonly labels: readonly string[]
  readonly assignees: readonly Person[]
  /** YYYY-MM-DD */
  readonly due: string | null
  readonly priority: Priority
  readonly checklistDone: number
  readonly checklistTotal: number
  readonly comments: number
  readonly version: number
}

export interface Card extends CardSummary {
  readonly boardId: string
  readonly description: string
  readonly checklist: readonly ChecklistItem[]
  readonly archived: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

export interface NewCard {
  readonly id?: string
  readonly columnId: string
  readonly title: string
  readonly description?: string
  readonly labels?: readonly string[]
  readonly assignees?: readonly string[]
  readonly due?: string | null
  readonly priority?: Priority
  readonly checklist?: readonly ChecklistItem[]
}

export type CardChanges = Partial<Omit<NewCard, 'id' | 'columnId'>> & { readonly archived?: boolean }

const ASSIGNEES = `coalesce((SELECT json_agg(json_build_object('id', p.id, 'name', p.name, 'role', p.role) ORDER BY p.name)
  FROM assignments a JOIN people p ON p.id = a.person WHERE a.card = c.id), '[]')`
const SUMMARY = `c.id, c."column" AS "columnId", c.title, c.labels, ${ASSIGNEES} AS assignees, to_char(c.due, 'YYYY-MM-DD') AS due, c.priority,
  (SELECT count(*)::int FROM jsonb_array_elements(c.checklist) i WHERE (i->>'done')::boolean) AS "checklistDone", jsonb_array_length(c.checklist) AS "checklistTotal",
  (SELECT count(*)::int FROM comments m WHERE m.card = c.id) AS comments, c.version`
const CARD = `${SUMMARY}, c.board AS "boardId", c.description, c.checklist, c.archived,
  to_char(c.created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt", to_char(c.updated AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "updatedAt"`

/** Positions nearer than this are numbered anew. */
const MIN_GAP = 1e-6

export interface SearchFilters {
  readonly text?: string
  readonly label?: string
  readonly assignee?: string
  readonly priority?: string
  readonly dueBefore?: string
}

export class Tasks {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The cards of a board, by column and position. */
  async ofBoard(board: string): Promise<CardSummary[]> {
    const { rows } = await this.#database.query<CardSummary>(`SELECT ${SUMMARY} FROM cards c JOIN columns k ON k.id = c."column" WHERE c.board = $1 AND NOT c.archived ORDER BY k.position, c.position, c.id`, [board])
    return rows
  }

  async get(id: string, connection: Queryable = this.#database): Promise<Card> {
    const { rows } = await connection.query<Card>(`SELECT ${CARD} FROM cards c WHERE c.id = $1`, [id])
    if (rows[0] === undefined) throw notFound('card')
    return rows[0]
  }

  /** Every card of a board with all that it holds, archived ones too. */
  async whole(board: string): Promise<Card[]> {
    return (await this.#database.query<Card>(`SELECT ${CARD} FROM cards c JOIN columns k ON k.id = c."column" WHERE c.board = $1 ORDER BY k.position, c.position, c.id`, [board])).rows
  }

  async create(board: string, card: NewCard, by: string): Promise<Card> {
    return await this.#database.transaction(async (connection) => {
      const column = await lockColumn(connection, card.columnId)
      if (column.board !== board) throw notFound('column')
      await checkLimit(connection, column)
      const { rows } = await connection.query<{ id: string }>(
        `INSERT INTO cards (id, board, "column", position, title, description, labels, due, priority, checklist)
         VALUES (coalesce($1, gen_random_uuid()), $2, $3, (SELECT coalesce(max(position), 0) + 1024 FROM cards WHERE "column" = $3), $4, $5, $6, $7, $8, $9) RETURNING id`,
        [card.id, board, card.columnId, card.title, card.description ?? '', card.labels ?? [], card.due ?? null, card.priority ?? 'medium', JSON.stringify(card.checklist ?? [])],
      )
      const id = rows[0]?.id ?? ''
      await assign(connection, id, card.assignees ?? [])
      await note(connection, { board, card: id, by, text: `created "${card.title}"` })
      return await this.get(id, connection)
    })
  }

  /** @throws Refusal stale_version when the card was changed since the version that the caller saw */
  async change(id: string, version: number, changes: CardChanges, by: string): Promise<Card> {
    return await this.#database.transaction(async (connection) => {
      const before = await this.#locked(connection, id, version)
      if (changes.archived === false && before.archived) await checkLimit(connection, await lockColumn(connection, before.columnId))
      await connection.query(
        `UPDATE cards SET title = coalesce($2, title), description = coalesce($3, description), labels = coalesce($4, labels), due = CASE WHEN $5 THEN $6 ELSE due END,
         priority = coalesce($7, priority), checklist = coalesce($8, checklist), archived = coalesce($9, archived), version = version + 1, updated = now() WHERE id = $1`,
        [id, changes.title, changes.description, changes.labels, changes.due !== undefined, changes.due ?? null, changes.priority, changes.checklist === undefined ? null : JSON.stringify(changes.checklist), changes.archived],
      )
      if (changes.assignees !== undefined) await assign(connection, id, changes.assignees)
      await note(connection, { board: before.boardId, card: id, by, text: describe(before, changes) })
      return await this.get(id, connection)
    })
  }

  /**
   * Moves a card before another one, or to the end of a column.
   *
   * @throws Refusal stale_version, wip_limit or transition_not_allowed
   */
  async move(id: string, version: number, target: { columnId: string; before: string | null }, by: string): Promise<Card> {
    return await this.#database.transaction(async (connection) => {
      // Columns are locked before cards, always in one order, so that two moves never wait for each other.
      const column = await lockColumn(connection, target.columnId)
      const card = await this.#locked(connection, id, version)
      if (column.board !== card.boardId) throw notFound('column')
      if (card.columnId !== column.id) {
        await checkRule(connection, card, column)
        await checkLimit(connection, column)
      }
      const position = await positionBefore(connection, column.id, id, target.before)
      await connection.query('UPDATE cards SET "column" = $2, position = $3, version = version + 1, updated = now() WHERE id = $1', [id, column.id, position])
      if (card.columnId !== column.id) await note(connection, { board: card.boardId, card: id, by, text: `moved "${card.title}" to ${column.name}` })
      return await this.get(id, connection)
    })
  }

  async #locked(connection: Queryable, id: string, version: number): Promise<Card> {
    const { rows } = await connection.query('SELECT 1 FROM cards WHERE id = $1 FOR UPDATE', [id])
    if (rows.length === 0) throw notFound('card')
    const card = await this.get(id, connection)
    if (card.version !== version) throw new Refusal(409, 'stale_version', 'Somebody changed this card meanwhile.', 'Look at the change, then try again.', { current: card })
    return card
  }

  /** Deletes an archived card for good. @returns its board */
  async delete(id: string, by: string): Promise<string> {
    return await this.#database.transaction(async (connection) => {
      const card = await this.get(id, connection)
      if (!card.archived) throw new Refusal(409, 'not_archived', 'Only archived cards can be deleted.', 'Archive it first.')
      await connection.query('DELETE FROM cards WHERE id = $1', [id])
      await note(connection, { board: card.boardId, card: null, by, text: `deleted "${card.title}"` })
      return card.boardId
    })
  }

  async search(board: string, { text, label, assignee, priority, dueBefore }: SearchFilters): Promise<CardSummary[]> {
    const pattern = text === undefined ? null : `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
    const { rows } = await this.#database.query<CardSummary>(
      `SELECT ${SUMMARY} FROM cards c WHERE c.board = $1 AND NOT c.archived AND ($2::text IS NULL OR c.title ILIKE $2 OR c.description ILIKE $2)
       AND ($3::text IS NULL OR $3 = ANY(c.labels)) AND ($4::uuid IS NULL OR EXISTS (SELECT 1 FROM assignments a WHERE a.card = c.id AND a.person = $4))
       AND ($5::text IS NULL OR c.priority = $5) AND ($6::date IS NULL OR c.due < $6) ORDER BY c.updated DESC LIMIT 500`,
      [board, pattern, label ?? null, assignee ?? null, priority ?? null, dueBefore ?? null],
    )
    return rows
  }

  async labels(board: string): Promise<string[]> {
    return (await this.#database.query<{ label: string }>('SELECT DISTINCT unnest(labels) AS label FROM cards WHERE board = $1 AND NOT archived ORDER BY label', [board])).rows.map(({ label }) => label)
  }
}

interface LockedColumn {
  readonly id: string
  readonly board: string
  readonly name: string
  readonly limit: number | null
}

async function lockColumn(connection: Queryable, id: string): Promise<LockedColumn> {
  const { rows } = await connection.query<LockedColumn>('SELECT id, board, name, wip_limit AS limit FROM columns WHERE id = $1 AND NOT archived FOR UPDATE', [id])
  if (rows[0] === undefined) throw notFound('column')
  return rows[0]
}

async function checkLimit(connection: Queryable, column: LockedColumn): Promise<void> {
  if (column.limit === null) return
  const { rows } = await connection.query<{ count: number }>('SELECT count(*)::int AS count FROM cards WHERE "column" = $1 AND NOT archived', [column.id])
  if ((rows[0]?.count ?? 0) >= column.limit) throw new Refusal(409, 'wip_limit', `${column.name} is full: at most ${column.limit} cards.`, 'Finish or move a card first.', { limit: column.limit })
}

async function checkRule(connection: Queryable, card: Card, to: LockedColumn): Promise<void> {
  const { rows } = await connection.query<{ any: boolean; allowed: boolean; from: string }>(
    `SELECT EXISTS (SELECT 1 FROM rules WHERE board = $1) AS any, EXISTS (SELECT 1 FROM rules WHERE board = $1 AND from_column = $2 AND to_column = $3) AS allowed,
     (SELECT name FROM columns WHERE id = $2) AS "from"`,
    [card.boardId, card.columnId, to.id],
  )
  const [rule] = rows
  if (rule === undefined || !rule.any || rule.allowed) return
  throw new Refusal(409, 'transition_not_allowed', `The rules of this board do not allow a move from ${rule.from} to ${to.name}.`, 'Move it along an allowed way, or change the rules.', { from: rule.from, to: to.name })
}

function middle({ low, high }: { low: number; high: number | null }): number {
  return high === null ? low + 1024 : (low + high) / 2
}

async function positionBefore(connection: Queryable, column: string, card: string, before: string | null): Promise<number> {
  const find = async (): Promise<{ low: number; high: number | null }> => {
    const { rows } = await connection.query<{ id: string; position: number }>('SELECT id, position FROM cards WHERE "column" = $1 AND NOT archived AND id <> $2 ORDER BY position, id', [column, card])
    const at = before === null ? rows.length : rows.findIndex(({ id }) => id === before)
    // The card that was pointed at went away meanwhile: the end is the nearest place.
    const index = at < 0 ? rows.length : at
    return { low: rows[index - 1]?.position ?? 0, high: rows[index]?.position ?? null }
  }
  const place = await find()
  if (place.high === null || place.high - place.low > MIN_GAP) return middle(place)
  await connection.query(
    'UPDATE cards SET position = o.n * 1024 FROM (SELECT id, row_number() OVER (ORDER BY position, id) AS n FROM cards WHERE "column" = $1) o WHERE cards.id = o.id',
    [column],
  )
  return middle(await find())
}

async function assign(connection: Queryable, card: string, people: readonly string[]): Promise<void> {
  await connection.query('DELETE FROM assignments WHERE card = $1', [card])
  await connection.query('INSERT INTO assignments (card, person) SELECT $1, id FROM people WHERE id = ANY($2::uuid[])', [card, people])
}

function describe(before: Card, changes: CardChanges): string {
  if (changes.archived === true) return `archived "${before.title}"`
  if (changes.archived === false) return `restored "${before.title}"`
  return `changed ${Object.keys(changes).join(', ')} of "${changes.title ?? before.title}"`
}

interface Note {
  readonly board: string
  readonly card: string | null
  readonly by: string
  readonly text: string
}

/** A line of the activity log, in the transaction of what it tells. */
export async function note(connection: Queryable, { board, card, by, text }: Note): Promise<void> {
  await connection.query('INSERT INTO activity (board, card, by_name, text) VALUES ($1, $2, $3, $4)', [board, card, by, text])
}
