// One row of the table `spans`: written from a SpanRecord and read back as the very same.
import {
  type Attributes,
  type AttributeValue,
  exceptionFingerprint,
  type Milliseconds,
  type Resource,
  type Scope,
  type Seconds,
  SPAN_KINDS,
  SPAN_STATUSES,
  type SpanEvent,
  type SpanLink,
  type SpanRecord,
  xxHash64,
  xxHash64Bytes,
} from '@andon/model'
import { decodeSpans, encodeSpans, SpanView } from '@andon/wire'
import { describeSource, type Source } from './source.ts'
import { columns, number, pairs, stringOf, textRecord, texts } from './cells.ts'
import { identified, IdentifiedStatement } from './statement-text.ts'
import type { TsvPart, TsvRows } from './tsv.ts'

/** The columns of an insert, in the order in which `appendSpan` writes them. */
export const SPAN_COLUMNS: readonly string[] = [
  'ts', 'trace_id', 'span_id', 'parent_id', 'trace_flags', 'trace_state', 'service', 'env', 'version', 'instance', 'scope', 'scope_version',
  'name', 'kind', 'dur', 'status', 'status_msg', 'weight', 'repeat', 'route', 'http_status', 'peer', 'db_fp', 'err_fp', 'attrs', 'attrs_int',
  'attrs_num', 'attrs_bool', 'resource', 'ev_ts', 'ev_name', 'ev_attrs', 'links', 'dropped', 'rest',
]

/**
 * What is selected to read a span back, in the order that `readSpanRow` takes. Maps come as lists of keys and of values:
 * read as objects of JSON, keys that need an escape were lost on Node 24.21.
 */
export const SPAN_SELECT =
  "toUnixTimestamp64Nano(ts), lower(hex(trace_id)), lower(hex(span_id)), lower(hex(parent_id)), trace_flags, trace_state, scope, scope_version, name, toInt8(kind), dur, toInt8(status), status_msg, (mapKeys(attrs), mapValues(attrs)), (mapKeys(attrs_int), mapValues(attrs_int)), (mapKeys(attrs_num), mapValues(attrs_num)), (mapKeys(attrs_bool), mapValues(attrs_bool)), resource, arrayMap(t -> toUnixTimestamp64Nano(t), ev_ts), ev_name, arrayMap(m -> (mapKeys(m), mapValues(m)), ev_attrs), arrayMap(l -> (lower(hex(l.1)), lower(hex(l.2)), (mapKeys(l.3), mapValues(l.3))), links), dropped.1, dropped.2, dropped.3, base64Encode(rest)"

/** Times that DateTime64(9) holds. */
const MIN_TIME = 0n
const MAX_TIME = 9_000_000_000_000_000_000n

type Pair<T> = [string, T]

interface Split {
  readonly strings: Pair<string>[]
  readonly integers: Pair<bigint>[]
  readonly numbers: Pair<number>[]
  readonly booleans: Pair<boolean>[]
  /** Lists, maps, bytes and empty values, which have no column. */
  readonly others: Pair<AttributeValue>[]
}

function split(attributes: Attributes): Split {
  const parts: Split = { strings: [], integers: [], numbers: [], booleans: [], others: [] }
  for (const key of Object.keys(attributes)) {
    const value = attributes[key] ?? null
    if (typeof value === 'string') parts.strings.push([key, value])
    else if (typeof value === 'bigint') parts.integers.push([key, value])
    else if (typeof value === 'number') parts.numbers.push([key, value])
    else if (typeof value === 'boolean') parts.booleans.push([key, value])
    else parts.others.push([key, value])
  }
  return parts
}

function allText(attributes: Attributes): boolean {
  return Object.values(attributes).every((value) => typeof value === 'string')
}

const plainEvent = (event: SpanEvent): boolean => event.droppedAttributes === 0 && event.time >= MIN_TIME && event.time <= MAX_TIME && allText(event.attributes)
const plainLink = (link: SpanLink): boolean =>
  link.traceState === '' && link.flags === 0 && link.droppedAttributes === 0 && link.traceId !== '' && link.spanId !== '' && allText(link.attributes)

const NO_ATTRIBUTES: Attributes = {}
const NO_RESOURCE: Resource = { attributes: NO_ATTRIBUTES, droppedAttributes: 0, schemaUrl: '' }
const NO_SCOPE: Scope = { name: '', version: '', attributes: NO_ATTRIBUTES, droppedAttributes: 0, schemaUrl: '' }

/** A span that carries only what its row has no column for, so that OTLP's own bytes can keep it. */
const CAPSULE: SpanRecord = {
  traceId: 'f'.repeat(32),
  spanId: 'f'.repeat(16),
  parentSpanId: '',
  traceState: '',
  flags: 0,
  name: '',
  kind: 'unspecified',
  start: 0n,
  end: 0n,
  attributes: NO_ATTRIBUTES,
  droppedAttributes: 0,
  events: [],
  droppedEvents: 0,
  links: [],
  droppedLinks: 0,
  status: { code: 'unset', message: '' },
  resource: NO_RESOURCE,
  scope: NO_SCOPE,
}

const NOTHING = new Uint8Array()

/** The OTLP bytes of what has no column; usually empty. Events and links go there all together, or not at all. */
function restOf(span: SpanRecord, others: Split['others']): { bytes: Uint8Array; events: readonly SpanEvent[]; links: readonly SpanLink[] } {
  const events = span.events.every(plainEvent)
  const links = span.links.every(plainLink)
  const { attributes, droppedAttributes, schemaUrl } = span.scope
  const scope = Object.keys(attributes).length === 0 && droppedAttributes === 0 && schemaUrl === ''
  if (others.length === 0 && events && links && scope) return { bytes: NOTHING, events: span.events, links: span.links }
  const capsule: SpanRecord = {
    ...CAPSULE,
    attributes: Object.fromEntries(others),
    events: events ? [] : span.events,
    links: links ? [] : span.links,
    scope: scope ? NO_SCOPE : { ...NO_SCOPE, attributes, droppedAttributes, schemaUrl },
  }
  return { bytes: encodeSpans([capsule]), events: events ? span.events : [], links: links ? span.links : [] }
}

/** A resource's row: its hash, its text attributes, and the bytes of the whole where it holds more than text. */
export interface ResourceRow {
  readonly hash: bigint
  readonly texts: readonly (readonly [string, string])[]
  readonly rest: Uint8Array
}

const resourceRows = new WeakMap<Resource, ResourceRow>()

export function resourceRow(resource: Resource): ResourceRow {
  const known = resourceRows.get(resource)
  if (known !== undefined) return known
  const bytes = encodeSpans([{ ...CAPSULE, resource }])
  const plain = resource.droppedAttributes === 0 && resource.schemaUrl === '' && allText(resource.attributes)
  const shown = Object.entries(resource.attributes).map(([key, value]) => [key, stringOf(value)] as const)
  const row = { hash: xxHash64Bytes(bytes), texts: shown, rest: plain ? NOTHING : bytes.slice() }
  resourceRows.set(resource, row)
  return row
}

/** The resource of a row of `resources`. */
export function readResource(attributes: Attributes, rest: string): Resource {
  const [capsule] = rest === '' ? [] : decodeSpans(Buffer.from(rest, 'base64'))
  return capsule?.resource ?? { attributes, droppedAttributes: 0, schemaUrl: '' }
}

/** An attribute; of a view without making an object of all of them. */
export function valueOf(span: SpanRecord, key: string): AttributeValue | undefined {
  return span instanceof SpanView ? span.value(key) : span.attributes[key]
}

/** Of the trace and the span. */
export function keyOf(span: SpanRecord): string {
  return span instanceof SpanView ? span.key : span.traceId + span.spanId
}

/** Of the trace and the parent, which must have one. */
export function parentKeyOf({ traceId, parentSpanId }: SpanRecord): string {
  return traceId + parentSpanId
}

export function secondsOf(span: SpanRecord): Seconds {
  return (span instanceof SpanView ? span.duration : Number(span.end - span.start)) / 1e9
}

const MINUTE_NS = 60_000_000_000

/** The start of the minute in which the span began. */
export function minuteOf(span: SpanRecord): Milliseconds {
  return Math.floor((span instanceof SpanView ? span.startTime : Number(span.start)) / MINUTE_NS) * 60_000
}

/** The first of some attributes that says anything. */
export function textOf(span: SpanRecord, ...keys: readonly string[]): string {
  for (const key of keys) {
    const value = valueOf(span, key)
    if (value !== undefined && value !== null && value !== '') return stringOf(value)
  }
  return ''
}

/** No sampler keeps so few: a span that says that it stands for more stands for itself, so that none can make a sum infinite. */
export const WEIGHT_MAX: number = 2 ** 32

/** Whether a number of spans that one stands for is believed. */
export function isWeight(weight: number): boolean {
  return weight > 0 && weight <= WEIGHT_MAX
}

/** How many spans this one stands for: our own attribute, else the W3C threshold `ot=th:`, else 1. */
export function weightOf(span: SpanRecord): number {
  // A map has no number of its own.
  const own = Number(stringOf(valueOf(span, 'andon.weight') ?? ''))
  if (isWeight(own)) return own
  if (span.traceState === '') return 1
  const threshold = /(?:^|,)\s*ot=[^,]*\bth:([\da-f]{1,14})(?:[;,]|$)/.exec(span.traceState)?.[1]
  if (threshold === undefined) return 1
  // The highest thresholds are 2^56 as a number: of what they keep, one stands for infinitely many.
  const rejected = Number.parseInt(threshold.padEnd(14, '0'), 16)
  const weight = 2 ** 56 / (2 ** 56 - rejected)
  return isWeight(weight) ? weight : 1
}

/** How many equal spans were folded into this one; its duration is their sum. */
export function repeatOf(span: SpanRecord): number {
  const repeat = Number(stringOf(valueOf(span, 'andon.repeat') ?? 1))
  return Number.isInteger(repeat) && repeat > 0 && repeat < 2 ** 32 ? repeat : 1
}

/** Whom a span of kind client or producer called: the service where it is named, else the database, else the host. */
export function peerOf(span: SpanRecord, kind: SpanRecord['kind'] = span.kind): string {
  if (kind !== 'client' && kind !== 'producer') return ''
  const service = textOf(span, 'peer.service', 'service.peer.name')
  if (service !== '') return service
  const system = textOf(span, 'db.system.name', 'db.system', 'messaging.system')
  const place = textOf(span, 'db.namespace', 'db.name', 'messaging.destination.name')
  if (system !== '') return place === '' ? system : `${system}/${place}`
  const host = textOf(span, 'server.address', 'net.peer.name')
  const port = textOf(span, 'server.port', 'net.peer.port')
  return host !== '' && port !== '' ? `${host}:${port}` : host
}

function errorFingerprint(span: SpanRecord): bigint {
  const event = span.events.find(({ name }) => name === 'exception')
  if (event === undefined) return 0n
  const field = (key: string): string => stringOf(event.attributes[key] ?? '')
  return xxHash64(exceptionFingerprint({ type: field('exception.type'), message: field('exception.message'), stack: field('exception.stacktrace') }))
}


/** The database statement that a span ran; undefined where it says none. */
export function statementOf(span: SpanRecord): IdentifiedStatement | undefined {
  if (span instanceof SpanView && span.isIndexed) return span.kept instanceof IdentifiedStatement ? span.kept : undefined
  const statement = textOf(span, 'db.query.text', 'db.statement')
  return statement === '' ? undefined : identified(statement, textOf(span, 'db.system.name', 'db.system'))
}

function spanId(hex: string): bigint {
  return hex === '' ? 0n : BigInt(`0x${hex}`)
}

function appendEvents(rows: TsvRows, events: readonly SpanEvent[]): void {
  rows.list(events, (part, { time }) => part.nanoseconds(time))
  rows.list(events, (part, { name }) => part.text(name))
  rows.list(events, (part, { attributes }) => part.textMap(textPairs(attributes)))
}

function textPairs(attributes: Attributes): [string, string][] {
  return Object.entries(attributes).map(([key, value]) => [key, stringOf(value)])
}

function appendLink(part: TsvPart, link: SpanLink): void {
  part.plain('(')
  part.raw(Buffer.from(link.traceId, 'hex'))
  part.plain(',')
  part.number(spanId(link.spanId))
  part.plain(',')
  part.textMap(textPairs(link.attributes))
  part.plain(')')
}

/** Appends the row of a span whose times are storable. */
export function appendSpan(rows: TsvRows, span: SpanRecord): void {
  const { service, env, version, instance }: Source = describeSource(span.resource)
  const { strings, integers, numbers, booleans, others } = split(span.attributes)
  const rest = restOf(span, others)
  rows.nanoseconds(span.start).raw(Buffer.from(span.traceId, 'hex')).number(spanId(span.spanId)).number(spanId(span.parentSpanId))
  rows.number(span.flags).text(span.traceState).text(service).text(env).text(version).text(instance)
  rows.text(span.scope.name).text(span.scope.version).text(span.name).text(span.kind).number(span.end - span.start)
  rows.text(span.status.code).text(span.status.message).number(weightOf(span)).number(repeatOf(span))
  rows.text(textOf(span, 'http.route')).number(statusCode(span)).text(peerOf(span))
  rows.number(statementOf(span)?.id ?? 0n).number(errorFingerprint(span))
  rows.textMap(strings).valueMap(integers).valueMap(numbers).valueMap(booleans).number(resourceRow(span.resource).hash)
  appendEvents(rows, rest.events)
  rows.list(rest.links, appendLink)
  rows.tuple([span.droppedAttributes, span.droppedEvents, span.droppedLinks]).raw(rest.bytes)
  rows.end()
}

function statusCode(span: SpanRecord): number {
  const code = Number(textOf(span, 'http.response.status_code', 'http.status_code'))
  return Number.isInteger(code) && code > 0 && code < 1000 ? code : 0
}

function id(hex: unknown): string {
  const digits = stringOf(hex)
  return /^0*$/.test(digits) ? '' : digits.padStart(16, '0')
}

function readAttributes(row: readonly unknown[], rest: Attributes): Attributes {
  const attributes: Record<string, AttributeValue> = Object.create(null)
  for (const [key, value] of pairs(row[13])) attributes[key] = stringOf(value)
  for (const [key, value] of pairs(row[14])) attributes[key] = BigInt(stringOf(value))
  for (const [key, value] of pairs(row[15])) attributes[key] = number(value)
  for (const [key, value] of pairs(row[16])) attributes[key] = value === true || value === 1
  return Object.assign(attributes, rest)
}

function readEvents(row: readonly unknown[]): SpanEvent[] {
  const names = texts(row[19])
  const attributes = columns(row[20])
  return texts(row[18]).map((time, index) => ({ time: BigInt(time), name: names[index] ?? '', attributes: textRecord(attributes[index]), droppedAttributes: 0 }))
}

function readLinks(row: readonly unknown[]): SpanLink[] {
  return columns(row[21]).map((link) => {
    const [traceId, linked, attributes] = columns(link)
    return { traceId: stringOf(traceId), spanId: id(linked), traceState: '', flags: 0, attributes: textRecord(attributes), droppedAttributes: 0 }
  })
}

/**
 * The span of a row of SPAN_SELECT.
 *
 * @param resources - by their hash in decimal
 */
export function readSpanRow(row: readonly unknown[], resources: ReadonlyMap<string, Resource>): SpanRecord {
  const cell = (index: number): string => stringOf(row[index])
  const bytes = cell(25)
  const [capsule] = bytes === '' ? [] : decodeSpans(Buffer.from(bytes, 'base64'))
  const start = BigInt(cell(0))
  return {
    traceId: cell(1),
    spanId: id(row[2]),
    parentSpanId: id(row[3]),
    flags: number(row[4]),
    traceState: cell(5),
    name: cell(8),
    kind: SPAN_KINDS[number(row[9])] ?? 'unspecified',
    start,
    end: start + BigInt(cell(10)),
    status: { code: SPAN_STATUSES[number(row[11])] ?? 'unset', message: cell(12) },
    attributes: readAttributes(row, capsule?.attributes ?? NO_ATTRIBUTES),
    droppedAttributes: number(row[22]),
    events: capsule !== undefined && capsule.events.length > 0 ? capsule.events : readEvents(row),
    droppedEvents: number(row[23]),
    links: capsule !== undefined && capsule.links.length > 0 ? capsule.links : readLinks(row),
    droppedLinks: number(row[24]),
    resource: resources.get(cell(17)) ?? NO_RESOURCE,
    scope: { ...(capsule?.scope ?? NO_SCOPE), name: cell(6), version: cell(7) },
  }
}
