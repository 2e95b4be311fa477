// xxHash64 with seed 0, in 32-bit halves: BigInt arithmetic would cost some twenty times as much.
// @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

// A 64-bit number as two unsigned halves, kept in module variables so that nothing is allocated in the loop.
let high = 0
let low = 0

/** (high, low) = (ah, al) × (bh, bl) modulo 2^64. */
function multiply(ah: number, al: number, bh: number, bl: number): void {
  const a0 = al & 0xffff
  const a1 = al >>> 16
  const b0 = bl & 0xffff
  const b1 = bl >>> 16
  const p00 = a0 * b0
  const p01 = a0 * b1
  const p10 = a1 * b0
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff)
  const carried = a1 * b1 + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16)
  low = ((middle << 16) | (p00 & 0xffff)) >>> 0
  high = (carried + Math.imul(ah, bl) + Math.imul(al, bh)) >>> 0
}

/** (high, low) = (ah, al) + (bh, bl) modulo 2^64. */
function add(ah: number, al: number, bh: number, bl: number): void {
  const sum = al + bl
  low = sum >>> 0
  high = (ah + bh + (sum > 0xffff_ffff ? 1 : 0)) >>> 0
}

/** (high, low) rotated left by 0 < bits < 64, bits ≠ 32. */
function rotate(bits: number): void {
  const [h, l] = bits < 32 ? [high, low] : [low, high]
  const by = bits % 32
  high = ((h << by) | (l >>> (32 - by))) >>> 0
  low = ((l << by) | (h >>> (32 - by))) >>> 0
}

const P1H = 0x9e37_79b1
const P1L = 0x85eb_ca87
const P2H = 0xc2b2_ae3d
const P2L = 0x27d4_eb4f
const P3H = 0x1656_67b1
const P3L = 0x9e37_79f9
const P4H = 0x85eb_ca77
const P4L = 0xc2b2_ae63
const P5H = 0x27d4_eb2f
const P5L = 0x1656_67c5

/** (high, low) = round(accumulator, lane). */
function round(accH: number, accL: number, laneH: number, laneL: number): void {
  multiply(laneH, laneL, P2H, P2L)
  add(accH, accL, high, low)
  rotate(31)
  multiply(high, low, P1H, P1L)
}

function avalanche(): void {
  // h ^= h >>> 33
  low = (low ^ (high >>> 1)) >>> 0
  multiply(high, low, P2H, P2L)
  // h ^= h >>> 29
  const shiftedLow = ((low >>> 29) | (high << 3)) >>> 0
  const shiftedHigh = high >>> 29
  high = (high ^ shiftedHigh) >>> 0
  low = (low ^ shiftedLow) >>> 0
  multiply(high, low, P3H, P3L)
  // h ^= h >>> 32
  low = (low ^ high) >>> 0
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
}

/** The four accumulators as halves: v1 high, v1 low, v2 high, … */
const lanes = new Uint32Array(8)

/** Consumes the stripes of 32 bytes and leaves the merged state in (high, low); gives the offset after them. */
function stripes(bytes: Uint8Array): number {
  add(P1H, P1L, P2H, P2L)
  lanes.set([high, low, P2H, P2L, 0, 0, ~P1H >>> 0, -P1L >>> 0])
  let at = 0
  for (; at + 32 <= bytes.length; at += 32) {
    for (let lane = 0; lane < 4; lane += 1) {
      round(lanes[lane * 2] ?? 0, lanes[lane * 2 + 1] ?? 0, word(bytes, at + lane * 8 + 4), word(bytes, at + lane * 8))
      lanes[lane * 2] = high
      lanes[lane * 2 + 1] = low
    }
  }
  merge()
  return at
}

const ROTATIONS = [1, 7, 12, 18]

function merge(): void {
  let sumH = 0
  let sumL = 0
  for (let lane = 0; lane < 4; lane += 1) {
    high = lanes[lane * 2] ?? 0
    low = lanes[lane * 2 + 1] ?? 0
    rotate(ROTATIONS[lane] ?? 1)
    add(sumH, sumL, high, low)
    sumH = high
    sumL = low
  }
  for (let lane = 0; lane < 4; lane += 1) {
    round(0, 0, lanes[lane * 2] ?? 0, lanes[lane * 2 + 1] ?? 0)
    multiply((sumH ^ high) >>> 0, (sumL ^ low) >>> 0, P1H, P1L)
    add(high, low, P4H, P4L)
    sumH = high
    sumL = low
  }
}

/** Mixes what is left after the stripes into (high, low). */
function tail(bytes: Uint8Array, from: number): void {
  let at = from
  for (; at + 8 <= bytes.length; at += 8) {
    const h = high
    const l = low
    round(0, 0, word(bytes, at + 4), word(bytes, at))
    high = (h ^ high) >>> 0
    low = (l ^ low) >>> 0
    rotate(27)
    multiply(high, low, P1H, P1L)
    add(high, low, P4H, P4L)
  }
  if (at + 4 <= bytes.length) {
    const h = high
    const l = low
    multiply(0, word(bytes, at), P1H, P1L)
    high = (h ^ high) >>> 0
    low = (l ^ low) >>> 0
    rotate(23)
    multiply(high, low, P2H, P2L)
    add(high, low, P3H, P3L)
    at += 4
  }
  for (; at < bytes.length; at += 1) {
    const h = high
    const l = low
    multiply(0, bytes[at] ?? 0, P5H, P5L)
    high = (h ^ high) >>> 0
    low = (l ^ low) >>> 0
    rotate(11)
    multiply(high, low, P1H, P1L)
  }
}

/**
 * The xxHash64 (seed 0) of bytes, as ClickHouse's xxHash64 gives it.
 *
 * @param bytes - not modified; at most 2^32 - 1 of them
 * @example xxHash64Bytes(new Uint8Array()) // 0xef46db3751d8e999n
 */
export function xxHash64Bytes(bytes: Uint8Array): bigint {
  let at = 0
  if (bytes.length >= 32) {
    at = stripes(bytes)
  } else {
    high = P5H
    low = P5L
  }
  add(high, low, 0, bytes.length)
  tail(bytes, at)
  avalanche()
  return (BigInt(high) << 32n) | BigInt(low)
}

const encoder = new TextEncoder()

/**
 * The xxHash64 (seed 0) of a text in UTF-8.
 *
 * @example xxHash64('a') // 0xd24ec4f1a98c6e5bn
 */
export function xxHash64(text: string): bigint {
  return xxHash64Bytes(encoder.encode(text))
}
