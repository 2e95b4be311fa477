import type { CacheType, KanbanMetrics } from './metrics.ts'

interface Entry<T> {
  readonly value: T
  readonly until: number
}

/** What was read lately, for a few seconds; bounded, and told apart by kind in the metrics. One holds values of one type. */
export class ReadCache<T> {
  readonly #entries = new Map<string, Entry<T>>()
  /** Reads under way; one is marked when its board changes meanwhile. */
  readonly #reads = new Set<{ readonly board: string; isOutdated: boolean }>()
  readonly #metrics: Pick<KanbanMetrics, 'recordCacheHit'>
  readonly #ttlMs: number
  readonly #now: () => number

  constructor(metrics: Pick<KanbanMetrics, 'recordCacheHit'>, ttlMs = 5000, now: () => number = () => performance.now()) {
    this.#metrics = metrics
    this.#ttlMs = ttlMs
    this.#now = now
  }

  /** The held value, else what `read` gives, which is then held; unless the board changed while it was read. */
  async get(type: CacheType, board: string, key: string, read: () => Promise<T>): Promise<T> {
    const at = `${board}\n${type}\n${key}`
    const held = this.#entries.get(at)
    const isFresh = held !== undefined && held.until > this.#now()
    this.#metrics.recordCacheHit(type, isFresh)
    if (isFresh) return held.value
    const reading = { board, isOutdated: false }
    this.#reads.add(reading)
    const value = await read().finally(() => this.#reads.delete(reading))
    if (reading.isOutdated) return value
    if (this.#entries.size >= 1000) this.#entries.clear()
    this.#entries.set(at, { value, until: this.#now() + this.#ttlMs })
    return value
  }

  /** Forgets all of a board, because something on it changed. */
  forget(board: string): void {
    for (const reading of this.#reads) if (reading.board === board) reading.isOutdated = true
    for (const key of this.#entries.keys()) if (key.startsWith(`${board}\n`)) this.#entries.delete(key)
  }
}
