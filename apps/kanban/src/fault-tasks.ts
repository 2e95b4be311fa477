// Ailments in the work on cards: N+1, reposition loop, a pattern that backtracks; and a cache that is passed by.
import type { Person } from './accounts.ts'
import { ReadCache } from './cache.ts'
import type { Database } from './db.ts'
import type { Faults } from './faults.ts'
import type { CacheType, KanbanMetrics } from './metrics.ts'
import { type Card, type CardSummary, type NewCard, type SearchFilters, Tasks } from './tasks.ts'

/** One character that does not match after many that do: each way to split them is tried. */
const BACKTRACKING = /^(?:[\w ]+)+$/

/** Cards with the ailments n-plus-one, reposition-loop and redos. */
export class FaultyTasks extends Tasks {
  readonly #database: Database
  readonly #faults: Faults

  constructor(database: Database, faults: Faults) {
    super(database)
    this.#database = database
    this.#faults = faults
  }

  override async ofBoard(board: string): Promise<CardSummary[]> {
    const cards = await super.ofBoard(board)
    const statements = Math.round(this.#faults.strength('n-plus-one'))
    if (statements === 0) return cards
    const whole: CardSummary[] = []
    for (const card of cards) whole.push(await this.#completed(card, statements))
    return whole
  }

  async #completed(card: CardSummary, statements: number): Promise<CardSummary> {
    let completed = card
    for (let number = 0; number < statements; number += 1) {
      if (number % 2 === 0) {
        const { rows } = await this.#database.query<Person>('SELECT p.id, p.name, p.role FROM assignments a JOIN people p ON p.id = a.person WHERE a.card = $1 ORDER BY p.name', [card.id])
        completed = { ...completed, assignees: rows }
      } else {
        const { rows } = await this.#database.query<{ labels: string[] }>('SELECT labels FROM cards WHERE id = $1', [card.id])
        completed = { ...completed, labels: rows[0]?.labels ?? completed.labels }
      }
    }
    return completed
  }

  override async create(board: string, card: NewCard, by: string): Promise<Card> {
    const made = await super.create(board, card, by)
    await this.#reposition(made.columnId)
    return made
  }

  override async move(id: string, version: number, target: { columnId: string; before: string | null }, by: string): Promise<Card> {
    const moved = await super.move(id, version, target, by)
    await this.#reposition(moved.columnId)
    return moved
  }

  async #reposition(column: string): Promise<void> {
    const updates = Math.round(this.#faults.strength('reposition-loop'))
    if (updates === 0) return
    await this.#database.transaction(async (connection) => {
      await connection.query('SELECT 1 FROM columns WHERE id = $1 FOR UPDATE', [column])
      const { rows } = await connection.query<{ id: string }>('SELECT id FROM cards WHERE "column" = $1 AND NOT archived ORDER BY position, id', [column])
      for (let round = 0; round < updates; round += 1) {
        for (const [index, { id }] of rows.entries()) await connection.query('UPDATE cards SET position = $2 WHERE id = $1', [id, (index + 1) * 1024])
      }
    })
  }

  override async search(board: string, filters: SearchFilters): Promise<CardSummary[]> {
    const length = Math.round(this.#faults.strength('redos'))
    if (length > 0) BACKTRACKING.test(`${(filters.text ?? '').padEnd(length, 'word ').slice(0, length)}!`)
    return await super.search(board, filters)
  }
}

/** A cache that the ailment cache-off passes by. */
export class FaultyCache<T> extends ReadCache<T> {
  readonly #faults: Faults
  readonly #told: Pick<KanbanMetrics, 'recordCacheHit'>

  constructor(metrics: Pick<KanbanMetrics, 'recordCacheHit'>, faults: Faults) {
    super(metrics)
    this.#told = metrics
    this.#faults = faults
  }

  override async get(type: CacheType, board: string, key: string, read: () => Promise<T>): Promise<T> {
    if (!this.#faults.strikes('cache-off')) return await super.get(type, board, key, read)
    this.#told.recordCacheHit(type, false)
    return await read()
  }
}
