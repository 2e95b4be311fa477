// Baggage that is set on a span: it goes along with all that is called under the span, whichever context that runs in.
import { type Baggage, type BaggageEntry, propagation } from '@opentelemetry/api'

/** As many as a header takes. */
const MAX_ITEMS = 180

interface Item {
  readonly value: string
  /** The number of its setting. */
  readonly at: number
}

export class SpanBaggage {
  readonly #items = new Map<string, Item>()
  /** How often something was set: of what was set until then, baggage that a context is given later is the newer word. */
  count = 0

  /** @returns whether there was room */
  set(key: string, value: string): boolean {
    if (this.#items.size >= MAX_ITEMS && !this.#items.has(key)) return false
    this.count += 1
    this.#items.set(key, { value, at: this.count })
    return true
  }

  /** The baggage of a context with what was set here after the first `known` settings. */
  over(below: Baggage | undefined, known: number): Baggage | undefined {
    if (this.count <= known) return below
    const entries = new Map<string, BaggageEntry>(below?.getAllEntries())
    for (const [key, { value, at }] of this.#items) if (at > known) entries.set(key, { value })
    return propagation.createBaggage(Object.fromEntries(entries))
  }

  /** What a span below takes over; undefined where it is nothing. */
  after(known: number): SpanBaggage | undefined {
    if (this.count <= known) return undefined
    const taken = new SpanBaggage()
    for (const [key, { value, at }] of this.#items) if (at > known) taken.set(key, value)
    return taken
  }
}
