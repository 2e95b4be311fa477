// Rows as ClickHouse's TabSeparated bytes, written without an object per row.
// @see https://clickhouse.com/docs/interfaces/formats/TabSeparated

import { ESCAPES, numeral, TsvBytes } from './tsv-bytes.ts'

const BACKSLASH = 92
const TAB = 9
const NEWLINE = 10

/** A growing buffer of rows. Fields are written one after another; `end` closes a row. */
export class TsvRows {
  #bytes: Buffer
  #position = 0
  #rowStarted = false
  #rows = 0

  constructor(capacity: number = 64 * 1024) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  get rows(): number {
    return this.#rows
  }

  /** All rows so far; a view that is valid until the next write. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#position)
  }

  get length(): number {
    return this.#position
  }

  #room(count: number): void {
    if (this.#position + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#position + count))
    this.#bytes.copy(grown, 0, 0, this.#position)
    this.#bytes = grown
  }

  #byte(byte: number): void {
    this.#room(1)
    this.#bytes[this.#position] = byte
    this.#position += 1
  }

  #field(): void {
    if (this.#rowStarted) this.#byte(TAB)
    this.#rowStarted = true
  }

  /** ASCII that needs no escape: numbers, brackets. */
  #plain(characters: string): void {
    this.#room(characters.length)
    this.#position += this.#bytes.write(characters, this.#position, 'latin1')
  }

  #escapedBytes(bytes: Uint8Array): void {
    this.#room(bytes.length * 2)
    for (const byte of bytes) {
      const letter = ESCAPES[byte] ?? 0
      if (letter !== 0) {
        this.#bytes[this.#position] = BACKSLASH
        this.#position += 1
      }
      this.#bytes[this.#position] = letter === 0 ? byte : letter
      this.#position += 1
    }
  }

  #escapedText(value: string): void {
    // Most texts need no escape.
    if (/[\0\t\n\r'\\]/.test(value)) {
      this.#escapedBytes(Buffer.from(value))
      return
    }
    this.#room(value.length * 3)
    this.#position += this.#bytes.write(value, this.#position, 'utf8')
  }

  text(value: string): this {
    this.#field()
    this.#escapedText(value)
    return this
  }

  /** Raw bytes, such as a FixedString or bytes in a String. */
  raw(bytes: Uint8Array): this {
    this.#field()
    this.#escapedBytes(bytes)
    return this
  }

  /** A number or bigint; NaN and the infinities as ClickHouse reads them. */
  number(value: number | bigint): this {
    this.#field()
    this.#plain(numeral(value))
    return this
  }

  /** A DateTime64(3). */
  milliseconds(value: number): this {
    this.#field()
    const ms = Math.round(value)
    const seconds = Math.floor(ms / 1000)
    // Ten digits: fewer would be read as a year.
    this.#plain(`${String(seconds).padStart(10, '0')}.${String(ms - seconds * 1000).padStart(3, '0')}`)
    return this
  }

  /** A DateTime64(9). */
  nanoseconds(value: bigint): this {
    this.#field()
    this.#plain(nanosecondsText(value))
    return this
  }

  /** A Map(String, String). */
  textMap(pairs: Iterable<readonly [string, string]>): this {
    this.#field()
    this.#textMap(pairs)
    return this
  }

  #textMap(pairs: Iterable<readonly [string, string]>): void {
    this.#byte(0x7b)
    let first = true
    for (const [key, value] of pairs) {
      if (!first) this.#byte(0x2c)
      first = false
      this.#quoted(key)
      this.#byte(0x3a)
      this.#quoted(value)
    }
    this.#byte(0x7d)
  }

  #quoted(value: string): void {
    this.#byte(0x27)
    this.#escapedText(value)
    this.#byte(0x27)
  }

  /** A Map whose values are numbers or truth values. */
  valueMap(pairs: Iterable<readonly [string | number, number | bigint | boolean]>): this {
    this.#field()
    this.#byte(0x7b)
    let first = true
    for (const [key, value] of pairs) {
      if (!first) this.#byte(0x2c)
      first = false
      if (typeof key === 'number') this.#plain(String(key))
      else this.#quoted(key)
      this.#byte(0x3a)
      this.#plain(typeof value === 'boolean' ? String(value) : numeral(value))
    }
    this.#byte(0x7d)
    return this
  }

  numbers(values: readonly (number | bigint)[]): this {
    this.#field()
    this.#plain(`[${values.map(numeral).join(',')}]`)
    return this
  }

  /** An Array; `item` writes each element through the given part. */
  list<T>(values: readonly T[], item: (part: TsvPart, value: T) => void): this {
    this.#field()
    this.#byte(0x5b)
    values.forEach((value, index) => {
      if (index > 0) this.#byte(0x2c)
      item(this.#part, value)
    })
    this.#byte(0x5d)
    return this
  }

  readonly #part: TsvPart = {
    text: (value) => this.#quoted(value),
    raw: (bytes) => {
      this.#byte(0x27)
      this.#escapedBytes(bytes)
      this.#byte(0x27)
    },
    number: (value) => this.#plain(numeral(value)),
    nanoseconds: (value) => this.#plain(`'${nanosecondsText(value)}'`),
    textMap: (pairs) => this.#textMap(pairs),
    plain: (characters) => this.#plain(characters),
  }

  /** A Tuple of numbers. */
  tuple(values: readonly (number | bigint)[]): this {
    this.#field()
    this.#plain(`(${values.map(numeral).join(',')})`)
    return this
  }

  end(): void {
    this.#byte(NEWLINE)
    this.#rowStarted = false
    this.#rows += 1
  }

  /**
   * Where the caller writes one row itself, at most so many bytes; it becomes part of the rows with `commitRow`, and nothing of it
   * stays when that is not called.
   */
  reserve(count: number): TsvBytes {
    this.#room(count)
    const { bytes } = this.#reserved
    if (bytes !== this.#bytes) this.#reserved.bytes = this.#bytes
    this.#reserved.at = this.#position
    this.#reserved.isAscii = true
    return this.#reserved
  }

  /** Ends the row that was written where `reserve` said. */
  commitRow(): void {
    this.#position = this.#reserved.at
    this.end()
  }

  readonly #reserved = new TsvBytes(0)

  /** Appends all rows of another buffer of the same table. */
  append(other: TsvRows): void {
    this.#room(other.length)
    other.bytes().copy(this.#bytes, this.#position)
    this.#position += other.length
    this.#rows += other.rows
  }
}

/** What stands within an array: the same values, quoted. */
export interface TsvPart {
  text(value: string): void
  raw(bytes: Uint8Array): void
  number(value: number | bigint): void
  nanoseconds(value: bigint): void
  textMap(pairs: Iterable<readonly [string, string]>): void
  /** Brackets and commas of a tuple. */
  plain(characters: string): void
}

function nanosecondsText(value: bigint): string {
  const seconds = value / 1_000_000_000n
  return `${String(seconds).padStart(10, '0')}.${String(value % 1_000_000_000n).padStart(9, '0')}`
}
