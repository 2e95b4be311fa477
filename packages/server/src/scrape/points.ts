// What a target exposes, as points of its series.
import { type Exemplar, type Labels, type MetricType, type Milliseconds, millisecondsToNanoseconds, type Resource } from '@andon/model'
import type { ExpositionExemplar, ExpositionFamily } from '@andon/wire'
import type { Described, SamplePoint } from '../ingest/points.ts'

const NO_RESOURCE: Resource = { attributes: {}, droppedAttributes: 0, schemaUrl: '' }

export function scrapedPoint(labels: Labels, ts: Milliseconds, value: number, more: Partial<Pick<SamplePoint, 'type' | 'stale' | 'exemplars'>> = {}): SamplePoint {
  const { __name__: name = '' } = labels
  return { kind: 'sample', resource: NO_RESOURCE, labels, name, attributes: {}, extra: {}, type: 'gauge', ts, start: 0, stale: false, exemplars: [], value, delta: false, ...more }
}

/** Sums, counts and buckets of a family are counters; the quantiles of a summary gauges. */
function typeOf({ type }: ExpositionFamily, name: string): MetricType {
  if (name.endsWith('_created') && type !== 'gauge') return 'gauge'
  if (type === 'counter' || type === 'gauge') return type
  if (type === 'histogram' || type === 'summary') return /_(?:bucket|sum|count)$/.test(name) ? 'counter' : 'gauge'
  return name.endsWith('_info') ? 'info' : 'unknown'
}

function exemplarOf({ labels, value, timestamp }: ExpositionExemplar, ts: Milliseconds): Exemplar {
  const { trace_id: traceId = labels['traceID'] ?? '', span_id: spanId = labels['spanID'] ?? '', ...attributes } = labels
  return {
    time: millisecondsToNanoseconds(timestamp ?? ts),
    value,
    traceId: /^[\da-f]{32}$/i.test(traceId) ? traceId.toLowerCase() : '',
    spanId: /^[\da-f]{16}$/i.test(spanId) ? spanId.toLowerCase() : '',
    attributes,
  }
}

/** The labels of a sample of a target: the target's own win, the sample's of the same name stay as `exported_…`. */
function labelsOf(name: string, own: Labels, target: Labels): Labels {
  const labels: Record<string, string> = { __name__: name }
  for (const [key, value] of Object.entries(own)) {
    if (value === '') continue
    let kept = key
    while (kept in target || kept === '__name__') kept = `exported_${kept}`
    labels[kept] = value
  }
  return { ...labels, ...target }
}

/** @param ts - when it was scraped: the time of what brings none of its own */
export function scrapedPoints(families: readonly ExpositionFamily[], target: Labels, ts: Milliseconds): { readonly points: SamplePoint[]; readonly described: Described[] } {
  const points: SamplePoint[] = []
  const described: Described[] = []
  for (const family of families) {
    const { type, help, unit = '', samples } = family
    // A counter is known by the name of its samples, which not everyone ends with _total.
    const name = type === 'counter' ? (samples.find((each) => !each.name.endsWith('_created'))?.name ?? family.name) : family.name
    if (type !== 'unknown') described.push({ name, otelName: '', type, unit, help })
    for (const sample of samples) {
      const exemplars = sample.exemplar === undefined ? [] : [exemplarOf(sample.exemplar, ts)]
      points.push(scrapedPoint(labelsOf(sample.name, sample.labels, target), sample.timestamp ?? ts, sample.value, { type: typeOf(family, sample.name), exemplars }))
    }
  }
  return { points, described }
}
