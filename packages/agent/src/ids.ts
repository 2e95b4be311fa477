// Ids of traces and spans, as 32-bit integers: hex text is made only where somebody asks for it.
import { randomFillSync } from 'node:crypto'

// xoshiro128**, seeded from the system: ids must be unlike, not secret, and a call of crypto for each costs more than a span.
// @see Blackman & Vigna 2021, https://prng.di.unimi.it
const state = randomFillSync(new Int32Array(4))

/** A random 32-bit integer, signed. */
export function random32(): number {
  let [a = 0, b = 0, c = 0, d = 0] = state
  const mixed = Math.imul(b, 5)
  const result = Math.imul((mixed << 7) | (mixed >>> 25), 9)
  const shifted = b << 9
  c ^= a
  d ^= b
  b ^= c
  a ^= d
  c ^= shifted
  d = (d << 11) | (d >>> 21)
  state[0] = a
  state[1] = b
  state[2] = c
  state[3] = d
  return result
}

const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Eight lower-case hex digits of a 32-bit integer. */
export function hex32(value: number): string {
  return `${BYTES[value >>> 24] ?? ''}${BYTES[(value >>> 16) & 0xff] ?? ''}${BYTES[(value >>> 8) & 0xff] ?? ''}${BYTES[value & 0xff] ?? ''}`
}

/** The 32-bit integer of the eight hex digits from `at`; the text has been checked before. */
export function parse32(hex: string, at: number): number {
  return Number.parseInt(hex.slice(at, at + 8), 16) | 0
}

/** 16 lower-case hex digits, not all zero. */
export function newSpanId(): string {
  return `${hex32(random32())}${hex32(random32() | 1)}`
}
