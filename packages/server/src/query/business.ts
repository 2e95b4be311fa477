import type { Milliseconds, Ratio, TimeRange } from '@andon/model'
import { type Evaluator, gridOf, meanOf, nothing, promDuration, quantileExpression, type Values, wholeWindow } from './grid.ts'

/** The kanban's business metrics over a range; null where nothing was measured. */
export interface Business {
  readonly taskCreationP95Ms: Milliseconds | null
  readonly boardLoadP95Ms: Milliseconds | null
  /** Hits among all requests to caches. */
  readonly cacheHitRatio: Ratio | null
  readonly operationsPerSecond: number | null
  /** Operations in the whole range. */
  readonly operations: number | null
  /** Lists aligned to `t`, by the names above. */
  readonly spark: {
    readonly t: readonly Milliseconds[]
    readonly taskCreationP95Ms: Values
    readonly boardLoadP95Ms: Values
    readonly cacheHitRatio: Values
    readonly operationsPerSecond: Values
  }
}

const TASK = 'kanban_task_creation_duration_milliseconds'
const BOARD = 'kanban_board_load_duration_milliseconds'
const CACHE = 'kanban_cache_requests_total'
const OPERATIONS = 'kanban_operations_total'

const expressions = (window: string): Record<'taskCreationP95Ms' | 'boardLoadP95Ms' | 'cacheHitRatio' | 'operationsPerSecond', string> => ({
  taskCreationP95Ms: quantileExpression(0.95, TASK, window),
  boardLoadP95Ms: quantileExpression(0.95, BOARD, window),
  cacheHitRatio: `sum(rate(${CACHE}{result="hit"}[${window}])) / sum(rate(${CACHE}[${window}]))`,
  operationsPerSecond: `sum(rate(${OPERATIONS}[${window}]))`,
})

/** Reads the business metrics that the kanban sends. */
export class BusinessReader {
  readonly #evaluator: Evaluator

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator
  }

  /** @returns null when none of these metrics was sent in the range */
  async read(range: TimeRange): Promise<Business | null> {
    const grid = gridOf(range, 60)
    const over = expressions(promDuration(Math.max(60_000, grid.step)))
    const { window, time, maxAge } = wholeWindow(range)
    const whole = expressions(window)
    const course = async (expression: string): Promise<Values> => {
      const [series] = await this.#evaluator.over(expression, grid)
      return series === undefined ? nothing(grid) : series.values.map((value) => (value !== null && Number.isFinite(value) ? value : null))
    }
    const once = async (expression: string): Promise<number | null> => {
      const [series] = await this.#evaluator.at(expression, time, maxAge)
      return series !== undefined && Number.isFinite(series.value) ? series.value : null
    }
    const courses = await Promise.all([course(over.taskCreationP95Ms), course(over.boardLoadP95Ms), course(over.cacheHitRatio), course(over.operationsPerSecond)])
    if (courses.every((values) => meanOf(values) === null)) return null
    const [taskCreations, boardLoads, cacheHits, perSecond] = courses
    const [taskCreationP95Ms, boardLoadP95Ms, cacheHitRatio, operations] = await Promise.all([once(whole.taskCreationP95Ms), once(whole.boardLoadP95Ms), once(whole.cacheHitRatio), once(`sum(increase(${OPERATIONS}[${window}]))`)])
    return {
      taskCreationP95Ms,
      boardLoadP95Ms,
      cacheHitRatio,
      operationsPerSecond: meanOf(perSecond),
      operations,
      spark: { t: grid.t, taskCreationP95Ms: taskCreations, boardLoadP95Ms: boardLoads, cacheHitRatio: cacheHits, operationsPerSecond: perSecond },
    }
  }
}
