// The row of a span straight from its bytes: the same as `appendSpan` writes of its record, without the record. What is rare, such
// as events, links, lists, or an attribute that is too long, is left to that one.
import { isUtf8 } from 'node:buffer'
import type { Resource, Scope } from '@andon/model'
import { Cursor, type Place, type SpanView } from '@andon/wire'
import { keyOf, type KnownKey, nextSpan, PEER_SLOTS, SLOTS, STATEMENT_SLOTS, SYSTEM_SLOTS } from './span-keys.ts'
import { isWeight, resourceRow } from './span-row.ts'
import { identified, type IdentifiedStatement } from './statement-text.ts'
import { describeSource } from './source.ts'
import { TsvBytes } from './tsv-bytes.ts'
import { TsvRows } from './tsv.ts'

/** Of an attribute: where its value stands, or what it is. */
type ValueType = 0 | 1 | 2 | 3
const TEXT = 0
const INTEGER = 1
const NUMBER = 2
const TRUTH = 3

/** What all spans of a resource have in common, as parts of their rows. */
interface SourceCells {
  /** Service, environment, version and instance, with the tabs between them. */
  readonly source: Uint8Array
  readonly hash: Uint8Array
}

const sources = new WeakMap<Resource, SourceCells>()
const scopes = new WeakMap<Scope, Uint8Array>()

function cells(write: (rows: TsvRows) => void): Uint8Array {
  const rows = new TsvRows(256)
  write(rows)
  return Uint8Array.from(rows.bytes())
}

function sourceCells(resource: Resource): SourceCells {
  let known = sources.get(resource)
  if (known === undefined) {
    const { service, env, version, instance } = describeSource(resource)
    known = { source: cells((rows) => rows.text(service).text(env).text(version).text(instance)), hash: cells((rows) => rows.number(resourceRow(resource).hash)) }
    sources.set(resource, known)
  }
  return known
}

function scopeCells(scope: Scope): Uint8Array {
  let known = scopes.get(scope)
  if (known === undefined) scopes.set(scope, (known = cells((rows) => rows.text(scope.name).text(scope.version))))
  return known
}

function hasPlainScope({ attributes, droppedAttributes, schemaUrl }: Scope): boolean {
  return droppedAttributes === 0 && schemaUrl === '' && Object.keys(attributes).length === 0
}

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'].map(ascii)
const STATUSES = ['unset', 'ok', 'error'].map(ascii)
const NO_EVENTS_OR_LINKS = ascii('\t[]\t[]\t[]\t[]\t(')
const CLIENT = 3
const PRODUCER = 4
/** More attributes than a span may have. */
const MAX_ATTRIBUTES = 1024
const FINGERPRINTS = 10_000

export interface AttributeLimits {
  readonly attributes: number
  /** Of a text and of the message of a status, UTF-16 units. */
  readonly attributeLength: number
  /** Of a name, UTF-16 units. */
  readonly nameLength: number
}

/** Writes rows of views; not to be shared by two that write at the same time. */
export class SpanViewRows {
  #limits: AttributeLimits = { attributes: 0, attributeLength: 0, nameLength: 0 }
  readonly #cursor = new Cursor(new Uint8Array(), 'spans')
  /** Of the span that is being written, attribute by attribute. */
  readonly #keys: KnownKey[] = []
  readonly #types = new Uint8Array(MAX_ATTRIBUTES)
  readonly #from = new Int32Array(MAX_ATTRIBUTES)
  readonly #to = new Int32Array(MAX_ATTRIBUTES)
  #names: string[] = []
  /** Where the AnyValue of each begins and ends. */
  #places: number[] = []
  readonly #high = new Uint32Array(MAX_ATTRIBUTES)
  readonly #low = new Uint32Array(MAX_ATTRIBUTES)
  readonly #numbers = new Float64Array(MAX_ATTRIBUTES)
  #count = 0
  /** By slot, the attribute that has it; -1 where none has. */
  readonly #slots = new Int32Array(SLOTS.length)
  readonly #fingerprints = new Map<string, Fingerprint>()
  #statement: IdentifiedStatement | undefined

  /**
   * Appends the row of a span.
   *
   * @returns whether it did; if not, nothing was written, and the span's record must be looked at
   * @throws AndonError bad_body where its attributes cannot be read
   */
  append(rows: TsvRows, span: SpanView, limits: AttributeLimits): boolean {
    this.#limits = limits
    // UTF-8 has at least as many bytes as UTF-16 has units.
    if (span.title.end - span.title.at > limits.nameLength || span.message.end - span.message.at > limits.attributeLength) return false
    if (span.parts > 0 || span.state.end > span.state.at || !hasPlainScope(span.scope) || !this.#readAttributes(span)) return false
    const { source, hash } = sourceCells(span.resource)
    const scope = scopeCells(span.scope)
    // Each byte of the message stands at most three times in its row, escaped at most; numbers take up to three times their bytes.
    const out = rows.reserve(1024 + span.bytes.length * 8 + source.length + scope.length + this.#keyBytes())
    const { bytes } = span
    this.#identity(out, span, source, scope)
    this.#derived(out, span)
    this.#maps(out, bytes)
    out.tab()
    out.copy(hash)
    out.copy(NO_EVENTS_OR_LINKS)
    out.integer(span.droppedAttributes)
    out.byte(0x2c)
    out.integer(span.droppedEvents)
    out.byte(0x2c)
    out.integer(span.droppedLinks)
    out.byte(0x29)
    out.tab()
    // Only where a text is not UTF-8 the record must be looked at.
    if (!out.isAscii && !this.#isText(span)) return false
    rows.commitRow()
    span.index(this.#names, this.#places)
    span.kept = this.#statement
    return true
  }

  #isText({ bytes, title, message }: SpanView): boolean {
    const isFine = ({ at, end }: Place): boolean => isUtf8(bytes.subarray(at, end))
    if (!isFine(title) || !isFine(message)) return false
    for (let index = 0; index < this.#count; index += 1) if (this.#types[index] === TEXT && !isUtf8(bytes.subarray(this.#from[index], this.#to[index]))) return false
    return true
  }

  #keyBytes(): number {
    let sum = 0
    for (let index = 0; index < this.#count; index += 1) sum += this.#keys[index]?.quoted.length ?? 0
    return sum
  }

  /** @returns false where an attribute is not of the plain kinds, or there are too many or too long ones */
  #readAttributes({ bytes }: SpanView): boolean {
    const scan = this.#cursor.over(bytes, 0, bytes.length)
    this.#count = 0
    this.#names = []
    this.#statement = undefined
    this.#places = []
    this.#slots.fill(-1)
    const turn = nextSpan()
    for (let tag = scan.tag(); tag !== 0; tag = scan.tag()) {
      if (tag !== 74) scan.skip(tag)
      else if (!this.#readAttribute(scan, turn)) return false
    }
    return true
  }

  /** message KeyValue { string key = 1; AnyValue value = 2 } */
  #readAttribute(scan: Cursor, turn: number): boolean {
    const outer = scan.end
    const end = scan.limit()
    scan.end = end
    const index = this.#count
    if (index >= this.#limits.attributes || index >= MAX_ATTRIBUTES || scan.tag() !== 10) return false
    const keyEnd = scan.limit()
    const key = keyOf(scan.bytes, scan.at, keyEnd)
    if (key === undefined || key.turn === turn) return false
    key.turn = turn
    scan.at = keyEnd
    if (scan.tag() !== 18 || scan.limit() !== end) return false
    const valueAt = scan.at
    if (!this.#readValue(scan, index) || scan.at !== end) return false
    scan.end = outer
    this.#names.push(key.text)
    this.#places.push(valueAt, end)
    this.#keys[index] = key
    if (key.slot >= 0) this.#slots[key.slot] = index
    this.#count = index + 1
    return true
  }

  /** message AnyValue { oneof string 1, bool 2, int 3, double 4, … } */
  #readValue(scan: Cursor, index: number): boolean {
    switch (scan.tag()) {
      case 10: {
        const end = scan.limit()
        this.#types[index] = TEXT
        this.#from[index] = scan.at
        this.#to[index] = end
        // UTF-8 has at least as many bytes as UTF-16 has units.
        if (end - scan.at > this.#limits.attributeLength) return false
        scan.at = end
        return true
      }
      case 16:
        scan.varint64()
        return this.#keep(index, TRUTH, scan)
      case 24:
        scan.varint64()
        return this.#keep(index, INTEGER, scan)
      case 33:
        this.#types[index] = NUMBER
        this.#numbers[index] = scan.double()
        return true
      default:
        return false
    }
  }

  #keep(index: number, type: ValueType, { high, low }: Cursor): true {
    this.#types[index] = type
    this.#high[index] = high
    this.#low[index] = low
    return true
  }

  #identity(out: TsvBytes, span: SpanView, source: Uint8Array, scope: Uint8Array): void {
    const { bytes, startHigh, startLow, endHigh, endLow } = span
    out.nanoseconds(startHigh, startLow)
    out.tab()
    out.escaped(bytes, span.trace.at, span.trace.end)
    out.isAscii = true
    out.tab()
    out.id(bytes, span.id.at)
    out.tab()
    if (span.parent.end > span.parent.at) out.id(bytes, span.parent.at)
    else out.integer(0)
    out.tab()
    out.integer(span.flags)
    // No state of the trace.
    out.tab()
    out.tab()
    out.copy(source)
    out.tab()
    out.copy(scope)
    out.tab()
    out.escaped(bytes, span.title.at, span.title.end)
    out.tab()
    out.copy(KINDS[span.kindNumber] ?? KINDS[0] ?? source)
    out.tab()
    const borrow = endLow < startLow ? 1 : 0
    out.unsigned((endHigh - startHigh - borrow) >>> 0, (endLow - startLow) >>> 0)
    out.tab()
    out.copy(STATUSES[span.statusNumber] ?? STATUSES[0] ?? source)
    out.tab()
    out.escaped(bytes, span.message.at, span.message.end)
    out.tab()
  }

  /** What is calculated of the attributes: weight to err_fp. */
  #derived(out: TsvBytes, { bytes, kindNumber }: SpanView): void {
    const weight = this.#number('andon.weight', bytes)
    out.number(isWeight(weight) ? weight : 1)
    out.tab()
    const repeat = this.#number('andon.repeat', bytes)
    out.integer(Number.isInteger(repeat) && repeat > 0 && repeat < 2 ** 32 ? repeat : 1)
    out.tab()
    const route = this.#slot('http.route')
    if (route >= 0) this.#text(out, bytes, route)
    out.tab()
    out.integer(this.#statusCode(bytes))
    out.tab()
    if (kindNumber === CLIENT || kindNumber === PRODUCER) this.#peer(out, bytes)
    out.tab()
    const statement = this.#first(STATEMENT_SLOTS)
    if (statement < 0) out.integer(0)
    else {
      const found = this.#fingerprint(bytes, statement)
      out.copy(found.cell)
      this.#statement = found.statement
    }
    out.tab()
    // Errors are told by events, and a span with events is not written here.
    out.integer(0)
    out.tab()
  }

  #slot(name: (typeof SLOTS)[number]): number {
    return this.#slots[SLOTS.indexOf(name)] ?? -1
  }

  #isEmpty(index: number): boolean {
    return index < 0 || (this.#types[index] === TEXT && this.#from[index] === this.#to[index])
  }

  /** The first attribute of a list of slots that is there and not empty; -1 when none is. */
  #first(slots: readonly number[]): number {
    for (const slot of slots) {
      const index = this.#slots[slot] ?? -1
      if (!this.#isEmpty(index)) return index
    }
    return -1
  }

  /** An attribute as a number; NaN where there is none. */
  #number(name: (typeof SLOTS)[number], bytes: Uint8Array): number {
    const index = this.#slot(name)
    if (index < 0) return Number.NaN
    switch (this.#types[index] ?? TEXT) {
      case TEXT:
        return Number(decoder.decode(bytes.subarray(this.#from[index], this.#to[index])))
      case INTEGER:
        return ((this.#high[index] ?? 0) | 0) * 2 ** 32 + (this.#low[index] ?? 0)
      case NUMBER:
        return this.#numbers[index] ?? Number.NaN
      default:
        return this.#isTrue(index) ? 1 : 0
    }
  }

  #statusCode(bytes: Uint8Array): number {
    const name = this.#isEmpty(this.#slot('http.response.status_code')) ? 'http.status_code' : 'http.response.status_code'
    if (this.#types[this.#slot(name)] === TRUTH) return 0
    const code = this.#number(name, bytes)
    return Number.isInteger(code) && code > 0 && code < 1000 ? code : 0
  }

  #isTrue(index: number): boolean {
    return this.#high[index] !== 0 || this.#low[index] !== 0
  }

  /** Service, or database and its name, or host and port. @see peerOf in span-row.ts */
  #peer(out: TsvBytes, bytes: Uint8Array): void {
    const { service, system, place, host, port } = PEER_SLOTS
    const named = this.#first(service)
    if (named >= 0) {
      this.#text(out, bytes, named)
      return
    }
    const called = this.#first(system)
    const [first, second, between] = called >= 0 ? [called, this.#first(place), 0x2f] : [this.#first(host), this.#first(port), 0x3a]
    if (first < 0) return
    this.#text(out, bytes, first)
    if (second < 0) return
    out.byte(between)
    this.#text(out, bytes, second)
  }

  /** The text of any attribute. */
  #text(out: TsvBytes, bytes: Uint8Array, index: number): void {
    if (this.#types[index] === TEXT) out.escaped(bytes, this.#from[index] ?? 0, this.#to[index] ?? 0)
    else this.#spelt(out, index)
  }

  /** A value that is no text as the text that JavaScript gives it, not as a number is written for the database. */
  #spelt(out: TsvBytes, index: number): void {
    if (this.#types[index] === NUMBER) out.ascii(String(this.#numbers[index] ?? 0))
    else this.#value(out, index)
  }

  #value(out: TsvBytes, index: number): void {
    switch (this.#types[index] ?? TEXT) {
      case INTEGER:
        out.signed(this.#high[index] ?? 0, this.#low[index] ?? 0)
        break
      case NUMBER:
        out.number(this.#numbers[index] ?? 0)
        break
      default:
        out.truth(this.#isTrue(index))
    }
  }

  #fingerprint(bytes: Uint8Array, index: number): Fingerprint {
    const system = this.#first(SYSTEM_SLOTS)
    const [from, to] = [this.#from[index] ?? 0, this.#to[index] ?? 0]
    if (this.#types[index] !== TEXT || (system >= 0 && this.#types[system] !== TEXT)) return fingerprint(this.#shown(bytes, index), this.#shown(bytes, system))
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const key = system < 0 ? text.toString('latin1', from, to) : `${text.toString('latin1', this.#from[system], this.#to[system])}\n${text.toString('latin1', from, to)}`
    let known = this.#fingerprints.get(key)
    if (known === undefined) {
      known = fingerprint(this.#shown(bytes, index), this.#shown(bytes, system))
      if (this.#fingerprints.size >= FINGERPRINTS) this.#fingerprints.clear()
      this.#fingerprints.set(key, known)
    }
    return known
  }

  /** The text of an attribute; '' of none. */
  #shown(bytes: Uint8Array, index: number): string {
    if (index < 0) return ''
    if (this.#types[index] === TEXT) return decoder.decode(bytes.subarray(this.#from[index], this.#to[index]))
    const out = new TsvBytes(64)
    this.#spelt(out, index)
    return decoder.decode(out.written())
  }

  /** The four maps: texts, integers, numbers, truth values. */
  #maps(out: TsvBytes, bytes: Uint8Array): void {
    this.#map(out, bytes, TEXT)
    out.tab()
    this.#map(out, bytes, INTEGER)
    out.tab()
    this.#map(out, bytes, NUMBER)
    out.tab()
    this.#map(out, bytes, TRUTH)
  }

  #map(out: TsvBytes, bytes: Uint8Array, type: ValueType): void {
    out.byte(0x7b)
    let isFirst = true
    for (let index = 0; index < this.#count; index += 1) {
      if (this.#types[index] !== type) continue
      if (!isFirst) out.byte(0x2c)
      isFirst = false
      const key = this.#keys[index]
      if (key !== undefined) out.copy(key.quoted)
      if (type === TEXT) {
        out.byte(0x27)
        out.escaped(bytes, this.#from[index] ?? 0, this.#to[index] ?? 0)
        out.byte(0x27)
      } else this.#value(out, index)
    }
    out.byte(0x7d)
  }
}

const decoder = new TextDecoder()

/** A statement and its id as a cell. */
interface Fingerprint {
  readonly statement: IdentifiedStatement
  readonly cell: Uint8Array
}

function fingerprint(text: string, system: string): Fingerprint {
  const statement = identified(text, system)
  return { statement, cell: cells((rows) => rows.number(statement.id)) }
}
