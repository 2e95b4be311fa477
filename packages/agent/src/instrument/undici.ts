// Requests of `fetch` and of every copy of undici: all publish on the same channels.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { diag, propagation, SpanStatusCode } from '@opentelemetry/api'
import { activeContext, isSuppressed, withSpan } from '../context.ts'
import { registerInventory } from '../inventory.ts'
import type { AgentMeter, AgentRecorder } from '../metrics/meter.ts'
import type { Span } from '../span.ts'
import type { AgentTracer } from '../tracer.ts'
import { methodOf } from './http-attributes.ts'
import { note } from './outcomes.ts'
import { get, getText, isMethod } from './wrap.ts'

const CLIENT = 3

/** A request between its creation and its end. */
interface Exchange {
  readonly span: Span
  /** What its duration is recorded with. */
  readonly shared: Record<string, string | number>
}

export class UndiciInstrumentation {
  readonly #tracer: AgentTracer
  readonly #duration: AgentRecorder
  readonly #exchanges = new WeakMap<object, Exchange>()

  constructor(tracer: AgentTracer, meter: AgentMeter) {
    this.#tracer = tracer
    this.#duration = meter.createHistogram('http.client.request.duration', { unit: 's', description: 'Duration of HTTP client requests.' })
  }

  /** Listens from now on. @returns what ends it */
  start(): () => void {
    const heard: [string, (exchange: Exchange, message: unknown) => void][] = [
      ['undici:client:sendHeaders', sent],
      ['undici:request:headers', answered],
      ['undici:request:trailers', (exchange) => this.#end(exchange)],
      ['undici:request:error', (exchange, message) => this.#fail(exchange, get(message, 'error'))],
    ]
    const ends = [listen('undici:request:create', (message) => this.#create(get(message, 'request')))]
    for (const [name, hear] of heard) {
      ends.push(
        listen(name, (message) => {
          const request = get(message, 'request')
          const exchange = typeof request === 'object' && request !== null ? this.#exchanges.get(request) : undefined
          if (exchange !== undefined) hear(exchange, message)
        }),
      )
    }
    // Node's own, which is what fetch is.
    note({ name: 'undici', version: process.versions['undici'] ?? '', path: '', by: 'andon', reason: undefined, detail: '' })
    return () => {
      for (const end of ends) end()
    }
  }

  #create(request: unknown): void {
    const active = activeContext()
    const sentMethod = getText(request, 'method')
    const origin = get(request, 'origin')
    const base = origin instanceof URL ? origin.origin : origin
    if (typeof request !== 'object' || request === null || sentMethod === undefined || sentMethod === 'CONNECT' || typeof base !== 'string' || isSuppressed(active)) return
    const { scheme, address, port } = addressOf(base)
    registerInventory({ kind: 'dependency', name: `${address}:${port}` })
    const { method, original } = methodOf(sentMethod)
    const span = this.#tracer.begin(method === '_OTHER' ? 'HTTP' : method, CLIENT, active)
    if (span.isRecording()) {
      span.append('http.request.method', method)
      if (original !== undefined) span.append('http.request.method_original', original)
      span.append('server.address', address)
      span.append('server.port', port)
      span.append('url.full', `${base}${getText(request, 'path') ?? '/'}`)
      const body = get(request, 'body')
      const length = get(request, 'contentLength') ?? (body instanceof Uint8Array ? body.byteLength : undefined)
      if (typeof length === 'number') span.append('http.request.body.size', length)
    }
    this.#exchanges.set(request, { span, shared: { 'http.request.method': method, 'server.address': address, 'server.port': port, 'url.scheme': scheme } })
    propagation.inject(withSpan(active, span), request, { set: addHeader })
  }

  #end({ span, shared }: Exchange): void {
    // An answer whose body ends after an error was told.
    if (span.endMs >= 0) return
    const endMs = performance.now()
    this.#duration.record((endMs - span.startMs) / 1000, shared)
    span.endAt(endMs)
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { span, shared } = exchange
    // Who aborts has what they wanted: no error, by the conventions.
    if (getText(error, 'name') !== 'AbortError' && span.endMs < 0) {
      const type = getText(error, 'code') ?? getText(error, 'name') ?? 'Error'
      shared['error.type'] = type
      span.append('error.type', type)
      span.setStatus({ code: SpanStatusCode.ERROR, message: getText(error, 'message') ?? '' })
    }
    this.#end(exchange)
  }
}

/** Headers are a list in newer versions, a text in older ones. */
function addHeader(request: object, key: string, value: string): void {
  const add = get(request, 'addHeader')
  const headers = get(request, 'headers')
  if (isMethod(add)) Reflect.apply(add, request, [key, value])
  else if (typeof headers === 'string') Reflect.set(request, 'headers', `${headers}${key}: ${value}\r\n`)
  else if (Array.isArray(headers)) headers.push(key, value)
}

function sent({ span, shared }: Exchange, message: unknown): void {
  const socket = get(message, 'socket')
  const version = getText(socket, 'alpnProtocol') === 'h2' ? '2' : '1.1'
  shared['network.protocol.version'] = version
  if (!span.isRecording()) return
  const address = getText(socket, 'remoteAddress')
  if (address !== undefined) span.append('network.peer.address', address)
  const port = get(socket, 'remotePort')
  if (typeof port === 'number') span.append('network.peer.port', port)
  span.append('network.protocol.version', version)
}

function answered({ span, shared }: Exchange, message: unknown): void {
  const status = get(get(message, 'response'), 'statusCode')
  if (typeof status !== 'number') return
  shared['http.response.status_code'] = status
  span.append('http.response.status_code', status)
  if (status < 400) return
  shared['error.type'] = String(status)
  span.append('error.type', String(status))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

interface Address {
  readonly scheme: string
  readonly address: string
  readonly port: number
}

const MAX_ADDRESSES = 200
const addresses = new Map<string, Address>()

function addressOf(origin: string): Address {
  const known = addresses.get(origin)
  if (known !== undefined) return known
  const { protocol, hostname, port } = new URL(origin)
  const address = { scheme: protocol.replace(':', ''), address: hostname.replaceAll(/[[\]]/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) }
  if (addresses.size < MAX_ADDRESSES) addresses.set(origin, address)
  return address
}

function listen(name: string, hear: (message: unknown) => void): () => void {
  const listener = (message: unknown): void => {
    try {
      hear(message)
    } catch (error) {
      diag.error('andon: a request of undici could not be recorded', error)
    }
  }
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}
