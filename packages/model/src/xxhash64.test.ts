import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seriesId } from './series-id.ts'
import { xxHash64, xxHash64Bytes } from './xxhash64.ts'

test('agrees with the published vectors', () => {
  assert.equal(xxHash64(''), 0xef46_db37_51d8_e999n)
  assert.equal(xxHash64('a'), 0xd24e_c4f1_a98c_6e5bn)
  assert.equal(xxHash64('abc'), 0x44bc_2cf5_ad77_0999n)
  assert.equal(xxHash64('Nobody inspects the spammish repetition'), 0xfbce_a83c_8a37_8bf1n)
})

const mask = (1n << 64n) - 1n
const [p1, p2, p3, p4, p5] = [0x9e37_79b1_85eb_ca87n, 0xc2b2_ae3d_27d4_eb4fn, 0x1656_67b1_9e37_79f9n, 0x85eb_ca77_c2b2_ae63n, 0x27d4_eb2f_1656_67c5n]
const rotl = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & mask
const round = (acc: bigint, lane: bigint): bigint => (rotl((acc + lane * p2) & mask, 31n) * p1) & mask

/** The specification in BigInt, word for word. */
function reference(bytes: Uint8Array): bigint {
  const lane = (at: number, size: number): bigint => bytes.subarray(at, at + size).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  let at = 0
  let hash = p5
  if (bytes.length >= 32) {
    const v = [(p1 + p2) & mask, p2, 0n, -p1 & mask]
    for (; at + 32 <= bytes.length; at += 32) v.forEach((acc, i) => (v[i] = round(acc, lane(at + i * 8, 8))))
    hash = v.reduce((sum, acc, i) => (sum + rotl(acc, [1n, 7n, 12n, 18n][i] ?? 0n)) & mask, 0n)
    for (const acc of v) hash = ((hash ^ round(0n, acc)) * p1 + p4) & mask
  }
  hash = (hash + BigInt(bytes.length)) & mask
  for (; at + 8 <= bytes.length; at += 8) hash = (rotl(hash ^ round(0n, lane(at, 8)), 27n) * p1 + p4) & mask
  if (at + 4 <= bytes.length) {
    hash = (rotl(hash ^ ((lane(at, 4) * p1) & mask), 23n) * p2 + p3) & mask
    at += 4
  }
  for (; at < bytes.length; at += 1) hash = (rotl(hash ^ ((lane(at, 1) * p5) & mask), 11n) * p1) & mask
  hash = ((hash ^ (hash >> 33n)) * p2) & mask
  hash = ((hash ^ (hash >> 29n)) * p3) & mask
  return hash ^ (hash >> 32n)
}

test('agrees with the specification on any bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assert.equal(xxHash64Bytes(bytes), reference(bytes))), { numRuns: 500 })
})

test('the id of a series does not depend on the order of its labels, nor on empty ones', () => {
  assert.equal(seriesId({ __name__: 'up', job: 'a', instance: 'b' }), seriesId({ instance: 'b', job: 'a', none: '', __name__: 'up' }))
  assert.equal(seriesId({ __name__: 'up' }), xxHash64('__name__\u001Fup\u001E'))
})
