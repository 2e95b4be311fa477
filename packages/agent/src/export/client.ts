// One request to the server, outside of every trace.
import http from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Bytes, Milliseconds } from '@andon/model'
import { runUnseen } from '../context.ts'
import { type Signal, type Signals, signalAt } from '../options/signals.ts'
import { exchange, type Limits, type Reply } from './exchange.ts'
import { OwnWork, type WorkKind } from './own-work.ts'

// Taken before any instrumentation replaces them: the agent's own requests are never traced.
const requests = { 'http:': http.request, 'https:': https.request } as const

type Protocol = keyof typeof requests

/** Nor are the connections that they open, or their look-ups of names. */
function makeRequest(protocol: Protocol, url: URL, options: http.RequestOptions): http.ClientRequest {
  return runUnseen(() => requests[protocol](url, options))
}

const compress = promisify(gzip)

export type Outcome = 'taken' | 'again' | 'failed' | 'refused'

export interface Answer {
  /**
   * Taken; to be sent again, because the server is not there or asks for it; to be sent again, though the server failed at it, which may
   * be the batch's fault; or refused for good.
   */
  readonly outcome: Outcome
  /** When it may be sent again, as Retry-After says it. */
  readonly retryAfterMs: Milliseconds | undefined
  /** For the log: the status or what went wrong. */
  readonly reason: string
}

/** Who asks, and what the server says to it, beside the telemetry. */
export interface ControlLink {
  /** The header `andon-instance`. */
  header(): string
  /** The header `andon-control` of an answer. */
  answered(header: string): void
}

export interface ClientOptions {
  readonly signals: Signals
}

/** Below it compressing costs more than it spares. */
const COMPRESS_FROM = 1024

/** Of an answer, in whose content nothing is looked for: more is not read, and its connection is let go. */
const ANSWER_MAX_BYTES: Bytes = 64 * 1024

/** To a server on the same machine compressing costs its processor more than it spares the wire. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}

/** Of a host with several addresses, none of which takes a connection, the error itself has no words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message !== '' ? error.message : String(Reflect.get(error, 'code') ?? error.name)
}

/** What asks for another attempt by itself. @see OTLP specification, "Retryable response codes"; 408 is a proxy's word for the same */
const AGAIN: ReadonlySet<number> = new Set([408, 429, 502, 503, 504])

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'taken'
  if (AGAIN.has(status)) return 'again'
  return status >= 500 ? 'failed' : 'refused'
}

function retryAfter(header: string | undefined): Milliseconds | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return ms >= 0 ? Math.min(ms, 300_000) : undefined
}

export class OtlpClient {
  readonly #options: ClientOptions
  readonly #agents = { 'http:': new http.Agent({ keepAlive: true, maxSockets: 2 }), 'https:': new https.Agent({ keepAlive: true, maxSockets: 2 }) }

  readonly #open = new Set<http.ClientRequest>()
  /** What sending costs. */
  readonly work: OwnWork = new OwnWork()
  /** Batches of all signals that were taken, by server. */
  readonly #taken = new Map<string, number>()
  /** Set once the agent's other parts are there. */
  control: ControlLink | undefined
  /** The signal whose server said last what is wanted: signals may go to different ones. */
  #controlling: Signal | undefined

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** Sends bytes to a path such as /v1/traces. Never rejects. */
  async post(path: string, body: Uint8Array, batch: string): Promise<Answer> {
    try {
      const signal = signalAt(this.#options.signals, path)
      // Switched off: what is recorded all the same, for the metrics or the flags of others, goes nowhere.
      if (signal.url === undefined) return { outcome: 'taken', retryAfterMs: undefined, reason: 'off' }
      const url = new URL(signal.url)
      const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
      const packed = body.length >= COMPRESS_FROM && !isLoopback(url.hostname) ? await this.#compressed(body) : body
      const headers = {
        ...signal.headers,
        'content-type': 'application/x-protobuf',
        'content-length': packed.length,
        'andon-batch': batch,
        ...(this.control !== undefined && { 'andon-instance': this.control.header() }),
        ...(packed !== body && { 'content-encoding': 'gzip' }),
      }
      this.work.posts += 1
      const kind: WorkKind = signal === this.#options.signals.traces ? 'spans' : 'others'
      // What is awaited comes after what is timed.
      return await this.work.timed(kind, async () => await this.#send(protocol, url, headers, packed, signal))
    } catch (error) {
      return { outcome: 'again', retryAfterMs: undefined, reason: reasonOf(error) }
    }
  }

  /** How many batches the server of a path has taken, of whatever signal. */
  taken(path: string): number {
    const { url } = signalAt(this.#options.signals, path)
    return url === undefined || !URL.canParse(url) ? 0 : (this.#taken.get(new URL(url).origin) ?? 0)
  }

  async #compressed(body: Uint8Array): Promise<Uint8Array> {
    this.work.compressed += body.length
    return await compress(body)
  }

  async #send(protocol: Protocol, url: URL, headers: http.OutgoingHttpHeaders, body: Uint8Array, signal: Signal): Promise<Answer> {
    const request = makeRequest(protocol, url, { method: 'POST', headers, agent: this.#agents[protocol] })
    const { status, headers: answered } = await this.#exchange(request, body, { maxBytes: ANSWER_MAX_BYTES, withinMs: signal.timeoutMs })
    const wanted = answered['andon-control']
    if (typeof wanted === 'string') {
      this.#controlling = signal
      this.control?.answered(wanted)
    }
    const outcome = outcomeOf(status)
    if (outcome === 'taken') this.#taken.set(url.origin, (this.#taken.get(url.origin) ?? 0) + 1)
    return { outcome, retryAfterMs: retryAfter(answered['retry-after']), reason: String(status) }
  }

  /**
   * Reads a path of the server that said last what is wanted, as text, with the headers of its signal. Never rejects.
   *
   * @returns undefined where the answer is not 200, larger than `maxBytes`, or not there as a whole within `withinMs`
   */
  async read(path: string, maxBytes: Bytes, withinMs: Milliseconds): Promise<string | undefined> {
    try {
      const { url: address = '', headers } = this.#controlling ?? this.#options.signals.traces
      const url = new URL(address.replace(/\/v1\/(?:traces|metrics|logs)$/, '') + path)
      const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
      const request = makeRequest(protocol, url, { method: 'GET', headers: { ...headers, accept: 'application/json' }, agent: this.#agents[protocol] })
      const { status, text } = await this.#exchange(request, undefined, { maxBytes, withinMs })
      return status === 200 ? text : undefined
    } catch {
      return undefined
    }
  }

  async #exchange(request: http.ClientRequest, body: Uint8Array | undefined, limits: Limits): Promise<Reply> {
    this.#open.add(request)
    try {
      return await exchange(request, body, limits)
    } finally {
      this.#open.delete(request)
    }
  }

  /** Ends what is under way. Whoever holds the client makes no more requests. */
  close(): void {
    // Also those that wait for a connection: else each would get one when another is closed.
    for (const request of this.#open) request.destroy()
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }
}
