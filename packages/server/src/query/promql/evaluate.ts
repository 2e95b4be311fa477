// Evaluates the nodes of an expression over a grid of times. The semantics are those of prometheus promql/engine.go.
import { AndonError, type LabelMatcher, type Labels, labelsKey, type Milliseconds } from '@andon/model'
import type { Call, Expr, MatrixSelector, Subquery, VectorSelector } from '@andon/promql'
import type { HistogramValue } from '../../store/metric-rows.ts'
import { aggregate } from './aggregate.ts'
import { binary } from './binary.ts'
import { histogramQuantile } from './histogram-quantile.ts'
import { labelJoin, labelReplace } from './label-functions.ts'
import { TIME_FUNCTIONS, VALUE_FUNCTIONS } from './math-functions.ts'
import { HISTOGRAM_RANGE_FUNCTIONS, nativeQuantile, numbersOf, overWindows } from './native-histograms.ts'
import { KEEPS_NAME, RANGE_FUNCTIONS } from './range-functions.ts'
import { element, type GridElement, type GridValue, histogramElement, type RangeSeries, type ScalarValue, set, type StepGrid, timeAt, type VectorValue, withoutName } from './vector.ts'

/** A series of the store, as the engine needs it. */
export interface SourceSeries {
  readonly labels: Labels
  readonly ts: Float64Array
  readonly v: Float64Array
  readonly stale: Uint8Array
  /** Where there are some, the points are histograms, which have no float value. */
  readonly histograms?: readonly (HistogramValue | undefined)[]
}

/** What the engine reads series from; both ends of the range are included. */
export interface SeriesSource {
  select(matchers: readonly LabelMatcher[], range: { start: Milliseconds; end: Milliseconds }, options: { signal?: AbortSignal; maxSamples?: number }): Promise<readonly SourceSeries[]>
}

/** What holds for a whole query. */
export interface QueryContext {
  readonly source: SeriesSource
  /** How far back an instant selector looks for a point. */
  readonly lookback: Milliseconds
  /** The step of a subquery that names none. */
  readonly subqueryStep: Milliseconds
  readonly maxSamples: number
  readonly signal: AbortSignal | undefined
  /** The ends of the outermost range, for `@ start()` and `@ end()`. */
  readonly start: Milliseconds
  readonly end: Milliseconds
  /** Samples read so far. */
  samples: number
  /** What the reader of the answer should know. */
  readonly infos: Set<string>
}

export class Evaluator {
  readonly #context: QueryContext

  constructor(context: QueryContext) {
    this.#context = context
  }

  /** The value of an expression at each time of a grid. */
  async evaluate(expr: Expr, grid: StepGrid): Promise<GridValue> {
    this.#context.signal?.throwIfAborted()
    switch (expr.kind) {
      case 'number':
        return { type: 'scalar', values: new Float64Array(grid.count).fill(expr.value) }
      case 'string':
        return { type: 'string', value: expr.value }
      case 'selector':
        return await this.#selector(expr, grid)
      case 'paren':
        return await this.evaluate(expr.expr, grid)
      case 'unary':
        return this.#unary(expr.op, this.#floatValue(await this.evaluate(expr.expr, grid)))
      case 'binary': {
        const [left, right] = [this.#floatValue(await this.evaluate(expr.left, grid)), this.#floatValue(await this.evaluate(expr.right, grid))]
        return binary(left, right, { op: expr.op, bool: expr.bool, matching: expr.matching, steps: grid.count })
      }
      case 'aggregate': {
        const param = expr.param === undefined ? undefined : await this.evaluate(expr.param, grid)
        return {
          type: 'vector',
          elements: aggregate(await this.#all(expr.expr, grid), {
            op: expr.op,
            grouping: expr.grouping,
            without: expr.without,
            param: (step) => (param?.type === 'scalar' ? (param.values[step] ?? Number.NaN) : Number.NaN),
            label: param?.type === 'string' ? param.value : '',
            steps: grid.count,
          }),
        }
      }
      case 'call':
        return await this.#call(expr, grid)
      case 'range':
      case 'subquery':
        throw new AndonError('query_failed', 'a range vector stands only within a function over ranges')
    }
  }

  /** The elements of a vector, histograms among them. */
  async #all(expr: Expr, grid: StepGrid): Promise<GridElement[]> {
    const value = await this.evaluate(expr, grid)
    return value.type === 'vector' ? value.elements.filter(({ present }) => present.includes(1)) : []
  }

  /** The elements whose values are floats: what takes no histograms leaves them out and says so. */
  async #vector(expr: Expr, grid: StepGrid): Promise<GridElement[]> {
    return this.#floats(await this.#all(expr, grid))
  }

  #floats(elements: readonly GridElement[]): GridElement[] {
    const floats = elements.filter(({ histograms }) => histograms === undefined)
    if (floats.length < elements.length) this.#context.infos.add('native histograms were left out where only floats can be; NAME_bucket, NAME_sum and NAME_count are floats')
    return floats
  }

  #floatValue(value: GridValue): GridValue {
    return value.type === 'vector' ? { type: 'vector', elements: this.#floats(value.elements) } : value
  }

  #unary(op: '+' | '-', value: GridValue): GridValue {
    if (op === '+' || value.type === 'string') return value
    if (value.type === 'scalar') return { type: 'scalar', values: value.values.map((each) => -each) }
    return { type: 'vector', elements: value.elements.map(({ labels, values, present }) => ({ labels: withoutName(labels), values: values.map((each) => -each), present })) }
  }

  /** Series of a selector with the points that the times of a grid can need, stale ones still among them. */
  async #series(selector: VectorSelector, grid: StepGrid, back: Milliseconds): Promise<readonly SourceSeries[]> {
    const times = this.#times(selector, grid)
    const { maxSamples, signal, samples } = this.#context
    const options = { maxSamples: Math.max(1, maxSamples - samples), ...(signal !== undefined && { signal }) }
    // Left-open: a point exactly `back` before does not belong.
    const found = await this.#context.source.select(selector.matchers, { start: times.first - back + 1, end: times.last }, options)
    for (const { ts } of found) this.#context.samples += ts.length
    if (this.#context.samples > maxSamples) throw new AndonError('query_too_large', `the query reads more than ${maxSamples} samples`)
    return found
  }

  /** When a selector or subquery is evaluated for a step: its @ or the step's time, less its offset. */
  #times({ at, offset }: Pick<VectorSelector, 'at' | 'offset'>, grid: StepGrid): { first: Milliseconds; last: Milliseconds; at: (step: number) => Milliseconds } {
    const fixed = at === 'start' ? this.#context.start : at === 'end' ? this.#context.end : at
    const time = (step: number): Milliseconds => (fixed ?? timeAt(grid, step)) - offset
    return { first: time(0), last: time(grid.count - 1), at: time }
  }

  async #selector(selector: VectorSelector, grid: StepGrid): Promise<VectorValue> {
    const { lookback } = this.#context
    const times = this.#times(selector, grid)
    const elements = (await this.#series(selector, grid, lookback)).map(({ labels, ts, v, stale, histograms }) => {
      const result = histograms === undefined ? element(labels, grid.count) : histogramElement(labels, grid.count)
      let next = 0
      for (let step = 0; step < grid.count; step += 1) {
        const time = times.at(step)
        while (next < ts.length && (ts[next] ?? Infinity) <= time) next += 1
        const last = next - 1
        if (last < 0 || (ts[last] ?? -Infinity) <= time - lookback || stale[last] === 1) continue
        set(result, step, v[last] ?? Number.NaN)
        if (result.histograms !== undefined) result.histograms[step] = histograms?.[last]
      }
      return result
    })
    return { type: 'vector', elements: elements.filter(({ present }) => present.includes(1)) }
  }

  /** The points of a range vector, and the window of each step. */
  async #range(expr: Expr, grid: StepGrid): Promise<{ series: RangeSeries[]; range: Milliseconds; at: (step: number) => Milliseconds }> {
    if (expr.kind === 'paren') return await this.#range(expr.expr, grid)
    if (expr.kind === 'range') return await this.#matrix(expr, grid)
    if (expr.kind === 'subquery') return await this.#subquery(expr, grid)
    throw new AndonError('query_failed', 'a range vector is expected')
  }

  async #matrix(expr: MatrixSelector, grid: StepGrid): Promise<{ series: RangeSeries[]; range: Milliseconds; at: (step: number) => Milliseconds }> {
    const series = await this.#series(expr.selector, grid, expr.range)
    return { series: series.map(living), range: expr.range, at: this.#times(expr.selector, grid).at }
  }

  async #subquery(expr: Subquery, grid: StepGrid): Promise<{ series: RangeSeries[]; range: Milliseconds; at: (step: number) => Milliseconds }> {
    const times = this.#times(expr, grid)
    const step = expr.step ?? this.#context.subqueryStep
    // Steps are multiples of the step since the epoch, so that they do not move with the query.
    const start = (Math.floor((times.first - expr.range) / step) + 1) * step
    const count = Math.floor((times.last - start) / step) + 1
    if (count <= 0) return { series: [], range: expr.range, at: times.at }
    if (count > MAX_SUBQUERY_STEPS) throw new AndonError('query_too_large', `the subquery has ${count} steps; ${MAX_SUBQUERY_STEPS} are allowed`)
    const inner = { start, step, count }
    const elements = await this.#vector(expr.expr, inner)
    const series = elements.map(({ labels, values, present }) => {
      const steps = [...present.keys()].filter((index) => present[index] === 1)
      return { labels, ts: Float64Array.from(steps, (index) => timeAt(inner, index)), v: Float64Array.from(steps, (index) => values[index] ?? Number.NaN) }
    })
    return { series, range: expr.range, at: times.at }
  }

  async #scalar(expr: Expr, grid: StepGrid): Promise<ScalarValue> {
    const value = await this.evaluate(expr, grid)
    if (value.type !== 'scalar') throw new AndonError('query_failed', 'a scalar is expected')
    return value
  }

  async #texts(args: readonly Expr[], grid: StepGrid): Promise<string[]> {
    const values = await Promise.all(args.map((arg) => this.evaluate(arg, grid)))
    return values.map((value) => (value.type === 'string' ? value.value : ''))
  }

  async #call(call: Call, grid: StepGrid): Promise<GridValue> {
    const { name } = call
    if (RANGE_FUNCTIONS[name] !== undefined) return await this.#rangeCall(call, grid)
    if (name === 'absent_over_time') return await this.#absent(call, grid, (await this.#rangeCall({ ...call, name: 'present_over_time' }, grid)).elements)
    if (VALUE_FUNCTIONS[name] !== undefined) return await this.#valueCall(call, grid)
    if (name.startsWith('histogram_')) return await this.#histogramCall(call, grid)
    if (name === 'time' || name === 'pi' || name === 'vector' || name === 'scalar') return await this.#scalarCall(call, grid)
    return await this.#vectorCall(call, grid)
  }

  async #scalarCall({ name, args: [first] }: Call, grid: StepGrid): Promise<GridValue> {
    switch (name) {
      case 'time':
        return { type: 'scalar', values: Float64Array.from({ length: grid.count }, (_, step) => timeAt(grid, step) / 1000) }
      case 'vector':
        return this.#fromScalar(await this.#scalar(required(first), grid), grid)
      case 'scalar':
        return scalarOf(await this.#vector(required(first), grid), grid)
      default:
        return { type: 'scalar', values: new Float64Array(grid.count).fill(Math.PI) }
    }
  }

  async #histogramCall({ name, args: [first, second] }: Call, grid: StepGrid): Promise<VectorValue> {
    switch (name) {
      case 'histogram_quantile': {
        const q = await this.#scalar(required(first), grid)
        const all = await this.#all(required(second), grid)
        const at = (step: number): number => q.values[step] ?? Number.NaN
        const classic = histogramQuantile(all.filter(({ histograms }) => histograms === undefined), at, grid.count)
        return distinct([...classic, ...numbersOf(all, grid.count, (histogram, step) => nativeQuantile(histogram, at(step)))])
      }
      case 'histogram_count':
      case 'histogram_sum':
      case 'histogram_avg':
        return distinct(numbersOf(await this.#all(required(first), grid), grid.count, HISTOGRAM_NUMBERS[name]))
      default:
        throw new AndonError('query_failed', `the function ${name} is not supported yet`)
    }
  }

  async #vectorCall(call: Call, grid: StepGrid): Promise<VectorValue> {
    const { name, args } = call
    const first = required(args[0])
    switch (name) {
      case 'timestamp':
        return await this.#timestamp(first, grid)
      case 'absent':
        return await this.#absent(call, grid, await this.#vector(first, grid))
      case 'label_replace':
        return distinct(labelReplace(await this.#vector(first, grid), await this.#texts(args.slice(1), grid)))
      case 'label_join':
        return distinct(labelJoin(await this.#vector(first, grid), await this.#texts(args.slice(1), grid)))
      case 'sort':
      case 'sort_desc':
        return { type: 'vector', elements: sorted(await this.#vector(first, grid), name === 'sort' ? 1 : -1) }
      case 'sort_by_label':
      case 'sort_by_label_desc':
        return { type: 'vector', elements: sortedByLabel(await this.#vector(first, grid), await this.#texts(args.slice(1), grid), name === 'sort_by_label' ? 1 : -1) }
      default:
        throw new AndonError('query_failed', `the function ${name} is not supported yet`)
    }
  }

  #fromScalar(scalar: ScalarValue, grid: StepGrid): VectorValue {
    return { type: 'vector', elements: [{ labels: {}, values: scalar.values, present: new Uint8Array(grid.count).fill(1) }] }
  }

  async #params(args: readonly Expr[], grid: StepGrid): Promise<(step: number) => number[]> {
    const scalars = await Promise.all(args.map((arg) => this.#scalar(arg, grid)))
    return (step) => scalars.map(({ values }) => values[step] ?? Number.NaN)
  }

  async #rangeCall({ name, args }: Call, grid: StepGrid): Promise<VectorValue> {
    const index = args.findIndex((arg) => isRange(arg))
    const apply = RANGE_FUNCTIONS[name] ?? (() => undefined)
    const { series, range, at } = await this.#range(required(args[index]), grid)
    const params = await this.#params(args.filter((_, position) => position !== index), grid)
    const native = series.filter(({ histograms }) => histograms !== undefined)
    const floats = series.filter(({ histograms }) => histograms === undefined)
    const histograms = HISTOGRAM_RANGE_FUNCTIONS[name] === undefined ? [] : native.map((each) => overWindows(each, KEEPS_NAME.has(name) ? each.labels : withoutName(each.labels), grid.count, windows(each.ts, at, range), name))
    const elements = floats.map(({ labels, ts, v }) => {
      const result = element(KEEPS_NAME.has(name) ? labels : withoutName(labels), grid.count)
      const windowAt = windows(ts, at, range)
      for (let step = 0; step < grid.count; step += 1) {
        const window = windowAt(step)
        if (window.hi === window.lo) continue
        const value = apply({ ts, v, ...window }, params(step))
        if (value !== undefined) set(result, step, value)
      }
      return result
    })
    return distinct([...elements, ...histograms].filter(({ present }) => present.includes(1)))
  }

  async #valueCall({ name, args }: Call, grid: StepGrid): Promise<VectorValue> {
    const [first, ...rest] = args
    const apply = VALUE_FUNCTIONS[name] ?? ((value: number) => value)
    const ofTime = first === undefined && TIME_FUNCTIONS.has(name)
    const elements = ofTime ? this.#fromScalar({ type: 'scalar', values: Float64Array.from({ length: grid.count }, (_, step) => timeAt(grid, step) / 1000) }, grid).elements : await this.#vector(required(first), grid)
    const params = await this.#params(rest, grid)
    const results = elements.map(({ labels, values, present }) => {
      const result = element(withoutName(labels), grid.count)
      for (let step = 0; step < grid.count; step += 1) {
        const given = params(step)
        const [low = 0, high = 0] = given
        // Bounds that cross leave nothing.
        if (present[step] === 1 && !(name === 'clamp' && low > high)) set(result, step, apply(values[step] ?? Number.NaN, given))
      }
      return result
    })
    return distinct(results)
  }

  /** The time of the point that an instant selector found; of other vectors the evaluation time. */
  async #timestamp(expr: Expr, grid: StepGrid): Promise<VectorValue> {
    if (expr.kind === 'paren') return await this.#timestamp(expr.expr, grid)
    const found = await this.#vector(expr, grid)
    if (expr.kind !== 'selector') {
      return { type: 'vector', elements: found.map(({ labels, values, present }) => ({ labels: withoutName(labels), values: values.map((_, step) => timeAt(grid, step) / 1000), present })) }
    }
    const times = this.#times(expr, grid)
    const series = new Map((await this.#series(expr, grid, this.#context.lookback)).map(({ labels, ts }) => [labelsKey(labels), ts]))
    const elements = found.map(({ labels, present }) => {
      const ts = series.get(labelsKey(labels)) ?? new Float64Array()
      const result = element(withoutName(labels), grid.count)
      for (let step = 0; step < grid.count; step += 1) if (present[step] === 1) set(result, step, (ts.findLast((time) => time <= times.at(step)) ?? Number.NaN) / 1000)
      return result
    })
    return distinct(elements)
  }

  /** One element where the vector has none, with the labels that its selector fixes. */
  async #absent({ args }: Call, grid: StepGrid, elements: readonly GridElement[]): Promise<VectorValue> {
    const result = element(fixedLabels(required(args[0])), grid.count)
    for (let step = 0; step < grid.count; step += 1) if (!elements.some(({ present }) => present[step] === 1)) set(result, step, 1)
    return { type: 'vector', elements: [result] }
  }
}

const MAX_SUBQUERY_STEPS = 100_000

const HISTOGRAM_NUMBERS = {
  histogram_count: ({ count }: HistogramValue): number => count,
  histogram_sum: ({ sum }: HistogramValue): number => sum,
  histogram_avg: ({ sum, count }: HistogramValue): number => sum / count,
} as const

/** The indices of the points that lie in the window of each step; steps are to be asked in order. */
function windows(ts: Float64Array, at: (step: number) => Milliseconds, range: Milliseconds): (step: number) => { lo: number; hi: number; time: Milliseconds; range: Milliseconds } {
  let lo = 0
  let hi = 0
  return (step) => {
    const time = at(step)
    while (hi < ts.length && (ts[hi] ?? Infinity) <= time) hi += 1
    while (lo < hi && (ts[lo] ?? Infinity) <= time - range) lo += 1
    return { lo, hi, time, range }
  }
}

function required(expr: Expr | undefined): Expr {
  if (expr === undefined) throw new AndonError('query_failed', 'an argument is missing')
  return expr
}

function isRange(expr: Expr): boolean {
  return expr.kind === 'range' || expr.kind === 'subquery' || (expr.kind === 'paren' && isRange(expr.expr))
}

/** The points that are no stale markers. */
function living({ labels, ts, v, stale, histograms }: SourceSeries): RangeSeries {
  const alive = (_: unknown, index: number): boolean => stale[index] !== 1
  const kept = histograms === undefined ? {} : { histograms: histograms.filter(alive) }
  return stale.includes(1) ? { labels, ts: ts.filter(alive), v: v.filter(alive), ...kept } : { labels, ts, v, ...kept }
}

function scalarOf(elements: readonly GridElement[], grid: StepGrid): ScalarValue {
  const values = new Float64Array(grid.count).fill(Number.NaN)
  for (let step = 0; step < grid.count; step += 1) {
    const here = elements.filter(({ present }) => present[step] === 1)
    if (here.length === 1) values[step] = here[0]?.values[step] ?? Number.NaN
  }
  return { type: 'scalar', values }
}

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

/** Elements whose labels became the same are one, as long as they never have a value at the same time. */
function distinct(elements: readonly GridElement[]): VectorValue {
  const found = new Map<string, GridElement>()
  for (const each of elements) {
    const key = labelsKey(each.labels)
    const held = found.get(key)
    if (held === undefined) {
      found.set(key, each)
      continue
    }
    for (let step = 0; step < each.present.length; step += 1) {
      if (each.present[step] !== 1) continue
      if (held.present[step] === 1) throw new AndonError('query_failed', 'vector cannot contain metrics with the same labelset')
      set(held, step, each.values[step] ?? Number.NaN)
    }
  }
  return { type: 'vector', elements: [...found.values()] }
}

function lastOf({ values, present }: GridElement): number {
  return values[present.lastIndexOf(1)] ?? Number.NaN
}

function sorted(elements: readonly GridElement[], sign: 1 | -1): GridElement[] {
  return elements.toSorted((a, b) => {
    const [x, y] = [lastOf(a), lastOf(b)]
    if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : 1
    return Number.isNaN(y) ? -1 : sign * (x - y)
  })
}

const natural: Intl.Collator = new Intl.Collator('en', { numeric: true })

function sortedByLabel(elements: readonly GridElement[], names: readonly string[], sign: 1 | -1): GridElement[] {
  return elements.toSorted((a, b) => {
    const differing = names.find((name) => (a.labels[name] ?? '') !== (b.labels[name] ?? ''))
    return differing === undefined ? sign * (labelsKey(a.labels) < labelsKey(b.labels) ? -1 : 1) : sign * natural.compare(a.labels[differing] ?? '', b.labels[differing] ?? '')
  })
}
