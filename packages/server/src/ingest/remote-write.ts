// Prometheus' remote write: series that bring all their labels.
import type { Labels, MetricType, Milliseconds } from '@andon/model'
import { decodeWriteRequest, decodeWriteRequest2, type NativeHistogram, type PartialSuccess, type WriteRequest, type WrittenMetadata, type WrittenSeries } from '@andon/wire'
import type { Limits } from '../runtime/limits.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { CUSTOM_BOUNDS, type HistogramValue } from '../store/metric-rows.ts'
import { beginning, KEY_MAX } from './attributes.ts'
import type { Described, SeriesPoint } from './points.ts'
import type { SeriesPlacer } from './sample-reader.ts'
import { type ReadWritten, WrittenReader } from './written-reader.ts'
import { type PointSink, typeInFamily, writtenExemplar, writtenHistogram, writtenSample } from './written-points.ts'

export interface RemoteWriteContext {
  readonly limits: Pick<Limits, 'attributes' | 'attributeLength'>
  readonly own: OwnMetrics
}

/** What takes points, and tells whose they are. */
export interface WriteSink extends PointSink {
  readonly placer: SeriesPlacer
}

/** How many of each were stored, as the second version's answer tells it. */
export interface Written extends PartialSuccess {
  readonly samples: number
  readonly histograms: number
  readonly exemplars: number
}

/** Families of which the type is remembered. */
const MAX_FAMILIES = 50_000
/** UTF-16 units of what is said of a metric. */
const HELP_MAX = 1024
const UNIT_MAX = 63
const LABEL_NAME = /^[^\0]{1,1024}$/
/** Endings of the series of one family. */
const ENDING = /_(?:total|bucket|sum|count|created|info)$/

/** What is known of the families of metrics: the first version tells it in requests of its own. */
class Families {
  readonly #known = new Map<string, MetricType>()

  /** Whether metadata tell the type of a family otherwise than it is known. */
  isNews(metadata: ReadonlyMap<string, WrittenMetadata>): boolean {
    return [...metadata].some(([name, { type }]) => this.#known.get(name) !== type)
  }

  learn(metadata: ReadonlyMap<string, WrittenMetadata>): Described[] {
    const described = [...metadata].filter(([name]) => name !== '' && name.length <= KEY_MAX).map(([name, { type, help, unit }]): Described => ({ name, otelName: '', type, help: beginning(help, HELP_MAX), unit: beginning(unit, UNIT_MAX) }))
    for (const { name, type } of described) if (this.#known.size < MAX_FAMILIES || this.#known.has(name)) this.#known.set(name, type)
    return described
  }

  /** The type of a series by its name: that of its family, or what the ending of its name says. */
  typeOf(name: string, own: WrittenMetadata | undefined): MetricType {
    const family = [own?.type, this.#known.get(name), this.#known.get(name.replace(ENDING, ''))].find((type) => type !== undefined && type !== 'unknown')
    return typeInFamily(family ?? 'unknown', name)
  }
}

/** May be called concurrently. Remembers the types of families. */
export class RemoteWriteIngest {
  readonly #sink: WriteSink
  readonly #reader: WrittenReader
  readonly #context: RemoteWriteContext
  readonly #families = new Families()
  readonly #refused: ReturnType<OwnMetrics['counter']>

  constructor(sink: WriteSink, context: RemoteWriteContext) {
    this.#sink = sink
    this.#reader = new WrittenReader(sink.placer)
    this.#context = context
    this.#refused = context.own.counter('andon_ingest_written_series_refused_total', 'Series of remote write that were refused because of their labels.')
  }

  /**
   * Takes one request, unpacked; settles when its points are stored.
   *
   * @param version - of the protocol
   * @throws AndonError bad_body, too_large, overloaded, disk_full or unavailable; nothing of the request is then stored
   */
  async accept(body: Uint8Array, version: 1 | 2): Promise<Written> {
    const read = version === 1 ? this.#read(body) : undefined
    const request: WriteRequest = read === undefined ? decodeWriteRequest2(body) : decodeWriteRequest(read.rest)
    const described = this.#learn(request)
    const points: SeriesPoint[] = []
    let wrong = 0
    let refusedHistograms = 0
    let reason = ''
    for (const series of request.series) {
      const { samples, histograms, refused, labels } = series
      const problem = this.#problem(labels)
      if (problem === undefined) {
        points.push(...this.#pointsOf(series, described))
        refusedHistograms += refused.count
        if (refused.count > 0) reason ||= `${labels['__name__'] ?? ''}: ${refused.why}`
      } else {
        wrong += Math.max(1, samples.length + histograms.length + refused.count)
        reason ||= problem
        this.#refused.add(1)
      }
    }
    const { rejected, message } = await this.#sink.acceptPoints({ points, described, refusedHistograms, ...(read !== undefined && { read }) }, body.length)
    const count = (kind: SeriesPoint['kind']): number => points.filter((point) => point.kind === kind).length
    // What lies out of time is not told apart by kind: of a request that has both, samples are taken to be refused first.
    const sent = count('sample') + (read === undefined ? 0 : read.kept + read.late)
    const left = rejected - refusedHistograms
    const samples = Math.max(0, sent - left)
    return {
      rejected: rejected + wrong,
      message: [message, reason].filter((text) => text !== '').join('; '),
      samples,
      histograms: count('histogram') - Math.max(0, left - sent),
      exemplars: points.reduce((sum, { exemplars }) => sum + exemplars.length, 0),
    }
  }

  #read(body: Uint8Array): ReadWritten {
    return this.#reader.read(body, { typeOf: (name) => this.#families.typeOf(name, undefined), isFine: ({ labels }) => this.#problem(labels) === undefined })
  }

  /** Series that were seen before may be of another type now. */
  #learn({ metadata }: WriteRequest): Described[] {
    if (this.#families.isNews(metadata)) this.#reader.forget()
    return this.#families.learn(metadata)
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
    if (metadata !== undefined && metadata.type !== 'unknown') described.push({ name, otelName: '', type: metadata.type, help: beginning(metadata.help, HELP_MAX), unit: beginning(metadata.unit, UNIT_MAX) })
    const type = this.#families.typeOf(name, metadata)
    const points: SeriesPoint[] = [...samples.map((sample) => writtenSample(labels, { ...sample, type })), ...histograms.map((histogram) => writtenHistogram(labels, histogramPoint(histogram)))]
    // An exemplar belongs to its series, not to one of its points.
    const last = points.at(-1)
    if (last !== undefined && exemplars.length > 0) points[points.length - 1] = { ...last, exemplars: exemplars.map((each) => writtenExemplar(each.labels, each.value, each.ts)) }
    return points
  }
}

function histogramPoint(histogram: NativeHistogram): { ts: Milliseconds; start: Milliseconds; stale: boolean; value: HistogramValue; form: 'cumulative' | 'gauge' } {
  const { ts, start, stale, isGauge, schema, count, sum, zeroThreshold, zeroCount, bounds } = histogram
  // OpenTelemetry's bucket begins where Prometheus' of the same number ends.
  const moved = (buckets: ReadonlyMap<number, number>): ReadonlyMap<number, number> => (schema === CUSTOM_BOUNDS ? buckets : new Map([...buckets].map(([index, each]) => [index - 1, each])))
  return {
    ts,
    start,
    stale,
    value: { schema, count: stale ? 0 : count, sum: stale ? 0 : sum, zeroThreshold, zeroCount, positive: moved(histogram.positive), negative: moved(histogram.negative), bounds },
    form: isGauge ? 'gauge' : 'cumulative',
  }
}
