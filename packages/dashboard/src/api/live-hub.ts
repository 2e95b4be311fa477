import type { Milliseconds } from '@andon/model'
import { LiveConnection } from './live-connection.ts'
import type { LiveEvent, LivePhase } from './live-state.ts'

/** From a tab to the hub. `ping` only says that the tab is still there. */
export type ToHub =
  | { readonly kind: 'want'; readonly path: string }
  | { readonly kind: 'unwant'; readonly path: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'bye' }

/** From the hub to a tab. */
export type ToTab =
  | { readonly kind: 'data'; readonly path: string; readonly body: unknown }
  | { readonly kind: 'problem'; readonly path: string; readonly message: string }
  | { readonly kind: 'phase'; readonly phase: LivePhase; readonly attempt: number }

interface Tab {
  readonly send: (message: ToTab) => void
  readonly paths: Set<string>
  heard: Milliseconds
}

interface Stream {
  take(event: LiveEvent): void
}

/** A tab that was silent for so long is gone: browsers let hidden tabs run their timers once a minute. */
export const TAB_TIMEOUT: Milliseconds = 150_000

/**
 * Shares one stream among tabs: each path is asked for once however many tabs want it, and a tab that joins gets the newest
 * answer at once. Holds the newest answer of each wanted path and nothing else.
 */
export class LiveHub {
  readonly #tabs = new Map<string, Tab>()
  readonly #newest = new Map<string, unknown>()
  readonly #stream: Stream
  #phase: ToTab = { kind: 'phase', phase: 'idle', attempt: 0 }

  /** @param stream - replaced in tests; otherwise a LiveConnection */
  constructor(stream?: Stream) {
    this.#stream =
      stream ??
      new LiveConnection({
        data: (path, body) => this.data(path, body),
        problem: (path, message) => this.#toWanting(path, { kind: 'problem', path, message }),
        phase: (phase, attempt) => this.phase(phase, attempt),
      })
  }

  /** An answer arrived on the stream. */
  data(path: string, body: unknown): void {
    if (![...this.#tabs.values()].some((tab) => tab.paths.has(path))) return
    this.#newest.set(path, body)
    this.#toWanting(path, { kind: 'data', path, body })
  }

  /** The stream changed its phase. */
  phase(phase: LivePhase, attempt: number): void {
    this.#phase = { kind: 'phase', phase, attempt }
    for (const tab of this.#tabs.values()) tab.send(this.#phase)
  }

  /** A message of a tab; a tab is known from its first message on. */
  receive(id: string, message: ToHub, send: (message: ToTab) => void, now: Milliseconds): void {
    let tab = this.#tabs.get(id)
    if (tab === undefined) {
      if (message.kind === 'bye') return
      tab = { send, paths: new Set(), heard: now }
      this.#tabs.set(id, tab)
      send(this.#phase)
    }
    tab.heard = now
    if (message.kind === 'want') this.#want(tab, message.path)
    else if (message.kind === 'unwant') this.#unwant(tab, message.path)
    else if (message.kind === 'bye') this.#remove(id, tab)
  }

  /** Forgets tabs that went without a word; to be called about once a minute. */
  sweep(now: Milliseconds): void {
    for (const [id, tab] of this.#tabs) if (now - tab.heard > TAB_TIMEOUT) this.#remove(id, tab)
  }

  #want(tab: Tab, path: string): void {
    tab.paths.add(path)
    if (this.#newest.has(path)) tab.send({ kind: 'data', path, body: this.#newest.get(path) })
    this.#stream.take({ kind: 'want', path })
  }

  #unwant(tab: Tab, path: string): void {
    tab.paths.delete(path)
    if ([...this.#tabs.values()].some((other) => other.paths.has(path))) return
    this.#newest.delete(path)
    this.#stream.take({ kind: 'unwant', path })
  }

  #remove(id: string, tab: Tab): void {
    this.#tabs.delete(id)
    for (const path of tab.paths) this.#unwant(tab, path)
  }

  #toWanting(path: string, message: ToTab): void {
    for (const tab of this.#tabs.values()) if (tab.paths.has(path)) tab.send(message)
  }
}
