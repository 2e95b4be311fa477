// Functions over ranges applied to each series at each step.
import { AndonError } from '@andon/model'
import type { Call, Expr } from '@andon/promql'
import type { FunctionContext } from './call-functions.ts'
import { checkSize, mapWithBreath, remarksOn, type Remarks } from './context.ts'
import { histogramRates } from './delta-windows.ts'
import { shortNumber } from './number-text.ts'
import { remarkNoCounter, remarkOverlap } from './range-call.ts'
import { checkExtended, KEEPS_NAME, RANGE_FUNCTIONS, RATE_KINDS } from './range-functions.ts'
import { type RangeSeries, windows } from './range-series.ts'
import { rateSteps, windowEnds } from './rate-steps.ts'
import { rolledUp } from './rollups.ts'
import { type RangeVector, reachOf } from './selectors.ts'
import { element, type GridElement, hasAny, set, type StepGrid, timeAt, type VectorValue } from './vector.ts'

export function isRange(expr: Expr): boolean {
  return expr.kind === 'range' || expr.kind === 'subquery' || (expr.kind === 'paren' && isRange(expr.expr))
}

function checkQuantiles(name: string, vector: RangeVector, params: readonly Float64Array[], remarks: Remarks): void {
  if (name !== 'quantile_over_time' || vector.series.length === 0) return
  for (const q of params[0] ?? []) if (!(q >= 0 && q <= 1)) remarks.warn(`quantile value should be between 0 and 1, got ${shortNumber(q)}`)
}

/**
 * The value of a function over ranges for each series of its range vector.
 *
 * @throws AndonError query_failed when the function does not take what it is given
 */
export async function callRangeFunction(evaluator: FunctionContext, call: Call, grid: StepGrid): Promise<VectorValue> {
  const { context } = evaluator
  const { name, args } = call
  const stored = (await rolledUp(context, call, grid)) ?? (await histogramRates(context, call, grid))
  if (stored !== undefined) return { type: 'vector', elements: stored }
  const index = args.findIndex((arg) => isRange(arg))
  const arg = args[index]
  const apply = RANGE_FUNCTIONS[name]
  if (arg === undefined || apply === undefined) throw new AndonError('query_failed', `${name} takes a range vector`)
  const vector = await evaluator.range(arg, grid)
  checkExtended(name, vector.extended)
  checkSize(context, vector.series.length, grid.count)
  const params: Float64Array[] = []
  for (const [position, each] of args.entries()) if (position !== index) params.push((await evaluator.scalar(each, grid)).values)
  const remarks = remarksOn(context, arg)
  checkQuantiles(name, vector, params, remarksOn(context, args[0] ?? arg))
  const kind = vector.extended === undefined ? RATE_KINDS[name] : undefined
  const ends = windowEnds(vector.times, grid.count, vector.range)
  const overSeries = (series: RangeSeries): GridElement => {
    const result = element(series.labels, grid.count, series.dropName || !KEEPS_NAME.has(name))
    if (kind !== undefined && series.histograms === undefined) {
      if (rateSteps(series.floats, ends, kind, result)) remarkOverlap({ series, remarks })
      return result
    }
    const move = windows(series, vector.range, reachOf(vector.extended, context.lookback))
    const given = { series, params: params.map((values) => values[0] ?? Number.NaN), remarks, extended: vector.extended }
    for (let step = 0; step < grid.count; step += 1) {
      if (params.length > 0) given.params = params.map((values) => values[step] ?? Number.NaN)
      const window = move(vector.times.at(step), timeAt(grid, step))
      if (window.hi === window.lo && window.hhi === window.hlo) continue
      const value = apply(window, given)
      if (value !== undefined) set(result, step, value)
    }
    return result
  }
  const elements = (await mapWithBreath(context, vector.series, grid.count, overSeries)).filter(hasAny)
  remarkNoCounter(name, vector.series[0]?.labels['__name__'] ?? '', elements, remarks)
  return { type: 'vector', elements }
}
