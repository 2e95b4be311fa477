import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'

const HOUR: Milliseconds = 3_600_000
/** Names of all services together. */
const NAMES_MAX = 100_000

/** Bounds how many different names a service brings within an hour, so that values in names cannot fill the store. */
export class NameBook {
  readonly #clock: Pick<Clock, 'now'>
  readonly #max: number
  readonly #names = new Map<string, Set<string>>()
  #size = 0
  #hour = 0

  /** @param max - names of one service within an hour */
  constructor(clock: Pick<Clock, 'now'>, max: number) {
    this.#clock = clock
    this.#max = max
  }

  /** Whether a name may be used: it is known already in this hour, or there is room for it. */
  admits(service: string, name: string): boolean {
    const hour = Math.floor(this.#clock.now() / HOUR)
    if (hour !== this.#hour) {
      this.#names.clear()
      this.#size = 0
      this.#hour = hour
    }
    const names = this.#names.get(service)
    if (names?.has(name) === true) return true
    if (this.#size >= NAMES_MAX || (names !== undefined && names.size >= this.#max)) return false
    if (names === undefined) this.#names.set(service, new Set([name]))
    else names.add(name)
    this.#size += 1
    return true
  }
}
