// How often services call each other, as Jaeger and Zipkin ask for it: the service map without databases, queues and unknown addresses.
import type { TimeRange } from '@andon/model'
import { type EdgeSource, NAMES_KEPT, resolveEdges } from './edges.ts'

/** Calls of one service to another within a range. */
export interface ServiceCalls {
  readonly caller: string
  readonly called: string
  /** By weight and repetition: may be a fraction. */
  readonly calls: number
  readonly errors: number
}

/** Reads calls between services. Holds nothing; may be called concurrently. */
export class ServiceCallReader {
  readonly #edges: Pick<EdgeSource, 'read' | 'named'>

  constructor(edges: Pick<EdgeSource, 'read' | 'named'>) {
    this.#edges = edges
  }

  /** Calls of the minutes of a range, by the names of the services. */
  async between(range: TimeRange): Promise<readonly ServiceCalls[]> {
    const [records, named] = await Promise.all([this.#edges.read({ range, buckets: false }), this.#edges.named({ start: range.start - NAMES_KEPT, end: range.end })])
    const sums = new Map<string, ServiceCalls>()
    for (const { kind, client, server, calls, errors } of resolveEdges(records, named)) {
      if (kind !== 'service') continue
      const key = `${client}\0${server}`
      const sum = sums.get(key)
      sums.set(key, { caller: client, called: server, calls: (sum?.calls ?? 0) + calls, errors: (sum?.errors ?? 0) + errors })
    }
    return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum)
  }
}
