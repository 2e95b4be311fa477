import type { Attributes, Resource, Scope } from './attributes.ts'
import type { Labels } from './labels.ts'
import type { Milliseconds, Nanoseconds } from './units.ts'

/** What a stored series is, as the table `series` says it. */
export type MetricType = 'gauge' | 'counter' | 'updown' | 'histogram' | 'summary' | 'info' | 'unknown'

/** Whether each point holds all since the start or only what came since the previous point. */
export type Temporality = 'cumulative' | 'delta'

/** A measured value that points to the trace in which it was measured. */
export interface Exemplar {
  readonly time: Nanoseconds
  readonly value: number
  /** 32 lower-case hex digits, or ''. */
  readonly traceId: string
  /** 16 lower-case hex digits, or ''. */
  readonly spanId: string
  readonly attributes: Attributes
}

interface Point {
  readonly attributes: Attributes
  /** Start of the counter's life or of the delta's interval; 0n when not known. */
  readonly start: Nanoseconds
  readonly time: Nanoseconds
  /** Bit 0: no recorded value, that is a stale marker. */
  readonly flags: number
  readonly exemplars: readonly Exemplar[]
}

export interface NumberPoint extends Point {
  readonly value: number
}

/** A histogram with explicit bounds: `counts` has one element more than `bounds`; bucket i holds (bounds[i-1], bounds[i]]. */
export interface HistogramPoint extends Point {
  readonly count: number
  /** Undefined when the sender does not know it (values can be negative). */
  readonly sum: number | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}

/** Buckets of an exponential histogram: counts[i] belongs to index offset + i, that is to (base^index, base^(index+1)]. */
export interface ExponentialBuckets {
  readonly offset: number
  readonly counts: readonly number[]
}

/** A histogram whose bucket base is 2^(2^-scale). */
export interface ExponentialHistogramPoint extends Point {
  readonly count: number
  readonly sum: number | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  readonly scale: number
  readonly zeroCount: number
  readonly zeroThreshold: number
  readonly positive: ExponentialBuckets
  readonly negative: ExponentialBuckets
}

export interface SummaryPoint extends Point {
  readonly count: number
  readonly sum: number
  /** q within 0..1. */
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[]
}

export type MetricData =
  | { readonly type: 'gauge'; readonly points: readonly NumberPoint[] }
  | { readonly type: 'sum'; readonly monotonic: boolean; readonly temporality: Temporality; readonly points: readonly NumberPoint[] }
  | { readonly type: 'histogram'; readonly temporality: Temporality; readonly points: readonly HistogramPoint[] }
  | { readonly type: 'exponentialHistogram'; readonly temporality: Temporality; readonly points: readonly ExponentialHistogramPoint[] }
  | { readonly type: 'summary'; readonly points: readonly SummaryPoint[] }

/**
 * One metric of one resource with its points, as it is sent.
 *
 * @see OTLP metrics.proto, message Metric
 */
export interface MetricRecord {
  /** OpenTelemetry's name, such as `http.server.request.duration`. */
  readonly name: string
  readonly description: string
  /** UCUM, such as `s`, `By`, `{request}`; '' when not known. */
  readonly unit: string
  readonly data: MetricData
  readonly resource: Resource
  readonly scope: Scope
}

/** A series as a query answers it: values at increasing times. */
export interface MetricSeries {
  readonly labels: Labels
  readonly points: readonly (readonly [time: Milliseconds, value: number])[]
}
