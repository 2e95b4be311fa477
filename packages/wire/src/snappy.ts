// Snappy's block format, as Prometheus' remote write packs its bodies.
// @see https://github.com/google/snappy/blob/main/format_description.txt
import { AndonError, type Bytes } from '@andon/model'

function fail(problem: string): never {
  throw new AndonError('bad_body', `snappy: ${problem}`)
}

/** The length that the block says it unpacks to, and where its elements begin. */
function header(packed: Uint8Array): { length: Bytes; at: number } {
  let length = 0
  for (let at = 0; at < Math.min(5, packed.length); at += 1) {
    const byte = packed[at] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return { length, at: at + 1 }
  }
  return fail('its length cannot be read')
}

/**
 * Unpacks one block.
 *
 * @param limit - of the unpacked bytes; no memory is taken for more
 * @throws AndonError bad_body where the bytes are no such block, too_large past the limit
 */
export function unpackSnappy(packed: Uint8Array, limit: Bytes): Uint8Array {
  const { length, at } = header(packed)
  if (length > limit) throw new AndonError('too_large', `The body is larger than ${limit} bytes when unpacked.`)
  // An element of 3 bytes makes 64 at most: what promises more is not believed.
  if (length > packed.length * 22) fail(`${packed.length} bytes cannot hold ${length}`)
  return new Unpacking(packed, at, new Uint8Array(length)).run()
}

class Unpacking {
  readonly #packed: Uint8Array
  readonly #out: Uint8Array
  #from: number
  #to = 0

  constructor(packed: Uint8Array, from: number, out: Uint8Array) {
    this.#packed = packed
    this.#from = from
    this.#out = out
  }

  run(): Uint8Array {
    while (this.#from < this.#packed.length) {
      const tag = this.#number(1)
      switch (tag & 3) {
        case 0:
          this.#literal(tag >> 2)
          break
        case 1:
          this.#copy(((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | this.#number(1))
          break
        case 2:
          this.#copy((tag >> 2) + 1, this.#number(2))
          break
        default:
          this.#copy((tag >> 2) + 1, this.#number(4))
      }
    }
    return this.#to === this.#out.length ? this.#out : fail(`it ends after ${this.#to} of ${this.#out.length} bytes`)
  }

  /** A little-endian number. */
  #number(bytes: number): number {
    if (this.#from + bytes > this.#packed.length) fail('it ends within an element')
    let value = 0
    for (let index = 0; index < bytes; index += 1) value += (this.#packed[this.#from + index] ?? 0) * 256 ** index
    this.#from += bytes
    return value
  }

  #room(length: number): void {
    if (length > this.#out.length - this.#to) fail('it holds more than it says')
  }

  /** @param code - the length less 1, or from 60 on how many bytes say it */
  #literal(code: number): void {
    const length = (code < 60 ? code : this.#number(code - 59)) + 1
    this.#room(length)
    if (length > this.#packed.length - this.#from) fail('it ends within a literal')
    this.#out.set(this.#packed.subarray(this.#from, this.#from + length), this.#to)
    this.#from += length
    this.#to += length
  }

  #copy(length: number, offset: number): void {
    this.#room(length)
    if (offset === 0 || offset > this.#to) fail('it copies from before its beginning')
    const out = this.#out
    // A copy may overlap what it writes: that is how runs are packed.
    if (offset >= length) out.copyWithin(this.#to, this.#to - offset, this.#to - offset + length)
    else for (let index = this.#to; index < this.#to + length; index += 1) out[index] = out[index - offset] ?? 0
    this.#to += length
  }
}
