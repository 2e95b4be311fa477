// Functions of ranges from rollups, where their windows are whole buckets, and where there is nothing else any more.
import { AndonError, type LabelMatcher, type Milliseconds } from '@andon/model'
import type { Call, Expr, VectorSelector } from '@andon/promql'
import { BUCKETS, type FloatColumn, type Resolution } from '../../store/rollup-read.ts'
import type { RollupExtent } from '../../store/rollup-extent.ts'
import type { CellRequest, RollupAnswer } from '../../store/rollups.ts'
import { countSamples, mapWithBreath, type QueryContext, type Remarks, remarksOn, type RollupSource } from './context.ts'
import { remarkNoCounter } from './range-call.ts'
import { KEEPS_NAME } from './range-functions.ts'
import { cellElements, type CellFunction } from './rollup-windows.ts'
import { metricOf, unwrapped } from './shape.ts'
import { type Times, timesOf } from './times.ts'
import { type GridElement, hasAny, type StepGrid } from './vector.ts'

/** Which windows over which rollup. */
export interface RollupPlan {
  readonly resolution: Resolution
  readonly grid: CellRequest['grid']
  /** Cells of a window. */
  readonly width: number
  /** The first cell of a step's window. */
  readonly from: (step: number) => number
  /** Whether the windows are what was asked for; else they were moved to whole buckets, since raw points have expired. */
  readonly isExact: boolean
}

/** What is read for each function, of increases or of the points of gauges. */
const COLUMNS: Readonly<Record<CellFunction, 'increase' | FloatColumn>> = {
  rate: 'increase',
  increase: 'increase',
  avg_over_time: 'sum',
  sum_over_time: 'sum',
  min_over_time: 'min',
  max_over_time: 'max',
  count_over_time: 'count',
  present_over_time: 'count',
  last_over_time: 'last',
}

function functionOf(name: string): CellFunction | undefined {
  return Object.keys(COLUMNS).find((each): each is CellFunction => each === name)
}

/** A window of fewer buckets of five minutes would be off by much at its edges. */
const LEAST_RANGE: Milliseconds = 12 * BUCKETS['5m']

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** Windows that are whole buckets; undefined where they are not. */
function exactPlan(resolution: Resolution, first: Milliseconds, step: Milliseconds, steps: number, range: Milliseconds): RollupPlan | undefined {
  const bucket = BUCKETS[resolution]
  if (range < LEAST_RANGE || [first, step, range].some((each) => each % bucket !== 0)) return undefined
  const cell = step === 0 ? range : gcd(step, range)
  const [stride, width] = [step / cell, range / cell]
  const count = (steps - 1) * stride + width
  return { resolution, grid: { origin: first - range, cell, count, every: stride, used: width }, width, from: (index) => index * stride, isExact: true }
}

/** The nearest windows of whole buckets, at least one. */
function nearestPlan(resolution: Resolution, times: Times, steps: number, range: Milliseconds): RollupPlan {
  const bucket = BUCKETS[resolution]
  const width = Math.max(1, Math.round(range / bucket))
  const end = (index: number): number => Math.round(times.at(index) / bucket)
  const first = end(0) - width
  return { resolution, grid: { origin: first * bucket, cell: bucket, count: end(steps - 1) - first, every: 0, used: 0 }, width, from: (index) => end(index) - width - first, isExact: false }
}

/**
 * How a function of a range can be read from rollups: from those of one hour rather than of five minutes, which hold the same
 * added up. Where raw points have expired, windows are moved to whole buckets.
 *
 * @param least - the shortest range that may be answered by a longer bucket
 * @returns undefined where raw points are to be read, `expired` where there are none and no bucket is as short
 */
export function planOf(times: Times, steps: number, range: Milliseconds, extent: RollupExtent, least: Milliseconds = range): RollupPlan | 'expired' | undefined {
  const step = steps > 1 ? times.at(1) - times.at(0) : 0
  const from = times.first - range
  const exact = exactPlan('1h', times.first, step, steps, range) ?? (from >= extent['5m'] ? exactPlan('5m', times.first, step, steps, range) : undefined)
  if (exact !== undefined || from >= extent.raw) return exact
  const resolution: Resolution = from >= extent['5m'] ? '5m' : '1h'
  return least < BUCKETS[resolution] ? 'expired' : nearestPlan(resolution, times, steps, range)
}

function timeText(time: Milliseconds): string {
  return Number.isFinite(time) ? `before ${new Date(time).toISOString()}` : 'of this range'
}

const ANSWERABLE = 'Rollups answer rate and increase of counters and histograms, and of gauges their values and avg, min, max, sum, count, last and present_over_time'

/** What is to be answered where nothing fits. */
function expiredError({ raw, '5m': minutes }: RollupExtent, why: string): AndonError {
  const minutesText = Number.isFinite(minutes) ? `5m, ${timeText(minutes)} of at least 1h` : minutes === Infinity ? '1h' : '5m'
  return new AndonError('query_failed', `raw samples ${timeText(raw)} have expired; ${why}`, { hint: `${ANSWERABLE}, over ranges of at least ${minutesText}. Ask for those, or for a later time.` })
}

function sayExpired(remarks: Remarks, { raw }: RollupExtent, { resolution, isExact }: RollupPlan): void {
  remarks.info(`raw samples ${timeText(raw)} have expired, answered from rollups of ${resolution}${isExact ? '' : ' in the nearest whole buckets'}`)
}

interface Asked {
  readonly name: CellFunction
  readonly selector: VectorSelector
  readonly range: Milliseconds
  /** As `least` of planOf. */
  readonly least: Milliseconds
  readonly about: Expr
  readonly keepsName: boolean
  /** Of groups, where their sums are wanted. */
  readonly groupOf?: CellRequest['groupOf']
}

/** What rollups hold of a selector. */
async function cellsOf(context: QueryContext, rollups: RollupSource, { name, selector, groupOf }: Asked, { resolution, grid }: RollupPlan, leastPoints: number): Promise<RollupAnswer | undefined> {
  const { signal, maxSamples, samples } = context
  const options = signal === undefined ? {} : { signal }
  // A selector is asked for with one grid only: all that is asked of it needs the same series.
  const found = context.found.get(selector) ?? rollups.find(selector.matchers, { start: grid.origin, end: grid.origin + grid.cell * grid.count }, options)
  context.found.set(selector, found)
  const request = { series: await found, resolution, column: COLUMNS[name], grid, leastPoints, ...(groupOf !== undefined && { groupOf }) }
  return await rollups.cells(request, { maxSamples: Math.max(1, maxSamples - samples), ...options })
}

/** The elements from rollups; undefined where raw points are to be read. */
async function answered(context: QueryContext, asked: Asked, grid: StepGrid): Promise<GridElement[] | undefined> {
  const { rollups } = context
  const { name, selector, range } = asked
  if (rollups === undefined || selector.extended !== undefined) return undefined
  const times = timesOf(selector, grid, context)
  const extent = await rollups.extent()
  const hasExpired = times.first - range < extent.raw
  // Series that are computed elsewhere have names that no stored one has; without a name both are asked for.
  if (metricOf(selector) === undefined && !hasExpired) return undefined
  const plan = planOf(times, grid.count, range, extent, asked.least)
  // That there is nothing else is said by what reads raw points.
  if (plan === undefined || plan === 'expired') return undefined
  const answer = await cellsOf(context, rollups, asked, plan, hasExpired ? 0 : context.rollUpFrom)
  if (answer === undefined) return undefined
  countSamples(context, answer.samples)
  const remarks = remarksOn(context, asked.about)
  if (hasExpired) sayExpired(remarks, extent, plan)
  const shape = { name, steps: grid.count, seconds: range / 1000, width: plan.width, windowSeconds: (plan.width * plan.grid.cell) / 1000, from: plan.from, keepsName: asked.keepsName, remarks }
  const elements = (await mapWithBreath(context, cellElements(answer, shape), grid.count, (make) => make())).filter(hasAny)
  remarkNoCounter(name, elements[0]?.labels['__name__'] ?? metricOf(selector) ?? '', elements, remarks)
  return elements
}

/**
 * What a function of a plain range gives, from rollups.
 *
 * @returns undefined where raw points are to be read
 */
export async function rolledUp(context: QueryContext, { name, args }: Call, grid: StepGrid): Promise<GridElement[] | undefined> {
  const found = functionOf(name)
  const arg = args[0] === undefined ? undefined : unwrapped(args[0])
  if (found === undefined || arg?.kind !== 'range') return undefined
  return await answered(context, { name: found, selector: arg.selector, range: arg.range, least: arg.range, about: arg, keepsName: KEEPS_NAME.has(name) }, grid)
}

/** The same for the sum of groups of rates or increases. */
export async function rolledUpSum(context: QueryContext, expr: Expr, grid: StepGrid, groupOf: NonNullable<CellRequest['groupOf']>): Promise<GridElement[] | undefined> {
  const call = unwrapped(expr)
  const arg = call.kind === 'call' && call.args[0] !== undefined ? unwrapped(call.args[0]) : undefined
  if (call.kind !== 'call' || (call.name !== 'rate' && call.name !== 'increase') || arg?.kind !== 'range') return undefined
  return await answered(context, { name: call.name, selector: arg.selector, range: arg.range, least: arg.range, about: arg, keepsName: true, groupOf }, grid)
}

/** What an instant selector gives where raw points have expired: the last value of the bucket before; undefined where they have not. */
export async function rolledUpValues(context: QueryContext, selector: VectorSelector, grid: StepGrid): Promise<GridElement[] | undefined> {
  const { lookback } = context
  if (!(await isExpired(context, selector, grid, lookback))) return undefined
  return await answered(context, { name: 'last_over_time', selector, range: lookback, least: Infinity, about: selector, keepsName: true }, grid)
}

/**
 * Refuses to read raw points where they have expired and some series is known.
 *
 * @throws AndonError query_failed with what could be asked instead
 */
export async function checkExtent({ rollups, signal }: QueryContext, matchers: readonly LabelMatcher[], range: { start: Milliseconds; end: Milliseconds }): Promise<void> {
  const extent = await rollups?.extent()
  if (rollups === undefined || extent === undefined || range.start >= extent.raw) return
  const { floats, native, viewed } = await rollups.find(matchers, range, signal === undefined ? {} : { signal })
  const [series] = [...floats, ...native, ...viewed]
  if (series !== undefined) throw expiredError(extent, `this cannot be told of ${series.labels['__name__'] ?? 'a series'} from rollups`)
}

/** Whether some of what a selector reads has expired. */
export async function isExpired({ rollups, ...context }: QueryContext, selector: VectorSelector, grid: StepGrid, range: Milliseconds): Promise<boolean> {
  return rollups !== undefined && timesOf(selector, grid, context).first - range < (await rollups.extent()).raw
}
