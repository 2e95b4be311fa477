import type { Milliseconds } from '@andon/model'
import { CALIBRATION } from './parameters.ts'

/** How many numbers the maxima of a series are. */
export const MAXIMA_SIZE: number = CALIBRATION.blocks + 6

/** Where the single numbers stand after the maxima of the whole blocks. */
const KEPT = CALIBRATION.blocks
const START = KEPT + 1
const HIGHEST = KEPT + 2
const WAITING = KEPT + 3
const WAITING_SINCE = KEPT + 4
const OLDER = KEPT + 5
const EULER = 0.577_215_664_901_532_9
/** How many spreads above the mode a Gumbel maximum lies with the chance that is allowed. */
const REDUCED = -Math.log(-Math.log1p(-CALIBRATION.falsePerBlock))

/**
 * The threshold that a series needs by its own history: the greatest evidence of each block, longer than a day's cycle, follows a Gumbel
 * distribution, of which the level is taken that a block exceeds with the allowed chance. Theory's threshold holds for independent slices only, and
 * is the least. Evidence of incidents is left out, so that one incident does not hide the next.
 *
 * @see Gumbel 1958; Coles 2001, chapter 3
 */
export class BlockMaxima {
  readonly #state: Float64Array
  readonly #leastLog: number

  /** @param state - MAXIMA_SIZE numbers, all 0 at the beginning; shared with who keeps it @param leastLog - theory's threshold, ln */
  constructor(state: Float64Array, leastLog: number) {
    this.#state = state
    this.#leastLog = leastLog
  }

  #at(index: number): number {
    return this.#state[index] ?? 0
  }

  /** Notes the evidence of a slice, ln. */
  add(log: number, time: Milliseconds): void {
    const state = this.#state
    if (this.#at(START) === 0) {
      state[START] = time
      state[WAITING_SINCE] = time
    }
    if (time - this.#at(WAITING_SINCE) >= CALIBRATION.commitMs) this.#commit(time)
    if (log > this.#at(WAITING)) state[WAITING] = log
    if (time - this.#at(START) < CALIBRATION.blockMs) return
    state[this.#at(KEPT) % CALIBRATION.blocks] = this.#at(HIGHEST)
    state[KEPT] = this.#at(KEPT) + 1
    state[HIGHEST] = 0
    state[START] = time
  }

  #commit(time: Milliseconds): void {
    const state = this.#state
    if (this.#at(OLDER) > this.#at(HIGHEST)) state[HIGHEST] = this.#at(OLDER)
    state[OLDER] = this.#at(WAITING)
    state[WAITING] = 0
    state[WAITING_SINCE] = time
  }

  /** Leaves out what has not been committed: it belongs to an incident. Called at each slice of one. */
  exclude(time: Milliseconds): void {
    this.#state[WAITING] = 0
    this.#state[OLDER] = 0
    this.#state[WAITING_SINCE] = time
  }

  /** Whole blocks that are known. */
  get blocks(): number {
    return Math.min(CALIBRATION.blocks, this.#at(KEPT))
  }

  /** ln of the evidence at which an alarm is worth its rarity. */
  get threshold(): number {
    const known = this.blocks
    let [sum, squares, most, highest] = [0, 0, Math.max(this.#at(HIGHEST), this.#at(OLDER)), 0]
    for (let index = 0; index < known; index += 1) {
      const value = this.#at(index)
      sum += value
      squares += value * value
      if (value > most) [most, highest] = [value, most]
      else if (value > highest) highest = value
    }
    // What was seen once, and by nobody called an incident, does not hide what comes: the greatest is left out.
    const isOfBlock = known >= 3 && most > Math.max(this.#at(HIGHEST), this.#at(OLDER))
    if (known < 3) highest = most
    else if (isOfBlock) {
      sum -= most
      squares -= most * most
    }
    const count = isOfBlock ? known - 1 : known
    const mean = count === 0 ? 0 : sum / count
    // The maximum of independent evidence has spread 1 in theory; few blocks do not show less.
    const spread = Math.max(1, count < 2 ? 1 : (Math.sqrt(Math.max(0, (squares - sum * mean) / (count - 1))) * Math.sqrt(6)) / Math.PI)
    const level = known < 3 ? highest + REDUCED : Math.max(highest + 1, mean - EULER * spread + REDUCED * spread)
    return Math.min(CALIBRATION.mostLog, Math.max(this.#leastLog, level))
  }
}
