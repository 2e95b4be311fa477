// Remote write's samples read from their bytes: a series that was seen before is found by the bytes of its labels. What is rarer
// (histograms, exemplars, metadata, series seen for the first time) is decoded as usual.
import { AndonError, type MetricType } from '@andon/model'
import { Cursor, decodeWriteRequest, type WrittenSeries } from '@andon/wire'
import type { ReadColumns } from './metrics.ts'
import { startOf } from './points.ts'
import { flagsOf, SampleColumns } from './sample-columns.ts'
import type { PlacerNow, SeriesPlacer } from './sample-reader.ts'
import type { RememberedSeries } from './series.ts'
import { writtenSample } from './written-points.ts'

interface KnownSeries {
  readonly series: RememberedSeries
  readonly isCounter: boolean
}

/** What is known of a request besides its bytes. */
export interface WrittenContext {
  /** The type of a series of this name. */
  readonly typeOf: (name: string) => MetricType
  /** Whether the labels of a series can be stored. */
  readonly isFine: (series: WrittenSeries) => boolean
}

export interface ReadWritten extends ReadColumns {
  /** A WriteRequest of what was left out. */
  readonly rest: Uint8Array
  /** Samples that were left out because of their time. */
  readonly late: number
}

const SERIES = 10
const METADATA = 26
/** Of one request, as of any other way in. */
const SERIES_MAX = 250_000
const LABEL = 10
const SAMPLE = 18
/** Series that are remembered, and bytes of their labels; past it all are found anew. */
const REMEMBERED = 400_000
const REMEMBERED_BYTES = 128 * 1024 * 1024

interface Request {
  readonly bytes: Buffer
  readonly placer: PlacerNow
  readonly context: WrittenContext
  readonly columns: SampleColumns
  kept: number
  late: number
  series: number
}

/** Not to be shared by two books of series. */
export class WrittenReader {
  readonly #placer: SeriesPlacer
  readonly #outer = new Cursor(new Uint8Array(), 'remote write')
  readonly #inner = new Cursor(new Uint8Array(), 'remote write')
  readonly #known = new Map<string, KnownSeries>()
  #knownBytes = 0

  constructor(placer: SeriesPlacer) {
    this.#placer = placer
  }

  /** To be called when the type of a series may have become known. */
  forget(): void {
    this.#known.clear()
    this.#knownBytes = 0
  }

  /**
   * Reads a WriteRequest of the first version, unpacked.
   *
   * @throws AndonError bad_body, naming the byte; too_large
   */
  read(body: Uint8Array, context: WrittenContext): ReadWritten {
    if (this.#known.size > REMEMBERED || this.#knownBytes > REMEMBERED_BYTES) this.forget()
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const request: Request = { bytes, placer: this.#placer.begin(), context, columns: new SampleColumns(), kept: 0, late: 0, series: 0 }
    // Metadata of the same request tell the types of its series, which must be known first.
    if (this.#hasMetadata(bytes)) return { columns: request.columns, kept: 0, late: 0, placer: request.placer, latest: new Map(), rest: bytes }
    const rest: Uint8Array[] = []
    // Of fields that lie side by side one part: each may have two bytes.
    let restFrom = -1
    const scan = this.#outer.over(bytes, 0, bytes.length)
    for (let at = 0, tag = scan.tag(); tag !== 0; at = scan.at, tag = scan.tag()) {
      if (tag !== SERIES) scan.skip(tag)
      else {
        const end = scan.limit()
        const isRead = this.#series(request, scan.at, end, at)
        scan.at = end
        if (isRead) {
          if (restFrom >= 0) rest.push(bytes.subarray(restFrom, at))
          restFrom = -1
          continue
        }
      }
      if (restFrom < 0) restFrom = at
    }
    if (restFrom >= 0) rest.push(bytes.subarray(restFrom))
    const { columns, kept, late } = request
    request.placer.refusals.add('time', late)
    return { columns, kept, late, placer: request.placer, latest: new Map(), rest: Buffer.concat(rest) }
  }

  #hasMetadata(bytes: Uint8Array): boolean {
    const scan = this.#outer.over(bytes, 0, bytes.length)
    for (let tag = scan.tag(); tag !== 0; tag = scan.tag()) {
      if (tag === METADATA) return true
      scan.skip(tag)
    }
    return false
  }

  /** @param tagAt - where its field begins @returns whether all of it was read */
  #series(request: Request, from: number, to: number, tagAt: number): boolean {
    const scan = this.#inner.over(request.bytes, from, to)
    let labelsEnd = from
    for (let at = from, tag = scan.tag(); tag !== 0; at = scan.at, tag = scan.tag()) {
      if (tag !== LABEL && tag !== SAMPLE) return false
      if (tag === LABEL && at !== labelsEnd) return false
      scan.at = scan.limit()
      if (tag === LABEL) labelsEnd = scan.at
    }
    request.series += 1
    if (request.series > SERIES_MAX) throw new AndonError('too_large', `remote write: the request has more than ${SERIES_MAX} series`)
    const known = this.#find(request, from, labelsEnd, request.bytes.subarray(tagAt, to))
    if (known === undefined) return false
    this.#samples(request, known, scan.over(request.bytes, labelsEnd, to))
    return true
  }

  /** @param field - the series as a request of its own */
  #find({ bytes, placer, context }: Request, from: number, to: number, field: Uint8Array): KnownSeries | undefined {
    const key = bytes.toString('latin1', from, to)
    const known = this.#known.get(key)
    if (known !== undefined && placer.isCurrent(known.series)) return known
    const [series] = decodeWriteRequest(field).series
    if (series === undefined || !context.isFine(series)) return undefined
    const { __name__: name = '' } = series.labels
    const type = context.typeOf(name)
    const placed = placer.find(writtenSample(series.labels, { type, ts: placer.now, value: 0 }))
    if (placed === undefined) return undefined
    const found = { series: placed, isCounter: type === 'counter' }
    this.#known.set(key, found)
    this.#knownBytes += key.length
    return found
  }

  /** message Sample { double value = 1; int64 timestamp = 2; int64 start = 3 } */
  #samples(request: Request, { series, isCounter }: KnownSeries, scan: Cursor): void {
    const { bytes, columns, placer } = request
    const last = scan.end
    for (let tag = scan.tag(); tag !== 0; tag = scan.tag()) {
      const end = scan.limit()
      scan.end = end
      let [value, isStale, ts, start] = [0, false, 0, 0]
      for (let field = scan.tag(); field !== 0; field = scan.tag()) {
        if (field === 9) {
          isStale = isStaleAt(bytes, scan.at)
          value = scan.double()
        } else if (field === 16) ts = signed(scan)
        else if (field === 24) start = signed(scan)
        else scan.skip(field)
      }
      scan.over(bytes, end, last)
      if (!placer.isInTime(ts)) {
        request.late += 1
        continue
      }
      request.kept += 1
      columns.add(series, ts, startOf(start, ts), isStale ? Number.NaN : value, flagsOf(isCounter, false, isStale))
    }
  }
}

/** A varint as a signed number. */
function signed(scan: Cursor): number {
  scan.varint64()
  return (scan.high | 0) * 2 ** 32 + scan.low
}

/** Prometheus' marker of the end of a series, 0x7ff0000000000002, which a NaN as a number does not tell. */
function isStaleAt(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 2 && bytes[at + 6] === 0xf0 && bytes[at + 7] === 0x7f && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0 && bytes[at + 4] === 0 && bytes[at + 5] === 0
}
