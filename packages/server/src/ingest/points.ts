// OTLP metrics as points of series: names and types as Prometheus knows them, one point after another.
import {
  type Attributes,
  type Exemplar,
  type ExponentialHistogramPoint,
  type HistogramPoint,
  type Labels,
  type MetricRecord,
  type MetricType,
  type Milliseconds,
  type Nanoseconds,
  type Resource,
  type SummaryPoint,
} from '@andon/model'
import { prometheusName } from '@andon/wire'
import { CUSTOM_BOUNDS, type HistogramForm, type HistogramValue } from '../store/metric-rows.ts'

interface PointBase {
  readonly resource: Resource
  /** All its labels, where the sender names them as Prometheus does; resource and attributes then say nothing. */
  readonly labels?: Labels
  /** The Prometheus name. */
  readonly name: string
  readonly attributes: Attributes
  /** Labels that the form of the metric adds, such as `quantile`. */
  readonly extra: Labels
  readonly type: MetricType
  readonly ts: Milliseconds
  readonly start: Milliseconds
  readonly stale: boolean
  readonly exemplars: readonly Exemplar[]
}

export interface SamplePoint extends PointBase {
  readonly kind: 'sample'
  readonly value: number
  readonly delta: boolean
}

export interface HistogramSeriesPoint extends PointBase {
  readonly kind: 'histogram'
  readonly value: HistogramValue
  readonly form: HistogramForm
  readonly min: number
  readonly max: number
}

export type SeriesPoint = SamplePoint | HistogramSeriesPoint

/** Of a metric, for the table of metadata. */
export interface Described {
  readonly name: string
  readonly otelName: string
  readonly type: MetricType
  readonly unit: string
  readonly help: string
}

const milliseconds = (ns: Nanoseconds): Milliseconds => Number(ns / 1_000_000n)

/** Since when a point counts; 0, not known, where that is after its own time or before all times. */
export function startOf(start: Milliseconds, ts: Milliseconds): Milliseconds {
  return start > 0 && start <= ts ? start : 0
}

function typeOf(metric: MetricRecord): 'gauge' | 'counter' | 'updown' | 'histogram' | 'summary' {
  switch (metric.data.type) {
    case 'gauge':
      return 'gauge'
    case 'sum':
      return metric.data.monotonic ? 'counter' : 'updown'
    case 'histogram':
    case 'exponentialHistogram':
      return 'histogram'
    case 'summary':
      return 'summary'
  }
}

/** The name and type of a metric. */
export function describe(metric: MetricRecord): Described {
  const type = typeOf(metric)
  return { name: prometheusName(metric.name, metric.unit, type), otelName: metric.name, type, unit: metric.unit, help: metric.description }
}

/** The points of a metric, in the order sent. */
export function pointsOf(metric: MetricRecord, { name, type }: Described): SeriesPoint[] {
  const { data, resource } = metric
  const base = (point: { attributes: Attributes; start: Nanoseconds; time: Nanoseconds; flags: number; exemplars: readonly Exemplar[] }): PointBase => ({
    resource,
    name,
    type,
    attributes: point.attributes,
    extra: {},
    ts: milliseconds(point.time),
    start: startOf(milliseconds(point.start), milliseconds(point.time)),
    stale: (point.flags & 1) !== 0,
    exemplars: point.exemplars,
  })
  switch (data.type) {
    case 'gauge':
      return data.points.map((point) => ({ kind: 'sample', ...base(point), value: point.value, delta: false }))
    case 'sum':
      return data.points.map((point) => ({ kind: 'sample', ...base(point), value: point.value, delta: data.temporality === 'delta' }))
    case 'histogram':
      return data.points.map((point) => ({ kind: 'histogram', ...base(point), ...range(point), value: explicit(point), form: data.temporality }))
    case 'exponentialHistogram':
      return data.points.map((point) => ({ kind: 'histogram', ...base(point), ...range(point), value: exponential(point), form: data.temporality }))
    case 'summary':
      return data.points.flatMap((point) => summary(base(point), point))
  }
}

function range({ min, max }: Pick<HistogramPoint, 'min' | 'max'>): { min: number; max: number } {
  // Not NaN: a rollup takes the least and the greatest.
  return { min: min === undefined || Number.isNaN(min) ? Infinity : min, max: max === undefined || Number.isNaN(max) ? -Infinity : max }
}

function counted(counts: readonly number[], offset: number): Map<number, number> {
  const buckets = new Map<number, number>()
  counts.forEach((count, index) => {
    if (count > 0) buckets.set(offset + index, count)
  })
  return buckets
}

function explicit(point: HistogramPoint): HistogramValue {
  // Without bounds there is one bucket of all values.
  const counts = point.counts.length === 0 ? [point.count] : point.counts
  return {
    schema: CUSTOM_BOUNDS,
    zeroThreshold: 0,
    zeroCount: 0,
    count: point.count,
    sum: point.sum ?? 0,
    positive: counted(counts, 0),
    negative: new Map(),
    bounds: point.bounds,
  }
}

function exponential(point: ExponentialHistogramPoint): HistogramValue {
  return {
    schema: point.scale,
    zeroThreshold: point.zeroThreshold,
    zeroCount: point.zeroCount,
    count: point.count,
    sum: point.sum ?? 0,
    positive: counted(point.positive.counts, point.positive.offset),
    negative: counted(point.negative.counts, point.negative.offset),
    bounds: [],
  }
}

function summary(base: PointBase, point: SummaryPoint): SamplePoint[] {
  const quantiles = point.quantiles.map(({ quantile, value }): SamplePoint => ({ kind: 'sample', ...base, type: 'gauge', extra: { quantile: String(quantile) }, value, delta: false }))
  const total = (suffix: string, value: number): SamplePoint => ({ kind: 'sample', ...base, name: `${base.name}${suffix}`, type: 'counter', value, delta: false })
  return [...quantiles, total('_sum', point.sum), total('_count', point.count)]
}
