// Evaluates PromQL over series of the store: the reference semantics.
import { AndonError, type LabelMatcher, type Labels, labelsKey, type Milliseconds } from '@andon/model'
import { type Expr, parse } from '@andon/promql'
import type { HistogramValue } from '../store/metric-rows.ts'
import type { DeltaHistogramSource, FloatSource, QueryContext, RateSumSource, RollupSource, SeriesSource } from './promql/context.ts'
import { byLabels, finished, finishedLabels } from './promql/elements.ts'
import { Evaluator } from './promql/evaluate.ts'
import type { RangeSeries } from './promql/range-series.ts'
import { pointsAt } from './promql/selectors.ts'
import { extendedWindow } from './promql/window-points.ts'
import { element, FLOAT, get, type GridElement, type GridValue, timeAt } from './promql/vector.ts'

export interface EngineLimits {
  /** Samples that one query may read, and that one of its vectors may hold over all steps. */
  readonly querySamples: number
  /** Steps of one range query, from its start to its end: it has one point more, as in Prometheus. */
  readonly querySteps: number
  /** How long one query may take. */
  readonly queryMs: Milliseconds
}

export interface EngineOptions {
  /** Aggregates many points where they lie; without it all points are read. */
  readonly rateSums?: RateSumSource
  /** Gives the series of sums of rates some at a time; without it the store adds up all of them. */
  readonly floatParts?: FloatSource
  /** Adds up increments of histograms where they lie. */
  readonly deltaHistograms?: DeltaHistogramSource
  /** From how many points on, as estimated; 200,000 when absent. */
  readonly pushDownFrom?: number
  /** Answers windows of whole buckets, and what has expired elsewhere; without it only raw points are read. */
  readonly rollups?: RollupSource
  /** From how many points on, as estimated; 50,000 when absent. */
  readonly rollUpFrom?: number
}

export interface QueryOptions {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal
}

/** An element of an instant vector. */
export interface Sample {
  readonly labels: Labels
  /** NaN where the sample is a histogram. */
  readonly value: number
  readonly histogram?: HistogramValue
}

/** A series of a range query: its floats and its native histograms, at the steps that have one. */
export interface SampleSeries {
  readonly labels: Labels
  readonly points: readonly (readonly [time: Milliseconds, value: number])[]
  /** Absent where there are none. */
  readonly histograms?: readonly (readonly [time: Milliseconds, value: HistogramValue])[]
}

/** The newest point of a series. */
export interface NewestPoint {
  readonly labels: Labels
  /** When it was measured. */
  readonly time: Milliseconds
  readonly value: number | HistogramValue
}

interface Remarked {
  /** What the reader should know. */
  readonly infos: readonly string[]
  /** What is probably not what the reader wanted. */
  readonly warnings: readonly string[]
}

type Answer =
  | { readonly type: 'vector'; readonly time: Milliseconds; readonly samples: readonly Sample[] }
  | { readonly type: 'matrix'; readonly series: readonly SampleSeries[] }
  | { readonly type: 'scalar'; readonly time: Milliseconds; readonly value: number }
  | { readonly type: 'string'; readonly time: Milliseconds; readonly value: string }

export type QueryResult = Answer & Remarked

const PUSH_DOWN_FROM = 200_000
const ROLL_UP_FROM = 50_000
const LOOKBACK: Milliseconds = 5 * 60_000
const SUBQUERY_STEP: Milliseconds = 60_000

/** May be called concurrently; holds nothing between queries. */
export class Engine {
  readonly limits: EngineLimits
  /** How far back an instant selector looks for a point. */
  readonly lookback: Milliseconds = LOOKBACK
  readonly #source: SeriesSource
  readonly #options: EngineOptions

  constructor(source: SeriesSource, limits: EngineLimits, options: EngineOptions = {}) {
    this.#source = source
    this.limits = limits
    this.#options = options
  }

  /**
   * The value of an expression at one time. A range vector answers the points of its window.
   *
   * @throws AndonError bad_query, query_failed, query_too_large or query_timeout; the signal's reason when it is aborted
   */
  async instant(expression: string, time: Milliseconds, options: QueryOptions = {}): Promise<QueryResult> {
    const expr = parse(expression, { step: 0, range: 0 })
    const context = this.#context(expression, { start: time, end: time, step: 0, isRange: false }, options)
    return await this.#answered(context, () => instantValue(expr, time, context))
  }

  /**
   * The value of an expression at each step of a range, both ends included.
   *
   * @param step - milliseconds, greater than 0
   * @throws AndonError as `instant`; bad_parameter when the range has too many steps or ends before it starts
   */
  async range(expression: string, start: Milliseconds, end: Milliseconds, step: Milliseconds, options: QueryOptions = {}): Promise<QueryResult> {
    if (!(step > 0)) throw new AndonError('bad_parameter', 'step must be greater than 0')
    if (end < start) throw new AndonError('bad_parameter', 'end must not be before start')
    const steps = Math.floor((end - start) / step)
    if (steps > this.limits.querySteps) throw new AndonError('bad_parameter', `the range has ${steps} steps; ${this.limits.querySteps} are allowed. Lengthen the step or shorten the range.`)
    const expr = parse(expression, { step, range: end - start })
    const context = this.#context(expression, { start, end, step, isRange: true }, options)
    const grid = { start, step, count: steps + 1 }
    return await this.#answered(context, async () => {
      const elements = elementsOf(await new Evaluator(context).evaluate(expr, grid))
      const series = byLabels(elements).map((each) => seriesOf(each, (index) => timeAt(grid, index)))
      return { type: 'matrix', series }
    })
  }

  /**
   * The newest point of each series that one of the selectors matches, as it was measured; of series that ended, or have been silent for
   * the lookback, none. A series that several match is there once.
   *
   * @param time - later points are not seen
   * @throws AndonError as `instant`
   */
  async newest(selectors: readonly (readonly LabelMatcher[])[], time: Milliseconds, options: QueryOptions = {}): Promise<NewestPoint[]> {
    const context = this.#context('', { start: time, end: time, step: 0, isRange: false }, options)
    const found = new Map<string, NewestPoint>()
    await this.#timed(context, async () => {
      for (const matchers of selectors) {
        for (const point of await pointsAt(context, matchers, { first: time, last: time, at: () => time }, 1)) {
          const [key, value] = [labelsKey(point.labels), get(point, 0)]
          if (value !== undefined && typeof found.get(key)?.value !== 'number') found.set(key, { labels: point.labels, time: point.when[0] ?? Number.NaN, value })
        }
      }
    })
    return [...found.values()]
  }

  #context(text: string, shape: Pick<QueryContext, 'start' | 'end' | 'step' | 'isRange'>, { signal }: QueryOptions): QueryContext {
    const timeout = AbortSignal.timeout(this.limits.queryMs)
    return {
      ...shape,
      source: this.#source,
      rateSums: this.#options.rateSums,
      pushDownFrom: this.#options.pushDownFrom ?? PUSH_DOWN_FROM,
      floatParts: this.#options.floatParts,
      deltaHistograms: this.#options.deltaHistograms,
      rollups: this.#options.rollups,
      rollUpFrom: this.#options.rollUpFrom ?? ROLL_UP_FROM,
      found: new WeakMap(),
      text,
      lookback: this.lookback,
      subqueryStep: SUBQUERY_STEP,
      maxSamples: this.limits.querySamples,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      samples: 0,
      detectsResets: false,
      infos: new Set(),
      warnings: new Set(),
    }
  }

  async #answered(context: QueryContext, run: () => Promise<Answer>): Promise<QueryResult> {
    const answer = await this.#timed(context, run)
    return { ...answer, infos: [...context.infos], warnings: [...context.warnings] }
  }

  async #timed<T>(context: QueryContext, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof DOMException && error.name === 'TimeoutError' && context.signal?.aborted === true) {
        throw new AndonError('query_timeout', `the query took longer than ${this.limits.queryMs / 1000} s`)
      }
      throw error
    }
  }
}

function isRange(expr: Expr): boolean {
  return expr.kind === 'range' || expr.kind === 'subquery' || (expr.kind === 'paren' && isRange(expr.expr))
}

async function instantValue(expr: Expr, time: Milliseconds, context: QueryContext): Promise<Answer> {
  const evaluator = new Evaluator(context)
  const grid = { start: time, step: 1, count: 1 }
  if (isRange(expr)) {
    const { series, range, times, extended } = await evaluator.range(expr, grid)
    const end = times.at(0)
    return { type: 'matrix', series: finishedLabels(series).flatMap((each) => windowOf(extendedWindow(each, { start: end - range, end }, extended))) }
  }
  const value = await evaluator.evaluate(expr, grid)
  switch (value.type) {
    case 'scalar':
      return { type: 'scalar', time, value: value.values[0] ?? Number.NaN }
    case 'string':
      return { type: 'string', time, value: value.value }
    case 'vector':
      return { type: 'vector', time, samples: finished(value).elements.map(sampleOf) }
  }
}

function sampleOf(each: GridElement): Sample {
  const value = get(each, 0) ?? Number.NaN
  return typeof value === 'number' ? { labels: each.labels, value } : { labels: each.labels, value: Number.NaN, histogram: value }
}

/** The points of a range vector; a series without any is left out. */
function windowOf({ labels, floats, histograms }: RangeSeries): SampleSeries[] {
  const points = [...floats.ts].map((time, index) => [time, floats.v[index] ?? Number.NaN] as const)
  const native = (histograms?.h ?? []).map((value, index) => [histograms?.ts[index] ?? Number.NaN, value] as const)
  return points.length === 0 && native.length === 0 ? [] : [{ labels, points, ...(native.length > 0 && { histograms: native }) }]
}

function elementsOf(value: GridValue): readonly GridElement[] {
  if (value.type === 'vector') return finished(value).elements
  if (value.type === 'scalar') return [{ ...element({}, 0), values: value.values, present: new Uint8Array(value.values.length).fill(FLOAT) }]
  throw new AndonError('query_failed', 'a range query answers a scalar or an instant vector, not a text')
}

function seriesOf(each: GridElement, time: (index: number) => Milliseconds): SampleSeries {
  const points: [Milliseconds, number][] = []
  const histograms: [Milliseconds, HistogramValue][] = []
  for (let index = 0; index < each.values.length; index += 1) {
    const value = get(each, index)
    if (typeof value === 'number') points.push([time(index), value])
    else if (value !== undefined) histograms.push([time(index), value])
  }
  return { labels: each.labels, points, ...(histograms.length > 0 && { histograms }) }
}
