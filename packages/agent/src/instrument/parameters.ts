// Whether two calls had equal parameters, without saying what they were.
import { randomBytes } from 'node:crypto'
import { hex32 } from '../ids.ts'

/** Of this process: the same values have another hash elsewhere, so that nobody can try values out. */
const KEY = randomBytes(4).readInt32LE()
const MAX_VALUES = 16
const MAX_TEXT = 64

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x5bd1e995)
  return mixed ^ (mixed >>> 15)
}

/** @returns eight hex digits; '' for values that cost too much to read: objects, long texts, more than 16 values */
export function hashParameters(values: readonly unknown[]): string {
  if (values.length > MAX_VALUES) return ''
  let hash = KEY
  for (const value of values) {
    if (typeof value === 'object' && value !== null) return ''
    const text = typeof value === 'string' ? value : String(value)
    if (text.length > MAX_TEXT) return ''
    hash = mix(hash, typeof value === 'string' ? 1 : 2)
    for (let index = 0; index < text.length; index += 1) hash = mix(hash, text.charCodeAt(index))
  }
  return hex32(hash)
}
