// Requests to receivers: to checked addresses only, without redirects, in bounded time.
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Bytes, Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { AddressGuard, CheckedAddress } from './address-guard.ts'

export interface OutboundRequest {
  readonly url: string
  readonly method?: 'POST' | 'GET'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal | undefined
}

export interface OutboundAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Of its first 64 KiB. */
  readonly body: string
}

/** Of an answer that is read; receivers say little. */
const ANSWER_MAX: Bytes = 65_536
/** How long a receiver may take, from the look-up of its name to the last byte of its answer. */
const DEFAULT_TIMEOUT: Milliseconds = 10_000

/** Whatever name is asked for, the checked addresses are the answer. */
export function pinned(addresses: readonly CheckedAddress[]): LookupFunction {
  return (_host, options, done) => {
    const [first] = addresses
    if (options.all === true) done(null, [...addresses])
    else done(null, first?.address ?? '', first?.family ?? 4)
  }
}

/** Speaks HTTP to receivers. */
export class OutboundHttp {
  readonly #guard: Pick<AddressGuard, 'check'>
  readonly #clock: Pick<Clock, 'after'>
  readonly #timeoutMs: Milliseconds

  constructor(guard: Pick<AddressGuard, 'check'>, clock: Pick<Clock, 'after'>, timeoutMs: Milliseconds = DEFAULT_TIMEOUT) {
    this.#guard = guard
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /**
   * Sends one request on a connection of its own and reads its answer; a redirect is an answer like others.
   *
   * @throws RefusedAddress; Error when the receiver cannot be reached, breaks off, or takes more than 10 s
   */
  async send(request: OutboundRequest): Promise<OutboundAnswer> {
    const ended = new AbortController()
    const late = this.#clock.after(this.#timeoutMs, () => ended.abort(new Error(`no answer within ${this.#timeoutMs / 1000} s`)))
    const stop = (): void => ended.abort(request.signal?.reason)
    request.signal?.addEventListener('abort', stop, { once: true })
    try {
      request.signal?.throwIfAborted()
      return await untilAborted(this.#send(request, ended.signal), ended.signal)
    } finally {
      late()
      request.signal?.removeEventListener('abort', stop)
    }
  }

  async #send({ url, method = 'POST', headers, body }: OutboundRequest, signal: AbortSignal): Promise<OutboundAnswer> {
    const target = new URL(url)
    const isSecure = target.protocol === 'https:'
    const addresses = await this.#guard.check(target.hostname, Number(target.port === '' ? (isSecure ? 443 : 80) : target.port))
    signal.throwIfAborted()
    const send = isSecure ? secureRequest : plainRequest
    return await new Promise((resolve, reject) => {
      const sent = send(target, { method, agent: false, lookup: pinned(addresses), signal, headers: { 'user-agent': 'Andon', ...headers, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) } })
      sent.on('error', reject)
      sent.on('response', (answer) => {
        answered(answer).then(resolve, reject).finally(() => sent.destroy())
      })
      sent.end(body)
    })
  }
}

/** What work comes to, or the reason for which it is not waited for any more. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('given up'))
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

async function answered(answer: IncomingMessage): Promise<OutboundAnswer> {
  return { body: await read(answer), status: answer.statusCode ?? 0, headers: answer.headers }
}

/** @throws Error when the answer breaks off */
async function read(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const arriving: AsyncIterable<unknown> = answer.iterator({ destroyOnReturn: false })
  for await (const chunk of arriving) {
    if (!Buffer.isBuffer(chunk)) continue
    chunks.push(chunk)
    size += chunk.length
    if (size >= ANSWER_MAX) break
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_MAX).toString('utf8')
}

/**
 * When a receiver wants to be asked again.
 *
 * @param header - seconds, or a date of HTTP
 * @returns milliseconds from now, at most a day; undefined where it says nothing that is understood
 */
export function retryAfterMs(header: string | undefined, now: Milliseconds): Milliseconds | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const seconds = Number(header)
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now
  return Number.isNaN(wait) ? undefined : Math.min(86_400_000, Math.max(0, wait))
}
