// Aggregations that the store calculates itself, when there are many points: `sum by (…) (rate(x[5m]))` and the like.
import type { Aggregate, Expr } from '@andon/promql'
import type { GroupOperation } from '../../store/rate-sums.ts'
import { groupLabels } from './aggregate.ts'
import { countSamples, type QueryContext } from './context.ts'
import { ratesInParts, type Shape } from './rate-groups.ts'
import { isExpired, rolledUp, rolledUpSum } from './rollups.ts'
import { metricOf, unwrapped } from './shape.ts'
import { timesOf } from './times.ts'
import { element, type GridElement, set, type StepGrid } from './vector.ts'

const OPERATIONS: readonly GroupOperation[] = ['sum', 'avg', 'count', 'min', 'max']

/** What is taken of windows for each function. */
const KINDS: Readonly<Record<string, Shape['kind']>> = { rate: 'rate', increase: 'rate', irate: 'irate', delta: 'delta', idelta: 'idelta', last_over_time: 'last' }

function shapeOfVector(expr: Expr, lookback: number): Omit<Shape, 'op'> | undefined {
  if (expr.kind === 'selector') return { kind: 'value', name: '', selector: expr, range: lookback, about: expr }
  const kind = expr.kind === 'call' ? KINDS[expr.name] : undefined
  const arg = expr.kind === 'call' ? expr.args[0] : undefined
  const matrix = arg === undefined ? undefined : unwrapped(arg)
  if (expr.kind !== 'call' || kind === undefined || matrix?.kind !== 'range') return undefined
  return { kind, name: expr.name, selector: matrix.selector, range: matrix.range, about: matrix }
}

/** What is an aggregation over a plain selector of one metric, or a function of its range; undefined for anything else. */
function shapeOf({ op, expr, grouping }: Aggregate, { lookback }: QueryContext): Shape | undefined {
  const operation = OPERATIONS.find((each) => each === op)
  const shape = shapeOfVector(unwrapped(expr), lookback)
  if (operation === undefined || shape === undefined || shape.selector.extended !== undefined || shape.selector.at !== undefined) return undefined
  // A name is dropped at the end only, which these sums do not know.
  return metricOf(shape.selector) === undefined || grouping.includes('__name__') ? undefined : { op: operation, ...shape }
}

/** What the store gave: the aggregation whole, or the vector that is aggregated. */
export type PushedDown = { readonly kind: 'aggregated' | 'members'; readonly elements: GridElement[] }

/**
 * An aggregation, or what it is of, calculated in the store.
 *
 * @returns undefined where all is to be evaluated here: another shape, few points, or the store could not do it
 */
export async function pushedDown(context: QueryContext, expr: Aggregate, grid: StepGrid): Promise<PushedDown | undefined> {
  const byName = expr.grouping.includes('__name__')
  const sums = expr.op === 'sum' && !byName ? await rolledUpSum(context, expr.expr, grid, (labels) => groupLabels(labels, expr)) : undefined
  if (sums !== undefined) return { kind: 'aggregated', elements: sums }
  const call = unwrapped(expr.expr)
  const members = call.kind === 'call' ? await rolledUp(context, call, grid) : undefined
  if (members !== undefined) return { kind: 'members', elements: members }
  const elements = await aggregatedRaw(context, expr, grid)
  return elements === undefined ? undefined : { kind: 'aggregated', elements }
}

/** The same of raw points, exactly. */
async function aggregatedRaw(context: QueryContext, expr: Aggregate, grid: StepGrid): Promise<GridElement[] | undefined> {
  const { rateSums, signal } = context
  const shape = shapeOf(expr, context)
  if (shape === undefined || (await isExpired(context, shape.selector, grid, shape.range))) return undefined
  const { op, kind, selector, range } = shape
  if (kind === 'rate') return await ratesInParts(context, expr, shape, grid)
  const answer = await rateSums?.rateSums(
    {
      matchers: selector.matchers,
      kind,
      op,
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
  return answer.groups.map(({ labels, values, counts }) => {
    const result = element(labels, grid.count)
    for (let step = 0; step < grid.count; step += 1) {
      const [count, value] = [counts[step] ?? 0, values[step] ?? 0]
      if (count > 0) set(result, step, op === 'count' ? count : op === 'avg' ? value / count : value)
    }
    return result
  })
}
