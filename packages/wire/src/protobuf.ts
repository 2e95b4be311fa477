// Protobuf fields of a byte buffer, read and written by hand: the hottest path of the agent and of the server.
import { AndonError } from '@andon/model'

/** Wire types. @see https://protobuf.dev/programming-guides/encoding */
export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

/**
 * Records that one request may hold, messages and texts of a table, and numbers of its repeated fields. Two bytes can stand for an
 * object of five hundred: the bound of a body's bytes alone would not bound memory.
 */
const RECORDS_MAX = 250_000
const PARTS_MAX = 1_000_000
const NUMBERS_MAX = 8_000_000
/** What was counted of one request. Readers of parts of it share one. */
export interface PartCounts {
  records: number
  parts: number
  numbers: number
}

export function noParts(): PartCounts {
  return { records: 0, parts: 0, numbers: 0 }
}

/** No id is longer; of a longer one so much is read that it is seen to be none. */
const ID_BYTES_MAX = 32

/** Keeps a mark of the order of bytes at the beginning of a text, which is a character of it like any other. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * A cursor over the fields of one message. It copies nothing and checks the bounds of every read.
 *
 * Every method throws AndonError('bad_body'), naming the byte, where the bytes are not protobuf, and 'too_large' where they
 * hold more parts than one request may.
 */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** What is read, for the messages of errors, such as "spans". */
  readonly #what: string
  #position = 0
  #end: number
  #counts: PartCounts

  /** @param counts - of what was read of the same request before */
  constructor(bytes: Uint8Array, what: string, counts: PartCounts = noParts()) {
    this.#counts = counts
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
    this.#end = bytes.length
  }

  fail(problem: string): never {
    throw new AndonError('bad_body', `${this.#what}: ${problem} at byte ${this.#position}`)
  }

  /** Goes on counting where another reader of the same request is. */
  countOn(other: Reader): void {
    this.#counts = other.#counts
  }

  /** Counts one record: what has attributes, labels or values of its own. */
  record(): void {
    this.#counts.records += 1
    if (this.#counts.records > RECORDS_MAX) throw new AndonError('too_large', `${this.#what}: the request has more than ${RECORDS_MAX} records (spans, events, points, series and the like)`)
  }

  /** Counts one part of the request; `message` does so itself. */
  part(): void {
    this.#counts.parts += 1
    if (this.#counts.parts > PARTS_MAX) throw new AndonError('too_large', `${this.#what}: the request has more than ${PARTS_MAX} parts (records, attributes, values)`)
  }

  #number(): void {
    this.#counts.numbers += 1
    if (this.#counts.numbers > NUMBERS_MAX) throw new AndonError('too_large', `${this.#what}: the request has more than ${NUMBERS_MAX} numbers in lists`)
  }

  #take(count: number): number {
    const at = this.#position
    if (count > this.#end - at) this.fail(`the message ends ${count - (this.#end - at)} bytes too early`)
    this.#position = at + count
    return at
  }

  /** The next field's tag (number << 3 | wire type), or 0 at the end of the message. */
  tag(): number {
    if (this.#position >= this.#end) return 0
    const tag = this.uint32()
    if (tag >>> 3 === 0) this.fail('a field has number 0')
    return tag
  }

  /** A varint's lower 32 bits, unsigned. */
  uint32(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#take(1)] ?? 0
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    return this.fail('a varint is longer than 10 bytes')
  }

  /** A varint as signed 64-bit integer. */
  int64(): bigint {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#take(1)] ?? 0
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) return (BigInt(high | 0) << 32n) | BigInt(low >>> 0)
    }
    return this.fail('a varint is longer than 10 bytes')
  }

  /** A zigzag varint's lower 32 bits, signed. */
  sint32(): number {
    const value = this.uint32()
    return (value >>> 1) ^ -(value & 1)
  }

  bool(): boolean {
    return this.int64() !== 0n
  }

  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }

  sfixed64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  #length(): number {
    const length = this.uint32()
    if (length > this.#end - this.#position) this.fail(`a field of ${length} bytes is longer than its message`)
    return length
  }

  /** A view of the bytes of a field, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length()
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** Text; what is not UTF-8 becomes U+FFFD. */
  string(): string {
    const length = this.#length()
    const at = this.#take(length)
    // Short ASCII, which most keys are, is quicker built here than by the decoder.
    if (length < 24) {
      let text = ''
      for (let index = at; index < at + length; index += 1) {
        const byte = this.#bytes[index] ?? 0
        if (byte >= 0x80) return decoder.decode(this.#bytes.subarray(at, at + length))
        text += String.fromCharCode(byte)
      }
      return text
    }
    return decoder.decode(this.#bytes.subarray(at, at + length))
  }

  /** An id's bytes as lower-case hex; of what is too long for an id only the beginning. */
  hex(): string {
    let text = ''
    for (const byte of this.bytes().subarray(0, ID_BYTES_MAX)) text += HEX[byte] ?? ''
    return text
  }

  /**
   * Reads an embedded message: calls `field` with each tag until the message ends. What `field` does not know it must
   * hand to `skip`.
   */
  message(field: (tag: number) => void): void {
    this.part()
    const length = this.#length()
    const outer = this.#end
    this.#end = this.#position + length
    for (let tag = this.tag(); tag !== 0; tag = this.tag()) field(tag)
    this.#end = outer
  }

  /** Repeated numbers: one element when not packed, all of them when packed. */
  repeated<T>(tag: number, read: () => T, into: T[]): void {
    if ((tag & 7) !== BYTES) {
      this.#number()
      into.push(read())
      return
    }
    const length = this.#length()
    const outer = this.#end
    this.#end = this.#position + length
    while (this.#position < this.#end) {
      this.#number()
      into.push(read())
    }
    this.#end = outer
  }

  /** Passes over a field that is not known. */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.int64()
        return
      case FIXED64:
        this.#take(8)
        return
      case BYTES:
        this.#take(this.#length())
        return
      case FIXED32:
        this.#take(4)
        return
      default:
        this.fail(`wire type ${tag & 7} is not known`)
    }
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Builds one message. The buffer grows by doubling; `bytes()` gives a view that is valid until the next write.
 */
export class Writer {
  #bytes: Uint8Array
  #view: DataView
  #position = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Starts anew in the same buffer. */
  clear(): void {
    this.#position = 0
  }

  /** Fields that were encoded before. */
  append(fields: Uint8Array): void {
    const at = this.#room(fields.length)
    this.#bytes.set(fields, at)
  }

  /** What has been written so far; a view, not a copy. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#position)
  }

  #room(count: number): number {
    const at = this.#position
    if (at + count > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, at + count))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#position = at + count
    return at
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#byte((rest % 128) | 0x80)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  #byte(value: number): void {
    // The room first: making it may replace the buffer.
    const at = this.#room(1)
    this.#bytes[at] = value
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType)
  }

  /** An unsigned integer of up to 53 bits; the default 0 is left out. */
  uint(field: number, value: number): void {
    if (value === 0) return
    this.#tag(field, VARINT)
    this.#varint(value)
  }

  /** A signed 64-bit integer, also when it is 0: for fields of a oneof. */
  int64(field: number, value: bigint): void {
    this.#tag(field, VARINT)
    let rest = BigInt.asUintN(64, value)
    while (rest > 0x7fn) {
      this.#byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.#byte(Number(rest))
  }

  /** A signed 32-bit integer in zigzag form; the default 0 is left out. */
  sint32(field: number, value: number): void {
    if (value === 0) return
    this.#tag(field, VARINT)
    this.#varint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** A truth value, also when it is false: for fields of a oneof. */
  bool(field: number, value: boolean): void {
    this.#tag(field, VARINT)
    this.#byte(value ? 1 : 0)
  }

  /** The default 0 is left out. */
  fixed32(field: number, value: number): void {
    if (value === 0) return
    this.#tag(field, FIXED32)
    const at = this.#room(4)
    this.#view.setUint32(at, value, true)
  }

  /** The default 0 is left out. */
  fixed64(field: number, value: bigint): void {
    if (value === 0n) return
    this.#tag(field, FIXED64)
    const at = this.#room(8)
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true)
  }

  /** Also when it is 0: for optional fields and fields of a oneof. */
  double(field: number, value: number): void {
    this.#tag(field, FIXED64)
    const at = this.#room(8)
    this.#view.setFloat64(at, value, true)
  }

  /** The default '' is left out. */
  string(field: number, text: string): void {
    if (text !== '') this.text(field, text)
  }

  /** Text, also when it is empty: for fields of a oneof. */
  text(field: number, text: string): void {
    this.#tag(field, BYTES)
    const start = this.#open()
    this.#text(text)
    this.#close(start)
  }

  #text(text: string): void {
    const length = text.length
    const at = this.#room(length)
    for (let index = 0; index < length; index += 1) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) {
        this.#position = at
        const bytes = encoder.encode(text)
        const start = this.#room(bytes.length)
        this.#bytes.set(bytes, start)
        return
      }
      this.#bytes[at + index] = unit
    }
  }

  /** Bytes, also when there are none. */
  raw(field: number, value: Uint8Array): void {
    this.#tag(field, BYTES)
    this.#varint(value.length)
    const at = this.#room(value.length)
    this.#bytes.set(value, at)
  }

  /** Hex digits as bytes; '' is left out. */
  hex(field: number, digits: string): void {
    if (digits === '') return
    this.#tag(field, BYTES)
    this.#varint(digits.length / 2)
    const at = this.#room(digits.length / 2)
    for (let index = 0; index < digits.length / 2; index += 1) {
      this.#bytes[at + index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16)
    }
  }

  /** An embedded message, also when it is empty. */
  message(field: number, write: () => void): void {
    this.#tag(field, BYTES)
    const start = this.#open()
    write()
    this.#close(start)
  }

  /** Repeated numbers in packed form; none are left out. */
  packedFixed64(field: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.message(field, () => {
      for (const value of values) {
        const at = this.#room(8)
        this.#view.setBigUint64(at, BigInt(value), true)
      }
    })
  }

  /** Repeated numbers in packed form; none are left out. */
  packedDouble(field: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.message(field, () => {
      for (const value of values) {
        const at = this.#room(8)
        this.#view.setFloat64(at, value, true)
      }
    })
  }

  /** Repeated unsigned integers in packed form; none are left out. */
  packedUint(field: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.message(field, () => {
      for (const value of values) this.#varint(value)
    })
  }

  /** Leaves one byte for a length; `#close` moves what follows when one is not enough. */
  #open(): number {
    return this.#room(1) + 1
  }

  #close(start: number): void {
    const length = this.#position - start
    if (length < 0x80) {
      this.#bytes[start - 1] = length
      return
    }
    let size = 1
    for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) size += 1
    this.#room(size - 1)
    this.#bytes.copyWithin(start + size - 1, start, start + length)
    this.#position = start - 1
    this.#varint(length)
    this.#position += length
  }
}
