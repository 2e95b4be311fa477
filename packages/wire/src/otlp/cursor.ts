// A position in the bytes of one message, for what is read without an object for each part of it.
import { AndonError } from '@andon/model'

/**
 * Reads as `Reader` does, but leaves to its caller what a message within a message is, and reads numbers in halves.
 *
 * Every method throws AndonError('bad_body') where the bytes are not protobuf.
 */
export class Cursor {
  bytes: Uint8Array
  at: number
  end: number
  /** Halves of the last 64-bit number, unsigned. */
  high = 0
  low = 0
  readonly #what: string

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes
    this.at = 0
    this.end = bytes.length
    this.#what = what
  }

  /** Starts anew within other bytes. */
  over(bytes: Uint8Array, at: number, end: number): this {
    this.bytes = bytes
    this.at = at
    this.end = end
    return this
  }

  fail(problem: string): never {
    throw new AndonError('bad_body', `${this.#what}: ${problem} at byte ${this.at}`)
  }

  /** The next field's tag, or 0 at the end. */
  tag(): number {
    if (this.at >= this.end) return 0
    const first = this.bytes[this.at] ?? 0
    if (first >= 8 && first < 0x80) {
      this.at += 1
      return first
    }
    const tag = this.uint32()
    if (tag >>> 3 === 0) this.fail('a field has number 0')
    return tag
  }

  /** A varint's lower 32 bits, unsigned. */
  uint32(): number {
    const { bytes, end } = this
    let value = 0
    let at = this.at
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) this.fail('the message ends within a number')
      const byte = bytes[at] ?? 0
      at += 1
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.at = at
        return value >>> 0
      }
    }
    return this.fail('a varint is longer than 10 bytes')
  }

  /** A varint of 64 bits, into the halves. */
  varint64(): void {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) this.fail('the message ends within a number')
      const byte = this.bytes[this.at] ?? 0
      this.at += 1
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.high = high >>> 0
        this.low = low >>> 0
        return
      }
    }
    this.fail('a varint is longer than 10 bytes')
  }

  fixed32(): number {
    const { bytes, at } = this
    if (at + 4 > this.end) this.fail('the message ends within a number')
    this.at = at + 4
    return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
  }

  /** A number of 8 bytes, into the halves. */
  fixed64(): void {
    this.low = this.fixed32()
    this.high = this.fixed32()
  }

  /** A double of 8 bytes. */
  double(): number {
    words[0] = this.fixed32()
    words[1] = this.fixed32()
    return doubles[0] ?? 0
  }

  /** Reads the length of a field and gives the end of its bytes, which begin at `at`. */
  limit(): number {
    const length = this.uint32()
    if (length > this.end - this.at) this.fail(`a field of ${length} bytes is longer than its message`)
    return this.at + length
  }

  /** Passes over a field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint64()
        return
      case 1:
        this.fixed64()
        return
      case 2:
        this.at = this.limit()
        return
      case 5:
        this.fixed32()
        return
      default:
        this.fail(`wire type ${tag & 7} is not known`)
    }
  }
}

const doubles = new Float64Array(1)
/** The same bytes; little-endian, as all machines are that Node runs on. */
const words = new Uint32Array(doubles.buffer)
