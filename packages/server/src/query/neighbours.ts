// Which services stand beside a service on the map: those that it calls, and those that call it.
import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { type EdgeSource, NAMES_KEPT, resolveEdges } from './edges.ts'

interface Neighbours {
  /** In either direction. */
  readonly near: ReadonlyMap<string, ReadonlySet<string>>
  readonly called: ReadonlyMap<string, ReadonlySet<string>>
}

const LOOKBACK: Milliseconds = 3_600_000
/** What is known is asked anew after this time. */
const KEPT: Milliseconds = 60_000
const NONE: ReadonlySet<string> = new Set()

/** Holds the neighbours of all services for a minute. May be called concurrently; a map that many ask for at once is read once. */
export class NeighbourReader {
  readonly #edges: EdgeSource
  readonly #clock: Pick<Clock, 'now'>
  #known: { readonly at: Milliseconds; readonly all: Promise<Neighbours> } | undefined

  constructor(edges: EdgeSource, clock: Pick<Clock, 'now'>) {
    this.#edges = edges
    this.#clock = clock
  }

  /** Services that called a service or were called by it within the last hour. */
  async of(service: string): Promise<ReadonlySet<string>> {
    return (await this.#all()).near.get(service) ?? NONE
  }

  /** Services that a service called within the last hour: what is broken may not be called any more. Not those that only take its messages. */
  async calledBy(service: string): Promise<ReadonlySet<string>> {
    return (await this.#all()).called.get(service) ?? NONE
  }

  async #all(): Promise<Neighbours> {
    const now = this.#clock.now()
    const held = this.#known
    const known = held !== undefined && now - held.at < KEPT ? held : { at: now, all: this.#read(now) }
    this.#known = known
    try {
      return await known.all
    } catch (error) {
      if (this.#known === known) this.#known = undefined
      throw error
    }
  }

  async #read(now: Milliseconds): Promise<Neighbours> {
    const range = { start: now - LOOKBACK, end: now }
    const [records, named] = await Promise.all([this.#edges.read({ range, buckets: false }), this.#edges.named({ start: range.start - NAMES_KEPT, end: now })])
    const near = new Map<string, Set<string>>()
    const called = new Map<string, Set<string>>()
    for (const { client, server, kind, calls, serverCalls } of resolveEdges(records, named)) {
      if (client === server || calls + serverCalls <= 0) continue
      note(near, client, server)
      note(near, server, client)
      // Whoever puts something into a queue does not wait for those who take it out.
      if (kind !== 'consumer') note(called, client, server)
    }
    return { near, called }
  }
}

function note(all: Map<string, Set<string>>, one: string, other: string): void {
  const known = all.get(one)
  if (known === undefined) all.set(one, new Set([other]))
  else known.add(other)
}
