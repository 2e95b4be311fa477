// OTLP's gauges and sums read from their bytes: a series that was seen before is found by the bytes of its attributes, and no
// object is made of its point. What is rarer (histograms, exemplars, series seen for the first time) is decoded as usual.
import { AndonError, type MetricRecord, type Milliseconds, type Resource, type Scope } from '@andon/model'
import { Cursor, decodeAttributes, decodeMetric, decodeResource, noParts, type PartCounts } from '@andon/wire'
import type { Described, SamplePoint, SeriesPoint } from './points.ts'
import { startOf } from './points.ts'
import type { Refusals } from './refusals.ts'
import { flagsOf, SampleColumns } from './sample-columns.ts'
import type { Placed, RememberedSeries } from './series.ts'
import { targetInfo } from './target-info.ts'

/** What is asked of the ingester by a reader of samples. */
export interface SeriesPlacer {
  /** Of the request that is about to be read. */
  begin(): PlacerNow
}

export interface PlacerNow {
  /** The series of a point that was not seen before; undefined where it cannot be kept, which has been counted. */
  readonly place: (point: SeriesPoint) => Placed
  /** The same where it is a series of its own that can be kept; where not, nothing is counted. */
  readonly find: (point: SeriesPoint) => RememberedSeries | undefined
  readonly now: Milliseconds
  readonly isInTime: (ts: Milliseconds) => boolean
  /** Whether a series may be used without being placed again. */
  readonly isCurrent: (series: RememberedSeries) => boolean
  /** Whether the metadata of a metric are to be written again. */
  readonly isDue: (name: string) => boolean
  /** How a metric is called and described; undefined where its points cannot be kept. */
  readonly describe: (metric: MetricRecord) => Described | undefined
  /** A resource within the limits. */
  readonly bounded: (resource: Resource) => Resource
  readonly refusals: Refusals
  /** Points that were dropped because their series were too many. */
  readonly dropped: () => number
}

/** What a request brings. */
export interface ReadSamples {
  readonly columns: SampleColumns
  /** What is to be read as usual. */
  readonly metrics: readonly MetricRecord[]
  readonly described: readonly Described[]
  /** The latest samples among the columns of resources that have other points, too; of all others the attributes stand among the columns. */
  readonly latest: ReadonlyMap<Resource, Milliseconds>
  /** Samples among the columns that were sent. */
  readonly kept: number
  readonly placer: PlacerNow
}

interface KnownMetric {
  readonly described: Described
  readonly isDelta: boolean
  readonly isCounter: boolean
  /** By the bytes of their attributes. */
  readonly series: Map<string, RememberedSeries>
}

interface KnownResource {
  readonly resource: Resource
  /** By the bytes of all that is not points. */
  readonly metrics: Map<string, KnownMetric>
  /** Of its other attributes; null where it has none. */
  info: RememberedSeries | null | undefined
}

const GAUGE = 42
const SUM = 58
const SUMMARY = 90
const ATTRIBUTES = 58
const EXEMPLARS = 42
const SCOPE: Scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
/** Resources, metrics and series that are remembered in all; past it all are found anew. */
const REMEMBERED = 400_000
/** Bytes of what they are found by. */
const REMEMBERED_BYTES = 128 * 1024 * 1024
/** Points of one request, and fields that are looked at, as of any other way in. */
const POINTS_MAX = 250_000
const PARTS_MAX = 1_000_000

/** A field of a message: where its tag begins, where its content, and where it ends. */
interface Part {
  readonly tag: number
  readonly at: number
  readonly from: number
  readonly to: number
}

/** The request that is being read. */
interface Request {
  readonly placer: PlacerNow
  readonly bytes: Buffer
  readonly columns: SampleColumns
  readonly metrics: MetricRecord[]
  readonly described: Described[]
  readonly latest: Map<Resource, Milliseconds>
  kept: number
  late: number
  points: number
  /** Of what is decoded as usual. */
  readonly counts: PartCounts
}

/** Not to be shared by two books of series. */
export class SampleReader {
  readonly #placer: SeriesPlacer
  readonly #cursor = new Cursor(new Uint8Array(), 'metrics')
  readonly #resources = new Map<string, KnownResource>()
  #remembered = 0
  #rememberedBytes = 0
  /** Of the request that is being read. */
  #fields = 0
  /** The last time that was read, and what it is in milliseconds: most points of a request have the same. */
  #high = 0
  #low = 0
  #ms: Milliseconds = 0

  constructor(placer: SeriesPlacer) {
    this.#placer = placer
  }

  /**
   * Reads an ExportMetricsServiceRequest.
   *
   * @throws AndonError bad_body where the bytes are not such a request, too_large
   */
  read(body: Uint8Array): ReadSamples {
    if (this.#remembered > REMEMBERED || this.#rememberedBytes > REMEMBERED_BYTES) this.#forget()
    this.#fields = 0
    const request: Request = { placer: this.#placer.begin(), bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength), columns: new SampleColumns(), metrics: [], described: [], latest: new Map(), kept: 0, late: 0, points: 0, counts: noParts() }
    for (const part of this.#parts(request.bytes, 0, body.length)) if (part.tag === 10) this.#resourceMetrics(request, part)
    request.placer.refusals.add('time', request.late)
    return request
  }

  #count(request: Request, points: number): void {
    request.points += points
    if (request.points > POINTS_MAX) throw new AndonError('too_large', `metrics: the request has more than ${POINTS_MAX} points`)
  }

  #forget(): void {
    this.#resources.clear()
    this.#remembered = 0
    this.#rememberedBytes = 0
  }

  /** @param key - by which something will be found again */
  #remember(key: string): void {
    this.#remembered += 1
    this.#rememberedBytes += key.length
  }

  /** The fields of a message that are messages or texts; others are passed over. */
  #parts(bytes: Buffer, from: number, to: number): Part[] {
    const scan = this.#cursor.over(bytes, from, to)
    const parts: Part[] = []
    for (let at = from, tag = scan.tag(); tag !== 0; at = scan.at, tag = scan.tag()) {
      if ((tag & 7) !== 2) {
        scan.skip(tag)
        continue
      }
      this.#fields += 1
      if (this.#fields > PARTS_MAX) throw new AndonError('too_large', `metrics: the request has more than ${PARTS_MAX} parts (records, attributes, values)`)
      const end = scan.limit()
      parts.push({ tag, at, from: scan.at, to: end })
      scan.at = end
    }
    return parts
  }

  #resourceMetrics(request: Request, { from, to }: Part): void {
    const parts = this.#parts(request.bytes, from, to)
    const known = this.#resource(request, parts.findLast(({ tag }) => tag === 10), parts.findLast(({ tag }) => tag === 26))
    const before = request.metrics.length
    let latest = 0
    for (const scope of parts) {
      if (scope.tag !== 18) continue
      for (const metric of this.#parts(request.bytes, scope.from, scope.to)) if (metric.tag === 18) latest = Math.max(latest, this.#metric(request, known, metric))
    }
    if (latest === 0) return
    if (request.metrics.length === before) this.#info(request, known, latest)
    else request.latest.set(known.resource, Math.max(latest, request.latest.get(known.resource) ?? 0))
  }

  #resource({ bytes, placer }: Request, resource: Part | undefined, schema: Part | undefined): KnownResource {
    const text = (part: Part | undefined): string => (part === undefined ? '' : bytes.toString('latin1', part.from, part.to))
    const key = `${text(schema)}\n${text(resource)}`
    let known = this.#resources.get(key)
    if (known === undefined) {
      const schemaUrl = schema === undefined ? '' : bytes.toString('utf8', schema.from, schema.to)
      const decoded = decodeResource(resource === undefined ? new Uint8Array() : bytes.subarray(resource.from, resource.to), schemaUrl)
      known = { resource: placer.bounded(decoded), metrics: new Map(), info: undefined }
      this.#resources.set(key, known)
      this.#remember(key)
    }
    return known
  }

  /** @returns the time of its latest sample among the columns; 0 where there is none */
  #metric(request: Request, resource: KnownResource, metric: Part): Milliseconds {
    const { bytes, columns, kept, late, points } = request
    const { length } = columns
    const data = this.#parts(bytes, metric.from, metric.to).filter(({ tag }) => tag >= GAUGE && tag <= SUMMARY)
    const [only] = data
    const known = only === undefined || data.length > 1 || (only.tag !== GAUGE && only.tag !== SUM) ? undefined : this.#known(request, resource, metric, only)
    const latest = known === undefined || only === undefined ? undefined : this.#points(request, resource, known, only)
    if (known === undefined || latest === undefined) {
      columns.cut(length)
      Object.assign(request, { kept, late, points })
      this.#decoded(request, resource, bytes.subarray(metric.from, metric.to))
      return 0
    }
    // A name that nothing was measured under is not kept.
    if (request.points > points && request.placer.isDue(known.described.name)) request.described.push(known.described)
    return latest
  }

  #decoded(request: Request, { resource }: KnownResource, bytes: Uint8Array): void {
    const metric = decodeMetric(bytes, { resource, scope: SCOPE }, () => request.placer.refusals.add('histogram'), request.counts)
    if (metric === undefined) return
    const { data } = metric
    this.#count(request, data.points.length)
    request.metrics.push(metric)
  }

  /** The metric of these bytes; undefined where it has points with more than a number. */
  #known({ bytes, placer }: Request, resource: KnownResource, metric: Part, data: Part): KnownMetric | undefined {
    const kind = data.tag === SUM ? this.#sumKind(bytes, data) : 0
    const key = `${data.tag}${kind}${bytes.toString('latin1', metric.from, data.at)}${bytes.toString('latin1', data.to, metric.to)}`
    let known = resource.metrics.get(key)
    if (known === undefined) {
      const head = headOf(decodeMetric(bytes.subarray(metric.from, metric.to), { resource: resource.resource, scope: SCOPE }))
      const described = head === undefined ? undefined : placer.describe(head)
      if (described === undefined) return undefined
      known = { described, isDelta: (kind & 1) !== 0, isCounter: (kind & 2) !== 0, series: new Map() }
      resource.metrics.set(key, known)
      this.#remember(key)
    }
    return known
  }

  /** Bit 0: deltas; bit 1: monotonic. */
  #sumKind(bytes: Buffer, { from, to }: Part): number {
    const scan = this.#cursor.over(bytes, from, to)
    let kind = 0
    for (let tag = scan.tag(); tag !== 0; tag = scan.tag()) {
      if (tag === 16) kind = (kind & 2) | (scan.uint32() === 1 ? 1 : 0)
      else if (tag === 24) {
        scan.varint64()
        kind = (kind & 1) | (scan.high !== 0 || scan.low !== 0 ? 2 : 0)
      } else scan.skip(tag)
    }
    return kind
  }

  /** @returns undefined where a point is more than a number */
  #points(request: Request, resource: KnownResource, metric: KnownMetric, data: Part): Milliseconds | undefined {
    const scan = this.#cursor.over(request.bytes, data.from, data.to)
    let latest = 0
    for (let tag = scan.tag(); tag !== 0; tag = scan.tag()) {
      if (tag !== 10) {
        scan.skip(tag)
        continue
      }
      const end = scan.limit()
      scan.end = end
      const ts = this.#point(request, resource, metric, scan)
      if (ts === undefined) return undefined
      latest = Math.max(latest, ts)
      scan.over(request.bytes, end, data.to)
    }
    return latest
  }

  /** message NumberDataPoint { start 2; time 3; oneof { double 4; sfixed64 6 }; exemplars 5; attributes 7; flags 8 } */
  #point(request: Request, resource: KnownResource, metric: KnownMetric, scan: Cursor): Milliseconds | undefined {
    const from = scan.at
    let start = 0
    let ts = 0
    let value = 0
    let isStale = false
    let attributesAt = 0
    let attributesEnd = 0
    let isPlain = true
    for (let at = from, tag = scan.tag(); tag !== 0; at = scan.at, tag = scan.tag()) {
      switch (tag) {
        case 17:
          start = this.#milliseconds(scan)
          break
        case 25:
          ts = this.#milliseconds(scan)
          break
        case 33:
          value = scan.double()
          break
        case 49:
          scan.fixed64()
          value = (scan.high | 0) * 2 ** 32 + scan.low
          break
        case ATTRIBUTES:
          if (attributesEnd === 0) attributesAt = at
          isPlain &&= attributesEnd === 0 || attributesEnd === at
          attributesEnd = scan.limit()
          scan.at = attributesEnd
          break
        case 64:
          isStale = (scan.uint32() & 1) !== 0
          break
        default:
          isPlain &&= tag !== EXEMPLARS
          scan.skip(tag)
      }
    }
    if (!isPlain) return undefined
    this.#count(request, 1)
    if (!request.placer.isInTime(ts)) {
      request.late += 1
      return 0
    }
    const series = this.#series(request, resource, metric, { from: attributesAt, to: attributesEnd, ts })
    if (series === undefined) return 0
    request.kept += 1
    request.columns.add(series, ts, startOf(start, ts), value, flagsOf(metric.isCounter, metric.isDelta, isStale))
    return ts
  }

  /** The series of a point with these attributes; where it was not seen before it is found by what they say, and remembered where it is its own. */
  #series(request: Request, { resource }: KnownResource, metric: KnownMetric, { from, to, ts }: Pick<Part, 'from' | 'to'> & { readonly ts: Milliseconds }): RememberedSeries | undefined {
    const key = request.bytes.toString('latin1', from, to)
    const known = metric.series.get(key)
    if (known !== undefined && request.placer.isCurrent(known)) return known
    const { described, isDelta } = metric
    const attributes = decodeAttributes(request.bytes.subarray(from, to), ATTRIBUTES)
    const point: SamplePoint = { kind: 'sample', resource, name: described.name, attributes, extra: {}, type: described.type, ts, start: 0, stale: false, exemplars: [], value: 0, delta: isDelta }
    const placed = request.placer.place(point)
    if (placed !== undefined && !placed.overflow) {
      metric.series.set(key, placed.series)
      this.#remember(key)
    }
    return placed?.series
  }

  /** A time of 8 bytes, rounded down. */
  #milliseconds(scan: Cursor): Milliseconds {
    scan.fixed64()
    const { high, low } = scan
    if (high === this.#high && low === this.#low) return this.#ms
    this.#high = high
    this.#low = low
    this.#ms = millisecondsOf(high, low)
    return this.#ms
  }

  #info(request: Request, known: KnownResource, ts: Milliseconds): void {
    if (known.info === undefined || (known.info !== null && !request.placer.isCurrent(known.info))) {
      const point = targetInfo(known.resource, ts)
      known.info = point === undefined ? null : request.placer.place(point)?.series
    }
    if (known.info !== null && known.info !== undefined) request.columns.add(known.info, ts, 0, 1, 0)
  }
}

const MILLION = 1_000_000

/** Nanoseconds in halves as milliseconds, rounded down. */
export function millisecondsOf(high: number, low: number): Milliseconds {
  const ms = Math.floor((high * 2 ** 32 + low) / MILLION)
  // A double of nanoseconds is up to half a microsecond off: the rest tells, exact modulo 2^32.
  const rest = (low - Math.imul(ms, MILLION)) >>> 0
  if (rest < MILLION) return ms
  return rest > 0x8000_0000 ? ms - 1 : ms + 1
}

/** A metric without its points. */
function headOf(metric: MetricRecord | undefined): MetricRecord | undefined {
  return metric === undefined || (metric.data.type !== 'gauge' && metric.data.type !== 'sum') ? undefined : { ...metric, data: { ...metric.data, points: [] } }
}
