import { AndonError, SPAN_KINDS, SPAN_STATUSES, type SpanEvent, type SpanKind, type SpanLink, type SpanRecord, type SpanStatus } from '@andon/model'
import { type Reader, Writer } from '../protobuf.ts'
import { knownId, type Mutable, type OpenAttributes, ownAttributes, readKeyValue, type Refuse, writeAttributes } from './attributes.ts'
import { type JsonReader, jsonAttributes, jsonRequest, readJsonRequest } from './json.ts'
import { readRequest, type Sourced, writeRequest } from './request.ts'

/**
 * Spans of an OTLP ExportTraceServiceRequest in protobuf.
 *
 * ```
 * message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
 *   SpanKind kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; KeyValue attributes = 9;
 *   uint32 dropped_attributes_count = 10; Event events = 11; uint32 dropped_events_count = 12; Link links = 13;
 *   uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16 }
 * ```
 *
 * @param refuse - told of spans whose ids are none; without it the whole request is refused for one of them
 * @throws AndonError bad_body where the bytes are not such a request, too_large; nothing of it is then returned
 */
export function decodeSpans(bytes: Uint8Array, refuse?: Refuse): SpanRecord[] {
  const spans: SpanRecord[] = []
  readRequest(bytes, 'spans', (reader, source) => keep(spans, readSpan(reader, source), refuse))
  return spans
}

/** Spans as an OTLP ExportTraceServiceRequest in protobuf, grouped by the identity of their resource and scope. */
export function encodeSpans(spans: readonly SpanRecord[]): Uint8Array {
  return writeRequest(spans, writeSpan)
}

/** The spans of a trace as Tempo's TraceByIDResponse { Trace trace = 1 }; a trace has the fields of an export request. */
export function encodeTraceById(spans: readonly SpanRecord[]): Uint8Array {
  const writer = new Writer()
  writer.raw(1, encodeSpans(spans))
  return writer.bytes()
}

/** A span that is being read. */
type ReadSpan = Omit<Mutable<SpanRecord>, 'attributes' | 'events' | 'links'> & { attributes: OpenAttributes; events: SpanEvent[]; links: Mutable<SpanLink>[] }

function emptySpan({ resource, scope }: Sourced, attributes: OpenAttributes): ReadSpan {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: '',
    kind: 'unspecified',
    start: 0n,
    end: 0n,
    attributes,
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 'unset', message: '' },
    resource,
    scope,
  }
}

function idProblem(id: string, digits: 16 | 32, what: string): string | undefined {
  return id === '' || id.length === digits ? undefined : `${what} must be ${digits / 2} bytes, not ${id.length / 2}`
}

/** What is wrong with the ids of a span; zeros become ''. */
function problemOf(span: ReadSpan): string | undefined {
  span.traceId = knownId(span.traceId)
  span.spanId = knownId(span.spanId)
  span.parentSpanId = knownId(span.parentSpanId)
  if (span.traceId === '' || span.spanId === '') return 'has no trace id or no span id'
  let problem = idProblem(span.traceId, 32, 'the trace id') ?? idProblem(span.spanId, 16, 'the span id') ?? idProblem(span.parentSpanId, 16, 'the parent id')
  for (const link of span.links) {
    link.traceId = knownId(link.traceId)
    link.spanId = knownId(link.spanId)
    problem ??= idProblem(link.traceId, 32, 'the trace id of a link') ?? idProblem(link.spanId, 16, 'the span id of a link')
  }
  return problem
}

function keep(spans: SpanRecord[], span: ReadSpan, refuse: Refuse | undefined): void {
  const problem = problemOf(span)
  if (problem !== undefined) {
    const told = `span "${span.name.slice(0, 100)}": ${problem}`
    if (refuse === undefined) throw new AndonError('bad_body', told)
    refuse(told)
    return
  }
  if (span.end < span.start) span.end = span.start
  spans.push(span)
}

function readSpan(reader: Reader, source: Sourced): ReadSpan {
  const span = emptySpan(source, ownAttributes(reader))
  reader.message((tag) => readField(reader, tag, span))
  return span
}

/** The span of which the reader holds the fields and nothing else; none where its ids are none, which `refuse` is told of. */
export function readSpanFields(reader: Reader, source: Sourced, refuse?: Refuse): SpanRecord[] {
  const span = emptySpan(source, ownAttributes(reader))
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) readField(reader, tag, span)
  const kept: SpanRecord[] = []
  keep(kept, span, refuse)
  return kept
}

function readField(reader: Reader, tag: number, span: ReadSpan): void {
  if (tag === 74) readKeyValue(reader, span.attributes)
  else if (tag <= 66) readIdentity(reader, tag, span)
  else readRest(reader, tag, span)
}

/** Fields 1 to 8. */
function readIdentity(reader: Reader, tag: number, span: Mutable<SpanRecord>): void {
  switch (tag) {
    case 10:
      span.traceId = reader.hex()
      break
    case 18:
      span.spanId = reader.hex()
      break
    case 26:
      span.traceState = reader.string()
      break
    case 34:
      span.parentSpanId = reader.hex()
      break
    case 42:
      span.name = reader.string()
      break
    case 48:
      span.kind = kindOf(reader.uint32())
      break
    case 57:
      span.start = reader.fixed64()
      break
    case 65:
      span.end = reader.fixed64()
      break
    default:
      reader.skip(tag)
  }
}

/** Fields 10 to 16. */
function readRest(reader: Reader, tag: number, span: ReadSpan): void {
  switch (tag) {
    case 80:
      span.droppedAttributes = reader.uint32()
      break
    case 90:
      span.events.push(readEvent(reader))
      break
    case 96:
      span.droppedEvents = reader.uint32()
      break
    case 106:
      span.links.push(readLink(reader))
      break
    case 112:
      span.droppedLinks = reader.uint32()
      break
    case 122:
      span.status = readStatus(reader)
      break
    case 133:
      span.flags = reader.fixed32()
      break
    default:
      reader.skip(tag)
  }
}

function kindOf(value: number): SpanKind {
  return SPAN_KINDS[value] ?? 'unspecified'
}

function statusOf(value: number): SpanStatus {
  return SPAN_STATUSES[value] ?? 'unset'
}

/** message Status { string message = 2; StatusCode code = 3 } */
function readStatus(reader: Reader): SpanRecord['status'] {
  let code: SpanStatus = 'unset'
  let message = ''
  reader.message((tag) => {
    if (tag === 18) message = reader.string()
    else if (tag === 24) code = statusOf(reader.uint32())
    else reader.skip(tag)
  })
  return { code, message }
}

/** message Event { fixed64 time_unix_nano = 1; string name = 2; KeyValue attributes = 3; uint32 dropped_attributes_count = 4 } */
function readEvent(reader: Reader): SpanEvent {
  const attributes = ownAttributes(reader)
  const event: Mutable<SpanEvent> = { time: 0n, name: '', attributes, droppedAttributes: 0 }
  reader.message((tag) => {
    if (tag === 9) event.time = reader.fixed64()
    else if (tag === 18) event.name = reader.string()
    else if (tag === 26) readKeyValue(reader, attributes)
    else if (tag === 32) event.droppedAttributes = reader.uint32()
    else reader.skip(tag)
  })
  return event
}

/** message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; KeyValue attributes = 4; uint32 dropped_attributes_count = 5; fixed32 flags = 6 } */
function readLink(reader: Reader): Mutable<SpanLink> {
  const attributes = ownAttributes(reader)
  const link: Mutable<SpanLink> = { traceId: '', spanId: '', traceState: '', flags: 0, attributes, droppedAttributes: 0 }
  reader.message((tag) => {
    if (tag === 10) link.traceId = reader.hex()
    else if (tag === 18) link.spanId = reader.hex()
    else if (tag === 26) link.traceState = reader.string()
    else if (tag === 34) readKeyValue(reader, attributes)
    else if (tag === 40) link.droppedAttributes = reader.uint32()
    else if (tag === 53) link.flags = reader.fixed32()
    else reader.skip(tag)
  })
  return link
}

function writeSpan(writer: Writer, span: SpanRecord): void {
  writer.message(2, () => {
    writer.hex(1, span.traceId)
    writer.hex(2, span.spanId)
    writer.string(3, span.traceState)
    writer.hex(4, span.parentSpanId)
    writer.string(5, span.name)
    writer.uint(6, SPAN_KINDS.indexOf(span.kind))
    writer.fixed64(7, span.start)
    writer.fixed64(8, span.end)
    writeAttributes(writer, 9, span.attributes)
    writer.uint(10, span.droppedAttributes)
    for (const event of span.events) writeEvent(writer, event)
    writer.uint(12, span.droppedEvents)
    for (const link of span.links) writeLink(writer, link)
    writer.uint(14, span.droppedLinks)
    writeStatus(writer, span.status)
    writer.fixed32(16, span.flags)
  })
}

/** Field 11 of Span. */
export function writeEvent(writer: Writer, event: SpanEvent): void {
  writer.message(11, () => {
    writer.fixed64(1, event.time)
    writer.string(2, event.name)
    writeAttributes(writer, 3, event.attributes)
    writer.uint(4, event.droppedAttributes)
  })
}

/** Field 13 of Span. */
export function writeLink(writer: Writer, link: SpanLink): void {
  writer.message(13, () => {
    writer.hex(1, link.traceId)
    writer.hex(2, link.spanId)
    writer.string(3, link.traceState)
    writeAttributes(writer, 4, link.attributes)
    writer.uint(5, link.droppedAttributes)
    writer.fixed32(6, link.flags)
  })
}

function writeStatus(writer: Writer, { code, message }: SpanRecord['status']): void {
  if (code === 'unset' && message === '') return
  writer.message(15, () => {
    writer.string(2, message)
    writer.uint(3, SPAN_STATUSES.indexOf(code))
  })
}

const KIND_NAMES = ['SPAN_KIND_UNSPECIFIED', 'SPAN_KIND_INTERNAL', 'SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT', 'SPAN_KIND_PRODUCER', 'SPAN_KIND_CONSUMER']
const STATUS_NAMES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR']

/**
 * Spans of an OTLP ExportTraceServiceRequest in JSON: ids as hex, 64-bit integers as text or number, enums by number or name.
 *
 * @param refuse - told of spans whose ids are none; without it the whole request is refused for one of them
 * @throws AndonError bad_body with the path of what is wrong, too_large
 */
export function decodeSpansJson(text: string, refuse?: Refuse): SpanRecord[] {
  const spans: SpanRecord[] = []
  readJsonRequest(text, 'spans', ['resourceSpans', 'scopeSpans', 'spans'], (json, source) => keep(spans, readJsonSpan(json, source), refuse))
  return spans
}

/** Spans as an OTLP ExportTraceServiceRequest in JSON. */
export function encodeSpansJson(spans: readonly SpanRecord[]): string {
  return jsonRequest(spans, ['resourceSpans', 'scopeSpans', 'spans'], jsonSpan)
}

function readJsonSpan(json: JsonReader, source: Sourced): ReadSpan {
  const status = json.child('status')
  return {
    traceId: json.hex('traceId'),
    spanId: json.hex('spanId'),
    parentSpanId: json.hex('parentSpanId'),
    traceState: json.text('traceState'),
    flags: json.uint32('flags'),
    name: json.text('name'),
    kind: kindOf(json.enumeration('kind', KIND_NAMES)),
    start: json.uint64('startTimeUnixNano'),
    end: json.uint64('endTimeUnixNano'),
    attributes: json.attributes('attributes'),
    droppedAttributes: json.uint32('droppedAttributesCount'),
    events: json.list('events').map((event) => ({
      time: event.uint64('timeUnixNano'),
      name: event.text('name'),
      attributes: event.attributes('attributes'),
      droppedAttributes: event.uint32('droppedAttributesCount'),
    })),
    droppedEvents: json.uint32('droppedEventsCount'),
    links: json.list('links').map((link) => ({
      traceId: link.hex('traceId'),
      spanId: link.hex('spanId'),
      traceState: link.text('traceState'),
      flags: link.uint32('flags'),
      attributes: link.attributes('attributes'),
      droppedAttributes: link.uint32('droppedAttributesCount'),
    })),
    droppedLinks: json.uint32('droppedLinksCount'),
    status: { code: statusOf(status.enumeration('code', STATUS_NAMES)), message: status.text('message') },
    resource: source.resource,
    scope: source.scope,
  }
}

function jsonSpan(span: SpanRecord): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    traceState: span.traceState,
    parentSpanId: span.parentSpanId,
    flags: span.flags,
    name: span.name,
    kind: SPAN_KINDS.indexOf(span.kind),
    startTimeUnixNano: String(span.start),
    endTimeUnixNano: String(span.end),
    attributes: jsonAttributes(span.attributes),
    droppedAttributesCount: span.droppedAttributes,
    events: span.events.map((event) => ({
      timeUnixNano: String(event.time),
      name: event.name,
      attributes: jsonAttributes(event.attributes),
      droppedAttributesCount: event.droppedAttributes,
    })),
    droppedEventsCount: span.droppedEvents,
    links: span.links.map(({ attributes, droppedAttributes, ...link }) => ({ ...link, attributes: jsonAttributes(attributes), droppedAttributesCount: droppedAttributes })),
    droppedLinksCount: span.droppedLinks,
    status: { code: SPAN_STATUSES.indexOf(span.status.code), message: span.status.message },
  }
}
