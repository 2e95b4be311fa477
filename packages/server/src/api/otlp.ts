import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { AndonError, type Bytes } from '@andon/model'
import { encodeExportResponse, encodeStatus, exportResponseJson, type OtlpSignal, type PartialSuccess, unpackSnappy } from '@andon/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../runtime/log.ts'
import { errorText, prepareError } from './errors.ts'

export type OtlpContent = 'protobuf' | 'json'

/** What takes the requests of one signal: resolves when their content is stored. */
export interface OtlpSink {
  accept(body: Uint8Array, content: OtlpContent, batch?: string): Promise<PartialSuccess>
}

export interface OtlpLimits {
  /** Of a body as it is sent. */
  readonly bodyBytes: Bytes
  /** Of a body when it is unpacked. */
  readonly inflatedBytes: Bytes
  /** Of all bodies that are being worked on, unpacked. */
  readonly inFlightBytes: Bytes
}

export interface OtlpDeps {
  readonly spans: OtlpSink
  readonly metrics: OtlpSink
  readonly exceptions: OtlpSink
  readonly log: Log
  readonly limits: OtlpLimits
  /** Takes note of who sends; the revision of what is wanted of it, for the header andon-control, or undefined. */
  readonly note: (request: FastifyRequest) => number | undefined
}

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) }

/** google.rpc codes of what can go wrong here. */
const RPC_CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 429: 8, 503: 14 }

async function readAll(payload: AsyncIterable<unknown>, limit: Bytes): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of payload) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size > limit) throw new AndonError('too_large', `The body is larger than ${limit} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

async function unpack(body: Buffer, encoding: string, limit: Bytes): Promise<Uint8Array> {
  if (encoding === '' || encoding === 'identity') return body
  if (encoding === 'snappy') return unpackSnappy(body, limit)
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    throw new AndonError('unsupported_media_type', `Content-Encoding "${encoding.slice(0, 40)}" is not understood.`, { hint: 'Send gzip, deflate, snappy or nothing.' })
  }
  try {
    return await unpackers[encoding](body, { maxOutputLength: limit })
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_BUFFER_TOO_LARGE') {
      throw new AndonError('too_large', `The body is larger than ${limit} bytes when unpacked.`)
    }
    throw new AndonError('bad_body', `The body is not ${encoding}: ${error instanceof Error ? error.message : 'it cannot be unpacked'}.`)
  }
}

/** A numbered batch's `PROCESS/SEQUENCE`. */
export function batchOf(request: FastifyRequest): string | undefined {
  const header = request.headers['andon-batch']
  if (header === undefined) return undefined
  if (typeof header === 'string' && /^[\da-f]{32}\/\d{1,15}$/.test(header)) return header
  throw new AndonError('bad_parameter', 'The header andon-batch must be 32 lower-case hex digits, "/", and a decimal number.')
}

const contentOf = (request: FastifyRequest): OtlpContent => ((request.headers['content-type'] ?? '').toLowerCase().startsWith(JSON_TYPE) ? 'json' : 'protobuf')

/** Bodies are read, bounded and unpacked here, and handed on as bytes. */
export class BodyReader {
  readonly #limits: OtlpLimits
  #inFlight: Bytes = 0

  constructor(limits: OtlpLimits) {
    this.#limits = limits
  }

  /** @param assumed - how the body is packed where the request does not say it */
  async read(request: FastifyRequest, payload: IncomingMessage, assumed = ''): Promise<Uint8Array> {
    const { bodyBytes, inflatedBytes, inFlightBytes } = this.#limits
    if (Number(request.headers['content-length'] ?? 0) > bodyBytes) throw new AndonError('too_large', `The body is larger than ${bodyBytes} bytes.`)
    if (this.#inFlight >= inFlightBytes) throw new AndonError('overloaded', `Andon is working on ${this.#inFlight} bytes of telemetry and takes no more just now.`)
    const packed = await readAll(payload, bodyBytes)
    return unpack(packed, (request.headers['content-encoding'] ?? assumed).trim().toLowerCase(), inflatedBytes)
  }

  /** Counts a body as being worked on until `work` has settled. */
  async during<T>(body: Uint8Array, work: () => Promise<T>): Promise<T> {
    this.#inFlight += body.length
    try {
      return await work()
    } finally {
      this.#inFlight -= body.length
    }
  }
}

function answer(reply: FastifyReply, content: OtlpContent, result: PartialSuccess, signal: OtlpSignal): FastifyReply {
  if (content === 'json') return reply.type(JSON_TYPE).send(exportResponseJson(result, signal))
  return reply.type(PROTOBUF).send(Buffer.from(encodeExportResponse(result)))
}

/**
 * POST /v1/traces, /v1/metrics, /v1/logs: OTLP/HTTP in protobuf and JSON, plain, gzip or deflate. Answers 200 only when stored.
 *
 * @see OTLP specification, OTLP/HTTP: a refusal's body is a google.rpc.Status in the request's content type
 */
export function registerOtlp(app: FastifyInstance, deps: OtlpDeps): void {
  void app.register((scope, _options, done) => {
    const reader = new BodyReader(deps.limits)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser([PROTOBUF, JSON_TYPE], (request: FastifyRequest, payload: IncomingMessage) => reader.read(request, payload))
    scope.setErrorHandler((error, request, reply) => {
      const known = prepareError(error, request, reply, deps.log)
      const code = RPC_CODES[known.status] ?? 13
      const message = errorText(known)
      if (contentOf(request) === 'json') return reply.type(JSON_TYPE).send(JSON.stringify({ code, message }))
      return reply.type(PROTOBUF).send(Buffer.from(encodeStatus(code, message)))
    })
    const route = (path: string, signal: OtlpSignal, sink: OtlpSink): void => {
      scope.post(path, { config: { role: 'ingest' } }, async (request, reply) => {
        const body = request.body instanceof Uint8Array ? request.body : Buffer.alloc(0)
        if (request.headers['content-type'] === undefined) throw new AndonError('unsupported_media_type', 'The request has no Content-Type.')
        const content = contentOf(request)
        const revision = deps.note(request)
        if (revision !== undefined) reply.header('andon-control', String(revision))
        const result = await reader.during(body, () => sink.accept(body, content, batchOf(request)))
        return answer(reply, content, result, signal)
      })
    }
    route('/v1/traces', 'spans', deps.spans)
    route('/v1/metrics', 'metrics', deps.metrics)
    route('/v1/logs', 'logs', deps.exceptions)
    done()
  })
}
