// Which services a service calls, as the service map shows it.
import type { Milliseconds } from '@andon/model'
import { type EdgeSource, NAMES_KEPT, resolveEdges } from './edges.ts'

/** Calls of so long ago still count: what is broken may not be called any more. */
const RANGE: Milliseconds = 3_600_000
/** How long an answer is believed. */
const KEPT: Milliseconds = 60_000

/** The callees of all services, read once a minute at most. May be called concurrently. */
export class CalleeReader {
  readonly #edges: EdgeSource
  readonly #now: () => Milliseconds
  #held: { readonly at: Milliseconds; readonly callees: Promise<ReadonlyMap<string, readonly string[]>> } | undefined

  constructor(edges: EdgeSource, now: () => Milliseconds) {
    this.#edges = edges
    this.#now = now
  }

  /**
   * The services that a service called in the last hour, itself left out, in order.
   *
   * @throws what reading edges throws; the next call tries again
   */
  async of(service: string): Promise<readonly string[]> {
    const now = this.#now()
    if (this.#held === undefined || now - this.#held.at >= KEPT) {
      const held = { at: now, callees: this.#read(now) }
      this.#held = held
      held.callees.catch(() => {
        if (this.#held === held) this.#held = undefined
      })
    }
    return (await this.#held.callees).get(service) ?? []
  }

  async #read(end: Milliseconds): Promise<ReadonlyMap<string, readonly string[]>> {
    const start = end - RANGE
    const [records, named] = await Promise.all([this.#edges.read({ range: { start, end }, buckets: false }), this.#edges.named({ start: start - NAMES_KEPT, end })])
    const found = new Map<string, Set<string>>()
    for (const { client, server, kind } of resolveEdges(records, named)) {
      // Whoever puts something into a queue does not wait for those who take it out.
      if (client === server || kind === 'consumer') continue
      const servers = found.get(client)
      if (servers === undefined) found.set(client, new Set([server]))
      else servers.add(server)
    }
    return new Map([...found].map(([client, servers]) => [client, [...servers].toSorted()]))
  }
}
