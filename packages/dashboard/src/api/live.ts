import type { Milliseconds } from '@andon/model'
import type { ToTab } from './live-hub.ts'
import { type LiveMode, liveMode, type LivePhase } from './live-state.ts'
import { type LiveTransport, openTransport } from './live-transport.ts'

/** Who wants a path: gets every answer, and is told when the server could not answer. */
interface Wanting {
  readonly data: (body: unknown) => void
  readonly problem: () => void
}

/** After so many failures in a row the queries poll beside the attempts to stream. */
const FAILURES_BEFORE_POLLING = 3

/**
 * The tab's side of the live stream: who in this tab wants which path, and how the stream does. One per tab, never closed.
 * React reads it through `subscribe` and `version`.
 */
class LiveClient {
  readonly #wanted = new Map<string, Set<Wanting>>()
  readonly #watchers = new Set<() => void>()
  #transport: LiveTransport | null = null
  #opened = false
  #phase: LivePhase = 'idle'
  #attempt = 0
  #answered: Milliseconds | null = null
  #reachable = true
  #version = 0

  /** Wants a path until the returned function is called. */
  want(path: string, wanting: Wanting): () => void {
    this.#open()
    let set = this.#wanted.get(path)
    if (set === undefined) {
      set = new Set()
      this.#wanted.set(path, set)
      this.#transport?.send({ kind: 'want', path })
    }
    set.add(wanting)
    return () => {
      set.delete(wanting)
      if (set.size > 0 || this.#wanted.get(path) !== set) return
      this.#wanted.delete(path)
      this.#transport?.send({ kind: 'unwant', path })
    }
  }

  /** Called by every request: whether it reached the server. */
  report(reached: boolean): void {
    if (reached) this.#answered = Date.now()
    if (this.#reachable !== reached) {
      this.#reachable = reached
      this.#changed()
    }
  }

  /** True while queries must ask for themselves. */
  get polling(): boolean {
    return this.#opened && (this.#transport === null || this.#attempt >= FAILURES_BEFORE_POLLING)
  }

  /** What the indicator says; `moving` and `pausedByUser` come from the URL. */
  mode(moving: boolean, pausedByUser: boolean, now: Milliseconds): LiveMode {
    const age = this.#answered === null ? null : now - this.#answered
    return liveMode({ moving, pausedByUser, phase: this.#phase, streaming: !this.polling, reachable: this.#reachable, age })
  }

  /** Milliseconds since the Unix epoch of the last answer of any kind; null before the first. */
  get answered(): Milliseconds | null {
    return this.#answered
  }

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  readonly version = (): number => this.#version

  #open(): void {
    if (this.#opened) return
    this.#opened = true
    this.#transport = openTransport({ message: (message) => this.#receive(message), restart: () => this.#announceAll() })
    const transport = this.#transport
    if (transport === null) return
    setInterval(() => transport.send({ kind: 'ping' }), 30_000)
    addEventListener('pagehide', () => transport.send({ kind: 'bye' }))
    addEventListener('pageshow', (event) => {
      if (event.persisted) this.#announceAll()
    })
  }

  #announceAll(): void {
    for (const path of this.#wanted.keys()) this.#transport?.send({ kind: 'want', path })
  }

  #receive(message: ToTab): void {
    if (message.kind === 'data') {
      this.report(true)
      for (const wanting of this.#wanted.get(message.path) ?? []) wanting.data(message.body)
    } else if (message.kind === 'problem') {
      for (const wanting of this.#wanted.get(message.path) ?? []) wanting.problem()
    } else {
      this.#phase = message.phase
      this.#attempt = message.attempt
      if (message.phase === 'open') this.report(true)
      this.#changed()
    }
  }

  #changed(): void {
    this.#version += 1
    for (const watcher of this.#watchers) watcher()
  }
}

export const live: LiveClient = new LiveClient()
