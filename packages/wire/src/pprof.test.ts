import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError, type ProfileFrame, type ProfileRecord, type ProfileSample } from '@andon/model'
import fc, { type Arbitrary } from 'fast-check'
import { plain } from './arbitraries.test.ts'
import { decodePprof, encodePprof } from './pprof.ts'
import { Writer } from './protobuf.ts'

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constantFrom('__proto__', '(anonymous)', '/srv/app/a.ts'))
const frame: Arbitrary<ProfileFrame> = fc.record({ name: text, file: text, line: fc.integer({ min: 0, max: 2 ** 31 }) })
const time = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n })
const valueType = fc.record({ type: text, unit: text })
const sampleOf = (types: number): Arbitrary<ProfileSample> =>
  fc.record({
    stack: fc.array(frame, { maxLength: 6 }),
    values: fc.array(fc.maxSafeInteger(), { minLength: types, maxLength: types }),
    time,
    labels: fc.dictionary(text.filter((key) => key !== 'end_timestamp_ns'), text, { maxKeys: 3 }),
  })
const profile: Arbitrary<ProfileRecord> = fc.array(valueType, { minLength: 1, maxLength: 3 }).chain((valueTypes) =>
  fc.record({ valueTypes: fc.constant(valueTypes), start: time, duration: time, period: fc.maxSafeNat(), periodType: valueType, samples: fc.array(sampleOf(valueTypes.length), { maxLength: 5 }) }),
)

test('a profile that is decoded equals what was encoded', () => {
  fc.assert(fc.property(profile, (record) => assert.deepEqual(plain(decodePprof(encodePprof(record))), plain(record))), { numRuns: 500 })
})

function onlyBadBody(bytes: Uint8Array): void {
  try {
    decodePprof(bytes)
  } catch (error) {
    assert.ok(error instanceof AndonError && error.code === 'bad_body', String(error))
  }
}

test('any bytes, and any profile with one byte changed or cut off, are decoded or refused with a code', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), onlyBadBody), { numRuns: 1000 })
  fc.assert(
    fc.property(profile, fc.nat(), fc.nat({ max: 255 }), (record, at, byte) => {
      const bytes = encodePprof(record).slice()
      onlyBadBody(bytes.subarray(0, at % (bytes.length + 1)))
      bytes[at % bytes.length] = byte
      onlyBadBody(bytes)
    }),
    { numRuns: 500 },
  )
})

/** A profile as another maker writes it: unpacked ids, an inlined call, a location without a name, a numeric label with a unit. */
function foreign(locations: readonly number[]): Uint8Array {
  const writer = new Writer()
  for (const each of ['', 'samples', 'count', 'inner', 'outer', 'main.go', 'bytes', 'thread', 'main']) writer.text(6, each)
  writer.message(1, () => (writer.uint(1, 1), writer.uint(2, 2)))
  writer.message(2, () => {
    for (const id of locations) writer.uint(1, id)
    writer.uint(2, 7)
    writer.message(3, () => (writer.uint(1, 6), writer.int64(3, 64n), writer.uint(4, 6)))
    writer.message(3, () => (writer.uint(1, 7), writer.uint(2, 8)))
  })
  writer.message(4, () => {
    writer.uint(1, 1)
    writer.message(4, () => (writer.uint(1, 1), writer.uint(2, 10)))
    writer.message(4, () => (writer.uint(1, 2), writer.uint(2, 20)))
  })
  writer.message(4, () => (writer.uint(1, 2), writer.uint(3, 0xbeef)))
  writer.message(5, () => (writer.uint(1, 1), writer.uint(2, 3), writer.uint(4, 5)))
  writer.message(5, () => (writer.uint(1, 2), writer.uint(2, 4), writer.uint(4, 5)))
  return writer.bytes()
}

test('profiles of other makers: inlined calls, code without a name, numeric labels', () => {
  const [sample] = decodePprof(foreign([1, 2])).samples
  assert.ok(sample !== undefined)
  assert.deepEqual(sample.stack, [{ name: 'inner', file: 'main.go', line: 10 }, { name: 'outer', file: 'main.go', line: 20 }, { name: '0xbeef', file: '', line: 0 }])
  assert.deepEqual({ ...sample.labels }, { bytes: '64', thread: 'main' })
  assert.deepEqual(sample.values, [7])
})

test('a reference to nothing and values without a type are refused by name', () => {
  assert.throws(() => decodePprof(foreign([3])), /profile: there is no location 3/)
  const writer = new Writer()
  writer.message(2, () => writer.uint(2, 1))
  assert.throws(() => decodePprof(writer.bytes()), /samples without a sample type/)
})
