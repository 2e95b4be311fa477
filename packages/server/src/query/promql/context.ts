// What holds for a whole query, and what its evaluation has to say.
import { setImmediate } from 'node:timers/promises'
import { AndonError, type LabelMatcher, type Labels, type Milliseconds } from '@andon/model'
import type { Expr, VectorSelector } from '@andon/promql'
import type { DeltaAnswer, DeltaRequest } from '../../store/delta-histograms.ts'
import type { HistogramValue } from '../../store/metric-rows.ts'
import type { RateAnswer, RateRequest } from '../../store/rate-sums.ts'
import type { RollupExtent } from '../../store/rollup-extent.ts'
import type { CellRequest, RolledSeries, RollupAnswer } from '../../store/rollups.ts'

/** A series of the store, as the engine needs it: points at increasing times. */
export interface SourceSeries {
  readonly labels: Labels
  readonly ts: Float64Array
  readonly v: Float64Array
  /** 1 where the point is a stale marker. */
  readonly stale: Uint8Array
  /** Since when the counter counts, milliseconds; 0, or nothing at all, where it is not known. */
  readonly start?: Float64Array
  /** Where a point is a histogram, its value; its float then means nothing. */
  readonly histograms?: readonly (HistogramValue | undefined)[]
}

/** What the engine reads series from; both ends of the range are included. */
export interface SeriesSource {
  select(matchers: readonly LabelMatcher[], range: { start: Milliseconds; end: Milliseconds }, options: { signal?: AbortSignal; maxSamples?: number }): Promise<readonly SourceSeries[]>
}

/** Aggregations that a store calculates itself. */
export interface RateSumSource {
  /** @returns undefined where that would not be exact, or not worth it */
  rateSums(request: RateRequest, options: { signal?: AbortSignal }): Promise<RateAnswer | undefined>
}

/** Floats of many series, some series at a time. */
export interface FloatSource {
  /** @returns undefined where there are fewer points than `leastPoints`, as estimated, or native histograms */
  floatParts(matchers: readonly LabelMatcher[], range: { start: Milliseconds; end: Milliseconds }, leastPoints: number, options: { signal?: AbortSignal; maxSamples?: number }): Promise<AsyncIterable<readonly SourceSeries[]> | undefined>
}

/** Increments of histograms that a store adds up itself. */
export interface DeltaHistogramSource {
  /** @returns undefined where they are not what all of the series have, or it is not worth it */
  deltaHistograms(request: DeltaRequest, options: { signal?: AbortSignal }): Promise<DeltaAnswer | undefined>
}

/** Rolled-up data of a store. */
export interface RollupSource {
  extent(): Promise<RollupExtent>
  find(matchers: readonly LabelMatcher[], range: { start: Milliseconds; end: Milliseconds }, options: { signal?: AbortSignal }): Promise<RolledSeries>
  cells(request: CellRequest, options: { signal?: AbortSignal; maxSamples?: number }): Promise<RollupAnswer | undefined>
}

export interface QueryContext {
  readonly source: SeriesSource
  /** Where series can be aggregated without reading their points here, if anywhere. */
  readonly rateSums: RateSumSource | undefined
  /** From how many points on that is done. */
  readonly pushDownFrom: number
  readonly floatParts: FloatSource | undefined
  readonly deltaHistograms: DeltaHistogramSource | undefined
  readonly rollups: RollupSource | undefined
  /** From how many points on rollups are read where windows are whole buckets. */
  readonly rollUpFrom: number
  /** Series that were found for a selector, which is asked for in several ways. */
  readonly found: WeakMap<VectorSelector, Promise<RolledSeries>>
  /** The expression, for positions in remarks. */
  readonly text: string
  /** How far back an instant selector looks for a point. */
  readonly lookback: Milliseconds
  /** The step of a subquery that names none. */
  readonly subqueryStep: Milliseconds
  readonly maxSamples: number
  readonly signal: AbortSignal | undefined
  /** The ends of the outermost range, for `@ start()` and `@ end()`. */
  readonly start: Milliseconds
  readonly end: Milliseconds
  /** 0 for a query of one time. */
  readonly step: Milliseconds
  readonly isRange: boolean
  /** Whether histograms are to say where their counters began anew; so for histogram_count and the like, which look at nothing else. */
  detectsResets: boolean
  /** Samples read so far. */
  samples: number
  /** What the reader of the answer should know. */
  readonly infos: Set<string>
  /** What is probably not what the reader wanted. */
  readonly warnings: Set<string>
}

/** Says something of a part of the expression. */
export interface Remarks {
  warn(text: string): void
  info(text: string): void
}

function position(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `(${before.length}:${(before.at(-1)?.length ?? 0) + 1})`
}

/** Remarks on an expression, in Prometheus' words: Grafana and people search for them. */
export function remarksOn({ text, infos, warnings }: Pick<QueryContext, 'text' | 'infos' | 'warnings'>, { from }: Pick<Expr, 'from'>): Remarks {
  return {
    warn: (what) => void warnings.add(`PromQL warning: ${what} ${position(text, from)}`),
    info: (what) => void infos.add(`PromQL info: ${what} ${position(text, from)}`),
  }
}

/** ` for metric name "x"`, or nothing where there is no name. */
export function forMetric({ __name__: name = '' }: Labels): string {
  return name === '' ? '' : ` for metric name ${JSON.stringify(name)}`
}

/** Counts samples; throws AndonError query_too_large past the limit. */
export function countSamples(context: QueryContext, count: number): void {
  context.samples += count
  if (context.samples > context.maxSamples) throw new AndonError('query_too_large', `the query reads more than ${context.maxSamples} samples`)
}

/**
 * Refuses vectors that would not fit into memory, before they are made: a few series over many steps of a subquery are many.
 *
 * @throws AndonError query_too_large
 */
export function checkSize({ maxSamples }: QueryContext, series: number, steps: number): void {
  if (series * steps > maxSamples) throw new AndonError('query_too_large', `${series} series at ${steps} steps are more than ${maxSamples} samples`)
}

/** Steps of a series after which others get their turn. */
const BREATH = 20_000

/**
 * Lets timers and other requests have their turn, since the time limit and a client that goes away are noticed only then,
 * and ends the query when nobody waits for it any more.
 */
async function breathe({ signal }: QueryContext): Promise<void> {
  await setImmediate()
  signal?.throwIfAborted()
}

/** Goes over a list with a breath after every so many steps; `each` takes `steps` steps. */
export async function mapWithBreath<T, U>(context: QueryContext, list: readonly T[], steps: number, each: (item: T) => U): Promise<U[]> {
  await breathe(context)
  const results: U[] = []
  let done = 0
  for (const item of list) {
    if (done >= BREATH) {
      await breathe(context)
      done = 0
    }
    results.push(each(item))
    done += steps
  }
  return results
}
