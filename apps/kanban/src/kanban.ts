// What the routes work with, and who asks.
import type { Accounts, Person } from './accounts.ts'
import type { BoardView } from './board-view.ts'
import type { Boards } from './boards.ts'
import type { ReadCache } from './cache.ts'
import type { Activity, Comment, Comments } from './comments.ts'
import type { LiveHub } from './live.ts'
import type { KanbanMetrics } from './metrics.ts'
import type { Card, CardSummary, Tasks } from './tasks.ts'

/** What is read often, by kind; all of a board is forgotten when something on it changes. */
export interface Caches {
  readonly board: ReadCache<BoardView>
  readonly search: ReadCache<readonly CardSummary[]>
  readonly task: ReadCache<CardView>
}

/** A card with what was said and done about it. */
export interface CardView {
  readonly card: Card
  readonly comments: readonly Comment[]
  readonly activity: readonly Activity[]
}

export function forget(caches: Caches, board: string): void {
  for (const cache of [caches.board, caches.search, caches.task]) cache.forget(board)
}

export interface Kanban {
  readonly accounts: Accounts
  readonly boards: Boards
  readonly tasks: Tasks
  readonly comments: Comments
  readonly live: LiveHub
  readonly cache: Caches
  readonly metrics: KanbanMetrics
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set on every route but those that need no one. */
    person: Person
  }
}

export const COOKIE = 'kanban_session'
