// Points of series that bring all their labels, as Prometheus has them: scraped, or written by another.
import { type Bytes, type Exemplar, type Labels, type MetricType, type Milliseconds, millisecondsToNanoseconds, type Resource } from '@andon/model'
import type { PartialSuccess } from '@andon/wire'
import type { Content } from './metrics.ts'
import { type HistogramSeriesPoint, type SamplePoint, startOf } from './points.ts'

/** What takes points; resolves when they are stored. */
export interface PointSink {
  acceptPoints(content: Content, bytes: Bytes): Promise<PartialSuccess>
}

const NO_RESOURCE: Resource = { attributes: {}, droppedAttributes: 0, schemaUrl: '' }

type Base = Pick<SamplePoint, 'resource' | 'labels' | 'name' | 'attributes' | 'extra' | 'exemplars'>

function baseOf(labels: Labels, exemplars: readonly Exemplar[]): Base {
  const { __name__: name = '' } = labels
  return { resource: NO_RESOURCE, labels, name, attributes: {}, extra: {}, exemplars }
}

export function writtenSample(labels: Labels, point: Pick<SamplePoint, 'type' | 'ts' | 'value'> & Partial<Pick<SamplePoint, 'start' | 'stale' | 'exemplars'>>): SamplePoint {
  const { type, ts, value, start = 0, stale = false, exemplars = [] } = point
  return { kind: 'sample', ...baseOf(labels, exemplars), type, ts, value, start: startOf(start, ts), stale, delta: false }
}

export function writtenHistogram(labels: Labels, point: Pick<HistogramSeriesPoint, 'ts' | 'start' | 'stale' | 'value' | 'form'>): HistogramSeriesPoint {
  return { kind: 'histogram', ...baseOf(labels, []), ...point, start: startOf(point.start, point.ts), type: 'histogram', min: Infinity, max: -Infinity }
}

/** What an ending says where nobody says the type. */
const ENDINGS: readonly (readonly [RegExp, MetricType])[] = [[/_(?:total|bucket|sum|count)$/, 'counter'], [/_info$/, 'info']]

/** The type of a series of a family: sums, counts and buckets are counters, the quantiles of a summary gauges. */
export function typeInFamily(family: MetricType, name: string): MetricType {
  if (family === 'unknown') return ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? 'unknown'
  if (name.endsWith('_created') && family !== 'gauge') return 'gauge'
  if (family !== 'histogram' && family !== 'summary') return family
  if (/_(?:bucket|sum|count)$/.test(name)) return 'counter'
  return family === 'summary' ? 'gauge' : family
}

/** An exemplar whose labels name the trace and the span, by either of the names in use; without a time it is of its point's. */
export function writtenExemplar(labels: Labels, value: number, ts: Milliseconds): Exemplar {
  const { trace_id: trace, traceID, span_id: span, spanID, ...attributes } = labels
  const [traceId, spanId] = [(trace ?? traceID ?? '').toLowerCase(), (span ?? spanID ?? '').toLowerCase()]
  return { time: Number.isFinite(ts) ? millisecondsToNanoseconds(ts) : 0n, value, traceId: /^[\da-f]{1,32}$/.test(traceId) ? traceId.padStart(32, '0') : '', spanId: /^[\da-f]{16}$/.test(spanId) ? spanId : '', attributes }
}
