// Every error as {"error": {code, message, hint}}.
import type { Socket } from 'node:net'
import { getMonitor } from '@andon/agent'
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from './refusal.ts'

export const REFERENCE = 'See docs/reference/kanban-api.md.'

/** PostgreSQL's codes for a text that it cannot keep: a zero character, or half of a surrogate pair within JSON. */
const NO_TEXT: ReadonlySet<unknown> = new Set(['22021', '22P05', '22P02'])

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal || !(error instanceof Error)) return error instanceof Refusal ? error : undefined
  if (NO_TEXT.has(Reflect.get(error, 'code'))) return new Refusal(400, 'bad_request', 'A text holds a character that cannot be stored.', 'Leave out zero characters and halves of surrogate pairs.')
  const status: unknown = Reflect.get(error, 'statusCode')
  return typeof status === 'number' && status < 500 ? new Refusal(status, 'bad_request', error.message, REFERENCE) : undefined
}

const bodyOf = ({ code, message, hint, details }: Refusal): object => ({ error: { code, message, hint, ...details } })

/** Answers a refusal as what it is; all else is recorded, logged, and told as nothing but a failure. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = refusalOf(error)
  if (refusal !== undefined) return void reply.code(refusal.status).send(bodyOf(refusal))
  if (error instanceof Error) getMonitor().recordError(error, { route: request.routeOptions.url ?? '', method: request.method })
  request.log.error({ error }, 'a request failed')
  void reply.code(500).send({ error: { code: 'internal', message: 'Something went wrong.', hint: 'Try again.' } })
}

export function registerErrors(app: FastifyInstance): void {
  app.setErrorHandler(sendError)
}

/** Answers what cannot be read as a request of HTTP, and ends the connection. */
export function answerUnreadable({ code }: ConnectionError, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const isLong = code === 'HPE_HEADER_OVERFLOW'
  const message = isLong ? 'The address and the headers of the request are too long.' : 'This is not a request of HTTP/1.1.'
  const body = JSON.stringify(bodyOf(new Refusal(isLong ? 431 : 400, 'bad_request', message, REFERENCE)))
  const status = isLong ? '431 Request Header Fields Too Large' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
