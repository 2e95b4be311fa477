// Zipkin's second JSON format, both directions.
// @see https://zipkin.io/zipkin-api/zipkin2-api.yaml ; the mapping is OpenTelemetry's (specification/trace/sdk_exporters/zipkin.md)
import { AndonError, type Attributes, type AttributeValue, type Nanoseconds, type Resource, type SpanKind, type SpanRecord } from '@andon/model'
import { encodeBase64 } from './base64.ts'
import { JsonReader, parseJson } from './otlp/json.ts'
import { emptyResource, emptyScope } from './otlp/request.ts'

const KINDS: Readonly<Record<string, SpanKind>> = { '': 'unspecified', CLIENT: 'client', SERVER: 'server', PRODUCER: 'producer', CONSUMER: 'consumer' }

/** Zipkin's name of what is the resource's, and the other way. */
const SERVICE = 'service.name'
const PEER_SERVICE = 'service.peer.name'
const PEER_ADDRESS = 'network.peer.address'
const PEER_PORT = 'network.peer.port'
/** On a server's span whose id is that of its client's span: B3's joined spans. */
const SHARED = 'zipkin.shared'
/** Under which OpenTelemetry's exporters put what Zipkin has no place for. */
const STATUS = 'otel.status_code'
const ERROR = 'error'
const SCOPE_NAME = 'otel.scope.name'
const SCOPE_VERSION = 'otel.scope.version'
const TAKEN: ReadonlySet<string> = new Set([STATUS, ERROR, SCOPE_NAME, SCOPE_VERSION])

/** A time or a length of time of so many microseconds. */
function nanoseconds(json: JsonReader, field: string): Nanoseconds {
  const microseconds = json.double(field)
  const isTime = Number.isFinite(microseconds) && microseconds >= 0
  return isTime ? BigInt(Math.round(microseconds)) * 1000n : json.fail(field, 'a number of microseconds that is not negative')
}

/** An id of up to `digits` hex digits, filled with zeros on the left. */
function idOf(json: JsonReader, field: string, digits: 16 | 32): string {
  const id = json.text(field).toLowerCase()
  const isId = id.length <= digits && /^[\da-f]+$/.test(id) && /[^0]/.test(id)
  return isId ? id.padStart(digits, '0') : json.fail(field, `up to ${digits} hex digits, not all zero,`)
}

/** One resource for each service of a request, so that its spans share it. */
class Services {
  readonly #known = new Map<string, Resource>()

  of(endpoint: JsonReader): Resource {
    const name = endpoint.text('serviceName')
    const address = endpoint.text('ipv4') || endpoint.text('ipv6')
    const key = `${name}\n${address}`
    let resource = this.#known.get(key)
    if (resource === undefined) {
      resource = { ...emptyResource(), attributes: { ...(name !== '' && { [SERVICE]: name }), ...(address !== '' && { 'host.ip': [address] }) } }
      this.#known.set(key, resource)
    }
    return resource
  }
}

function peerOf(endpoint: JsonReader): Attributes {
  const name = endpoint.text('serviceName')
  const address = endpoint.text('ipv4') || endpoint.text('ipv6')
  const port = endpoint.int64('port')
  return { ...(name !== '' && { [PEER_SERVICE]: name }), ...(address !== '' && { [PEER_ADDRESS]: address }), ...(port !== 0n && { [PEER_PORT]: port }) }
}

function statusOf(tags: Readonly<Record<string, string>>): SpanRecord['status'] {
  const { [STATUS]: code, [ERROR]: error } = tags
  if (error === undefined && code !== 'ERROR') return { code: code === 'OK' ? 'ok' : 'unset', message: '' }
  return { code: 'error', message: error === undefined || error === 'true' ? '' : error }
}

function readSpan(json: JsonReader, services: Services): SpanRecord {
  const kind = KINDS[json.text('kind').toUpperCase()]
  if (kind === undefined) return json.fail('kind', 'CLIENT, SERVER, PRODUCER or CONSUMER')
  const tags = json.has('tags') ? json.child('tags').texts() : {}
  const start = nanoseconds(json, 'timestamp')
  const attributes: Record<string, AttributeValue> = Object.create(null)
  for (const [key, value] of Object.entries(tags)) if (!TAKEN.has(key)) attributes[key] = value
  return {
    traceId: idOf(json, 'traceId', 32),
    spanId: idOf(json, 'id', 16),
    parentSpanId: json.has('parentId') && json.text('parentId') !== '' ? idOf(json, 'parentId', 16) : '',
    traceState: '',
    flags: 1,
    name: json.text('name') || 'unknown',
    kind,
    start,
    end: start + nanoseconds(json, 'duration'),
    attributes: { ...attributes, ...peerOf(json.child('remoteEndpoint')), ...(json.bool('shared') && { [SHARED]: true }) },
    droppedAttributes: 0,
    events: json.list('annotations').map((each) => ({ time: nanoseconds(each, 'timestamp'), name: each.text('value'), attributes: {}, droppedAttributes: 0 })),
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: statusOf(tags),
    resource: services.of(json.child('localEndpoint')),
    scope: { ...emptyScope(), name: tags[SCOPE_NAME] ?? '', version: tags[SCOPE_VERSION] ?? '' },
  }
}

/**
 * Spans of Zipkin's JSON.
 *
 * @throws AndonError bad_body with the path of what is wrong, too_large
 */
export function decodeZipkin(text: string): SpanRecord[] {
  const parsed = parseJson(text, 'zipkin')
  if (!Array.isArray(parsed)) throw new AndonError('bad_body', 'zipkin: a list of spans is expected')
  const services = new Services()
  return parsed.map((value: unknown, index) => readSpan(new JsonReader(value, `zipkin[${index}]`), services))
}

/** A span in Zipkin's JSON; times in microseconds. */
export interface ZipkinSpan {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly kind?: string
  readonly timestamp: number
  readonly duration: number
  readonly shared?: true
  readonly localEndpoint: { readonly serviceName: string }
  readonly remoteEndpoint?: { readonly serviceName?: string; readonly ipv4?: string; readonly ipv6?: string; readonly port?: number }
  readonly annotations: readonly { readonly timestamp: number; readonly value: string }[]
  readonly tags: Readonly<Record<string, string>>
}

function textOf(value: AttributeValue): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? Number(one) : one instanceof Uint8Array ? encodeBase64(one) : one))
}

const microseconds = (ns: Nanoseconds): number => Number(ns / 1000n)

function remoteOf({ [PEER_SERVICE]: service, [PEER_ADDRESS]: address, [PEER_PORT]: port }: Attributes): ZipkinSpan['remoteEndpoint'] {
  if (service === undefined && address === undefined) return undefined
  return {
    ...(service !== undefined && { serviceName: textOf(service) }),
    ...(address !== undefined && { [textOf(address).includes(':') ? 'ipv6' : 'ipv4']: textOf(address) }),
    ...(port !== undefined && Number.isInteger(Number(port)) && { port: Number(port) }),
  }
}

/** A span as Zipkin's UI and Grafana read it. */
export function encodeZipkin(span: SpanRecord): ZipkinSpan {
  const { attributes, status, scope, kind } = span
  const tags: Record<string, string> = {}
  for (const [key, value] of Object.entries(attributes)) if (![PEER_SERVICE, PEER_ADDRESS, PEER_PORT, SHARED].includes(key)) tags[key] = textOf(value)
  if (status.code !== 'unset') tags[STATUS] = status.code.toUpperCase()
  if (status.code === 'error') tags[ERROR] = status.message === '' ? 'true' : status.message
  if (scope.name !== '') tags[SCOPE_NAME] = scope.name
  if (scope.version !== '') tags[SCOPE_VERSION] = scope.version
  const remoteEndpoint = remoteOf(attributes)
  return {
    traceId: span.traceId,
    id: span.spanId,
    ...(span.parentSpanId !== '' && { parentId: span.parentSpanId }),
    name: span.name,
    ...(kind !== 'unspecified' && kind !== 'internal' && { kind: kind.toUpperCase() }),
    timestamp: microseconds(span.start),
    duration: Math.max(1, microseconds(span.end - span.start)),
    ...(attributes[SHARED] === true && { shared: true }),
    localEndpoint: { serviceName: textOf(span.resource.attributes[SERVICE] ?? 'unknown_service') },
    ...(remoteEndpoint !== undefined && { remoteEndpoint }),
    annotations: span.events.map(({ time, name }) => ({ timestamp: microseconds(time), value: name })),
    tags,
  }
}
