// Prometheus' remote write: series that bring all their labels.
import { type Bytes, type Exemplar, type Labels, type MetricType, type Milliseconds, millisecondsToNanoseconds, type Resource } from '@andon/model'
import { decodeWriteRequest, decodeWriteRequest2, type NativeHistogram, type PartialSuccess, type WriteRequest, type WrittenExemplar, type WrittenMetadata, type WrittenSeries } from '@andon/wire'
import type { Limits } from '../runtime/limits.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { CUSTOM_BOUNDS, type HistogramValue } from '../store/metric-rows.ts'
import type { Content } from './metrics.ts'
import type { Described, HistogramSeriesPoint, SamplePoint, SeriesPoint } from './points.ts'

/** What takes points; resolves when they are stored. */
export interface PointSink {
  acceptPoints(content: Content, bytes: Bytes, batch?: string): Promise<PartialSuccess>
}

export interface RemoteWriteContext {
  readonly limits: Pick<Limits, 'attributes' | 'attributeLength'>
  readonly own: OwnMetrics
}

/** How many of each were stored, as the second version's answer tells it. */
export interface Written extends PartialSuccess {
  readonly samples: number
  readonly histograms: number
  readonly exemplars: number
}

const NO_RESOURCE: Resource = { attributes: {}, droppedAttributes: 0, schemaUrl: '' }
/** Families of which the type is remembered. */
const MAX_FAMILIES = 50_000
const LABEL_NAME = /^[^\0]{1,1024}$/
/** Endings of the series of one family. */
const ENDING = /_(?:total|bucket|sum|count|created|info)$/

/** What is known of the families of metrics: the first version tells it in requests of its own. */
class Families {
  readonly #known = new Map<string, WrittenMetadata>()

  learn(metadata: ReadonlyMap<string, WrittenMetadata>): Described[] {
    for (const [name, each] of metadata) if (this.#known.size < MAX_FAMILIES || this.#known.has(name)) this.#known.set(name, each)
    return [...metadata].map(([name, { type, help, unit }]) => ({ name, otelName: '', type, help, unit }))
  }

  /** The type of a series by its name: that of its family, or what the ending of its name says. */
  typeOf(name: string, own: WrittenMetadata | undefined): MetricType {
    const known = own ?? this.#known.get(name)
    if (known !== undefined && known.type !== 'unknown') return ofFamily(known.type, name)
    const ending = ENDING.exec(name)?.[0] ?? ''
    const family = this.#known.get(name.slice(0, name.length - ending.length))
    if (family !== undefined && family.type !== 'unknown') return ofFamily(family.type, name)
    return ending === '_total' || ending === '_bucket' || ending === '_count' || ending === '_sum' ? 'counter' : 'unknown'
  }
}

/** Of a classic histogram and of a summary the sums and counts are counters, the quantiles gauges. */
function ofFamily(type: MetricType, name: string): MetricType {
  if (type !== 'histogram' && type !== 'summary') return name.endsWith('_created') && type === 'counter' ? 'gauge' : type
  if (/_(?:bucket|sum|count)$/.test(name)) return 'counter'
  return type === 'summary' || name.endsWith('_created') ? 'gauge' : type
}

/** May be called concurrently. Remembers the types of families. */
export class RemoteWriteIngest {
  readonly #sink: PointSink
  readonly #context: RemoteWriteContext
  readonly #families = new Families()
  readonly #refused: ReturnType<OwnMetrics['counter']>

  constructor(sink: PointSink, context: RemoteWriteContext) {
    this.#sink = sink
    this.#context = context
    this.#refused = context.own.counter('andon_ingest_written_series_refused_total', 'Series of remote write that were refused because of their labels.')
  }

  /**
   * Takes one request, unpacked; settles when its points are stored.
   *
   * @param version - of the protocol
   * @throws AndonError bad_body, overloaded or unavailable; nothing of the request is then stored
   */
  async accept(body: Uint8Array, version: 1 | 2): Promise<Written> {
    const request: WriteRequest = version === 1 ? decodeWriteRequest(body) : decodeWriteRequest2(body)
    const described = this.#families.learn(request.metadata)
    const points: SeriesPoint[] = []
    let wrong = 0
    let reason = ''
    for (const series of request.series) {
      const problem = this.#problem(series.labels)
      if (problem === undefined) points.push(...this.#pointsOf(series, described))
      else {
        wrong += Math.max(1, series.samples.length + series.histograms.length)
        reason ||= problem
        this.#refused.add(1)
      }
    }
    const { rejected, message } = await this.#sink.acceptPoints({ points, described }, body.length)
    const count = (kind: SeriesPoint['kind']): number => points.filter((point) => point.kind === kind).length
    // What lies out of time is not told apart by kind: of a request that has both, samples are taken to be refused first.
    const samples = Math.max(0, count('sample') - rejected)
    return {
      rejected: rejected + wrong,
      message: [message, reason].filter((text) => text !== '').join('; '),
      samples,
      histograms: count('histogram') - Math.max(0, rejected - count('sample')),
      exemplars: points.reduce((sum, { exemplars }) => sum + exemplars.length, 0),
    }
  }

  #problem(labels: Labels): string | undefined {
    const { attributes, attributeLength } = this.#context.limits
    const { __name__: name = '' } = labels
    const entries = Object.entries(labels)
    if (name === '') return 'a series has no name'
    if (entries.length > attributes) return `${name.slice(0, 200)} has ${entries.length} labels; ${attributes} are allowed`
    const wrong = entries.find(([key, value]) => !LABEL_NAME.test(key) || value.length > attributeLength)
    return wrong === undefined ? undefined : `${name.slice(0, 200)}: the label "${wrong[0].slice(0, 100)}" is not valid, or its value is longer than ${attributeLength} characters`
  }

  #pointsOf({ labels, samples, histograms, exemplars, metadata }: WrittenSeries, described: Described[]): SeriesPoint[] {
    const { __name__: name = '' } = labels
    if (metadata !== undefined && metadata.type !== 'unknown') described.push({ name, otelName: '', ...metadata })
    const base = { resource: NO_RESOURCE, labels, name, attributes: {}, extra: {} }
    const type = this.#families.typeOf(name, metadata)
    const points: SeriesPoint[] = [
      ...samples.map(({ value, ts, start, stale }): SamplePoint => ({ kind: 'sample', ...base, type, ts, start, stale, value, delta: false, exemplars: [] })),
      ...histograms.map((histogram): HistogramSeriesPoint => ({ kind: 'histogram', ...base, ...histogramPoint(histogram), type: 'histogram', exemplars: [] })),
    ]
    // An exemplar belongs to its series, not to one of its points.
    const last = points.at(-1)
    if (last !== undefined && exemplars.length > 0) points[points.length - 1] = { ...last, exemplars: exemplars.map(exemplarOf) }
    return points
  }
}

function histogramPoint(histogram: NativeHistogram): { ts: Milliseconds; start: Milliseconds; stale: boolean; value: HistogramValue; form: 'cumulative' | 'gauge'; min: number; max: number } {
  const { ts, start, stale, isGauge, schema, count, sum, zeroThreshold, zeroCount, bounds } = histogram
  // OpenTelemetry's bucket begins where Prometheus' of the same number ends.
  const moved = (buckets: ReadonlyMap<number, number>): ReadonlyMap<number, number> => (schema === CUSTOM_BOUNDS ? buckets : new Map([...buckets].map(([index, each]) => [index - 1, each])))
  return {
    ts,
    start,
    stale,
    value: { schema, count: stale ? 0 : count, sum: stale ? 0 : sum, zeroThreshold, zeroCount, positive: moved(histogram.positive), negative: moved(histogram.negative), bounds },
    form: isGauge ? 'gauge' : 'cumulative',
    min: Infinity,
    max: -Infinity,
  }
}

function exemplarOf({ labels, value, ts }: WrittenExemplar): Exemplar {
  const { trace_id: traceId = labels['traceID'] ?? '', span_id: spanId = labels['spanID'] ?? '', ...attributes } = labels
  return { time: millisecondsToNanoseconds(ts), value, traceId: /^[\da-f]{1,32}$/i.test(traceId) ? traceId.toLowerCase().padStart(32, '0') : '', spanId: /^[\da-f]{16}$/i.test(spanId) ? spanId.toLowerCase() : '', attributes }
}
