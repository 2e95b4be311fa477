import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { AndonError, type Milliseconds } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../runtime/clock.ts'

/** Answers one path: the status and the JSON text of the body. */
export type LiveRun = (path: string, signal: AbortSignal) => Promise<{ readonly status: number; readonly body: string }>

/** Where a stream's text goes: a response, or a fake in tests. */
export interface LiveSink {
  /** Returns false when the receiver is behind; `onDrain` is called when it has caught up. */
  write(text: string): boolean
  onDrain(caughtUp: () => void): void
  close(): void
}

export interface LiveLimits {
  /** Each distinct path is run once in this time, however many watch. */
  readonly intervalMs: Milliseconds
  readonly heartbeatMs: Milliseconds
  /** A receiver that took nothing for this long is closed. */
  readonly slowMs: Milliseconds
  readonly streams: number
  readonly pathsPerStream: number
  readonly paths: number
  /** Paths that are run at the same time. */
  readonly parallel: number
}

export const LIVE_LIMITS: LiveLimits = { intervalMs: 5000, heartbeatMs: 15_000, slowMs: 30_000, streams: 256, pathsPerStream: 64, paths: 512, parallel: 4 }

interface Stream {
  readonly sink: LiveSink
  readonly paths: Set<string>
  /** The newest message per path that could not be sent yet: bounded by the paths of the stream. */
  readonly waiting: Map<string, string>
  /** When the receiver fell behind; undefined while it keeps up. */
  behindSince: Milliseconds | undefined
}

interface Watched {
  readonly streams: Set<string>
  readonly abort: AbortController
  /** What was last sent; '' before the first answer. */
  message: string
  running: boolean
}

const event = (name: string, data: string): string => `event: ${name}\ndata: ${data}\n\n`

const get = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)
const words = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

/** Our own and Prometheus' error envelopes as one. */
function problemOf(status: number, body: string): { code: string; message: string; hint: string } {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    parsed = undefined
  }
  const error = get(parsed, 'error')
  if (typeof error === 'string') return { code: words(get(parsed, 'errorType'), `http_${status}`), message: error, hint: words(get(parsed, 'hint'), '') }
  return { code: words(get(error, 'code'), `http_${status}`), message: words(get(error, 'message'), `Status ${status}.`), hint: words(get(error, 'hint'), '') }
}

/**
 * All live streams of the server. Owns its timers and streams; `stop` ends them. Each distinct path is run once per interval and its
 * result sent to every stream that watches it, when it differs from the last. A receiver that is behind gets the newest result of each
 * path only; what it missed is counted.
 */
export class LiveHub {
  readonly #run: LiveRun
  readonly #clock: Clock
  readonly #limits: LiveLimits
  readonly #streams = new Map<string, Stream>()
  readonly #watched = new Map<string, Watched>()
  readonly #due: string[] = []
  readonly #timers: (() => void)[]
  #active = 0
  #dropped = 0
  #closedSlow = 0

  constructor(run: LiveRun, clock: Clock, limits: LiveLimits = LIVE_LIMITS) {
    this.#run = run
    this.#clock = clock
    this.#limits = limits
    this.#timers = [
      clock.every(limits.intervalMs, () => {
        for (const path of this.#watched.keys()) this.#enqueue(path)
      }),
      clock.every(limits.heartbeatMs, () => this.#beat()),
    ]
  }

  /** Counts for the status page: streams and paths now; results that a slow receiver missed and streams closed for it, since the start. */
  counts(): { streams: number; paths: number; dropped: number; closedSlow: number } {
    return { streams: this.#streams.size, paths: this.#watched.size, dropped: this.#dropped, closedSlow: this.#closedSlow }
  }

  /**
   * Opens a stream and greets it.
   *
   * @returns its id, with which paths are subscribed
   * @throws AndonError overloaded when there are too many
   */
  open(sink: LiveSink): string {
    if (this.#streams.size >= this.#limits.streams) throw new AndonError('overloaded', `There are ${this.#streams.size} live streams already.`)
    const id = randomUUID()
    const stream: Stream = { sink, paths: new Set(), waiting: new Map(), behindSince: undefined }
    this.#streams.set(id, stream)
    sink.onDrain(() => this.#drain(stream))
    this.#write(stream, event('hello', JSON.stringify({ id })))
    return id
  }

  /** Ends a stream and stops watching what only it watched. Unknown ids are ignored. */
  close(id: string): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    this.#streams.delete(id)
    this.#unwatch(id, stream, [...stream.paths])
    stream.sink.close()
  }

  /**
   * Changes what a stream watches; new paths are answered at once.
   *
   * @throws AndonError not_found for an unknown stream, too_large past 64 paths a stream, overloaded past the limit of all paths
   */
  change(id: string, subscribe: readonly string[], unsubscribe: readonly string[]): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) throw new AndonError('not_found', 'This live stream is not open.', { hint: 'Open GET /api/live again and use the id of its hello.' })
    const added = [...new Set(subscribe)].filter((path) => !stream.paths.has(path))
    const removed = [...new Set(unsubscribe)].filter((path) => stream.paths.has(path))
    const { pathsPerStream, paths } = this.#limits
    if (stream.paths.size + added.length - removed.length > pathsPerStream) throw new AndonError('too_large', `A live stream may watch ${pathsPerStream} paths.`)
    this.#unwatch(id, stream, removed)
    if (this.#watched.size + added.filter((path) => !this.#watched.has(path)).length > paths) {
      throw new AndonError('overloaded', `${this.#watched.size} paths are being watched already.`)
    }
    for (const path of added) this.#watch(id, stream, path)
  }

  /** Ends all streams and timers; idempotent. */
  stop(): void {
    for (const stop of this.#timers.splice(0)) stop()
    for (const id of this.#streams.keys()) this.close(id)
  }

  #watch(id: string, stream: Stream, path: string): void {
    stream.paths.add(path)
    const known = this.#watched.get(path)
    if (known !== undefined) {
      known.streams.add(id)
      if (known.message !== '') this.#send(stream, path, known.message)
      return
    }
    this.#watched.set(path, { streams: new Set([id]), abort: new AbortController(), message: '', running: false })
    this.#enqueue(path)
  }

  #unwatch(id: string, stream: Stream, paths: readonly string[]): void {
    for (const path of paths) {
      stream.paths.delete(path)
      stream.waiting.delete(path)
      const watched = this.#watched.get(path)
      watched?.streams.delete(id)
      if (watched?.streams.size !== 0) continue
      watched.abort.abort()
      this.#watched.delete(path)
    }
  }

  /** A path waits at most once. */
  #enqueue(path: string): void {
    if (!this.#due.includes(path)) this.#due.push(path)
    this.#pump()
  }

  #pump(): void {
    while (this.#active < this.#limits.parallel) {
      const path = this.#due.shift()
      if (path === undefined) return
      const watched = this.#watched.get(path)
      if (watched === undefined || watched.running) continue
      this.#active += 1
      watched.running = true
      void this.#answer(path, watched).finally(() => {
        watched.running = false
        this.#active -= 1
        this.#pump()
      })
    }
  }

  async #answer(path: string, watched: Watched): Promise<void> {
    const message = await this.#message(path, watched.abort.signal)
    if (watched.abort.signal.aborted || message === watched.message) return
    watched.message = message
    for (const id of watched.streams) {
      const stream = this.#streams.get(id)
      if (stream !== undefined) this.#send(stream, path, message)
    }
  }

  async #message(path: string, signal: AbortSignal): Promise<string> {
    try {
      const { status, body } = await this.#run(path, signal)
      const name = JSON.stringify(path)
      if (status === 200) return event('data', `{"path":${name},"body":${body}}`)
      return event('problem', `{"path":${name},"error":${JSON.stringify(problemOf(status, body))}}`)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      return event('problem', JSON.stringify({ path, error: { code: 'internal', message: text, hint: '' } }))
    }
  }

  #send(stream: Stream, path: string, message: string): void {
    if (stream.behindSince === undefined) {
      this.#write(stream, message)
      return
    }
    if (stream.waiting.has(path)) this.#dropped += 1
    stream.waiting.set(path, message)
  }

  /** @returns whether the receiver keeps up */
  #write(stream: Stream, text: string): boolean {
    if (stream.sink.write(text)) return true
    stream.behindSince ??= this.#clock.now()
    return false
  }

  #drain(stream: Stream): void {
    stream.behindSince = undefined
    for (const [path, message] of stream.waiting) {
      stream.waiting.delete(path)
      if (!this.#write(stream, message)) return
    }
  }

  /** A comment keeps proxies from closing the stream; who took nothing since long is let go. */
  #beat(): void {
    const now = this.#clock.now()
    for (const [id, stream] of this.#streams) {
      if (stream.behindSince === undefined) this.#write(stream, ': still here\n\n')
      else if (now - stream.behindSince >= this.#limits.slowMs) {
        this.#closedSlow += 1
        this.close(id)
      }
    }
  }
}

const STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no', 'x-content-type-options': 'nosniff' }

const sinkOf = (response: ServerResponse): LiveSink => ({
  write: (text) => {
    // Only now: a stream that is refused is answered as any other error.
    if (!response.headersSent) response.writeHead(200, STREAM_HEADERS)
    return response.write(text)
  },
  onDrain: (caughtUp) => void response.on('drain', caughtUp),
  close: () => void response.destroy(),
})

/** The paths of routes that are flagged `live`, as expressions. */
class LivePaths {
  readonly #patterns: RegExp[] = []

  add(url: string): void {
    this.#patterns.push(new RegExp(`^${url.replaceAll(/[.+()]/g, String.raw`\$&`).replaceAll(/:[^/]+/g, '[^/]+')}$`))
  }

  has(path: string): boolean {
    const plain = path.split('?', 1)[0] ?? ''
    return this.#patterns.some((pattern) => pattern.test(plain))
  }
}

function pathList(body: unknown, key: string): string[] {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, key) : undefined
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > 256) throw new AndonError('bad_body', `${key} must be a list of paths.`)
  return value.map((path: unknown) => {
    if (typeof path === 'string' && path.length <= 8192) return path
    throw new AndonError('bad_body', `${key} must hold paths of at most 8192 characters.`)
  })
}

/**
 * GET /api/live, a stream of server-sent events, and POST /api/live/:id, which says what it carries. Register it before the routes it
 * may carry: they are known by their flag `live`.
 *
 * @param hub - owned and stopped by the caller
 */
export function registerLive(app: FastifyInstance, hub: LiveHub): void {
  const allowed = new LivePaths()
  app.addHook('onRoute', (route) => {
    if (route.config?.live === true) allowed.add(route.url)
  })
  app.get('/api/live', { config: { role: 'viewer', stream: true } }, (_request, reply) => {
    const response = reply.raw
    const id = hub.open(sinkOf(response))
    reply.hijack()
    response.on('close', () => hub.close(id))
    response.on('error', () => hub.close(id))
  })
  app.post<{ Params: { id: string } }>('/api/live/:id', { config: { role: 'viewer' }, bodyLimit: 1_048_576 }, (request, reply) => {
    const subscribe = pathList(request.body, 'subscribe')
    const foreign = subscribe.find((path) => !allowed.has(path))
    if (foreign !== undefined) throw new AndonError('bad_parameter', `"${foreign.slice(0, 200)}" cannot be followed live.`)
    hub.change(request.params.id, subscribe, pathList(request.body, 'unsubscribe'))
    return reply.code(204).send()
  })
}
