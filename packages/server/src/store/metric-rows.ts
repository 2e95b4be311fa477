// Rows of the metric tables: what the ingester hands to the store.
import type { Labels, MetricType, Milliseconds } from '@andon/model'
import type { TsvRows } from './tsv.ts'

/** A series: its id is `seriesId(labels)`, its labels hold `__name__`. */
export interface SeriesRow {
  readonly id: bigint
  readonly type: MetricType
  readonly labels: Labels
}

/** What is known of a metric of a Prometheus name. */
export interface MetadataRow {
  readonly name: string
  readonly otelName: string
  readonly type: MetricType
  readonly unit: string
  readonly help: string
}

export interface SampleRow {
  readonly id: bigint
  readonly ts: Milliseconds
  /** Start of the counter's life or of the delta's interval; 0 when not known. */
  readonly start: Milliseconds
  readonly value: number
  readonly stale: boolean
  readonly delta: boolean
  /** Since the series' previous point, resets taken out; 0 when not a counter or not known, NaN for increments of what is no counter. */
  readonly increase: number
}

/** Counts by bucket index. */
export type Buckets = ReadonlyMap<number, number>

/** The schema of histograms with explicit bounds. */
export const CUSTOM_BOUNDS = -53

/** What a histogram's source says of its counter: a gauge has none; `reset` and `same` compare with the point before. */
export type CounterHint = 'gauge' | 'reset' | 'same'

/** The shape and counts of a histogram at one time. */
export interface HistogramValue {
  /** -4..20: base 2^(2^-schema); CUSTOM_BOUNDS: `bounds` are the upper limits of buckets 0, 1, … */
  readonly schema: number
  readonly zeroThreshold: number
  readonly zeroCount: number
  readonly count: number
  readonly sum: number
  readonly positive: Buckets
  readonly negative: Buckets
  readonly bounds: readonly number[]
  /** Absent where nothing is known. */
  readonly hint?: CounterHint
}

export type HistogramForm = 'cumulative' | 'delta' | 'gauge'

export interface HistogramRow {
  readonly id: bigint
  readonly ts: Milliseconds
  readonly start: Milliseconds
  readonly form: HistogramForm
  readonly value: HistogramValue
  /** Of a delta point; +Infinity and -Infinity where not known. */
  readonly min: number
  readonly max: number
  readonly stale: boolean
  /** Since the series' previous point; undefined when there is nothing to roll up. */
  readonly increase: HistogramValue | undefined
}

export interface ExemplarRow {
  readonly id: bigint
  readonly ts: Milliseconds
  readonly value: number
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Labels
}

/** All rows of one insert. */
export interface MetricRows {
  readonly series: readonly SeriesRow[]
  readonly metadata: readonly MetadataRow[]
  readonly samples: readonly SampleRow[]
  /** Further samples, as rows already. They become part of the insert and must not be used afterwards. */
  readonly sampleRows?: TsvRows
  readonly histograms: readonly HistogramRow[]
  readonly exemplars: readonly ExemplarRow[]
}
