// Requests that come in: http and https, whatever framework serves them.
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { type Context, diag, propagation, SpanStatusCode } from '@opentelemetry/api'
import { encodeAttributes } from '@andon/wire'
import { activeContext, type AgentContext, NO_CONTEXT, requestOf, type RpcMetadata, runIn, withRequest } from '../context.ts'
import type { Bound } from '../metrics/instrument.ts'
import type { AgentMeter, AgentRecorder } from '../metrics/meter.ts'
import type { Span } from '../span.ts'
import type { AgentTracer } from '../tracer.ts'
import { askedHost, bodySize, headerGetter, methodOf } from './http-attributes.ts'
import { isMethod, type Method } from './wrap.ts'

const SERVER = 2
/** What is known of a route before its next request: more routes are served without this memory. */
const MAX_ROUTES = 2000

/** What all requests of one route, method and status share. */
interface Shape {
  readonly scheme: string
  readonly method: string
  readonly status: number
  readonly major: number
  readonly minor: number
  readonly name: string
  /** The attributes of the span that are the same each time, encoded. */
  readonly block: Uint8Array
  readonly duration: Bound
}

/** A request that is being served. */
class Exchange {
  readonly span: Span
  readonly rpc: RpcMetadata
  readonly request: IncomingMessage
  readonly scheme: string
  readonly server: HttpServerInstrumentation

  constructor(rpc: RpcMetadata, span: Span, request: IncomingMessage, scheme: string, server: HttpServerInstrumentation) {
    this.span = span
    this.rpc = rpc
    this.request = request
    this.scheme = scheme
    this.server = server
  }
}

const EXCHANGE = Symbol('andon.exchange')

type Tracked = ServerResponse & { [EXCHANGE]?: Exchange | undefined }

const SERVED = Symbol('andon.served')

/** A request that knows the context in which it is served. */
type Served = IncomingMessage & { [SERVED]?: AgentContext }

/** One listener for all responses: 'close' comes after 'finish', and alone where the client went away. */
function onClose(this: Tracked): void {
  const exchange = this[EXCHANGE]
  if (exchange === undefined) return
  this[EXCHANGE] = undefined
  exchange.server.ended(exchange, this)
}

export class HttpServerInstrumentation {
  readonly #tracer: AgentTracer
  readonly #duration: AgentRecorder
  /** By route: few enough of each that looking through them costs less than a key for all of it. */
  readonly #shapes = new Map<string, Shape[]>()
  #count = 0
  #active = 0

  constructor(tracer: AgentTracer, meter: AgentMeter) {
    this.#tracer = tracer
    this.#duration = meter.createHistogram('http.server.request.duration', { unit: 's', description: 'Duration of HTTP server requests.' })
    const active = meter.createObservableUpDownCounter('http.server.active_requests', { unit: '{request}', description: 'Number of active HTTP server requests.' })
    active.addCallback((result) => result.observe(this.#active))
  }

  /** Puts itself before the listeners of every server. @returns what ends it */
  start(): () => void {
    const ends = [this.#patch(http.Server.prototype, 'http'), this.#patch(https.Server.prototype, 'https'), patchBody()]
    return () => ends.forEach((end) => end())
  }

  #patch(prototype: http.Server | https.Server, scheme: string): () => void {
    const serve = this.#serve.bind(this)
    return replaceEmit(prototype, (original) =>
      function emit(this: unknown, ...args: unknown[]): unknown {
        const [event, request, response] = args
        if ((event !== 'request' && event !== 'checkContinue') || !(request instanceof http.IncomingMessage) || !(response instanceof http.ServerResponse)) return Reflect.apply(original, this, args)
        const context = serve(request, response, scheme)
        return context === undefined ? Reflect.apply(original, this, args) : runIn(context, () => original.call(this, event, request, response))
      },
    )
  }

  /** Starts the span of a request. @returns the context in which it is served */
  #serve(request: Served, response: Tracked, scheme: string): Context | undefined {
    try {
      if (response[EXCHANGE] !== undefined) return undefined
      const startMs = performance.now()
      const { headers } = request
      const above = propagation.extract(NO_CONTEXT, headers, headerGetter)
      const span = this.#tracer.begin(request.method ?? 'GET', SERVER, above, startMs)
      const rpc: RpcMetadata = { type: 'http', span }
      response[EXCHANGE] = new Exchange(rpc, span, request, scheme, this)
      response.on('close', onClose)
      this.#active += 1
      if (span.isRecording()) describeRequest(span, request, scheme)
      return (request[SERVED] = withRequest(above, rpc))
    } catch (error) {
      diag.error('andon: a request could not be recorded', error)
      return undefined
    }
  }

  ended({ span, rpc, request, scheme }: Exchange, response: ServerResponse): void {
    const endMs = performance.now()
    this.#active -= 1
    const seconds = (endMs - span.startMs) / 1000
    const shape = this.#shape(rpc.route ?? '', request, scheme, response.statusCode)
    shape.duration.record(seconds, span)
    if (!span.isRecording()) {
      span.endAt(endMs)
      return
    }
    // A name that the application gave stays.
    if (span.name === request.method) span.name = shape.name
    span.block = shape.block
    if (!response.writableFinished) span.append('andon.http.aborted', true)
    const size = bodySize(response)
    if (size !== undefined) span.append('http.response.body.size', size)
    if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.endAt(endMs)
  }

  #shape(route: string, { method = 'GET', httpVersionMajor, httpVersionMinor }: IncomingMessage, scheme: string, status: number): Shape {
    const known = this.#shapes.get(route) ?? this.#newRoute(route)
    for (const shape of known) {
      if (shape.status === status && shape.method === method && shape.minor === httpVersionMinor && shape.major === httpVersionMajor && shape.scheme === scheme) return shape
    }
    const shape = this.#newShape(route, { scheme, method, status, major: httpVersionMajor, minor: httpVersionMinor })
    if (this.#count >= MAX_ROUTES) return shape
    this.#count += 1
    known.push(shape)
    return shape
  }

  #newRoute(route: string): Shape[] {
    const shapes: Shape[] = []
    if (this.#shapes.size < MAX_ROUTES) this.#shapes.set(route, shapes)
    return shapes
  }

  #newShape(route: string, of: Pick<Shape, 'scheme' | 'method' | 'status' | 'major' | 'minor'>): Shape {
    const { scheme, method: sent, status, major, minor } = of
    const { method, original } = methodOf(sent)
    const shared: Record<string, string | number> = {
      'http.request.method': method,
      'url.scheme': scheme,
      'http.response.status_code': status,
      // The second version has no smaller ones.
      'network.protocol.version': major >= 2 ? String(major) : `${major}.${minor}`,
      ...(route !== '' && { 'http.route': route }),
      ...(status >= 500 && { 'error.type': String(status) }),
    }
    const block = encodeAttributes(Object.entries({ ...shared, ...(original !== undefined && { 'http.request.method_original': original }) }).flat())
    const name = method === '_OTHER' ? 'HTTP' : method
    const duration = this.#count < MAX_ROUTES ? this.#duration.bind(shared) : unbound(this.#duration, shared)
    return { ...of, name: route === '' ? name : `${name} ${route}`, block, duration }
  }
}

function unbound(recorder: AgentRecorder, attributes: Readonly<Record<string, string | number>>): Bound {
  return { record: (value) => recorder.record(value, attributes) }
}

/** @returns what puts the one before in its place again */
function replaceEmit(prototype: object, make: (original: Method) => (this: never, ...args: unknown[]) => unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(prototype, 'emit')
  const original: unknown = Reflect.get(prototype, 'emit')
  if (!isMethod(original)) throw new Error('it has no method emit')
  Object.defineProperty(prototype, 'emit', { configurable: true, writable: true, enumerable: before?.enumerable ?? false, value: make(original) })
  return () => {
    if (before === undefined) Reflect.deleteProperty(prototype, 'emit')
    else Object.defineProperty(prototype, 'emit', before)
  }
}

/**
 * The parts of a request come by its connection, which knows no request: who listens to them is called in the context in which the
 * request is served, unless it is read within a context of this request.
 */
function patchBody(): () => void {
  return replaceEmit(http.IncomingMessage.prototype, (original) =>
    function emit(this: Served, ...args: unknown[]): unknown {
      const served = this[SERVED]
      return served === undefined || requestOf(activeContext()) === served.rpc ? Reflect.apply(original, this, args) : runIn(served, () => Reflect.apply(original, this, args))
    },
  )
}

/** What all requests of a connection share, as long as they say the same. */
interface Peer {
  readonly host: string | undefined
  readonly agent: string | undefined
  /** Undefined at its first request: many connections carry no second one. */
  block: Uint8Array | undefined
}

const PEER = Symbol('andon.peer')

interface PeerSocket extends Socket {
  [PEER]?: Peer
}

interface PeerRequest {
  readonly headers: IncomingHttpHeaders
  readonly socket: PeerSocket
}

/** The attributes that differ from request to request. */
function describeRequest(span: Span, request: IncomingMessage, scheme: string): void {
  const { headers, url = '/' } = request
  const mark = url.indexOf('?')
  span.append('url.path', mark < 0 ? url : url.slice(0, mark))
  if (mark >= 0) span.append('url.query', url.slice(mark + 1))
  describePeer(span, request, scheme)
  const length = headers['content-length']
  if (length !== undefined) span.append('http.request.body.size', Number(length) || 0)
}

/** Who asks, and under which name of this server. */
function describePeer(span: Span, request: PeerRequest, scheme: string): void {
  const { headers, socket } = request
  const { host, 'user-agent': agent, 'x-forwarded-for': forwarded, 'x-forwarded-host': outer } = headers
  const peer = socket[PEER]
  if (forwarded !== undefined || outer !== undefined) {
    const client = typeof forwarded === 'string' ? forwarded.split(',', 1)[0]?.trim() : socket.remoteAddress
    span.attributes.push(...peerAttributes(request, client, scheme))
  } else if (peer !== undefined && peer.host === host && peer.agent === agent) {
    span.peer = peer.block ??= encodeAttributes(peerAttributes(request, socket.remoteAddress, scheme))
  } else {
    span.attributes.push(...peerAttributes(request, socket.remoteAddress, scheme))
    socket[PEER] ??= { host, agent, block: undefined }
  }
}

function peerAttributes({ headers, socket }: PeerRequest, client: string | undefined, scheme: string): (string | number)[] {
  const { address, port } = askedHost(headers, scheme)
  const { remoteAddress, remotePort } = socket
  const agent = headers['user-agent']
  const attributes: (string | number)[] = []
  if (address !== '') attributes.push('server.address', address)
  if (port > 0) attributes.push('server.port', port)
  if (agent !== undefined) attributes.push('user_agent.original', agent)
  if (remoteAddress !== undefined) attributes.push('network.peer.address', remoteAddress)
  if (remotePort !== undefined) attributes.push('network.peer.port', remotePort)
  if (client !== undefined && client !== '') attributes.push('client.address', client)
  return attributes
}
