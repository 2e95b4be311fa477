// Comments on cards, and the activity of boards and cards.
import type { Person } from './accounts.ts'
import type { Database } from './db.ts'
import { note } from './tasks.ts'

export interface Comment {
  readonly id: string
  readonly author: Person
  readonly text: string
  readonly at: string
}

export interface Activity {
  readonly at: string
  readonly by: string
  readonly text: string
}

export class Comments {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async of(card: string): Promise<Comment[]> {
    const { rows } = await this.#database.query<{ id: string; text: string; at: Date; person: string; name: string; role: Person['role'] }>(
      'SELECT m.id, m.text, m.at, p.id AS person, p.name, p.role FROM comments m JOIN people p ON p.id = m.person WHERE m.card = $1 ORDER BY m.at, m.id LIMIT 1000',
      [card],
    )
    return rows.map(({ id, text, at, person, name, role }) => ({ id, text, at: at.toISOString(), author: { id: person, name, role } }))
  }

  async add(card: { id: string; boardId: string; title: string }, author: Person, text: string): Promise<Comment> {
    return await this.#database.transaction(async (connection) => {
      const { rows } = await connection.query<{ id: string; at: Date }>('INSERT INTO comments (card, person, text) VALUES ($1, $2, $3) RETURNING id, at', [card.id, author.id, text])
      await note(connection, { board: card.boardId, card: card.id, by: author.name, text: `commented on "${card.title}"` })
      const [made] = rows
      return { id: made?.id ?? '', author, text, at: (made?.at ?? new Date()).toISOString() }
    })
  }

  /** The newest hundred lines of a board, or of one card. */
  async activity(of: { board: string } | { card: string }): Promise<Activity[]> {
    const [column, id] = 'board' in of ? ['board', of.board] : ['card', of.card]
    const { rows } = await this.#database.query<{ at: Date; by_name: string; text: string }>(`SELECT at, by_name, text FROM activity WHERE ${column} = $1 ORDER BY id DESC LIMIT 100`, [id])
    return rows.map(({ at, by_name: by, text }) => ({ at: at.toISOString(), by, text }))
  }
}
