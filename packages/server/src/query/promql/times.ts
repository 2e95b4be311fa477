// When selectors and subqueries are evaluated: their @ or the step's time, less their offset.
import type { Milliseconds } from '@andon/model'
import type { Expr, Subquery, VectorSelector } from '@andon/promql'
import type { QueryContext } from './context.ts'
import { type StepGrid, timeAt } from './vector.ts'

export interface Times {
  readonly first: Milliseconds
  readonly last: Milliseconds
  readonly at: (step: number) => Milliseconds
}

type Placed = Pick<VectorSelector, 'at' | 'offset'>

function placed({ at, offset }: Placed, time: Milliseconds, { start, end }: Pick<QueryContext, 'start' | 'end'>): Milliseconds {
  return (at === 'start' ? start : at === 'end' ? end : (at ?? time)) - offset
}

export function timesOf(where: Placed, grid: StepGrid, context: Pick<QueryContext, 'start' | 'end'>): Times {
  const time = (step: number): Milliseconds => placed(where, timeAt(grid, step), context)
  return { first: time(0), last: time(grid.count - 1), at: time }
}

/** The first selector of an expression, with the subqueries around it from the outside in. */
function pathToSelector(expr: Expr): Placed[] | undefined {
  const through = (inner: readonly (Expr | undefined)[], around: readonly Subquery[] = []): Placed[] | undefined => {
    for (const each of inner) {
      const path = each === undefined ? undefined : pathToSelector(each)
      if (path !== undefined) return [...around, ...path]
    }
    return undefined
  }
  switch (expr.kind) {
    case 'number':
    case 'string':
      return undefined
    case 'selector':
      return [expr]
    case 'range':
      return [expr.selector]
    case 'subquery':
      return through([expr.expr], [expr])
    case 'call':
      return through(expr.args)
    case 'aggregate':
      return through([expr.expr, expr.param])
    case 'binary':
      return through([expr.left, expr.right])
    case 'unary':
    case 'paren':
      return through([expr.expr])
  }
}

/** As of when the first selector of an expression is read at each step. */
export function timesWithin(expr: Expr, grid: StepGrid, context: Pick<QueryContext, 'start' | 'end'>): Times {
  const path = pathToSelector(expr) ?? []
  const time = (step: number): Milliseconds => path.reduce((at, where) => placed(where, at, context), timeAt(grid, step))
  return { first: time(0), last: time(grid.count - 1), at: time }
}
