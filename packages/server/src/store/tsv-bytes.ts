// Cells of rows written byte by byte into a buffer that has room for them: no text is made of a number, none of a text.

/** Bytes that must be escaped, and the letter that stands for them after a backslash. */
export const ESCAPES: Uint8Array = new Uint8Array(256)
for (const [byte, letter] of [
  [0, '0'],
  [9, 't'],
  [10, 'n'],
  [13, 'r'],
  [39, "'"],
  [92, '\\'],
] as const) {
  ESCAPES[byte] = letter.charCodeAt(0)
}

const BACKSLASH = 92
const TAB = 9
const ZERO = 48
const BILLION = 1_000_000_000
const HALF = 65_536
const WORD = 2 ** 32

/** Writes at `at`, and checks no bounds: the caller has made room. */
export class TsvBytes {
  bytes: Uint8Array
  at = 0
  /** Whether all bytes of `escaped` were ASCII since it was set. */
  isAscii = true

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** What was written from the beginning of the buffer. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.at)
  }

  byte(byte: number): void {
    this.bytes[this.at] = byte
    this.at += 1
  }

  tab(): void {
    this.bytes[this.at] = TAB
    this.at += 1
  }

  /** Bytes that are escaped already. */
  copy(from: Uint8Array): void {
    const { bytes } = this
    let { at } = this
    for (let index = 0; index < from.length; index += 1, at += 1) bytes[at] = from[index] ?? 0
    this.at = at
  }

  /** Bytes of a text, or others, from one offset to another. */
  escaped(from: Uint8Array, start: number, end: number): void {
    const { bytes } = this
    let { at } = this
    let seen = 0
    for (let index = start; index < end; index += 1) {
      const byte = from[index] ?? 0
      seen |= byte
      const letter = byte > BACKSLASH ? 0 : (ESCAPES[byte] ?? 0)
      if (letter === 0) bytes[at] = byte
      else {
        bytes[at] = BACKSLASH
        at += 1
        bytes[at] = letter
      }
      at += 1
    }
    this.at = at
    if (seen >= 0x80) this.isAscii = false
  }

  /** A whole number from 0 up to 2^53. */
  integer(value: number): void {
    if (value < 10) {
      this.byte(ZERO + value)
    } else if (value < BILLION) {
      this.#digits(value, digitsOf(value))
    } else {
      const guess = Math.floor(value / BILLION)
      const high = guess * BILLION > value ? guess - 1 : guess
      this.integer(high)
      this.#digits(value - high * BILLION, 9)
    }
  }

  /** A number below 2^30 with leading zeros. */
  #digits(value: number, count: number): void {
    const { bytes, at } = this
    let rest = value | 0
    for (let index = at + count - 1; index >= at; index -= 1) {
      const next = (rest / 10) | 0
      bytes[index] = ZERO + rest - next * 10
      rest = next
    }
    this.at = at + count
  }

  /** An unsigned 64-bit number by its halves. */
  unsigned(high: number, low: number): void {
    if (high < 0x20_0000) {
      this.integer(high * WORD + low)
      return
    }
    // Schoolbook division by a billion, 16 bits at a time, which doubles hold exactly.
    const first = Math.floor(high / BILLION)
    const upper = (high - first * BILLION) * HALF + (low >>> 16)
    const second = Math.floor(upper / BILLION)
    const lower = (upper - second * BILLION) * HALF + (low & 0xffff)
    const third = Math.floor(lower / BILLION)
    this.integer(first * WORD + second * HALF + third)
    this.#digits(lower - third * BILLION, 9)
  }

  /** A signed 64-bit number by its halves. */
  signed(high: number, low: number): void {
    if (high < 0x8000_0000) {
      this.unsigned(high, low)
      return
    }
    this.byte(0x2d)
    // The two's complement.
    this.unsigned((~high + (low === 0 ? 1 : 0)) >>> 0, -low >>> 0)
  }

  /** Eight bytes, the highest first, as a number. */
  id(from: Uint8Array, at: number): void {
    this.unsigned(word(from, at), word(from, at + 4))
  }

  /** A DateTime64(9) by the halves of its nanoseconds, before 2554. */
  nanoseconds(high: number, low: number): void {
    let seconds = Math.floor((high * WORD + low) / BILLION)
    // Exact modulo 2^32, which is more than a second has nanoseconds; the seconds may be one off, as a double is.
    let rest = (low - Math.imul(seconds, BILLION)) >>> 0
    if (rest >= BILLION) {
      const isTooMuch = rest > 0x8000_0000
      seconds += isTooMuch ? -1 : 1
      rest = (rest + (isTooMuch ? BILLION : -BILLION)) >>> 0
    }
    // Ten digits: fewer would be read as a year.
    const upper = Math.floor(seconds / 10)
    this.#digits(upper, 9)
    this.byte(ZERO + seconds - upper * 10)
    this.byte(0x2e)
    this.#digits(rest, 9)
  }

  /** A DateTime64(3) of milliseconds since 1970, whole and before 2286. */
  milliseconds(ms: number): void {
    const seconds = Math.floor(ms / 1000)
    const upper = Math.floor(seconds / 10)
    this.#digits(upper, 9)
    this.byte(ZERO + seconds - upper * 10)
    this.byte(0x2e)
    this.#digits(ms - seconds * 1000, 3)
  }

  /** Any number. */
  number(value: number): void {
    if (value >= 0 && value < Number.MAX_SAFE_INTEGER && Math.floor(value) === value && !Object.is(value, -0)) this.integer(value)
    else this.ascii(numeral(value))
  }

  truth(value: boolean): void {
    this.ascii(value ? 'true' : 'false')
  }

  /** A text of ASCII that needs no escape. */
  ascii(text: string): void {
    const { bytes, at } = this
    for (let index = 0; index < text.length; index += 1) bytes[at + index] = text.charCodeAt(index)
    this.at = at + text.length
  }
}

function digitsOf(value: number): number {
  if (value < 100_000) return value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5
  return value < 1_000_000 ? 6 : value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : 9
}

function word(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
}

/** A number as ClickHouse reads it; NaN and the infinities by their names. */
export function numeral(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  return Object.is(value, -0) ? '-0' : String(value)
}
