import type { Attributes, AttributeValue, ExceptionRecord, Nanoseconds, Resource, Scope } from '@andon/model'
import type { Reader, Writer } from '../protobuf.ts'
import { idOrNone, noAttributes, type OpenAttributes, ownAttributes, readKeyValue, writeAttributes } from './attributes.ts'
import { type JsonReader, jsonAttributes, jsonRequest, type ListNames, readJsonRequest } from './json.ts'
import { readRequest, type Sourced, writeRequest } from './request.ts'

/** A log record that is an event which Andon understands: `browser.web_vital` or `andon.*`. */
export interface LogEvent {
  readonly name: string
  readonly time: Nanoseconds
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Attributes
  readonly resource: Resource
  readonly scope: Scope
}

/** What a logs request held: Andon takes exceptions and a few events, and counts the rest. */
export interface DecodedLogs {
  readonly exceptions: ExceptionRecord[]
  readonly events: LogEvent[]
  readonly refused: number
  /** Who sent the first of what was refused. */
  readonly refusedFrom: Resource | undefined
}

interface LogRecord extends Sourced {
  time: bigint
  observed: bigint
  name: string
  traceId: string
  spanId: string
  attributes: OpenAttributes
}

const LISTS: ListNames = ['resourceLogs', 'scopeLogs', 'logRecords']

/**
 * Exceptions and events of an OTLP ExportLogsServiceRequest in protobuf.
 *
 * ```
 * message LogRecord { fixed64 time_unix_nano = 1; SeverityNumber 2; string severity_text = 3; AnyValue body = 5; KeyValue attributes = 6;
 *   uint32 dropped 7; fixed32 flags 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time_unix_nano = 11; string event_name = 12 }
 * ```
 *
 * A record with `exception.type` or `exception.message` is an exception, by the semantic conventions of exceptions in logs.
 *
 * @throws AndonError bad_body where the bytes are not such a request; nothing of it is then returned
 */
export function decodeExceptions(bytes: Uint8Array): DecodedLogs {
  const records: LogRecord[] = []
  readRequest(bytes, 'logs', (reader, source) => records.push(readLog(reader, source)))
  return sorted(records)
}

/** The same in JSON. @throws AndonError bad_body with the path of what is wrong */
export function decodeExceptionsJson(text: string): DecodedLogs {
  const records: LogRecord[] = []
  readJsonRequest(text, 'logs', LISTS, (json, source) => records.push(readJsonLog(json, source)))
  return sorted(records)
}

/** Exceptions as an OTLP ExportLogsServiceRequest in protobuf. */
export function encodeExceptions(exceptions: readonly ExceptionRecord[]): Uint8Array {
  return writeRequest(exceptions, writeException)
}

/** Exceptions as an OTLP ExportLogsServiceRequest in JSON. */
export function encodeExceptionsJson(exceptions: readonly ExceptionRecord[]): string {
  return jsonRequest(exceptions, LISTS, (exception) => ({
    timeUnixNano: String(exception.time),
    observedTimeUnixNano: String(exception.time),
    severityNumber: ERROR,
    eventName: 'exception',
    traceId: exception.traceId,
    spanId: exception.spanId,
    attributes: jsonAttributes(describing(exception)),
  }))
}

function readLog(reader: Reader, source: Sourced): LogRecord {
  // Written out: spread, it takes ten times as long.
  const log: LogRecord = { resource: source.resource, scope: source.scope, time: 0n, observed: 0n, name: '', traceId: '', spanId: '', attributes: ownAttributes(reader) }
  reader.message((tag) => {
    if (tag === 9) log.time = reader.fixed64()
    else if (tag === 50) readKeyValue(reader, log.attributes)
    else if (tag === 74) log.traceId = idOrNone(reader.hex(), 32)
    else if (tag === 82) log.spanId = idOrNone(reader.hex(), 16)
    else if (tag === 89) log.observed = reader.fixed64()
    else if (tag === 98) log.name = reader.string()
    else reader.skip(tag)
  })
  return log
}

function readJsonLog(json: JsonReader, source: Sourced): LogRecord {
  return {
    ...source,
    time: json.uint64('timeUnixNano'),
    observed: json.uint64('observedTimeUnixNano'),
    name: json.text('eventName'),
    traceId: idOrNone(json.hex('traceId'), 32),
    spanId: idOrNone(json.hex('spanId'), 16),
    attributes: json.attributes('attributes'),
  }
}

function textOf(value: AttributeValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function sorted(records: readonly LogRecord[]): DecodedLogs {
  const exceptions: ExceptionRecord[] = []
  const events: LogEvent[] = []
  let refusedFrom: Resource | undefined
  for (const record of records) {
    const { time, observed, name, traceId, spanId, attributes, resource, scope } = record
    const at = time === 0n ? observed : time
    const event = name === '' ? textOf(record.attributes['event.name']) : name
    if (record.attributes['exception.type'] !== undefined || record.attributes['exception.message'] !== undefined) {
      exceptions.push(exceptionOf(record, at))
    } else if (event === 'browser.web_vital' || event.startsWith('andon.')) {
      events.push({ name: event, time: at, traceId, spanId, attributes, resource, scope })
    } else refusedFrom ??= record.resource
  }
  return { exceptions, events, refused: records.length - exceptions.length - events.length, refusedFrom }
}

/** Attributes that have a field of their own in an ExceptionRecord. */
const OWN = new Set(['exception.type', 'exception.message', 'exception.stacktrace', 'andon.exception.handled', 'exception.escaped', 'event.name'])

function exceptionOf(record: LogRecord, time: Nanoseconds): ExceptionRecord {
  const attributes = noAttributes()
  for (const key of Object.keys(record.attributes)) if (!OWN.has(key)) attributes[key] = record.attributes[key] ?? null
  return {
    time,
    type: textOf(record.attributes['exception.type']),
    message: textOf(record.attributes['exception.message']),
    stack: textOf(record.attributes['exception.stacktrace']),
    handled: record.attributes['andon.exception.handled'] !== false,
    traceId: record.traceId,
    spanId: record.spanId,
    attributes,
    resource: record.resource,
    scope: record.scope,
  }
}

/** SEVERITY_NUMBER_ERROR */
const ERROR = 17

function describing(exception: ExceptionRecord): Attributes {
  return {
    'exception.type': exception.type,
    'exception.message': exception.message,
    ...(exception.stack !== '' && { 'exception.stacktrace': exception.stack }),
    'andon.exception.handled': exception.handled,
    ...exception.attributes,
  }
}

function writeEvent(writer: Writer, event: LogEvent): void {
  writer.message(2, () => {
    writer.fixed64(1, event.time)
    writeAttributes(writer, 6, event.attributes)
    writer.hex(9, event.traceId)
    writer.hex(10, event.spanId)
    writer.fixed64(11, event.time)
    writer.string(12, event.name)
  })
}

/** Events as an OTLP ExportLogsServiceRequest in protobuf. */
export function encodeEvents(events: readonly LogEvent[]): Uint8Array {
  return writeRequest(events, writeEvent)
}

function writeException(writer: Writer, exception: ExceptionRecord): void {
  writer.message(2, () => {
    writer.fixed64(1, exception.time)
    writer.uint(2, ERROR)
    writeAttributes(writer, 6, describing(exception))
    writer.hex(9, exception.traceId)
    writer.hex(10, exception.spanId)
    writer.fixed64(11, exception.time)
    writer.string(12, 'exception')
  })
}
