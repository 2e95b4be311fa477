import { randomFillSync } from 'node:crypto'

// Random bytes are drawn for many ids at once: a call for each would cost more than the id.
const pool = Buffer.alloc(16 * 256)
let used = pool.length

function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const id = pool.toString('hex', used, used + bytes)
  used += bytes
  return /^0+$/.test(id) ? hex(bytes) : id
}

/** 32 lower-case hex digits, not all zero. */
export function newTraceId(): string {
  return hex(16)
}

/** 16 lower-case hex digits, not all zero. */
export function newSpanId(): string {
  return hex(8)
}
