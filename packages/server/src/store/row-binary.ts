// The columns of an answer in RowBinary, one after another.
// @see https://clickhouse.com/docs/interfaces/formats/RowBinary

/** Reads little-endian columns from where the last one ended; a RangeError where the bytes end within one. */
export class RowBinary {
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get more(): boolean {
    return this.#at < this.#view.byteLength
  }

  #next(size: number): number {
    const at = this.#at
    this.#at += size
    return at
  }

  /** Passes over bytes. @returns where they began */
  skip(size: number): number {
    return this.#next(size)
  }

  uint8(): number {
    return this.#view.getUint8(this.#next(1))
  }

  int8(): number {
    return this.#view.getInt8(this.#next(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#next(2), true)
  }

  int32(): number {
    return this.#view.getInt32(this.#next(4), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#next(4), true)
  }

  /** An integer of 64 bits as a number: exact below 2^53. */
  uint64(): number {
    const at = this.#next(8)
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true)
  }

  /** The same with a sign. */
  int64(): number {
    const at = this.#next(8)
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true)
  }

  uint64Exact(): bigint {
    return this.#view.getBigUint64(this.#next(8), true)
  }

  float64(): number {
    return this.#view.getFloat64(this.#next(8), true)
  }

  /** How many elements of an array or a map follow. */
  length(): number {
    let [value, shift, byte] = [0, 0, 0x80]
    while (byte >= 0x80) {
      byte = this.uint8()
      value += (byte & 0x7f) * 2 ** shift
      shift += 7
    }
    return value
  }

  /** An array of floats. */
  float64s(): number[] {
    return Array.from({ length: this.length() }, () => this.float64())
  }
}
