// Instruments whose callbacks are asked at each collection.
import type { Attributes as ApiAttributes, Observable, ObservableCallback } from '@opentelemetry/api'
import type { Bytes } from '@andon/model'
import { keyOf } from './attribute-index.ts'
import { type Instrument, MAX_IDLE } from './instrument.ts'

/** Attribute sets whose totals are remembered; those of further ones are dropped and counted, since they could not be told from the last ones. */
const MAX_TOTALS = 20_000
/** About what one takes with the text of its set. */
const TOTAL_BYTES: Bytes = 150

/** What a callback told last of one set. */
interface Total {
  value: number
  /** In which collection. */
  at: number
}

/** OpenTelemetry's observable instruments. Counters tell totals: what is recorded are the differences, also of sets that share a series. */
export class ObservableInstrument implements Observable {
  readonly instrument: Instrument
  readonly callbacks: Set<ObservableCallback> = new Set()
  /** Of counters. */
  readonly #totals = new Map<string, Total>()
  #collection = 0

  constructor(instrument: Instrument) {
    this.instrument = instrument
  }

  addCallback(callback: ObservableCallback): void {
    this.callbacks.add(callback)
  }

  removeCallback(callback: ObservableCallback): void {
    this.callbacks.delete(callback)
  }

  observe(value: number, attributes: ApiAttributes = {}): void {
    if (!this.instrument.takes(value)) return
    if (this.instrument.description.kind === 'counter') this.#total(value, attributes)
    else this.instrument.observe(value, attributes)
  }

  #total(value: number, attributes: ApiAttributes): void {
    const key = keyOf(attributes)
    const last = this.#totals.get(key)
    if (last === undefined && this.#totals.size >= MAX_TOTALS) {
      this.instrument.dropped += 1
      return
    }
    const before = last?.value ?? 0
    // What is told twice in one collection was not started anew between.
    if (value < before && last?.at === this.#collection) return
    this.#totals.set(key, { value, at: this.#collection })
    // A total that fell was started anew.
    this.instrument.record(value < before ? value : value - before, attributes)
  }

  /** About what the totals hold in memory. */
  get bytes(): Bytes {
    return this.#totals.size * TOTAL_BYTES
  }

  /** After each collection. Totals are forgotten as late as the instrument forgets their sets. */
  collected(): void {
    this.#collection += 1
    if (this.#collection % MAX_IDLE !== 0) return
    for (const [key, { at }] of this.#totals) if (at < this.#collection - MAX_IDLE) this.#totals.delete(key)
  }
}
