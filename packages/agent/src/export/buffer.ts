import type { Bytes } from '@andon/model'

/** Items that wait to be sent, bounded by bytes: the oldest give way, and are counted. */
export class Buffer<T> {
  readonly #items: { readonly item: T; readonly bytes: Bytes }[] = []
  readonly #maxBytes: Bytes
  #bytes = 0
  /** Items that gave way. */
  dropped = 0

  constructor(maxBytes: Bytes) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#items.length
  }

  get bytes(): Bytes {
    return this.#bytes
  }

  /** @param bytes - about how much memory the item holds */
  push(item: T, bytes: Bytes): void {
    this.#items.push({ item, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.#maxBytes && this.#items.length > 0) {
      this.#bytes -= this.#items.shift()?.bytes ?? 0
      this.dropped += 1
    }
  }

  /** Takes out the oldest items, at most `count`. */
  take(count: number): T[] {
    const taken = this.#items.splice(0, count)
    for (const { bytes } of taken) this.#bytes -= bytes
    return taken.map(({ item }) => item)
  }
}
