// One request to the server, outside of every trace.
import http from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Milliseconds } from '@andon/model'
import { type Signals, signalAt } from '../options/signals.ts'

// Taken before any instrumentation replaces them: the agent's own requests are never traced.
const requests = { 'http:': http.request, 'https:': https.request } as const
const compress = promisify(gzip)

export type Outcome = 'taken' | 'again' | 'refused'

export interface Answer {
  /** Taken; to be sent again; or refused for good. */
  readonly outcome: Outcome
  /** When it may be sent again, as Retry-After says it. */
  readonly retryAfterMs: Milliseconds | undefined
  /** For the log: the status or what went wrong. */
  readonly reason: string
}

export interface ClientOptions {
  readonly signals: Signals
}

/** Below it compressing costs more than it spares. */
const COMPRESS_FROM = 1024

function retryAfter(header: string | undefined): Milliseconds | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return ms >= 0 ? Math.min(ms, 300_000) : undefined
}

export class OtlpClient {
  readonly #options: ClientOptions
  readonly #agents = { 'http:': new http.Agent({ keepAlive: true, maxSockets: 2 }), 'https:': new https.Agent({ keepAlive: true, maxSockets: 2 }) }

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
      const packed = body.length >= COMPRESS_FROM ? await compress(body) : body
      const headers = {
        ...signal.headers,
        'content-type': 'application/x-protobuf',
        'content-length': packed.length,
        'andon-batch': batch,
        ...(packed !== body && { 'content-encoding': 'gzip' }),
      }
      return await this.#send(protocol, url, headers, packed, signal.timeoutMs)
    } catch (error) {
      return { outcome: 'again', retryAfterMs: undefined, reason: error instanceof Error ? error.message : String(error) }
    }
  }

  async #send(protocol: 'http:' | 'https:', url: URL, headers: http.OutgoingHttpHeaders, body: Uint8Array, timeout: Milliseconds): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const request = requests[protocol](url, { method: 'POST', headers, agent: this.#agents[protocol], timeout }, (response) => {
        response.resume()
        response.once('error', reject)
        response.once('end', () => {
          const status = response.statusCode ?? 0
          const outcome = status >= 200 && status < 300 ? 'taken' : status === 429 || status === 408 || status >= 500 ? 'again' : 'refused'
          resolve({ outcome, retryAfterMs: retryAfter(response.headers['retry-after']), reason: String(status) })
        })
      })
      request.once('timeout', () => request.destroy(new Error(`no answer within ${timeout} ms`)))
      request.once('error', reject)
      // An idle connection must not keep the host alive.
      request.once('socket', (socket) => socket.unref())
      request.end(body)
    })
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }
}
