import { AndonError, type ErrorCode } from '@andon/model'
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import type { Socket } from 'node:net'
import type { Log } from '../runtime/log.ts'

/** What an error is to the one who asked. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string }
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'too_large',
  415: 'unsupported_media_type',
}

const statusOf = (error: unknown): number => {
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'statusCode') : undefined
  return typeof status === 'number' ? status : 500
}

/** Fastify's own errors name a code; those about bodies start with FST_ERR_CTP. */
function codeOfFramework(error: Error, status: number): ErrorCode {
  const known = BY_STATUS[status]
  if (known !== undefined) return known
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' && code.startsWith('FST_ERR_CTP') ? 'bad_body' : error instanceof SyntaxError ? 'bad_body' : 'bad_parameter'
}

/**
 * Any thrown value as an error that may be shown: an AndonError as it is, the framework's refusals by their status, all else as `internal`
 * with nothing of its text, which may hold data.
 */
export function asAndonError(error: unknown): AndonError {
  if (error instanceof AndonError) return error
  const status = statusOf(error)
  if (error instanceof Error && status === 415) return new AndonError('unsupported_media_type', 'The Content-Type of this request is not understood here.')
  if (error instanceof Error && status >= 400 && status < 500) return new AndonError(codeOfFramework(error, status), error.message)
  return new AndonError('internal', 'Something went wrong inside Andon.', { cause: error })
}

export function errorBody({ code, message, hint }: AndonError): ErrorBody {
  return { error: { code, message, hint } }
}

/** Code, message and hint as one text, for envelopes that have place for no more. */
export function errorText({ code, message, hint }: AndonError): string {
  return `${code}: ${message}${/[.!?]$/.test(message) ? '' : '.'} ${hint}`
}

/** What the parser of HTTP refuses, and as what it is answered. */
const UNREADABLE: Readonly<Record<string, readonly [status: string, error: AndonError]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    new AndonError('too_large', 'The address and the headers of the request are longer than 16384 bytes.', { hint: 'Shorten them; a long query can be sent as the form of a POST.' }),
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', new AndonError('bad_body', 'The request did not arrive in time.', { hint: 'Send it again, faster or smaller.' })],
}
const NO_HTTP = ['400 Bad Request', new AndonError('bad_body', 'This is not a request of HTTP/1.1.', { hint: 'Speak plain HTTP to this port, not TLS, HTTP/2 or gRPC.' })] as const

/** Answers what cannot be read as a request, in the house's envelope, and ends the connection. */
export function answerUnreadable(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, known] = UNREADABLE[error.code] ?? NO_HTTP
  const body = JSON.stringify(errorBody(known))
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** Seconds after which an overloaded or closing server may be asked again. */
const RETRY_AFTER_SECONDS = 1
/** Seconds after which a disk may have room again: the guard has looked at it twice by then. */
const RETRY_FULL_DISK_SECONDS = 30

/** Seconds after which what was refused may be sent again; undefined where it must not be sent as it is. */
export function retryAfter({ code, status }: AndonError): number | undefined {
  if (code === 'disk_full') return RETRY_FULL_DISK_SECONDS
  return status === 429 || status === 503 ? RETRY_AFTER_SECONDS : undefined
}

/** Logs what is a defect and sets status and Retry-After; the caller sends the body. */
export function prepareError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): AndonError {
  const known = asAndonError(error)
  if (known.code === 'internal') {
    log.error('A request failed.', { method: request.method, path: request.url.slice(0, 500), error: known.cause ?? known })
  }
  const seconds = retryAfter(known)
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
  // What was refused unread must not be taken for the next request.
  if (known.status === 413) reply.header('connection', 'close')
  reply.code(known.status)
  return known
}

/** Answers an error in the house's envelope. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  void reply.send(errorBody(prepareError(error, request, reply, log)))
}

const METHODS: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'DELETE']

/** Answers every error in the house's envelope, and unknown routes with 404 or 405. */
export function registerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, log))
  app.setNotFoundHandler((request, reply) => {
    const url = request.url.split('?', 1)[0] ?? ''
    const allowed = METHODS.filter((method) => app.hasRoute({ method, url }))
    if (allowed.length === 0 || allowed.includes('GET') === (request.method === 'GET')) {
      const error = new AndonError('not_found', `There is no ${request.method} ${url.slice(0, 200)}.`)
      return reply.code(404).send(errorBody(error))
    }
    const error = new AndonError('method_not_allowed', `${url.slice(0, 200)} knows ${allowed.join(', ')}, not ${request.method}.`)
    return reply.code(405).header('allow', allowed.join(', ')).send(errorBody(error))
  })
}
