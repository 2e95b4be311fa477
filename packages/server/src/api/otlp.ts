import { AndonError } from '@andon/model'
import { encodeExportResponse, encodeStatus, exportResponseJson, type OtlpSignal, type PartialSuccess } from '@andon/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../runtime/log.ts'
import { type BodyReader, unread } from './body.ts'
import { errorText, prepareError } from './errors.ts'

export type OtlpContent = 'protobuf' | 'json'

/** What takes the requests of one signal: resolves when their content is stored. */
export interface OtlpSink {
  accept(body: Uint8Array, content: OtlpContent, batch?: string): Promise<PartialSuccess>
}

export interface OtlpDeps {
  readonly spans: OtlpSink
  readonly metrics: OtlpSink
  readonly exceptions: OtlpSink
  readonly log: Log
  readonly bodies: BodyReader
  /** Takes note of who sends; the revision of what is wanted of it, for the header andon-control, or undefined. */
  readonly note: (request: FastifyRequest) => number | undefined
}

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

/** google.rpc codes of what can go wrong here. */
const RPC_CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 429: 8, 503: 14 }

/** A numbered batch's `PROCESS/SEQUENCE`. */
export function batchOf(request: FastifyRequest): string | undefined {
  const header = request.headers['andon-batch']
  if (header === undefined) return undefined
  if (typeof header === 'string' && /^[\da-f]{32}\/\d{1,15}$/.test(header)) return header
  throw new AndonError('bad_parameter', 'The header andon-batch must be 32 lower-case hex digits, "/", and a decimal number.')
}

const contentOf = (request: FastifyRequest): OtlpContent => ((request.headers['content-type'] ?? '').toLowerCase().startsWith(JSON_TYPE) ? 'json' : 'protobuf')

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
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser([PROTOBUF, JSON_TYPE], unread)
    scope.setErrorHandler((error, request, reply) => {
      const known = prepareError(error, request, reply, deps.log)
      const code = RPC_CODES[known.status] ?? 13
      const message = errorText(known)
      if (contentOf(request) === 'json') return reply.type(JSON_TYPE).send(JSON.stringify({ code, message }))
      return reply.type(PROTOBUF).send(Buffer.from(encodeStatus(code, message)))
    })
    const route = (path: string, signal: OtlpSignal, sink: OtlpSink): void => {
      scope.post(path, { config: { role: 'ingest' } }, async (request, reply) => {
        if (request.headers['content-type'] === undefined) throw new AndonError('unsupported_media_type', 'The request has no Content-Type.')
        const content = contentOf(request)
        const revision = deps.note(request)
        if (revision !== undefined) reply.header('andon-control', String(revision))
        const batch = batchOf(request)
        const result = await deps.bodies.use(request, (body) => sink.accept(body, content, batch))
        return answer(reply, content, result, signal)
      })
    }
    route('/v1/traces', 'spans', deps.spans)
    route('/v1/metrics', 'metrics', deps.metrics)
    route('/v1/logs', 'logs', deps.exceptions)
    done()
  })
}
