import { type Benchmark, spanRecords } from '@andon/bench'
import { exceptionFingerprint, type Resource, type SpanRecord, xxHash64 } from '@andon/model'
import { encodeSpans, viewSpans } from '@andon/wire'
import { bigOf, collector, type DecodedSpan, type DecodedTraces, type KeyValue, type Plain, plainOf, SUBJECT } from './protobufjs.ts'
import { type Rows, serverModule } from './server.ts'

/** One request of our agent and one of OpenTelemetry's SDK. A list among the attributes of a resource is left to both alike. */
const requests: readonly (readonly SpanRecord[])[] = spanRecords(2).map(({ spans }) => spans)
const count = requests.reduce((sum, spans) => sum + spans.length, 0)
const bodies = (): Uint8Array[] => requests.map((spans) => encodeSpans(spans))

const { TsvRows } = await serverModule('store/tsv.js')
const { SpanStore } = await serverModule('store/spans.js')
const { resourceRow } = await serverModule('store/span-row.js')
const { describeSource } = await serverModule('store/source.js')
const { identified } = await serverModule('store/statement-text.js')

function refuse(problem: string): never {
  throw new Error(problem)
}

function ours(): () => Rows[] {
  const store = new SpanStore(undefined, undefined)
  const inputs = bodies()
  return () => inputs.map((bytes) => store.prepare(viewSpans(bytes, refuse)).rows)
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']
const STATUSES = ['unset', 'ok', 'error']

function bigEndian(bytes: Uint8Array | null): bigint {
  return bytes === null || bytes.length === 0 ? 0n : Buffer.from(bytes.buffer, bytes.byteOffset, 8).readBigUInt64BE()
}

const texts = (attributes: readonly KeyValue[]): [string, string][] => attributes.map((each): [string, string] => [each.key, String(plainOf(each))])

function peerOf(kind: number, first: (...keys: readonly string[]) => string): string {
  if (kind !== 3 && kind !== 4) return ''
  const service = first('peer.service', 'service.peer.name')
  if (service !== '') return service
  const system = first('db.system.name', 'db.system', 'messaging.system')
  const place = first('db.namespace', 'db.name', 'messaging.destination.name')
  if (system !== '') return place === '' ? system : `${system}/${place}`
  const [host, port] = [first('server.address', 'net.peer.name'), first('server.port', 'net.peer.port')]
  return host !== '' && port !== '' ? `${host}:${port}` : host
}

function errorOf({ events }: DecodedSpan): bigint {
  const event = events.find(({ name }) => name === 'exception')
  if (event === undefined) return 0n
  const values = new Map(texts(event.attributes))
  return xxHash64(exceptionFingerprint({ type: values.get('exception.type') ?? '', message: values.get('exception.message') ?? '', stack: values.get('exception.stacktrace') ?? '' }))
}

interface Columns {
  readonly strings: [string, string][]
  readonly integers: [string, bigint][]
  readonly numbers: [string, number][]
  readonly booleans: [string, boolean][]
  readonly all: Map<string, Plain>
}

function columnsOf(attributes: readonly KeyValue[]): Columns {
  const columns: Columns = { strings: [], integers: [], numbers: [], booleans: [], all: new Map() }
  for (const each of attributes) {
    const value = plainOf(each)
    columns.all.set(each.key, value)
    if (typeof value === 'string') columns.strings.push([each.key, value])
    else if (typeof value === 'bigint') columns.integers.push([each.key, value])
    else if (typeof value === 'number') columns.numbers.push([each.key, value])
    else columns.booleans.push([each.key, value])
  }
  return columns
}

const numberOf = (value: number | null | undefined): number => value ?? 0
const textOf = (value: string | null | undefined): string => value ?? ''

function append(rows: Rows, span: DecodedSpan, resource: Resource, scope: { readonly name: string; readonly version: string | null }): void {
  const { service, env, version, instance } = describeSource(resource)
  const { strings, integers, numbers, booleans, all } = columnsOf(span.attributes)
  const first = (...keys: readonly string[]): string => {
    for (const key of keys) {
      const value = all.get(key)
      if (value !== undefined && value !== '') return String(value)
    }
    return ''
  }
  const start = bigOf(span.startTimeUnixNano)
  const statement = first('db.query.text', 'db.statement')
  rows.nanoseconds(start).raw(span.traceId).number(bigEndian(span.spanId)).number(bigEndian(span.parentSpanId))
  rows.number(257).text(textOf(span.traceState)).text(service).text(env).text(version).text(instance).text(scope.name).text(textOf(scope.version)).text(span.name)
  rows.text(textOf(KINDS[span.kind])).number(bigOf(span.endTimeUnixNano) - start).text(textOf(STATUSES[numberOf(span.status?.code)])).text(textOf(span.status?.message))
  rows.number(Number(first('andon.weight') || 1)).number(Number(first('andon.repeat') || 1)).text(first('http.route'))
  rows.number(Number(first('http.response.status_code', 'http.status_code') || 0)).text(peerOf(span.kind, first))
  rows.number(statement === '' ? 0n : identified(statement, first('db.system.name', 'db.system')).id).number(errorOf(span))
  rows.textMap(strings).valueMap(integers).valueMap(numbers).valueMap(booleans).number(resourceRow(resource).hash)
  rows.list(span.events, (part, { timeUnixNano }) => part.nanoseconds(bigOf(timeUnixNano)))
  rows.list(span.events, (part, { name }) => part.text(name))
  rows.list(span.events, (part, { attributes }) => part.textMap(texts(attributes)))
  rows.list([], () => undefined).tuple([numberOf(span.droppedAttributesCount), numberOf(span.droppedEventsCount), numberOf(span.droppedLinksCount)]).text('')
  rows.end()
}

function theirs(): () => Rows[] {
  const { ExportTraceServiceRequest } = collector().trace.v1
  const inputs = bodies()
  // The resource is the same in each request: what is made of it once is not what is compared.
  const resources = requests.map(([span]) => span?.resource ?? { attributes: {}, droppedAttributes: 0, schemaUrl: '' })
  return () =>
    inputs.map((bytes, index) => {
      const decoded: DecodedTraces = ExportTraceServiceRequest.decode(bytes)
      const rows = new TsvRows(count * 768)
      for (const { scopeSpans } of decoded.resourceSpans) {
        for (const { scope, spans } of scopeSpans) for (const span of spans) append(rows, span, resources[index] ?? { attributes: {}, droppedAttributes: 0, schemaUrl: '' }, scope)
      }
      return rows
    })
}

/** @throws Error where the two do not write the same */
function checked(work: () => Rows[], other: () => Rows[]): () => Rows[] {
  const [mine, others] = [work(), other()]
  for (const [index, rows] of mine.entries()) if (others[index]?.bytes().equals(rows.bytes()) !== true) throw new Error(`the rows of request ${index} differ:\n${rows.bytes().toString().slice(0, 1500)}\n${others[index]?.bytes().toString().slice(0, 1500) ?? ''}`)
  return work
}

export const benchmark: Benchmark = {
  title: `${count.toLocaleString('en')} spans of an OTLP request to rows of the table`,
  unit: 'spans',
  perIteration: count,
  subjects: { andon: () => checked(ours(), theirs()), [SUBJECT]: () => checked(theirs(), ours()) },
}
