import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import fc from 'fast-check'
import { Writer } from '../protobuf.ts'
import { decodeWriteRequest, decodeWriteRequest2 } from './remote-write.ts'

/** A double of these bits, as field 1: NaNs do not survive as numbers. */
function bits(writer: Writer, value: bigint): void {
  writer.fixed64(1, value)
}

const STALE = 0x7f_f0_00_00_00_00_00_02n

test('version 1: labels, samples, exemplars, histograms by differences, metadata; a marker of the end is told from other NaNs', () => {
  const writer = new Writer()
  writer.message(1, () => {
    for (const [name, value] of [['__name__', 'hits_total'], ['job', 'shop'], ['empty', '']] as const) {
      writer.message(1, () => {
        writer.text(1, name)
        writer.text(2, value)
      })
    }
    writer.message(2, () => {
      writer.double(1, 5)
      writer.int64(2, 1000n)
    })
    writer.message(2, () => {
      bits(writer, STALE)
      writer.int64(2, 2000n)
    })
    writer.message(2, () => {
      writer.double(1, Number.NaN)
      writer.int64(2, 3000n)
    })
    writer.message(3, () => {
      writer.message(1, () => {
        writer.text(1, 'trace_id')
        writer.text(2, 'ab')
      })
      writer.double(2, 0.5)
      writer.int64(3, 900n)
    })
    writer.message(4, () => {
      writer.int64(1, 9n)
      writer.double(3, 4.5)
      writer.sint32(4, 2)
      writer.double(5, 0.001)
      writer.int64(6, 1n)
      // Buckets -2, -1 and 3: counts 3, 1, 4.
      for (const [offset, length] of [[-2, 2], [3, 1]] as const) {
        writer.message(11, () => {
          writer.sint32(1, offset)
          writer.uint(2, length)
        })
      }
      for (const delta of [3, -2, 3]) writer.int64(12, BigInt(delta < 0 ? -delta * 2 - 1 : delta * 2))
      writer.uint(14, 3)
      writer.int64(15, 4000n)
    })
  })
  writer.message(3, () => {
    writer.uint(1, 1)
    writer.text(2, 'hits')
    writer.text(4, 'Hits.')
    writer.text(5, '1')
  })
  const { series, metadata } = decodeWriteRequest(writer.bytes())
  assert.equal(series.length, 1)
  const [{ labels, samples, exemplars, histograms }] = series as [(typeof series)[0]]
  assert.deepEqual({ ...labels }, { __name__: 'hits_total', job: 'shop' })
  assert.deepEqual(samples, [
    { value: 5, stale: false, ts: 1000, start: 0 },
    { value: Number.NaN, stale: true, ts: 2000, start: 0 },
    { value: Number.NaN, stale: false, ts: 3000, start: 0 },
  ])
  assert.deepEqual(exemplars.map((each) => ({ ...each, labels: { ...each.labels } })), [{ labels: { trace_id: 'ab' }, value: 0.5, ts: 900 }])
  assert.deepEqual(histograms, [
    { ts: 4000, start: 0, stale: false, isGauge: true, schema: 2, count: 9, sum: 4.5, zeroThreshold: 0.001, zeroCount: 1, positive: new Map([[-2, 3], [-1, 1], [3, 4]]), negative: new Map(), bounds: [] },
  ])
  assert.deepEqual(metadata, new Map([['hits', { type: 'counter', help: 'Hits.', unit: '1' }]]))
})

/** A request of version 2 with one series; its table of texts stands before or after it. */
function request2(symbols: readonly string[], write: (writer: Writer) => void, isLast = false): Uint8Array {
  const writer = new Writer()
  const table = (): void => symbols.forEach((text) => writer.text(4, text))
  if (!isLast) table()
  writer.message(5, () => write(writer))
  if (isLast) table()
  return writer.bytes()
}

/** Series 1 of the texts, with a sample, an exemplar and what is known of it. */
function writeSeries(writer: Writer): void {
  writer.packedUint(1, [1, 2, 3, 4])
  writer.message(2, () => {
    writer.double(1, 5)
    writer.int64(2, 1000n)
    writer.int64(3, 500n)
  })
  writer.message(4, () => {
    writer.packedUint(1, [3, 4])
    writer.double(2, 0.5)
    writer.int64(3, 900n)
  })
  writer.message(5, () => {
    writer.uint(1, 1)
    writer.uint(3, 5)
  })
}

test('version 2: texts by reference, wherever their table stands; metadata and start of a series', () => {
  const symbols = ['', '__name__', 'hits_total', 'job', 'shop', 'Hits.']
  for (const isLast of [false, true]) {
    const [series] = decodeWriteRequest2(request2(symbols, writeSeries, isLast)).series
    assert.ok(series !== undefined)
    assert.deepEqual({ ...series.labels }, { __name__: 'hits_total', job: 'shop' })
    assert.deepEqual(series.samples, [{ value: 5, stale: false, ts: 1000, start: 500 }])
    assert.deepEqual(series.exemplars.map(({ value, ts, labels }) => [value, ts, { ...labels }]), [[0.5, 900, { job: 'shop' }]])
    assert.deepEqual(series.metadata, { type: 'counter', help: 'Hits.', unit: '' })
  }
})

function refused(decode: () => unknown): void {
  assert.throws(decode, (error) => error instanceof AndonError && error.code === 'bad_body' && /at byte \d+/.test(error.message))
}

interface Told {
  readonly buckets: number
  /** As zigzag has them. */
  readonly deltas: readonly bigint[]
  readonly schema?: number
}

/** A histogram of one span of buckets, by the field of either version. */
function writeHistogram(writer: Writer, field: number, { buckets, deltas, schema = 0 }: Told): void {
  writer.message(field, () => {
    writer.sint32(4, schema)
    writer.message(11, () => writer.uint(2, buckets))
    for (const delta of deltas) writer.int64(12, delta)
  })
}

test('a histogram that cannot be meant is left out, and all else is read, in both versions', () => {
  const good: Told = { buckets: 2, deltas: [6n, 0n] }
  const wrong: readonly (readonly [Told, string])[] = [
    [{ buckets: 2, deltas: [2n] }, 'a histogram whose spans have 2 buckets counts 1'],
    [{ buckets: 4_000_000_000, deltas: [] }, 'a histogram of 4000000000 buckets is more than 10000'],
    [{ buckets: 1, deltas: [1n] }, 'a bucket of a histogram counts -1'],
    [{ buckets: 1, deltas: [2n], schema: 9 }, "a histogram's schema 9 is not known"],
    [{ buckets: 1, deltas: [2n], schema: -5 }, "a histogram's schema -5 is not known"],
  ]
  for (const [told, why] of wrong) {
    const first = new Writer()
    first.message(1, () => [told, good, told].forEach((each) => writeHistogram(first, 4, each)))
    first.message(1, () => writeHistogram(first, 4, good))
    const second = request2([''], (writer) => [told, good, told].forEach((each) => writeHistogram(writer, 3, each)))
    const [one, other] = decodeWriteRequest(first.bytes()).series
    for (const series of [one, ...decodeWriteRequest2(second).series]) {
      assert.deepEqual(series?.histograms.map(({ positive }) => [...positive]), [[[0, 3], [1, 3]]])
      assert.deepEqual(series.refused, { count: 2, why })
    }
    assert.deepEqual([other?.histograms.length, other?.refused], [1, { count: 0, why: '' }])
  }
})

test('what cannot be meant is refused with the byte', () => {
  refused(() => decodeWriteRequest(Uint8Array.of(10, 4, 34, 2, 18, 1)))
  refused(() => decodeWriteRequest2(request2([''], (writer) => writer.packedUint(1, [0, 7]))))
  refused(() => decodeWriteRequest2(request2([''], (writer) => writer.packedUint(1, [0]))))
})

test('any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const decode of [decodeWriteRequest, decodeWriteRequest2]) {
        try {
          decode(bytes)
        } catch (error) {
          assert.ok(error instanceof AndonError, String(error))
        }
      }
    }),
    { numRuns: 2000 },
  )
})
