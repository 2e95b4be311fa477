// Evaluates PromQL over series of the store: the reference semantics.
import { AndonError, type Labels, type Milliseconds } from '@andon/model'
import { type Expr, parse } from '@andon/promql'
import type { HistogramValue } from '../store/metric-rows.ts'
import { Evaluator, type QueryContext, type SeriesSource } from './promql/evaluate.ts'
import { type GridElement, type GridValue, timeAt } from './promql/vector.ts'

export interface EngineLimits {
  /** Samples that one query may read. */
  readonly querySamples: number
  /** Steps of one range query. */
  readonly querySteps: number
  /** How long one query may take. */
  readonly queryMs: Milliseconds
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

/** A series of a range query: its points at steps that have a value. */
export interface SampleSeries {
  readonly labels: Labels
  readonly points: readonly (readonly [time: Milliseconds, value: number])[]
}

export type QueryResult =
  | { readonly type: 'vector'; readonly time: Milliseconds; readonly samples: readonly Sample[]; readonly infos: readonly string[] }
  | { readonly type: 'matrix'; readonly series: readonly SampleSeries[]; readonly infos: readonly string[] }
  | { readonly type: 'scalar'; readonly time: Milliseconds; readonly value: number; readonly infos: readonly string[] }
  | { readonly type: 'string'; readonly time: Milliseconds; readonly value: string; readonly infos: readonly string[] }

const LOOKBACK: Milliseconds = 5 * 60_000
const SUBQUERY_STEP: Milliseconds = 60_000

/** May be called concurrently; holds nothing between queries. */
export class Engine {
  readonly #source: SeriesSource
  readonly #limits: EngineLimits

  constructor(source: SeriesSource, limits: EngineLimits) {
    this.#source = source
    this.#limits = limits
  }

  /**
   * The value of an expression at one time. A range vector answers the points of its window.
   *
   * @throws AndonError bad_query, query_failed, query_too_large or query_timeout; the signal's reason when it is aborted
   */
  async instant(expression: string, time: Milliseconds, options: QueryOptions = {}): Promise<QueryResult> {
    const expr = parse(expression)
    const context = this.#context(time, time, options)
    const value = await this.#timed(context, () => this.#instantValue(expr, time, context))
    return { ...value, infos: [...context.infos] }
  }

  async #instantValue(expr: Expr, time: Milliseconds, context: QueryContext): Promise<WithoutInfos> {
    if (expr.kind === 'range') return await this.#window(expr.selector.matchers, expr, time, context)
    const value = await new Evaluator(context).evaluate(expr, { start: time, step: 1, count: 1 })
    switch (value.type) {
      case 'scalar':
        return { type: 'scalar', time, value: value.values[0] ?? Number.NaN }
      case 'string':
        return { type: 'string', time, value: value.value }
      case 'vector':
        return { type: 'vector', time, samples: value.elements.filter(({ present }) => present[0] === 1).map(sampleOf) }
    }
  }

  async #window(matchers: Parameters<SeriesSource['select']>[0], expr: Expr & { kind: 'range' }, time: Milliseconds, context: QueryContext): Promise<WithoutInfos> {
    const { at, offset } = expr.selector
    const end = (typeof at === 'number' ? at : time) - offset
    const found = await this.#source.select(matchers, { start: end - expr.range + 1, end }, { maxSamples: context.maxSamples, ...(context.signal !== undefined && { signal: context.signal }) })
    const series = found
      .filter(({ histograms }) => histograms === undefined)
      .map(({ labels, ts, v, stale }) => ({ labels, points: [...ts].flatMap((point, index) => (stale[index] === 1 ? [] : [[point, v[index] ?? Number.NaN] as const])) }))
    return { type: 'matrix', series: series.filter(({ points }) => points.length > 0) }
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
    const count = Math.floor((end - start) / step) + 1
    if (count > this.#limits.querySteps) throw new AndonError('bad_parameter', `the range has ${count} steps; ${this.#limits.querySteps} are allowed. Lengthen the step or shorten the range.`)
    const expr = parse(expression)
    const context = this.#context(start, end, options)
    const grid = { start, step, count }
    const value = await this.#timed(context, () => new Evaluator(context).evaluate(expr, grid))
    return { type: 'matrix', series: elementsOf(value, count).map((each) => ({ labels: each.labels, points: pointsOf(each, (index) => timeAt(grid, index)) })).filter(({ points }) => points.length > 0), infos: [...context.infos] }
  }

  #context(start: Milliseconds, end: Milliseconds, { signal }: QueryOptions): QueryContext {
    const timeout = AbortSignal.timeout(this.#limits.queryMs)
    return {
      source: this.#source,
      lookback: LOOKBACK,
      subqueryStep: SUBQUERY_STEP,
      maxSamples: this.#limits.querySamples,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      start,
      end,
      samples: 0,
      infos: new Set(),
    }
  }

  async #timed<T>({ signal }: QueryContext, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof DOMException && error.name === 'TimeoutError' && signal?.aborted === true) {
        throw new AndonError('query_timeout', `the query took longer than ${this.#limits.queryMs / 1000} s`)
      }
      throw error
    }
  }
}

type Without<T> = T extends unknown ? Omit<T, 'infos'> : never
type WithoutInfos = Without<QueryResult>

function sampleOf({ labels, values, histograms }: GridElement): Sample {
  const histogram = histograms?.[0]
  return histogram === undefined ? { labels, value: values[0] ?? Number.NaN } : { labels, value: Number.NaN, histogram }
}

function elementsOf(value: GridValue, count: number): readonly GridElement[] {
  // A range answers floats; what is to be drawn of histograms are their quantiles, sums and counts.
  if (value.type === 'vector') return value.elements.filter(({ histograms }) => histograms === undefined)
  if (value.type === 'scalar') return [{ labels: {}, values: value.values, present: new Uint8Array(count).fill(1) }]
  throw new AndonError('query_failed', 'a range query answers a scalar or an instant vector, not a text')
}

function pointsOf({ values, present }: GridElement, time: (index: number) => Milliseconds): [Milliseconds, number][] {
  const points: [Milliseconds, number][] = []
  for (let index = 0; index < values.length; index += 1) if (present[index] === 1) points.push([time(index), values[index] ?? Number.NaN])
  return points
}
