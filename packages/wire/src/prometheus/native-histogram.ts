// Native histograms as Prometheus writes them: spans of buckets, their counts as differences.
import type { Milliseconds } from '@andon/model'
import type { Reader } from '../protobuf.ts'
import { readMarkedDouble } from './stale-marker.ts'

export interface NativeHistogram {
  readonly ts: Milliseconds
  /** Since when it counts; 0 when that is not said. */
  readonly start: Milliseconds
  readonly stale: boolean
  /** That its counts may fall. */
  readonly isGauge: boolean
  /** -4..8, or -53: `bounds` are the upper limits of buckets 0, 1, … */
  readonly schema: number
  readonly count: number
  readonly sum: number
  readonly zeroThreshold: number
  readonly zeroCount: number
  /** Counts by index as Prometheus numbers them: bucket i ends at base^i, which is OpenTelemetry's i - 1. */
  readonly positive: ReadonlyMap<number, number>
  readonly negative: ReadonlyMap<number, number>
  readonly bounds: readonly number[]
}

interface BucketSpan {
  offset: number
  length: number
}

/** Buckets of one side; more is no histogram that anyone records. */
const MAX_BUCKETS = 10_000
const CUSTOM = -53
const GAUGE = 3

function readSpan(reader: Reader): BucketSpan {
  const span = { offset: 0, length: 0 }
  reader.message((tag) => {
    if (tag === 8) span.offset = reader.sint32()
    else if (tag === 16) span.length = reader.uint32()
    else reader.skip(tag)
  })
  return span
}

/** A zigzag varint, as far as a double holds it. */
function sint64(reader: Reader): number {
  const value = BigInt.asUintN(64, reader.int64())
  return Number((value >> 1n) ^ -(value & 1n))
}

/** One side of a histogram. */
class Side {
  readonly spans: BucketSpan[] = []
  readonly deltas: number[] = []
  readonly counts: number[] = []

  /** Counts by index, or why they are none. */
  buckets(): Map<number, number> | string {
    const total = this.spans.reduce((sum, { length }) => sum + length, 0)
    if (total > MAX_BUCKETS) return `a histogram of ${total} buckets is more than ${MAX_BUCKETS}`
    const given = Math.max(this.deltas.length, this.counts.length)
    if (given !== total) return `a histogram whose spans have ${total} buckets counts ${given}`
    const buckets = new Map<number, number>()
    let index = 0
    let position = 0
    let count = 0
    for (const { offset, length } of this.spans) {
      index += offset
      for (let rest = length; rest > 0; rest -= 1) {
        count = this.counts.length > 0 ? (this.counts[position] ?? 0) : count + (this.deltas[position] ?? 0)
        if (!(count >= 0 && count < Infinity)) return `a bucket of a histogram counts ${count}`
        if (count !== 0) buckets.set(index, count)
        index += 1
        position += 1
      }
    }
    return buckets
  }
}

/**
 * Reads a Histogram of either version.
 *
 * @returns why it is none where its parts do not fit each other: it can be left out
 * @throws AndonError bad_body where the bytes are no such message
 */
export function readHistogram(reader: Reader): NativeHistogram | string {
  const scalars = { ts: 0, start: 0, isGauge: false, schema: 0, count: 0, zeroThreshold: 0, zeroCount: 0 }
  let sum = { value: 0, stale: false }
  const [positive, negative] = [new Side(), new Side()]
  const bounds: number[] = []
  const side = (own: Side, field: number, tag: number): void => {
    if (field === 0) own.spans.push(readSpan(reader))
    else if (field === 1) reader.repeated(tag, () => sint64(reader), own.deltas)
    else reader.repeated(tag, () => reader.double(), own.counts)
  }
  const fields: Readonly<Record<number, (tag: number) => void>> = {
    1: () => (scalars.count = Number(BigInt.asUintN(64, reader.int64()))),
    2: () => (scalars.count = reader.double()),
    3: () => (sum = readMarkedDouble(reader)),
    4: () => (scalars.schema = reader.sint32()),
    5: () => (scalars.zeroThreshold = reader.double()),
    6: () => (scalars.zeroCount = Number(BigInt.asUintN(64, reader.int64()))),
    7: () => (scalars.zeroCount = reader.double()),
    8: (tag) => side(negative, 0, tag),
    9: (tag) => side(negative, 1, tag),
    10: (tag) => side(negative, 2, tag),
    11: (tag) => side(positive, 0, tag),
    12: (tag) => side(positive, 1, tag),
    13: (tag) => side(positive, 2, tag),
    14: () => (scalars.isGauge = reader.uint32() === GAUGE),
    15: () => (scalars.ts = Number(reader.int64())),
    16: (tag) => reader.repeated(tag, () => reader.double(), bounds),
    17: () => (scalars.start = Number(reader.int64())),
  }
  reader.message((tag) => {
    const read = fields[tag >>> 3]
    if (read === undefined) reader.skip(tag)
    else read(tag)
  })
  const { schema } = scalars
  if (schema !== CUSTOM && (schema < -4 || schema > 8)) return `a histogram's schema ${schema} is not known`
  const [above, below] = [positive.buckets(), negative.buckets()]
  if (typeof above === 'string') return above
  return typeof below === 'string' ? below : { ...scalars, sum: sum.value, stale: sum.stale, positive: above, negative: below, bounds }
}
