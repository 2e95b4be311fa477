// A span as it stands in its bytes: what is asked of every span is read at once, all else when it is asked for.
import { AndonError, type Attributes, type AttributeValue, type Resource, type Scope, SPAN_KINDS, SPAN_STATUSES, type SpanEvent, type SpanKind, type SpanLink, type SpanRecord } from '@andon/model'
import { Reader } from '../protobuf.ts'
import { decodeAttributes, type Refuse } from './attributes.ts'
import { Cursor } from './cursor.ts'
import { readRequest, type Sourced } from './request.ts'
import { readSpanFields } from './spans.ts'

const HIGH = 2 ** 32
const ATTRIBUTES = 74

/** Where a text or an id stands in the bytes: from `at` up to `end`; empty where both are the same. */
export interface Place {
  readonly at: number
  readonly end: number
}

const NOWHERE: Place = { at: 0, end: 0 }

/** May be used as long as its request's bytes are not changed. Its `record` is the whole span, read once. */
export class SpanView implements SpanRecord {
  /** The bytes of the message Span. */
  readonly bytes: Uint8Array
  /** Those of its request, or shorter ones that stand for them. */
  resource: Resource
  scope: Scope
  trace: Place = NOWHERE
  id: Place = NOWHERE
  parent: Place = NOWHERE
  state: Place = NOWHERE
  title: Place = NOWHERE
  message: Place = NOWHERE
  kindNumber = 0
  statusNumber = 0
  flags = 0
  droppedAttributes = 0
  droppedEvents = 0
  droppedLinks = 0
  startHigh = 0
  startLow = 0
  endHigh = 0
  endLow = 0
  /** Events and links together. */
  parts = 0
  /** What its reader keeps with it, for whoever asks for the same. */
  kept: unknown
  #key: string | undefined
  /** Keys of its attributes, and for each where its value, a message AnyValue, begins and ends; given by who has read them. */
  #keys: readonly string[] | undefined
  #places: readonly number[] = []
  #values: AttributeValue[] = []
  #record: SpanRecord | undefined
  #traceId: string | undefined
  #spanId: string | undefined
  #parentSpanId: string | undefined
  #attributes: Attributes | undefined

  constructor(bytes: Uint8Array, { resource, scope }: Sourced) {
    this.bytes = bytes
    this.resource = resource
    this.scope = scope
    this.#scan(cursor.over(bytes, 0, bytes.length))
  }

  #scan(scan: Cursor): void {
    for (let tag = scan.tag(); tag !== 0; tag = scan.tag()) {
      if (tag === ATTRIBUTES) scan.at = scan.limit()
      else if (tag <= 66) this.#identity(scan, tag)
      else this.#rest(scan, tag)
    }
    if (isNothing(this.bytes, this.parent)) this.parent = NOWHERE
    if (this.endHigh < this.startHigh || (this.endHigh === this.startHigh && this.endLow < this.startLow)) {
      this.endHigh = this.startHigh
      this.endLow = this.startLow
    }
  }

  /** What is wrong with its ids; undefined when nothing is. Links are looked at with the record. */
  get problem(): string | undefined {
    const { bytes, trace, id, parent } = this
    if (isNothing(bytes, trace) || isNothing(bytes, id)) return 'has no trace id or no span id'
    return lengthProblem(trace, 16, 'the trace id') ?? lengthProblem(id, 8, 'the span id') ?? (parent === NOWHERE ? undefined : lengthProblem(parent, 8, 'the parent id'))
  }

  /** Fields 1 to 8. */
  #identity(scan: Cursor, tag: number): void {
    switch (tag) {
      case 10:
        this.trace = placeOf(scan)
        break
      case 18:
        this.id = placeOf(scan)
        break
      case 26:
        this.state = placeOf(scan)
        break
      case 34:
        this.parent = placeOf(scan)
        break
      case 42:
        this.title = placeOf(scan)
        break
      case 48:
        this.kindNumber = scan.uint32()
        break
      case 57:
        scan.fixed64()
        this.startHigh = scan.high
        this.startLow = scan.low
        break
      case 65:
        scan.fixed64()
        this.endHigh = scan.high
        this.endLow = scan.low
        break
      default:
        scan.skip(tag)
    }
  }

  /** Fields 10 to 16. */
  #rest(scan: Cursor, tag: number): void {
    switch (tag) {
      case 80:
        this.droppedAttributes = scan.uint32()
        break
      case 90:
      case 106:
        this.parts += 1
        scan.at = scan.limit()
        break
      case 96:
        this.droppedEvents = scan.uint32()
        break
      case 112:
        this.droppedLinks = scan.uint32()
        break
      case 122:
        this.#status(scan)
        break
      case 133:
        this.flags = scan.fixed32()
        break
      default:
        scan.skip(tag)
    }
  }

  #status(scan: Cursor): void {
    const outer = scan.end
    scan.end = scan.limit()
    this.message = NOWHERE
    this.statusNumber = 0
    for (let tag = scan.tag(); tag !== 0; tag = scan.tag()) {
      if (tag === 18) this.message = placeOf(scan)
      else if (tag === 24) this.statusNumber = scan.uint32()
      else scan.skip(tag)
    }
    scan.end = outer
  }

  /** All of it, as `decodeSpans` gives it. @throws AndonError bad_body where its attributes, events or links cannot be read */
  get record(): SpanRecord {
    this.#record ??= readSpanFields(new Reader(this.bytes, 'spans'), this)[0]
    if (this.#record === undefined) throw new AndonError('bad_body', 'spans: a span cannot be read')
    return this.#record
  }

  /** Nanoseconds since 1970 with the precision of a double, which is half a microsecond. */
  get startTime(): number {
    return this.startHigh * HIGH + this.startLow
  }

  get endTime(): number {
    return this.endHigh * HIGH + this.endLow
  }

  get kind(): SpanKind {
    return SPAN_KINDS[this.kindNumber] ?? 'unspecified'
  }

  get start(): bigint {
    return (BigInt(this.startHigh) << 32n) | BigInt(this.startLow)
  }

  get end(): bigint {
    return (BigInt(this.endHigh) << 32n) | BigInt(this.endLow)
  }

  get traceId(): string {
    this.#traceId ??= hexOf(this.bytes, this.trace)
    return this.#traceId
  }

  get spanId(): string {
    this.#spanId ??= hexOf(this.bytes, this.id)
    return this.#spanId
  }

  /** Of its trace and itself. */
  get key(): string {
    this.#key ??= this.traceId + this.spanId
    return this.#key
  }

  /** Nanoseconds, with the precision of a double. */
  get duration(): number {
    return (this.endHigh - this.startHigh) * HIGH + (this.endLow - this.startLow)
  }

  /** Whether somebody has told where its attributes are. */
  get isIndexed(): boolean {
    return this.#keys !== undefined
  }

  /** '' when the span is the root of its trace. */
  get parentSpanId(): string {
    this.#parentSpanId ??= hexOf(this.bytes, this.parent)
    return this.#parentSpanId
  }

  get traceState(): string {
    return textOf(this.bytes, this.state)
  }

  get name(): string {
    return textOf(this.bytes, this.title)
  }

  get attributes(): Attributes {
    this.#attributes ??= decodeAttributes(this.bytes, ATTRIBUTES)
    return this.#attributes
  }

  /**
   * Tells where its attributes are, so that `value` need not look for them.
   *
   * @param keys - all of them, none twice
   * @param places - for each where its AnyValue begins and ends, which must hold a text, a truth value or a number and nothing else
   */
  index(keys: readonly string[], places: readonly number[]): void {
    this.#keys = keys
    this.#places = places
  }

  /** One attribute; undefined where it has none of this key. */
  value(key: string): AttributeValue | undefined {
    if (this.#keys === undefined) return this.attributes[key]
    const at = this.#keys.indexOf(key)
    if (at < 0) return undefined
    this.#values[at] ??= plainValue(cursor.over(this.bytes, this.#places[at * 2] ?? 0, this.#places[at * 2 + 1] ?? 0))
    return this.#values[at]
  }

  get events(): readonly SpanEvent[] {
    return this.parts === 0 ? [] : this.record.events
  }

  get links(): readonly SpanLink[] {
    return this.parts === 0 ? [] : this.record.links
  }

  get status(): SpanRecord['status'] {
    return { code: SPAN_STATUSES[this.statusNumber] ?? 'unset', message: textOf(this.bytes, this.message) }
  }
}

const cursor = new Cursor(new Uint8Array(), 'spans')
const decoder = new TextDecoder()

function lengthProblem({ at, end }: Place, length: number, what: string): string | undefined {
  return end - at === length ? undefined : `${what} must be ${length} bytes, not ${end - at}`
}

function placeOf(scan: Cursor): Place {
  const end = scan.limit()
  const place = { at: scan.at, end }
  scan.at = end
  return place
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexOf(bytes: Uint8Array, { at, end }: Place): string {
  let text = ''
  for (let index = at; index < end; index += 1) text += HEX[bytes[index] ?? 0] ?? ''
  return text
}

/** Past it the decoder is quicker than one letter after another. */
const SHORT = 24

/** Text; what is not UTF-8 becomes U+FFFD. */
function textOf(bytes: Uint8Array, { at, end }: Place): string {
  if (end - at >= SHORT) return decoder.decode(bytes.subarray(at, end))
  let text = ''
  for (let index = at; index < end; index += 1) {
    const byte = bytes[index] ?? 0
    if (byte >= 0x80) return decoder.decode(bytes.subarray(at, end))
    text += String.fromCharCode(byte)
  }
  return text
}

/** An AnyValue that is a text, a truth value or a number. */
function plainValue(scan: Cursor): AttributeValue {
  switch (scan.tag()) {
    case 10:
      return textOf(scan.bytes, placeOf(scan))
    case 16:
      scan.varint64()
      return scan.high !== 0 || scan.low !== 0
    case 24:
      scan.varint64()
      return (BigInt(scan.high | 0) << 32n) | BigInt(scan.low)
    case 33:
      return scan.double()
    default:
      return null
  }
}

/** The empty id and that of zeros. */
function isNothing(bytes: Uint8Array, { at, end }: Place): boolean {
  for (let index = at; index < end; index += 1) if (bytes[index] !== 0) return false
  return true
}

/** The span as a whole, counted within its request. */
function whole(view: SpanView, outer: Reader, refuse: Refuse): SpanRecord[] {
  const reader = new Reader(view.bytes, 'spans')
  reader.countOn(outer)
  const found = readSpanFields(reader, view, refuse)
  outer.countOn(reader)
  return found
}

/**
 * Spans of an OTLP ExportTraceServiceRequest in protobuf, as views of its bytes; those with events or links have been read as a whole.
 *
 * @param bytes - must not change while the views are used
 * @param refuse - told of spans whose ids are none
 * @throws AndonError bad_body where the bytes are not such a request, as far as they have been looked at; too_large
 */
export function viewSpans(bytes: Uint8Array, refuse: Refuse): SpanRecord[] {
  const spans: SpanRecord[] = []
  readRequest(bytes, 'spans', (reader, source) => {
    reader.record()
    const view = new SpanView(reader.bytes(), source)
    const { problem } = view
    if (problem !== undefined) refuse(`span "${view.name.slice(0, 100)}": ${problem}`)
    else if (view.parts === 0) spans.push(view)
    else spans.push(...whole(view, reader, refuse))
  })
  return spans
}
