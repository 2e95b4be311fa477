// What the routes work with, and who asks.
import type { Accounts, Person } from './accounts.ts'
import type { Boards } from './boards.ts'
import type { ReadCache } from './cache.ts'
import type { Comments } from './comments.ts'
import type { LiveHub } from './live.ts'
import type { KanbanMetrics } from './metrics.ts'
import type { Tasks } from './tasks.ts'

export interface Kanban {
  readonly accounts: Accounts
  readonly boards: Boards
  readonly tasks: Tasks
  readonly comments: Comments
  readonly live: LiveHub
  readonly cache: ReadCache
  readonly metrics: KanbanMetrics
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set on every route but those that need no one. */
    person: Person
  }
}

export const COOKIE = 'kanban_session'
