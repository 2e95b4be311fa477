// Which services stand beside a service on the map: those that it calls, and those that call it.
import type { Milliseconds, TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'

/** What the map is read from. */
export interface MapSource {
  read(range: TimeRange, service?: string): Promise<{ readonly edges: readonly { readonly client: string; readonly server: string; readonly calls: number }[] }>
}

interface Known {
  readonly at: Milliseconds
  readonly services: Promise<ReadonlySet<string>>
}

const LOOKBACK: Milliseconds = 3_600_000
/** What is known is asked anew after this time. */
const KEPT: Milliseconds = 60_000
const HELD_MAX = 1000

/** May be called concurrently; a map that many ask for at once is read once. */
export class NeighbourReader {
  readonly #map: MapSource
  readonly #clock: Pick<Clock, 'now'>
  readonly #known = new Map<string, Known>()

  constructor(map: MapSource, clock: Pick<Clock, 'now'>) {
    this.#map = map
    this.#clock = clock
  }

  /** Services that called a service or were called by it within the last hour. */
  async of(service: string): Promise<ReadonlySet<string>> {
    const now = this.#clock.now()
    const held = this.#known.get(service)
    if (held !== undefined && now - held.at < KEPT) return await held.services
    const services = this.#read(service, now)
    this.#known.delete(service)
    this.#known.set(service, { at: now, services })
    const [oldest] = this.#known.keys()
    if (this.#known.size > HELD_MAX && oldest !== undefined) this.#known.delete(oldest)
    try {
      return await services
    } catch (error) {
      this.#known.delete(service)
      throw error
    }
  }

  async #read(service: string, now: Milliseconds): Promise<ReadonlySet<string>> {
    const { edges } = await this.#map.read({ start: now - LOOKBACK, end: now }, service)
    const near = new Set(edges.filter(({ calls }) => calls > 0).flatMap(({ client, server }) => [client, server]))
    near.delete(service)
    return near
  }
}
