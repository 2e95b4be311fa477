// Aggregations of rates that the store calculates itself, when there are many points: `sum by (…) (rate(x[5m]))`.
import type { Aggregate, Call, Expr, MatrixSelector } from '@andon/promql'
import { groupLabels } from './aggregate.ts'
import { countSamples, type QueryContext, remarksOn } from './context.ts'
import { remarkNoCounter } from './range-evaluation.ts'
import { timesOf } from './times.ts'
import { element, type GridElement, set, type StepGrid } from './vector.ts'

function unwrapped(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrapped(expr.expr) : expr
}

interface Shape {
  readonly call: Call
  readonly matrix: MatrixSelector
}

/** What is a sum, mean or count of rate or increase over a plain range of one metric; undefined for anything else. */
function shapeOf({ op, expr, grouping }: Aggregate): Shape | undefined {
  const call = unwrapped(expr)
  if (call.kind !== 'call' || (call.name !== 'rate' && call.name !== 'increase') || !['sum', 'avg', 'count'].includes(op)) return undefined
  const [arg] = call.args
  const matrix = arg === undefined ? undefined : unwrapped(arg)
  if (matrix?.kind !== 'range' || matrix.selector.extended !== undefined || matrix.selector.at !== undefined) return undefined
  const hasName = matrix.selector.matchers.some(({ name, operator }) => name === '__name__' && operator === '=')
  // A name is dropped at the end only, which these sums do not know.
  return hasName && !grouping.includes('__name__') ? { call, matrix } : undefined
}

/**
 * The elements of an aggregation, calculated in the store.
 *
 * @returns undefined where it is to be evaluated here: another shape, few points, or the store could not do it exactly
 */
export async function pushedDown(context: QueryContext, expr: Aggregate, grid: StepGrid): Promise<GridElement[] | undefined> {
  const { rateSums, signal } = context
  const shape = rateSums === undefined ? undefined : shapeOf(expr)
  if (rateSums === undefined || shape === undefined) return undefined
  const { call, matrix } = shape
  const { selector, range } = matrix
  const answer = await rateSums.rateSums(
    {
      matchers: selector.matchers,
      first: timesOf(selector, grid, context).first,
      step: grid.step,
      count: grid.count,
      range,
      groupOf: (labels) => groupLabels(labels, expr),
      leastPoints: context.pushDownFrom,
    },
    signal === undefined ? {} : { signal },
  )
  if (answer === undefined) return undefined
  countSamples(context, answer.samples)
  const factor = call.name === 'increase' ? range / 1000 : 1
  const elements = answer.groups.map(({ labels, sums, counts }) => {
    const result = element(labels, grid.count)
    for (let step = 0; step < grid.count; step += 1) {
      const [count, sum] = [counts[step] ?? 0, (sums[step] ?? 0) * factor]
      if (count > 0) set(result, step, expr.op === 'count' ? count : expr.op === 'avg' ? sum / count : sum)
    }
    return result
  })
  const metric = selector.matchers.find(({ name, operator }) => name === '__name__' && operator === '=')?.value ?? ''
  remarkNoCounter(call.name, metric, elements, remarksOn(context, matrix))
  return elements
}
