// Evaluates the nodes of an expression over a grid of times. The semantics are those of prometheus promql/engine.go.
import { AndonError, type Labels } from '@andon/model'
import type { Aggregate, Call, Expr, Subquery } from '@andon/promql'
import { aggregate } from './aggregate.ts'
import { binary } from './binary.ts'
import { callFunction, type FunctionContext, isFunction } from './call-functions.ts'
import { type QueryContext, remarksOn } from './context.ts'
import { multiplied } from './histogram/arithmetic.ts'
import { pushedDown } from './push-down.ts'
import { callRangeFunction } from './range-evaluation.ts'
import { RANGE_FUNCTIONS } from './range-functions.ts'
import { rangeFromGrid, type RangeSeries } from './range-series.ts'
import { evaluateRange, evaluateSelector, type RangeVector } from './selectors.ts'
import { timesOf } from './times.ts'
import { ABSENT, element, get, type GridElement, type GridValue, type ScalarValue, set, type StepGrid, type VectorValue } from './vector.ts'

const MAX_SUBQUERY_STEPS = 100_000

export class Evaluator implements FunctionContext {
  readonly context: QueryContext

  constructor(context: QueryContext) {
    this.context = context
  }

  /** The value of an expression at each time of a grid. */
  async evaluate(expr: Expr, grid: StepGrid): Promise<GridValue> {
    this.context.signal?.throwIfAborted()
    switch (expr.kind) {
      case 'number':
        return { type: 'scalar', values: new Float64Array(grid.count).fill(expr.value) }
      case 'string':
        return { type: 'string', value: expr.value }
      case 'selector':
        return await evaluateSelector(this.context, expr, grid)
      case 'paren':
        return await this.evaluate(expr.expr, grid)
      case 'unary':
        return signed(expr.op, await this.evaluate(expr.expr, grid))
      case 'binary': {
        const [left, right] = await Promise.all([this.evaluate(expr.left, grid), this.evaluate(expr.right, grid)])
        return binary(left, right, { op: expr.op, bool: expr.bool, matching: expr.matching, steps: grid.count, remarks: remarksOn(this.context, expr) })
      }
      case 'aggregate':
        return await this.#aggregate(expr, grid)
      case 'call':
        return await this.#call(expr, grid)
      case 'range':
      case 'subquery':
        throw new AndonError('query_failed', 'a range vector stands only within a function over ranges')
    }
  }

  /** The elements of a vector that have some value. */
  async vector(expr: Expr, grid: StepGrid): Promise<GridElement[]> {
    const value = await this.evaluate(expr, grid)
    return value.type === 'vector' ? value.elements.filter(({ present }) => present.some((kind) => kind !== ABSENT)) : []
  }

  async scalar(expr: Expr, grid: StepGrid): Promise<ScalarValue> {
    const value = await this.evaluate(expr, grid)
    if (value.type !== 'scalar') throw new AndonError('query_failed', 'a scalar is expected')
    return value
  }

  /** The points of a range vector, and the window of each step. */
  async range(expr: Expr, grid: StepGrid): Promise<RangeVector> {
    if (expr.kind === 'paren') return await this.range(expr.expr, grid)
    if (expr.kind === 'range') return await evaluateRange(this.context, expr, grid)
    if (expr.kind === 'subquery') return await this.#subquery(expr, grid)
    throw new AndonError('query_failed', 'a range vector is expected')
  }

  async #aggregate(expr: Aggregate, grid: StepGrid): Promise<VectorValue> {
    const pushed = await pushedDown(this.context, expr, grid)
    if (pushed?.kind === 'aggregated') return { type: 'vector', elements: pushed.elements }
    const param = expr.param === undefined ? undefined : await this.evaluate(expr.param, grid)
    const elements = pushed?.elements ?? (await this.vector(expr.expr, grid))
    return {
      type: 'vector',
      elements: await aggregate(this.context, elements, {
        op: expr.op,
        grouping: expr.grouping,
        without: expr.without,
        param: (step) => (param?.type === 'scalar' ? (param.values[step] ?? Number.NaN) : Number.NaN),
        label: param?.type === 'string' ? param.value : '',
        steps: grid.count,
        remarks: remarksOn(this.context, expr.expr),
        paramRemarks: remarksOn(this.context, expr.param ?? expr),
      }),
    }
  }

  async #subquery(expr: Subquery, grid: StepGrid): Promise<RangeVector> {
    const times = timesOf(expr, grid, this.context)
    const step = expr.step ?? this.context.subqueryStep
    // Steps are multiples of the step since the epoch, so that they do not move with the query.
    const start = (Math.floor((times.first - expr.range) / step) + 1) * step
    const count = Math.floor((times.last - start) / step) + 1
    const none: RangeVector = { series: [], range: expr.range, times, extended: undefined }
    if (count <= 0) return none
    if (count > MAX_SUBQUERY_STEPS) throw new AndonError('query_too_large', `the subquery has ${count} steps; ${MAX_SUBQUERY_STEPS} are allowed`)
    const inner = { start, step, count }
    const elements = await this.vector(expr.expr, inner)
    const series: RangeSeries[] = elements.map((each) => rangeFromGrid(each, inner))
    return { ...none, series }
  }

  async #call(call: Call, grid: StepGrid): Promise<GridValue> {
    if (RANGE_FUNCTIONS[call.name] !== undefined) return await callRangeFunction(this, call, grid)
    if (call.name === 'absent' || call.name === 'absent_over_time') return await this.#absent(call, grid)
    if (!isFunction(call.name)) throw new AndonError('query_failed', `the function ${call.name} is not supported`)
    return await callFunction(this, call, grid)
  }

  /** One element where the vector has none, with the labels that its selector fixes. */
  async #absent({ name, args: [arg] }: Call, grid: StepGrid): Promise<VectorValue> {
    if (arg === undefined) throw new AndonError('query_failed', `${name} takes a vector`)
    const elements = name === 'absent' ? await this.vector(arg, grid) : (await callRangeFunction(this, { kind: 'call', name: 'present_over_time', args: [arg], from: arg.from, to: arg.to }, grid)).elements
    const result = element(fixedLabels(arg), grid.count)
    for (let step = 0; step < grid.count; step += 1) if (elements.every(({ present }) => present[step] === ABSENT)) set(result, step, 1)
    return { type: 'vector', elements: [result] }
  }
}

function signed(op: '+' | '-', value: GridValue): GridValue {
  if (op === '+' || value.type === 'string') return value
  if (value.type === 'scalar') return { type: 'scalar', values: value.values.map((each) => -each) }
  return {
    type: 'vector',
    elements: mapped(value.elements, (each) => (typeof each === 'number' ? -each : multiplied(each, -1))),
  }
}

function mapped(elements: readonly GridElement[], change: (value: NonNullable<ReturnType<typeof get>>) => NonNullable<ReturnType<typeof get>>): GridElement[] {
  return elements.map((each) => {
    const result = element(each.labels, each.values.length, true)
    for (let step = 0; step < each.values.length; step += 1) {
      const value = get(each, step)
      if (value !== undefined) set(result, step, change(value))
    }
    return result
  })
}

/** The labels that matchers fix to one value; none for what is no selector. */
function fixedLabels(expr: Expr): Labels {
  if (expr.kind === 'paren') return fixedLabels(expr.expr)
  const selector = expr.kind === 'range' ? expr.selector : expr
  if (selector.kind !== 'selector') return {}
  const labels: Record<string, string> = {}
  const several = new Set<string>()
  for (const { name, operator, value } of selector.matchers) {
    if (name === '__name__') continue
    if (operator !== '=' || name in labels) several.add(name)
    else labels[name] = value
  }
  for (const name of several) delete labels[name]
  return labels
}

