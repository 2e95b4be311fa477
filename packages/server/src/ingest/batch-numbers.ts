// Numbered batches that were stored since the start of this server.

/** Batches and processes that are remembered; the oldest are forgotten first. */
const BATCHES_MAX = 50_000
const PROCESSES_MAX = 10_000

/** The process and the sequence of `PROCESS/SEQUENCE`. */
function parts(batch: string): [process: string, sequence: number] {
  const at = batch.indexOf('/')
  return [batch.slice(0, at), Number(batch.slice(at + 1))]
}

function forgetOldest(keys: { readonly size: number; keys(): IterableIterator<string>; delete(key: string): boolean }, most: number): void {
  if (keys.size <= most) return
  const [oldest] = keys.keys()
  if (oldest !== undefined) keys.delete(oldest)
}

/** What one signal's batcher knows of numbered batches. */
export class BatchNumbers {
  readonly #stored = new Set<string>()
  /** The highest sequence of each process. */
  readonly #highest = new Map<string, number>()

  /** @param batch - PROCESS/SEQUENCE */
  isStored(batch: string): boolean {
    return this.#stored.has(batch)
  }

  /**
   * Whether a batch cannot have been stored by an earlier life of the server: a process sends one batch of a signal after another,
   * and an earlier one of it was stored in this life.
   */
  isNew(batch: string): boolean {
    const [process, sequence] = parts(batch)
    const highest = this.#highest.get(process)
    return highest !== undefined && sequence > highest
  }

  add(batch: string): void {
    const [process, sequence] = parts(batch)
    const highest = Math.max(sequence, this.#highest.get(process) ?? 0)
    // Set anew, so that the one that was silent for longest stands first.
    this.#highest.delete(process)
    this.#highest.set(process, highest)
    this.#stored.add(batch)
    forgetOldest(this.#highest, PROCESSES_MAX)
    forgetOldest(this.#stored, BATCHES_MAX)
  }
}
