// What the machine counts since it was started, told as what came since the agent's start: a first total of days would
// look like the traffic of one interval.
import type { Attributes, BatchObservableResult, Observable } from '@opentelemetry/api'
import { keyOf } from '../attribute-index.ts'

/** Tells totals less the first of each set of attributes. A total that fell was started anew, and counts from there. */
export class SinceStart {
  readonly #first = new Map<Observable, Map<string, number>>()

  observe(result: BatchObservableResult, instrument: Observable, total: number, attributes: Attributes = {}): void {
    let firsts = this.#first.get(instrument)
    if (firsts === undefined) this.#first.set(instrument, (firsts = new Map<string, number>()))
    const key = keyOf(attributes)
    const first = firsts.get(key)
    if (first === undefined || total < first) firsts.set(key, total)
    result.observe(instrument, total - (firsts.get(key) ?? total), attributes)
  }
}
