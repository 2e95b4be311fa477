// Requests that go out through http and https.
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import { type Context, diag, propagation, SpanStatusCode, type TextMapSetter } from '@opentelemetry/api'
import { activeContext, isSuppressed, runIn, withSpan } from '../context.ts'
import { registerInventory } from '../inventory.ts'
import type { AgentMeter, AgentRecorder } from '../metrics/meter.ts'
import type { Span } from '../span.ts'
import type { AgentTracer } from '../tracer.ts'
import { methodOf } from './http-attributes.ts'
import { get, getText } from './wrap.ts'

const CLIENT = 3

const setter: TextMapSetter<ClientRequest> = {
  set: (request, key, value) => {
    // Headers that have been written already have the context in them.
    if (!request.headersSent) request.setHeader(key, value)
  },
}

/** Node's own request, with its arguments as a list. */
type Make = (args: readonly unknown[]) => ClientRequest

export class HttpClientInstrumentation {
  readonly #tracer: AgentTracer
  readonly #duration: AgentRecorder

  constructor(tracer: AgentTracer, meter: AgentMeter) {
    this.#tracer = tracer
    this.#duration = meter.createHistogram('http.client.request.duration', { unit: 's', description: 'Duration of HTTP client requests.' })
  }

  /** Replaces what makes requests, for `require` and `import` alike. @returns what ends it */
  start(): () => void {
    const ends = [http, https].flatMap((module) => {
      const make: Make = Reflect.apply.bind(undefined, module.request, module)
      return [this.#patch(module, 'request', make), this.#patch(module, 'get', make)]
    })
    syncBuiltinESMExports()
    return () => {
      for (const end of ends) end()
      syncBuiltinESMExports()
    }
  }

  #patch(module: typeof http | typeof https, name: 'request' | 'get', make: Make): () => void {
    const original = module[name]
    const patched = (...args: readonly unknown[]): ClientRequest => {
      const made = this.#make(make, args)
      // What Node's own get does: it would send the headers before the context is in them.
      if (name === 'get') made.end()
      return made
    }
    Reflect.set(module, name, patched)
    return () => void Reflect.set(module, name, original)
  }

  #make(make: Make, args: readonly unknown[]): ClientRequest {
    const active = activeContext()
    if (isSuppressed(active)) return make(args)
    const span = this.#tracer.begin('HTTP', CLIENT, active)
    const context = withSpan(active, span)
    let request: ClientRequest
    try {
      request = make(withWrittenHeaders(args, context))
    } catch (error) {
      this.#refused(error, args, span)
      throw error
    }
    try {
      this.#watch(request, args, span, active)
    } catch (error) {
      diag.error('andon: an outgoing request could not be recorded', error)
    }
    return request
  }

  /** A request that Node does not make, such as one to no URL or with a header that none may be. */
  #refused(error: unknown, args: readonly unknown[], span: Span): void {
    const { method, original } = methodOf(intended(args, 'method') ?? 'GET')
    const address = intended(args, 'hostname') ?? intended(args, 'host')
    const shared: Record<string, string | number> = { 'http.request.method': method, ...(address !== undefined && { 'server.address': address }) }
    if (method !== '_OTHER') span.name = method
    span.setAttributes(shared)
    if (original !== undefined) span.append('http.request.method_original', original)
    failed(span, error, shared)
    const endMs = performance.now()
    this.#duration.record((endMs - span.startMs) / 1000, shared)
    span.endAt(endMs)
  }

  #watch(request: ClientRequest, args: readonly unknown[], span: Span, active: Context): void {
    const { method, original } = methodOf(request.method)
    if (method !== '_OTHER') span.name = method
    const target = targetOf(request, args)
    registerInventory({ kind: 'dependency', name: `${target.address}:${target.port}` })
    if (span.isRecording()) {
      span.append('http.request.method', method)
      if (original !== undefined) span.append('http.request.method_original', original)
      span.append('server.address', target.address)
      span.append('server.port', target.port)
      // What is asked of a proxy stands whole in the request itself.
      span.append('url.full', request.path.startsWith('/') ? `${target.scheme}://${target.host}${request.path}` : request.path)
    }
    propagation.inject(withSpan(active, span), request, setter)
    this.#follow(request, span, active, { 'http.request.method': method, 'server.address': target.address, 'server.port': target.port, 'url.scheme': target.scheme })
  }

  /**
   * Sees the events of the request before its listeners do, without being one: a listener for 'response' would take away
   * that Node throws away an answer which nobody reads.
   */
  #follow(request: ClientRequest, span: Span, active: Context, shared: Record<string, string | number>): void {
    const emit: (event: string | symbol, ...args: readonly unknown[]) => boolean = request.emit.bind(request)
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      const endMs = performance.now()
      this.#duration.record((endMs - span.startMs) / 1000, shared)
      span.endAt(endMs)
    }
    request.emit = (event: string | symbol, ...args: readonly unknown[]): boolean => {
      // A connection that serves something else from now on is no part of the request.
      const isHandedOver = event === 'upgrade' || event === 'connect'
      const isAnswer = event === 'response' || isHandedOver
      if (isAnswer) answered(span, args[0], shared)
      else if (event === 'error') failed(span, args[0], shared)
      if (event === 'close' || isHandedOver) over()
      // In the context of the caller, whichever connection of a pool the answer came by.
      return isAnswer || event === 'error' ? runIn(active, () => emit(event, ...args)) : emit(event, ...args)
    }
  }
}

/** Headers that are given as a list, or say that the client waits for an answer to them, are written while the request is made: the context is put into a copy before. */
function withWrittenHeaders(args: readonly unknown[], context: Context): readonly unknown[] {
  return args.map((arg) => {
    if (typeof arg !== 'object' || arg === null || arg instanceof URL) return arg
    const headers: unknown = Reflect.get(arg, 'headers')
    if (typeof headers !== 'object' || headers === null || !(Array.isArray(headers) || expects(headers))) return arg
    const carrier: Record<string, string> = {}
    propagation.inject(context, carrier)
    if (!Array.isArray(headers)) return { ...arg, headers: { ...headers, ...carrier } }
    const isFlat = headers.length === 0 || !Array.isArray(headers[0])
    return { ...arg, headers: [...headers, ...(isFlat ? Object.entries(carrier).flat() : Object.entries(carrier))] }
  })
}

function expects(headers: object): boolean {
  for (const name in headers) if (name.length === 6 && name.toLowerCase() === 'expect') return true
  return false
}

function answered(span: Span, response: unknown, shared: Record<string, string | number>): void {
  if (!(response instanceof http.IncomingMessage)) return
  const { statusCode = 0, httpVersion }: IncomingMessage = response
  shared['http.response.status_code'] = statusCode
  shared['network.protocol.version'] = httpVersion
  span.append('http.response.status_code', statusCode)
  span.append('network.protocol.version', httpVersion)
  const length = response.headers['content-length']
  if (length !== undefined) span.append('http.response.body.size', Number(length) || 0)
  const { remoteAddress, remotePort } = response.socket
  if (remoteAddress !== undefined) span.append('network.peer.address', remoteAddress)
  if (remotePort !== undefined) span.append('network.peer.port', remotePort)
  if (statusCode < 400) return
  shared['error.type'] = String(statusCode)
  span.append('error.type', String(statusCode))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function failed(span: Span, error: unknown, shared: Record<string, string | number>): void {
  const { code, name, message } = error instanceof Error ? { code: Reflect.get(error, 'code') as unknown, name: error.name, message: error.message } : { code: undefined, name: 'Error', message: String(error) }
  const type = typeof code === 'string' ? code : name
  shared['error.type'] = type
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

/** Where a request goes, whatever its Host header says. */
function targetOf(request: ClientRequest, args: readonly unknown[]): { scheme: string; address: string; port: number; host: string } {
  const scheme = request.protocol === 'https:' ? 'https' : 'http'
  const standard = scheme === 'https' ? 443 : 80
  const port = portIn(args) || Number(get(get(request, 'agent'), 'defaultPort')) || standard
  const name = request.host.includes(':') ? `[${request.host}]` : request.host
  return { scheme, address: request.host, port, host: port === standard ? name : `${name}:${port}` }
}

/** What a URL or options, which go before it, say of a request. */
function intended(args: readonly unknown[], name: 'method' | 'hostname' | 'host'): string | undefined {
  let value: string | undefined
  for (const arg of args) {
    const given = typeof arg === 'string' ? (URL.canParse(arg) ? new URL(arg) : undefined) : arg
    if (typeof given === 'object') value = getText(given, name) ?? value
  }
  return value
}

/** The port of a URL, or that of options, which go before it; 0 where none is given. A request does not keep it. */
function portIn(args: readonly unknown[]): number {
  let port = 0
  for (const arg of args) {
    const given = typeof arg === 'string' ? new URL(arg) : arg
    if (typeof given === 'object') port = Number(get(given, 'port') || get(given, 'defaultPort')) || port
  }
  return port
}
