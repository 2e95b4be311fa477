// The kanban's business metrics, through whatever OpenTelemetry agent runs in this process; without one they cost nothing.
import { type Counter, type Gauge, type Histogram, metrics } from '@opentelemetry/api'

export type CacheType = 'task' | 'board' | 'search' | 'label'

/** Boards that have a series of their own; those beyond are told as "other". */
const MAX_BOARDS = 50

/** small < 10, medium < 50, large < 200, xlarge */
export function taskCountTier(count: number): string {
  if (count < 10) return 'small'
  if (count < 50) return 'medium'
  return count < 200 ? 'large' : 'xlarge'
}

/** The asked-for class. Durations are in milliseconds. */
export class KanbanMetrics {
  readonly #creation: Histogram
  readonly #load: Histogram
  readonly #taskCount: Gauge
  readonly #cache: Counter
  readonly #operations: Counter
  readonly #boards = new Set<string>()

  constructor() {
    const meter = metrics.getMeter('kanban')
    this.#creation = meter.createHistogram('kanban.task.creation.duration', { unit: 'ms', description: 'How long it took to create a card.' })
    this.#load = meter.createHistogram('kanban.board.load.duration', { unit: 'ms', description: 'How long it took to load a board, by how many cards it has.' })
    this.#taskCount = meter.createGauge('kanban.board.task_count', { unit: '{task}', description: 'Cards of a board at its last load.' })
    this.#cache = meter.createCounter('kanban.cache.requests', { unit: '{request}', description: 'Reads of the cache, by kind and result.' })
    this.#operations = meter.createCounter('kanban.operations.total', { unit: '{operation}', description: 'Operations, by name and result.' })
  }

  #board(id: string): string {
    if (this.#boards.size < MAX_BOARDS) this.#boards.add(id)
    return this.#boards.has(id) ? id : 'other'
  }

  recordTaskCreation(duration: number, boardId: string): void {
    this.#creation.record(duration, { board_id: this.#board(boardId) })
  }

  recordBoardLoad(duration: number, taskCount: number, boardId?: string): void {
    this.#load.record(duration, { task_count_tier: taskCountTier(taskCount) })
    if (boardId !== undefined) this.#taskCount.record(taskCount, { board_id: this.#board(boardId) })
  }

  recordCacheHit(cacheType: CacheType, hit: boolean): void {
    this.#cache.add(1, { cache_type: cacheType, result: hit ? 'hit' : 'miss' })
  }

  recordOperation(operation: string, succeeded: boolean): void {
    this.#operations.add(1, { operation, result: succeeded ? 'success' : 'failure' })
  }
}
