// OTLP over gRPC: one unary call for each signal, over HTTP/2 without TLS.
// @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { AndonError, type ErrorCode } from '@andon/model'
import { encodeExportResponse, encodeRpcStatus } from '@andon/wire'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { BodyReader, BodyShare } from './body.ts'
import { asAndonError, errorText, retryAfter } from './errors.ts'
import type { OtlpSink } from './otlp.ts'

export interface GrpcDeps {
  readonly spans: OtlpSink
  readonly metrics: OtlpSink
  readonly exceptions: OtlpSink
  readonly bodies: BodyReader
  readonly clock: Clock
  readonly log: Log
  /** Lets a call with this authorization pass, or throws what it is refused with. */
  readonly check: (authorization: string | undefined) => void
}

/** How long one call may take. */
const CALL_MS = 120_000
const MAX_STREAMS = 128
const PREFIX = 5
const CONTENT = 'application/grpc'
const ENCODINGS = 'identity,gzip,deflate'
const OK = 0
const INTERNAL = 13
const UNAVAILABLE = 14
const UNIMPLEMENTED = 12

/** Codes of gRPC. What is to be sent again is UNAVAILABLE: a client takes RESOURCE_EXHAUSTED for good. */
const CODES: Readonly<Partial<Record<ErrorCode, number>>> = {
  bad_body: 3,
  bad_parameter: 3,
  unsupported_media_type: UNIMPLEMENTED,
  too_large: 8,
  overloaded: UNAVAILABLE,
  unavailable: UNAVAILABLE,
  disk_full: UNAVAILABLE,
  unauthorized: 16,
  forbidden: 7,
}

type Signal = 'spans' | 'metrics' | 'exceptions'

const METHODS: Readonly<Record<string, Signal>> = {
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export': 'spans',
  '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export': 'metrics',
  '/opentelemetry.proto.collector.logs.v1.LogsService/Export': 'exceptions',
}

/** As gRPC writes texts in headers. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', ' ')
}

function refusal(error: AndonError): Record<string, string | number> {
  const code = CODES[error.code] ?? INTERNAL
  const message = errorText(error)
  const details = encodeRpcStatus(code, message, code === UNAVAILABLE ? retryAfter(error) : undefined)
  return { 'grpc-status': code, 'grpc-message': percentEncoded(message), 'grpc-status-details-bin': Buffer.from(details).toString('base64') }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, PREFIX)
  return frame
}

/** The one message of a unary call, unpacked. */
async function messageOf(share: BodyShare, body: Buffer, encoding: string): Promise<Uint8Array> {
  if (body.length < PREFIX) throw new AndonError('bad_body', `The call carries ${body.length} bytes; a message has a head of ${PREFIX}.`)
  const length = body.readUInt32BE(1)
  if (length !== body.length - PREFIX) throw new AndonError('bad_body', `The call carries ${body.length - PREFIX} bytes of a message of ${length}; one whole message is expected.`)
  const message = body.subarray(PREFIX)
  if (body[0] === 0) return message
  if (encoding !== 'gzip' && encoding !== 'deflate') throw new AndonError('unsupported_media_type', `grpc-encoding "${encoding.slice(0, 40)}" is not understood.`, { hint: `Send ${ENCODINGS.replaceAll(',', ', ')}.` })
  return await share.unpack(message, encoding)
}

/** A listener of its own, because the APIs speak HTTP/1. Owns its port and its sessions from listen to close. */
export class GrpcServer {
  readonly #deps: GrpcDeps
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(deps: GrpcDeps) {
    this.#deps = deps
    this.#server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: 1_048_576 }, unknownProtocolTimeout: 5000 })
    this.#server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      // A connection that breaks ends its calls; there is nobody to be told.
      session.on('error', () => session.destroy())
    })
    this.#server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void this.#call(stream, headers))
  }

  /** @returns the port; rejects with the system's error where it cannot be had */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const address: AddressInfo | string | null = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Takes no more calls; those under way end, then their connections do. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const session of this.#sessions) session.close()
    await closed
  }

  /** Cuts what has not ended. */
  cut(): void {
    for (const session of this.#sessions) session.destroy()
  }

  async #call(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => stream.destroy())
    const cancel = this.#deps.clock.after(CALL_MS, () => stream.close())
    stream.once('close', cancel)
    if (headers[':method'] !== 'POST' || !(headers['content-type'] ?? '').startsWith(CONTENT)) {
      stream.respond({ ':status': 415 }, { endStream: true })
      stream.resume()
      return
    }
    try {
      const signal = METHODS[headers[':path'] ?? '']
      if (signal === undefined) throw new AndonError('unsupported_media_type', `There is no method ${String(headers[':path']).slice(0, 200)}.`, { hint: `There are ${Object.keys(METHODS).join(', ')}.` })
      this.#deps.check(headers.authorization)
      const answer = await this.#export(stream, signal, headers)
      this.#answer(stream, answer)
    } catch (error) {
      this.#refuse(stream, error)
    }
  }

  async #export(stream: ServerHttp2Stream, signal: Signal, headers: IncomingHttpHeaders): Promise<Uint8Array> {
    return await this.#deps.bodies.during(async (share) => {
      const message = await messageOf(share, await share.read(stream, PREFIX), String(headers['grpc-encoding'] ?? 'identity'))
      return encodeExportResponse(await this.#deps[signal].accept(message, 'protobuf'))
    })
  }

  #answer(stream: ServerHttp2Stream, message: Uint8Array): void {
    if (stream.destroyed || stream.closed) return
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': OK }))
    stream.respond({ ':status': 200, 'content-type': CONTENT, 'grpc-accept-encoding': ENCODINGS }, { waitForTrailers: true })
    stream.end(framed(message))
  }

  #refuse(stream: ServerHttp2Stream, cause: unknown): void {
    const error = asAndonError(cause)
    if (error.code === 'internal') this.#deps.log.error('a call failed', { error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) })
    if (stream.destroyed || stream.closed) return
    stream.respond({ ':status': 200, 'content-type': CONTENT, 'grpc-accept-encoding': ENCODINGS, ...refusal(error) }, { endStream: true })
    // What still comes is not read: the client is told so.
    stream.close()
  }
}
