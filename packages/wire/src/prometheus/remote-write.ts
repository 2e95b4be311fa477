// Prometheus' remote write, both versions: what a Prometheus, or an agent that speaks its protocol, sends of itself.
// @see https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
import type { Labels, MetricType, Milliseconds } from '@andon/model'
import { BYTES, Reader } from '../protobuf.ts'
import { type NativeHistogram, readHistogram } from './native-histogram.ts'
import { readMarkedDouble } from './stale-marker.ts'

export interface WrittenSample {
  readonly value: number
  readonly ts: Milliseconds
  /** Since when a counter counts; 0 when that is not said. */
  readonly start: Milliseconds
  /** That the series has ended: its value means nothing. */
  readonly stale: boolean
}

export interface WrittenExemplar {
  readonly labels: Labels
  readonly value: number
  readonly ts: Milliseconds
}

/** What is said of a metric; of the second version by its series. */
export interface WrittenMetadata {
  readonly type: MetricType
  readonly help: string
  readonly unit: string
}

/** Histograms that were left out because their parts do not fit each other. */
export interface RefusedHistograms {
  readonly count: number
  /** What is wrong with the first; '' where there is none. */
  readonly why: string
}

export interface WrittenSeries {
  /** With `__name__`. */
  readonly labels: Labels
  readonly samples: readonly WrittenSample[]
  readonly histograms: readonly NativeHistogram[]
  readonly refused: RefusedHistograms
  readonly exemplars: readonly WrittenExemplar[]
  readonly metadata: WrittenMetadata | undefined
}

export interface WriteRequest {
  readonly series: readonly WrittenSeries[]
  /** By the name of the family; of the first version, which sends them apart from the series. */
  readonly metadata: ReadonlyMap<string, WrittenMetadata>
}

/** Both versions number the types alike. Of what has no name in Andon the nearest is taken. */
const TYPES: readonly MetricType[] = ['unknown', 'counter', 'gauge', 'histogram', 'histogram', 'summary', 'info', 'gauge']

function typeOf(number: number): MetricType {
  return TYPES[number] ?? 'unknown'
}

/** The histograms of one series: one that is none does not keep the others from being stored. */
class Histograms {
  readonly kept: NativeHistogram[] = []
  #count = 0
  #why = ''

  read(reader: Reader): void {
    const read = readHistogram(reader)
    if (typeof read !== 'string') {
      this.kept.push(read)
      return
    }
    this.#count += 1
    this.#why ||= read
  }

  get refused(): RefusedHistograms {
    return this.#count === 0 ? NONE_REFUSED : { count: this.#count, why: this.#why }
  }
}

const NONE_REFUSED: RefusedHistograms = { count: 0, why: '' }

function readSample(reader: Reader): WrittenSample {
  let held = { value: 0, stale: false }
  let ts = 0
  let start = 0
  reader.message((tag) => {
    if (tag === 9) held = readMarkedDouble(reader)
    else if (tag === 16) ts = Number(reader.int64())
    else if (tag === 24) start = Number(reader.int64())
    else reader.skip(tag)
  })
  // Written out: spread, it takes ten times as long.
  return { value: held.value, stale: held.stale, ts, start }
}

function readLabel(reader: Reader, labels: Record<string, string>): void {
  let name = ''
  let value = ''
  reader.message((tag) => {
    if (tag === 10) name = reader.string()
    else if (tag === 18) value = reader.string()
    else reader.skip(tag)
  })
  if (value !== '') labels[name] = value
}

/** Pairs of references to the table of texts. */
function readReferences(reader: Reader, tag: number, symbols: readonly string[]): Labels {
  const references: number[] = []
  reader.repeated(tag, () => reader.uint32(), references)
  if (references.length % 2 !== 0) reader.fail('a label has no value')
  const labels: Record<string, string> = Object.create(null)
  for (let index = 0; index < references.length; index += 2) {
    const value = symbolAt(reader, symbols, references[index + 1])
    if (value !== '') labels[symbolAt(reader, symbols, references[index])] = value
  }
  return labels
}

function symbolAt(reader: Reader, symbols: readonly string[], index = 0): string {
  return symbols[index] ?? reader.fail(`the text ${index} is not among the ${symbols.length} of the request`)
}

/** @param symbols - the table of texts; undefined in the first version, whose labels are written out */
function readExemplar(reader: Reader, symbols: readonly string[] | undefined): WrittenExemplar {
  let labels: Record<string, string> = Object.create(null)
  let value = 0
  let ts = 0
  reader.message((tag) => {
    if (tag === 17) value = reader.double()
    else if (tag === 24) ts = Number(reader.int64())
    else if (tag >>> 3 !== 1) reader.skip(tag)
    else if (symbols === undefined) readLabel(reader, labels)
    else labels = { ...labels, ...readReferences(reader, tag, symbols) }
  })
  return { labels, value, ts }
}

function readSeries(reader: Reader): WrittenSeries {
  reader.record()
  const labels: Record<string, string> = Object.create(null)
  const samples: WrittenSample[] = []
  const histograms = new Histograms()
  const exemplars: WrittenExemplar[] = []
  reader.message((tag) => {
    if (tag === 10) readLabel(reader, labels)
    else if (tag === 18) samples.push(readSample(reader))
    else if (tag === 26) exemplars.push(readExemplar(reader, undefined))
    else if (tag === 34) histograms.read(reader)
    else reader.skip(tag)
  })
  return { labels, samples, histograms: histograms.kept, refused: histograms.refused, exemplars, metadata: undefined }
}

function readFamily(reader: Reader, into: Map<string, WrittenMetadata>): void {
  let name = ''
  let type: MetricType = 'unknown'
  let help = ''
  let unit = ''
  reader.message((tag) => {
    if (tag === 8) type = typeOf(reader.uint32())
    else if (tag === 18) name = reader.string()
    else if (tag === 34) help = reader.string()
    else if (tag === 42) unit = reader.string()
    else reader.skip(tag)
  })
  into.set(name, { type, help, unit })
}

/**
 * A WriteRequest of the first version, unpacked.
 *
 * @throws AndonError bad_body, naming the byte; too_large
 */
export function decodeWriteRequest(bytes: Uint8Array): WriteRequest {
  const reader = new Reader(bytes, 'remote write')
  const series: WrittenSeries[] = []
  const metadata = new Map<string, WrittenMetadata>()
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) series.push(readSeries(reader))
    else if (tag === 26) readFamily(reader, metadata)
    else reader.skip(tag)
  }
  return { series, metadata }
}

function readMetadata(reader: Reader, symbols: readonly string[]): WrittenMetadata {
  let type: MetricType = 'unknown'
  let help = 0
  let unit = 0
  reader.message((tag) => {
    if (tag === 8) type = typeOf(reader.uint32())
    else if (tag === 24) help = reader.uint32()
    else if (tag === 32) unit = reader.uint32()
    else reader.skip(tag)
  })
  return { type, help: symbolAt(reader, symbols, help), unit: symbolAt(reader, symbols, unit) }
}

function readSeries2(reader: Reader, symbols: readonly string[]): WrittenSeries {
  reader.record()
  let labels: Labels = {}
  const samples: WrittenSample[] = []
  const histograms = new Histograms()
  const exemplars: WrittenExemplar[] = []
  let metadata: WrittenMetadata | undefined
  let created = 0
  reader.message((tag) => {
    if (tag >>> 3 === 1) labels = { ...labels, ...readReferences(reader, tag, symbols) }
    else if (tag === 18) samples.push(readSample(reader))
    else if (tag === 26) histograms.read(reader)
    else if (tag === 34) exemplars.push(readExemplar(reader, symbols))
    else if (tag === 42) metadata = readMetadata(reader, symbols)
    else if (tag === 48) created = Number(reader.int64())
    else reader.skip(tag)
  })
  // Drafts of the second version said it once for the series.
  const dated = created === 0 ? samples : samples.map((sample) => (sample.start === 0 ? { ...sample, start: created } : sample))
  return { labels, samples: dated, histograms: histograms.kept, refused: histograms.refused, exemplars, metadata }
}

/**
 * A Request of the second version, unpacked.
 *
 * @throws AndonError bad_body, naming the byte; too_large
 */
export function decodeWriteRequest2(bytes: Uint8Array): WriteRequest {
  // The table of texts may come after what refers to it.
  const symbols: string[] = []
  const tables = new Reader(bytes, 'remote write')
  for (let tag = tables.tag(); tag !== 0; tag = tables.tag()) {
    if (tag === ((4 << 3) | BYTES)) {
      tables.part()
      symbols.push(tables.string())
    } else tables.skip(tag)
  }
  const reader = new Reader(bytes, 'remote write')
  const series: WrittenSeries[] = []
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 42) series.push(readSeries2(reader, symbols))
    else reader.skip(tag)
  }
  return { series, metadata: new Map() }
}
