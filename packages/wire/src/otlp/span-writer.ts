// Finished spans straight to OTLP bytes: the agent's hottest path. What `spans.ts` does for records, without the records.
import type { AttributeValue, Resource, Scope, SpanEvent, SpanLink } from '@andon/model'
import { Writer } from '../protobuf.ts'
import { writeResource, writeScope, writeValue } from './attributes.ts'
import { writeEvent, writeLink } from './spans.ts'

/** Ids are kept as 32-bit integers, because text of them costs more than the span. */
export interface TraceIdentity {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  /** The W3C tracestate; '' when there is none. */
  readonly state: string
}

/** A finished span as its recorder holds it. Times are milliseconds of the writer's clock. */
export interface SpanSource {
  readonly trace: TraceIdentity
  readonly idHigh: number
  readonly idLow: number
  /** Both 0 when the span is the root of its trace. */
  readonly parentHigh: number
  readonly parentLow: number
  readonly flags: number
  readonly name: string
  /** OTLP's number, 0..5. */
  readonly kind: number
  readonly startMs: number
  readonly endMs: number
  /** Keys and values in turn. Whole numbers are sent as int64. */
  readonly attributes: readonly unknown[]
  /** Attributes that were encoded before by `encodeAttributes`. */
  readonly block: Uint8Array | undefined
  /** More of them, of whom the span's operation is done for. */
  readonly peer?: Uint8Array | undefined
  readonly droppedAttributes: number
  readonly events: readonly SpanEvent[] | undefined
  readonly droppedEvents: number
  readonly links: readonly SpanLink[] | undefined
  /** OTLP's number, 0..2. */
  readonly statusCode: number
  readonly statusMessage: string
}

/** Gives the text that may leave the process, for keys whose values are not safe as they are. */
export type Redaction = (key: string) => ((value: string) => string) | undefined

interface KnownKey {
  /** Field 1 of KeyValue, whole. */
  readonly bytes: Uint8Array
  readonly redact: ((value: string) => string) | undefined
}

const MAX_KEYS = 4096
const FIRST_SIZE = 64 * 1024
const TWO_32 = 4_294_967_296
/** Room for all that is not text: ids, times, flags, counts, tags and lengths. */
const FIXED = 160
/** Longer text is encoded by the platform. */
const SHORT = 64

const NONE: Redaction = () => undefined

/** Field 9 of Span: attributes in turn as keys and values, for `SpanSource.block`. */
export function encodeAttributes(attributes: readonly unknown[], redaction: Redaction = NONE): Uint8Array {
  const writer = redaction === NONE ? plain : new SpanWriter(redaction)
  writer.attributes(attributes)
  return writer.take().slice()
}

/**
 * Appends spans, each as field 2 of ScopeSpans. `clock` is set before the first: the writer adds it to the spans' times.
 */
export class SpanWriter {
  readonly #keys = new Map<string, KnownKey>()
  readonly #redaction: Redaction
  readonly #rare = new Writer(1024)
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(this.#bytes.buffer)
  #at = 0
  #epochHigh = 0
  #epochLow = 0
  /** Spans written since the last take. */
  count = 0

  constructor(redaction: Redaction) {
    this.#redaction = redaction
  }

  get length(): number {
    return this.#at
  }

  /** Takes back what was written beyond this length, after a failure within a span. */
  cut(length: number): void {
    this.#at = length
  }

  /** @param epoch - nanoseconds since the Unix epoch at which the spans' clock reads 0 */
  setEpoch(epoch: bigint): void {
    this.#epochHigh = Number(epoch >> 32n)
    this.#epochLow = Number(epoch & 0xff_ff_ff_ffn)
  }

  /** Takes out what was written: a view that is valid until the next write. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#at)
    this.#at = 0
    this.count = 0
    return taken
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(FIRST_SIZE, this.#bytes.length * 2, this.#at + bytes))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  write(span: SpanSource): void {
    this.#room(FIXED + span.name.length * 3 + span.trace.state.length * 3)
    const bytes = this.#bytes
    bytes[this.#at] = 0x12
    // Two bytes for the length, which nearly every span needs; more are made room for at the end.
    const start = this.#at + 3
    this.#at = start
    this.#identity(span)
    if (span.block !== undefined) this.#append(span.block)
    if (span.peer !== undefined) this.#append(span.peer)
    this.attributes(span.attributes)
    this.#rest(span)
    this.#close(start)
    this.count += 1
  }

  /** Fields 1 to 8 and 16. */
  #identity(span: SpanSource): void {
    const { trace } = span
    const view = this.#view
    const bytes = this.#bytes
    let at = this.#at
    bytes[at] = 0x0a
    bytes[at + 1] = 16
    view.setInt32(at + 2, trace.a)
    view.setInt32(at + 6, trace.b)
    view.setInt32(at + 10, trace.c)
    view.setInt32(at + 14, trace.d)
    bytes[at + 18] = 0x12
    bytes[at + 19] = 8
    view.setInt32(at + 20, span.idHigh)
    view.setInt32(at + 24, span.idLow)
    at += 28
    if (span.parentHigh !== 0 || span.parentLow !== 0) {
      bytes[at] = 0x22
      bytes[at + 1] = 8
      view.setInt32(at + 2, span.parentHigh)
      view.setInt32(at + 6, span.parentLow)
      at += 10
    }
    bytes[at] = 0x30
    bytes[at + 1] = span.kind
    at += 2
    at = this.#time(at, 0x39, span.startMs)
    at = this.#time(at, 0x41, span.endMs)
    // Tag 16 << 3 | 5 takes two bytes.
    bytes[at] = 0x85
    bytes[at + 1] = 0x01
    view.setUint32(at + 2, span.flags, true)
    this.#at = at + 6
    this.#text(0x2a, span.name)
    if (trace.state !== '') this.#text(0x1a, trace.state)
  }

  #time(at: number, tag: number, ms: number): number {
    const ns = Math.round(ms * 1e6)
    let high = Math.floor(ns / TWO_32)
    let low = ns - high * TWO_32 + this.#epochLow
    high += this.#epochHigh
    if (low >= TWO_32) {
      low -= TWO_32
      high += 1
    }
    this.#bytes[at] = tag
    this.#view.setUint32(at + 1, low, true)
    this.#view.setUint32(at + 5, high, true)
    return at + 9
  }

  #append(block: Uint8Array): void {
    this.#room(block.length + FIXED)
    this.#bytes.set(block, this.#at)
    this.#at += block.length
  }

  /** Fields 10 to 15. */
  #rest(span: SpanSource): void {
    this.#room(FIXED + span.statusMessage.length * 3)
    if (span.droppedAttributes > 0) this.#number(0x50, span.droppedAttributes)
    if (span.droppedEvents > 0) this.#number(0x60, span.droppedEvents)
    if (span.statusCode !== 0 || span.statusMessage !== '') this.#status(span)
    if (span.events === undefined && span.links === undefined) return
    this.#rare.clear()
    for (const event of span.events ?? []) writeEvent(this.#rare, event)
    for (const link of span.links ?? []) writeLink(this.#rare, link)
    this.#append(this.#rare.bytes())
  }

  #status({ statusCode, statusMessage }: SpanSource): void {
    this.#bytes[this.#at] = 0x7a
    const start = this.#at + 3
    this.#at = start
    if (statusMessage !== '') this.#text(0x12, statusMessage)
    this.#number(0x18, statusCode)
    this.#close(start)
  }

  #number(tag: number, value: number): void {
    this.#bytes[this.#at] = tag
    this.#at += 1
    this.#varint(value)
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#at] = (rest % 128) | 0x80
      this.#at += 1
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at] = rest
    this.#at += 1
  }

  /** A field of text; there is room for three bytes a unit. */
  #text(tag: number, text: string): void {
    const bytes = this.#bytes
    const { length } = text
    if (length < SHORT) {
      const from = this.#at + 2
      let index = 0
      while (index < length) {
        const unit = text.charCodeAt(index)
        if (unit > 0x7f) break
        bytes[from + index] = unit
        index += 1
      }
      if (index === length) {
        bytes[from - 2] = tag
        bytes[from - 1] = length
        this.#at = from + length
        return
      }
    }
    const encoded = encoder.encode(text)
    bytes[this.#at] = tag
    this.#at += 1
    this.#varint(encoded.length)
    bytes.set(encoded, this.#at)
    this.#at += encoded.length
  }

  #close(start: number): void {
    const length = this.#at - start
    const bytes = this.#bytes
    if (length < 0x4000) {
      bytes[start - 2] = (length & 0x7f) | 0x80
      bytes[start - 1] = length >>> 7
      return
    }
    this.#room(8)
    // Two bytes do not hold it: what follows moves.
    let size = 3
    for (let rest = Math.floor(length / 0x20_00_00); rest > 0; rest = Math.floor(rest / 128)) size += 1
    this.#bytes.copyWithin(start + size - 2, start, start + length)
    this.#at = start - 2
    this.#varint(length)
    this.#at += length
  }

  /** Appends attributes, given as keys and values in turn, as field 9. A value that is none is left out. */
  attributes(attributes: readonly unknown[]): void {
    for (let index = 0; index < attributes.length; index += 2) {
      const key = attributes[index]
      if (typeof key !== 'string') continue
      const known = this.#keys.get(key) ?? this.#newKey(key)
      const value = attributes[index + 1]
      if (typeof value === 'string' && known.redact === undefined && this.#shortText(known.bytes, value)) continue
      if (typeof value === 'number' && this.#shortNumber(known.bytes, value)) continue
      this.#attribute(known, value)
    }
  }

  /** Short ASCII, which most values are, in one pass; false when the value is not that. */
  #shortText(name: Uint8Array, value: string): boolean {
    const { length } = value
    const whole = name.length + length + 4
    if (whole > 0x7f) return false
    this.#room(whole + 2)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at] = 0x4a
    bytes[at + 1] = whole
    at += 2
    for (let index = 0; index < name.length; index += 1) bytes[at + index] = name[index]!
    at += name.length
    bytes[at] = 0x12
    bytes[at + 1] = length + 2
    bytes[at + 2] = 0x0a
    bytes[at + 3] = length
    at += 4
    for (let index = 0; index < length; index += 1) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) return false
      bytes[at + index] = unit
    }
    this.#at = at + length
    return true
  }

  /** Whole numbers below 16,384, such as statuses and most ports of services, and fractions, in one pass. */
  #shortNumber(name: Uint8Array, value: number): boolean {
    if (name.length > 0x6c) return false
    if (Math.trunc(value) !== value) return this.#fraction(name, value)
    if (value < 0 || value >= 0x4000) return false
    this.#room(name.length + 8)
    const bytes = this.#bytes
    let at = this.#at
    const size = value < 0x80 ? 2 : 3
    bytes[at] = 0x4a
    bytes[at + 1] = name.length + size + 2
    at += 2
    for (let index = 0; index < name.length; index += 1) bytes[at + index] = name[index]!
    at += name.length
    bytes[at] = 0x12
    bytes[at + 1] = size
    bytes[at + 2] = 0x18
    if (size === 2) bytes[at + 3] = value
    else {
      bytes[at + 3] = (value & 0x7f) | 0x80
      bytes[at + 4] = value >>> 7
    }
    this.#at = at + 2 + size
    return true
  }

  #fraction(name: Uint8Array, value: number): boolean {
    this.#room(name.length + 16)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at] = 0x4a
    bytes[at + 1] = name.length + 11
    at += 2
    for (let index = 0; index < name.length; index += 1) bytes[at + index] = name[index]!
    at += name.length
    bytes[at] = 0x12
    bytes[at + 1] = 9
    bytes[at + 2] = 0x21
    this.#view.setFloat64(at + 3, value, true)
    this.#at = at + 11
    return true
  }

  #newKey(key: string): KnownKey {
    const writer = new Writer(key.length + 8)
    writer.text(1, key)
    const made = { bytes: writer.bytes().slice(), redact: this.#redaction(key) }
    if (this.#keys.size < MAX_KEYS) this.#keys.set(key, made)
    return made
  }

  #attribute({ bytes: name, redact }: KnownKey, value: unknown): void {
    const text = redact === undefined ? value : redacted(value, redact)
    this.#room(name.length + 24 + (typeof text === 'string' ? text.length * 3 : 0))
    const bytes = this.#bytes
    const start = this.#at
    // Length of the pair at start + 1, then the key, then the value with its own length: filled in when known.
    let at = start + 2
    for (let index = 0; index < name.length; index += 1) bytes[at + index] = name[index]!
    at += name.length
    this.#at = at + 2
    if (!this.#value(text)) {
      this.#at = start
      return
    }
    const inner = this.#at - at - 2
    const whole = this.#at - start - 2
    if (whole < 0x80) {
      bytes[start] = 0x4a
      bytes[start + 1] = whole
      bytes[at] = 0x12
      bytes[at + 1] = inner
      return
    }
    this.#at = start
    this.#longAttribute(name, text)
  }

  /** The value of AnyValue; false when it is of no kind that is short. */
  #value(value: unknown): boolean {
    if (typeof value === 'string') {
      if (value.length >= 0x80) return this.#pending()
      this.#text(0x0a, value)
      return true
    }
    if (typeof value === 'number') {
      if (Number.isSafeInteger(value) && value >= 0) this.#number(0x18, value)
      else if (Number.isSafeInteger(value)) return this.#pending()
      else {
        this.#bytes[this.#at] = 0x21
        this.#view.setFloat64(this.#at + 1, value, true)
        this.#at += 9
      }
      return true
    }
    if (typeof value === 'boolean') {
      this.#bytes[this.#at] = 0x10
      this.#bytes[this.#at + 1] = value ? 1 : 0
      this.#at += 2
      return true
    }
    return value !== null && value !== undefined && this.#pending()
  }

  /** Makes the pair longer than 127 bytes, so that it is written the long way. */
  #pending(): boolean {
    this.#room(0x100)
    this.#at += 0x80
    return true
  }

  #longAttribute(name: Uint8Array, value: unknown): void {
    this.#rare.clear()
    this.#rare.message(9, () => {
      this.#rare.append(name)
      this.#rare.message(2, () => writeValue(this.#rare, toAttributeValue(value)))
    })
    this.#append(this.#rare.bytes())
  }
}

const encoder = new TextEncoder()

/** For blocks of attributes, which are made one at a time. */
const plain = new SpanWriter(NONE)

function redacted(value: unknown, redact: (value: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => redacted(each, redact))
  return typeof value === 'string' ? redact(value) : value
}

/** A value of the API as OTLP knows it: whole numbers as int64; null for what is no attribute's value. */
export function toAttributeValue(value: unknown): AttributeValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map((each: unknown) => toAttributeValue(each))
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || value instanceof Uint8Array ? value : null
}

/** An ExportTraceServiceRequest around spans that a SpanWriter wrote, by scope. */
export function encodeSpanRequest(resource: Resource, scopes: readonly (readonly [Scope, Uint8Array])[]): Uint8Array {
  const writer = new Writer(1024 + scopes.reduce((sum, [, { length }]) => sum + length + 256, 0))
  writer.message(1, () => {
    writeResource(writer, 1, resource)
    for (const [scope, spans] of scopes) {
      writer.message(2, () => {
        writeScope(writer, 1, scope)
        writer.append(spans)
        writer.string(3, scope.schemaUrl)
      })
    }
    writer.string(3, resource.schemaUrl)
  })
  return writer.bytes()
}
