// Instant queries at the steps of a range, answered from range queries over a bounded part of it at a time.
import { AndonError, type Milliseconds } from '@andon/model'
import type { Engine, QueryResult } from '../query/engine.ts'
import type { Element, InstantQuery } from './missing.ts'

/** What past times are asked of. */
export type RangeEngine = Pick<Engine, 'instant' | 'range'>

/** The times at which something is evaluated. */
export interface Steps {
  readonly start: Milliseconds
  readonly step: Milliseconds
  readonly count: number
}

/** Steps that one range query answers, where nothing else is said. */
const CHUNK = 500
/** Expressions of chunks that are held, each with its elements; further ones displace those that were read longest ago. */
const HELD_MAX = 32

/** Elements by the step, counted from the start of the chunk. */
type Chunk = ReadonlyMap<number, readonly Element[]>

/** The floats of an answer. */
export function elementsOf(result: QueryResult): readonly Element[] {
  if (result.type === 'scalar') return [{ labels: {}, value: result.value }]
  return result.type === 'vector' ? result.samples.filter(({ histogram }) => histogram === undefined) : []
}

/**
 * One walk through the steps, forward. What is asked of one chunk for a second time, or was announced, is read for the whole chunk;
 * all else is asked at its time.
 */
export class ChunkedQuery {
  readonly #engine: RangeEngine
  readonly #steps: Steps
  readonly #signal: AbortSignal
  readonly #announced: ReadonlySet<string>
  readonly #size: number
  readonly #held = new Map<string, Chunk>()
  readonly #asked = new Set<string>()

  /** @param announced - expressions that are asked at every step */
  constructor(engine: RangeEngine, steps: Steps, { signal, announced, chunkSteps = CHUNK }: { readonly signal: AbortSignal; readonly announced: readonly string[]; readonly chunkSteps?: number | undefined }) {
    this.#engine = engine
    this.#steps = steps
    this.#signal = signal
    this.#announced = new Set(announced)
    this.#size = chunkSteps
  }

  readonly query: InstantQuery = async (expression, time) => {
    const { start, step, count } = this.#steps
    const index = (time - start) / step
    if (!Number.isInteger(index) || index < 0 || index >= count) return await this.#instant(expression, time)
    const chunk = Math.floor(index / this.#size)
    const key = `${chunk}\n${expression}`
    if (!this.#held.has(key) && !this.#announced.has(expression) && !this.#asked.has(key)) {
      if (this.#asked.size >= HELD_MAX) this.#asked.clear()
      this.#asked.add(key)
      return await this.#instant(expression, time)
    }
    return (await this.#chunk(key, expression, chunk)).get(index - chunk * this.#size) ?? []
  }

  async #instant(expression: string, time: Milliseconds): Promise<readonly Element[]> {
    return elementsOf(await this.#engine.instant(expression, time, { signal: this.#signal }))
  }

  async #chunk(key: string, expression: string, chunk: number): Promise<Chunk> {
    const held = this.#held.get(key)
    if (held !== undefined) return held
    const read = new Map<number, Element[]>()
    await this.#read(expression, chunk * this.#size, Math.min((chunk + 1) * this.#size, this.#steps.count), read)
    const [oldest] = this.#held.keys()
    if (this.#held.size >= HELD_MAX && oldest !== undefined) this.#held.delete(oldest)
    this.#held.set(key, read)
    return read
  }

  /** Reads steps from `from` to before `to`; in halves where they are too much for one query. */
  async #read(expression: string, from: number, to: number, into: Map<number, Element[]>): Promise<void> {
    const { start, step } = this.#steps
    try {
      const result = await this.#engine.range(expression, start + from * step, start + (to - 1) * step, step, { signal: this.#signal })
      if (result.type !== 'matrix') return
      for (const { labels, points } of result.series) {
        for (const [time, value] of points) {
          const index = Math.round((time - start) / step) % this.#size
          const elements = into.get(index)
          if (elements === undefined) into.set(index, [{ labels, value }])
          else elements.push({ labels, value })
        }
      }
    } catch (error) {
      if (!(error instanceof AndonError) || error.code !== 'query_too_large' || to - from <= 1) throw error
      const middle = Math.floor((from + to) / 2)
      await this.#read(expression, from, middle, into)
      await this.#read(expression, middle, to, into)
    }
  }
}
