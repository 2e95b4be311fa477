// rate and increase of native histograms whose increments the store added up, when there are many of them.
import type { Call } from '@andon/promql'
import type { DeltaCell, DeltaHistogram, DeltaRequest } from '../../store/delta-histograms.ts'
import { atSchema } from '../../store/histogram-value.ts'
import type { HistogramValue } from '../../store/metric-rows.ts'
import { countSamples, mapWithBreath, type QueryContext } from './context.ts'
import { emptied, HistogramSum, multiplied, withHint } from './histogram/arithmetic.ts'
import { factor } from './rate.ts'
import { isExpired } from './rollups.ts'
import { unwrapped } from './shape.ts'
import { timesOf } from './times.ts'
import { element, type GridElement, hasAny, set, type StepGrid } from './vector.ts'

/** Cells that hold fewer points are not worth it, */
const LEAST_CELL = 60_000
/** nor are windows of more cells, each of which is added up anew. */
const MOST_CELLS = 100

interface CellWindows extends Pick<DeltaRequest, 'origin' | 'cell' | 'count'> {
  readonly range: number
  /** Cells of a window. */
  readonly width: number
  /** Cells from one window to the next. */
  readonly stride: number
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function windowsOf(first: number, { step, count }: StepGrid, range: number): CellWindows | undefined {
  const cell = count === 1 ? range : gcd(step, range)
  const [width, stride] = [range / cell, count === 1 ? 0 : step / cell]
  if (cell < LEAST_CELL || width > MOST_CELLS) return undefined
  return { origin: first - range, cell, count: (count - 1) * stride + width, range, width, stride }
}

/** What lies in the cells, less the first increment where the window's first point stands at its end. */
function between(cells: readonly DeltaCell[], firstPoint: number, schema: number): HistogramValue | undefined {
  const [begin] = cells
  if (begin === undefined) return undefined
  const sum = new HistogramSum(atSchema(emptied(begin.first), schema))
  for (const { sums } of cells) for (const each of sums) sum.add(atSchema(each, schema))
  if (begin.firstTime === firstPoint) sum.add(atSchema(multiplied(begin.first, -1), schema))
  return sum.value()
}

/** The value of each step of a series. */
function elementOf({ labels, ts, counts, schemas, cells }: DeltaHistogram, windows: CellWindows, steps: number, isRate: boolean): GridElement {
  const { origin, cell, range, width, stride } = windows
  const result = element(labels, steps, true)
  let [lo, hi] = [0, 0]
  for (let step = 0; step < steps; step += 1) {
    const start = origin + cell * stride * step
    const end = start + range
    while (hi < ts.length && (ts[hi] ?? Infinity) <= end) hi += 1
    while (lo < hi && (ts[lo] ?? Infinity) <= start) lo += 1
    const points = hi - lo
    if (points < 2) continue
    const [first, last, schema] = [ts[lo] ?? 0, ts[hi - 1] ?? 0, schemas[hi - 1] ?? 0]
    const inWindow = cells.slice(stride * step, stride * step + width).filter((each) => each !== undefined)
    const difference = between(inWindow, first, schema)
    if (difference === undefined) continue
    const toZero = difference.count > 0 ? ((last - first) / 1000) * ((counts[lo] ?? 0) / difference.count) : Infinity
    const times = factor({ first, last, count: points, zero: undefined, toZero }, { start, end, range }, { isCounter: true, isRate })
    set(result, step, withHint(multiplied(difference, times), 'gauge'))
  }
  return result
}

/**
 * rate or increase of native histograms, as they are otherwise calculated from all their points.
 *
 * @returns undefined where that is to be done: another function, few points in a window, or not all of them increments of one layout
 */
export async function histogramRates(context: QueryContext, { name, args }: Call, grid: StepGrid): Promise<GridElement[] | undefined> {
  const { deltaHistograms: source, signal } = context
  const arg = args[0] === undefined ? undefined : unwrapped(args[0])
  if (source === undefined || (name !== 'rate' && name !== 'increase') || arg?.kind !== 'range') return undefined
  const { selector, range } = arg
  if (selector.extended !== undefined || selector.at !== undefined || (await isExpired(context, selector, grid, range))) return undefined
  const windows = windowsOf(timesOf(selector, grid, context).first, grid, range)
  if (windows === undefined) return undefined
  const { origin, cell, count } = windows
  const answer = await source.deltaHistograms({ matchers: selector.matchers, origin, cell, count, leastPoints: context.pushDownFrom }, signal === undefined ? {} : { signal })
  if (answer === undefined) return undefined
  countSamples(context, answer.samples)
  return (await mapWithBreath(context, answer.series, grid.count * windows.width * 10, (series) => elementOf(series, windows, grid.count, name === 'rate'))).filter(hasAny)
}
