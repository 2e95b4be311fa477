// Functions of vectors, scalars and texts, by name.
import { AndonError } from '@andon/model'
import type { Call, Expr } from '@andon/promql'
import { type QueryContext, remarksOn } from './context.ts'
import { floatsOnly, merged, sorted, sortedByLabel } from './elements.ts'
import { HISTOGRAM_NUMBERS, histogramFraction, histogramQuantile, labelled, numbersOf } from './histogram-functions.ts'
import { info } from './info.ts'
import { labelJoin, labelReplace } from './label-functions.ts'
import { TIME_FUNCTIONS, VALUE_FUNCTIONS } from './math-functions.ts'
import { numberText, shortNumber } from './number-text.ts'
import { type PointElement, pointsAt, type RangeVector } from './selectors.ts'
import { unwrapped } from './shape.ts'
import { timesOf, timesWithin } from './times.ts'
import { ABSENT, element, FLOAT, get, type GridElement, type GridValue, type ScalarValue, set, type StepGrid, timeAt, type VectorValue } from './vector.ts'

/** What functions need of the evaluator. */
export interface FunctionContext {
  readonly context: QueryContext
  evaluate(expr: Expr, grid: StepGrid): Promise<GridValue>
  vector(expr: Expr, grid: StepGrid): Promise<GridElement[]>
  scalar(expr: Expr, grid: StepGrid): Promise<ScalarValue>
  range(expr: Expr, grid: StepGrid): Promise<RangeVector>
}

type FunctionOf = (evaluator: FunctionContext, call: Call, grid: StepGrid) => Promise<GridValue>

function argument({ name, args }: Call, index: number): Expr {
  return args[index] ?? missing(name, index)
}

function missing(name: string, index: number): never {
  throw new AndonError('query_failed', `argument ${index + 1} of ${name} is missing`)
}

function vector(elements: GridElement[]): VectorValue {
  return { type: 'vector', elements }
}

function scalar(grid: StepGrid, value: (step: number) => number): ScalarValue {
  return { type: 'scalar', values: Float64Array.from({ length: grid.count }, (_, step) => value(step)) }
}

const ofTwo =
  (apply: (a: number, b: number) => number): FunctionOf =>
  async (evaluator, call, grid) => {
    const [a, b] = [(await evaluator.scalar(argument(call, 0), grid)).values, (await evaluator.scalar(argument(call, 1), grid)).values]
    return scalar(grid, (step) => apply(a[step] ?? Number.NaN, b[step] ?? Number.NaN))
  }

function fromScalar({ values }: ScalarValue): GridElement {
  return { ...element({}, values.length), values, present: new Uint8Array(values.length).fill(FLOAT) }
}

async function texts(evaluator: FunctionContext, args: readonly Expr[], grid: StepGrid): Promise<string[]> {
  const found: string[] = []
  for (const arg of args) {
    const value = await evaluator.evaluate(arg, grid)
    found.push(value.type === 'string' ? value.value : '')
  }
  return found
}

/** Elements whose value is a number of each point, which only a plain selector has. */
function ofPoints(points: readonly PointElement[], steps: number, number: (point: PointElement, step: number) => number): GridElement[] {
  return points.map((point) => {
    const result = element(point.labels, steps, true)
    for (let step = 0; step < steps; step += 1) if (point.present[step] !== ABSENT) set(result, step, number(point, step))
    return result
  })
}

/** The time of the point that an instant selector found; of other vectors the evaluation time. */
const timestamp: FunctionOf = async (evaluator, call, grid) => {
  const arg = unwrapped(argument(call, 0))
  if (arg.kind === 'selector' && arg.extended === undefined) {
    const points = await pointsAt(evaluator.context, arg.matchers, timesOf(arg, grid, evaluator.context), grid.count)
    return vector(ofPoints(points, grid.count, ({ when }, step) => (when[step] ?? Number.NaN) / 1000))
  }
  const elements = await evaluator.vector(arg, grid)
  return vector(
    elements.map((each) => {
      const result = element(each.labels, grid.count, true)
      for (let step = 0; step < grid.count; step += 1) if (each.present[step] !== ABSENT) set(result, step, timeAt(grid, step) / 1000)
      return result
    }),
  )
}

/** Since when the point that an instant selector found counts; other vectors do not know it. */
const startTimestamp: FunctionOf = async (evaluator, call, grid) => {
  const arg = unwrapped(argument(call, 0))
  if (arg.kind !== 'selector') return vector([])
  const points = await pointsAt(evaluator.context, arg.matchers, timesOf(arg, grid, evaluator.context), grid.count)
  return vector(ofPoints(points, grid.count, ({ since }, step) => (since[step] ?? 0) / 1000))
}

function scalarOf(elements: readonly GridElement[], grid: StepGrid): ScalarValue {
  return scalar(grid, (step) => {
    const here = elements.filter(({ present }) => present[step] === FLOAT)
    return here.length === 1 ? (here[0]?.values[step] ?? Number.NaN) : Number.NaN
  })
}

const sortWith =
  (sign: 1 | -1): FunctionOf =>
  async (evaluator, call, grid) => {
    if (evaluator.context.isRange) remarksOn(evaluator.context, call).warn('sort is ineffective for range queries since results are always ordered by labels')
    return vector(sorted(await evaluator.vector(argument(call, 0), grid), sign))
  }

const sortByLabelWith =
  (sign: 1 | -1): FunctionOf =>
  async (evaluator, call, grid) => {
    if (evaluator.context.isRange) remarksOn(evaluator.context, call).warn('sort is ineffective for range queries since results are always ordered by labels')
    return vector(sortedByLabel(await evaluator.vector(argument(call, 0), grid), await texts(evaluator, call.args.slice(1), grid), sign))
  }

function checkQuantile(evaluator: FunctionContext, arg: Expr, values: Float64Array): void {
  for (const q of values) if (!(q >= 0 && q <= 1)) remarksOn(evaluator.context, arg).warn(`quantile value should be between 0 and 1, got ${shortNumber(q)}`)
}

const quantile: FunctionOf = async (evaluator, call, grid) => {
  const [qArg, arg] = [argument(call, 0), argument(call, 1)]
  const q = (await evaluator.scalar(qArg, grid)).values
  const elements = await evaluator.vector(arg, grid)
  checkQuantile(evaluator, qArg, q)
  return vector(histogramQuantile(elements, (step) => q[step] ?? Number.NaN, grid.count, remarksOn(evaluator.context, arg)))
}

const quantiles: FunctionOf = async (evaluator, call, grid) => {
  const arg = argument(call, 0)
  const elements = await evaluator.vector(arg, grid)
  const [label = ''] = await texts(evaluator, call.args.slice(1, 2), grid)
  const remarks = remarksOn(evaluator.context, arg)
  const results: GridElement[] = []
  for (const qArg of call.args.slice(2)) {
    const q = (await evaluator.scalar(qArg, grid)).values
    checkQuantile(evaluator, qArg, q)
    const found = histogramQuantile(elements, (step) => q[step] ?? Number.NaN, grid.count, remarks)
    results.push(...labelled(found, label, numberText(q[0] ?? Number.NaN)))
  }
  return vector(results)
}

const fraction: FunctionOf = async (evaluator, call, grid) => {
  const [lower, upper] = [(await evaluator.scalar(argument(call, 0), grid)).values, (await evaluator.scalar(argument(call, 1), grid)).values]
  const arg = argument(call, 2)
  const remarks = remarksOn(evaluator.context, arg)
  return vector(histogramFraction(await evaluator.vector(arg, grid), (step) => [lower[step] ?? Number.NaN, upper[step] ?? Number.NaN], grid.count, remarks))
}

const infoJoin: FunctionOf = async (evaluator, call, grid) => {
  const [first, second] = [argument(call, 0), call.args[1]]
  const matchers = second?.kind === 'selector' ? second.matchers : []
  const times = timesWithin(first, grid, evaluator.context)
  return vector(await info(evaluator.context, await evaluator.vector(first, grid), matchers, { times, steps: grid.count }))
}

/** Functions that look at counts only have the histograms say where their counters began anew. */
const STATISTICS: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg'])

const histogramNumber: FunctionOf = async (evaluator, call, grid) => {
  const { context } = evaluator
  const held = context.detectsResets
  context.detectsResets = STATISTICS.has(call.name)
  try {
    const elements = await evaluator.vector(argument(call, 0), grid)
    return vector(numbersOf(elements, grid.count, HISTOGRAM_NUMBERS[call.name] ?? (() => Number.NaN)))
  } finally {
    context.detectsResets = held
  }
}

/** A function of each float, with scalars beside it. */
const valueFunction: FunctionOf = async (evaluator, call, grid) => {
  const [first, ...rest] = call.args
  const apply = VALUE_FUNCTIONS[call.name] ?? ((value: number) => value)
  const ofTime = first === undefined && TIME_FUNCTIONS.has(call.name)
  const elements = ofTime ? [fromScalar(scalar(grid, (step) => timeAt(grid, step) / 1000))] : floatsOnly(await evaluator.vector(argument(call, 0), grid))
  const params: Float64Array[] = []
  for (const arg of rest) params.push((await evaluator.scalar(arg, grid)).values)
  return vector(
    elements.map((each) => {
      const result = element(each.labels, grid.count, true)
      for (let step = 0; step < grid.count; step += 1) {
        const value = get(each, step)
        const given = params.map((values) => values[step] ?? Number.NaN)
        const [low = 0, high = 0] = given
        // Bounds that cross leave nothing.
        if (typeof value === 'number' && !(call.name === 'clamp' && low > high)) set(result, step, apply(value, given))
      }
      return result
    }),
  )
}

const OTHERS: Readonly<Record<string, FunctionOf>> = {
  time: (_evaluator, _call, grid) => Promise.resolve(scalar(grid, (step) => timeAt(grid, step) / 1000)),
  // In seconds; of a query of one time, step and range are 0.
  start: ({ context }, _call, grid) => Promise.resolve(scalar(grid, () => context.start / 1000)),
  end: ({ context }, _call, grid) => Promise.resolve(scalar(grid, () => context.end / 1000)),
  range: ({ context }, _call, grid) => Promise.resolve(scalar(grid, () => (context.end - context.start) / 1000)),
  step: ({ context }, _call, grid) => Promise.resolve(scalar(grid, () => context.step / 1000)),
  min_of: ofTwo(Math.min),
  max_of: ofTwo(Math.max),
  pi: (_evaluator, _call, grid) => Promise.resolve(scalar(grid, () => Math.PI)),
  vector: async (evaluator, call, grid) => vector([fromScalar(await evaluator.scalar(argument(call, 0), grid))]),
  scalar: async (evaluator, call, grid) => scalarOf(await evaluator.vector(argument(call, 0), grid), grid),
  timestamp,
  start_timestamp: startTimestamp,
  sort: sortWith(1),
  sort_desc: sortWith(-1),
  sort_by_label: sortByLabelWith(1),
  sort_by_label_desc: sortByLabelWith(-1),
  label_replace: async (evaluator, call, grid) => vector(merged(labelReplace(await evaluator.vector(argument(call, 0), grid), await texts(evaluator, call.args.slice(1), grid)))),
  label_join: async (evaluator, call, grid) => vector(merged(labelJoin(await evaluator.vector(argument(call, 0), grid), await texts(evaluator, call.args.slice(1), grid)))),
  histogram_quantile: quantile,
  histogram_quantiles: quantiles,
  histogram_fraction: fraction,
  info: infoJoin,
}

function functionOf(name: string): FunctionOf | undefined {
  if (Object.hasOwn(VALUE_FUNCTIONS, name)) return valueFunction
  return Object.hasOwn(HISTOGRAM_NUMBERS, name) ? histogramNumber : OTHERS[name]
}

export function isFunction(name: string): boolean {
  return functionOf(name) !== undefined
}

/** @throws AndonError query_failed when it is no function of vectors, scalars and texts, or its arguments do not fit */
export async function callFunction(evaluator: FunctionContext, call: Call, grid: StepGrid): Promise<GridValue> {
  return await (functionOf(call.name) ?? missing(call.name, 0))(evaluator, call, grid)
}
