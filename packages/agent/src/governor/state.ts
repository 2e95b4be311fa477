// When the agent does less, and when it does more again: no clock, no timer, no effect.
import type { Adaptation, Milliseconds, Ratio } from '@andon/model'
import { FLOOR, FULL, type Level, levelsAbove, levelsBelow } from './level.ts'

/** What the agent would cost at a level under the load of the last interval, as a share of one core. */
export type Forecast = (level: Level) => Ratio

/** Why a level was changed. */
export type ChangeReason = Adaptation['reason']

export interface Change {
  readonly from: Level
  readonly to: Level
  readonly reason: ChangeReason
  /** The mean share of one core on which it was decided. */
  readonly share: Ratio
  readonly budget: Ratio
}

/** Readings whose mean is held against the budget, and how many of them must be over it: a burst of a minute is no reason. */
const READINGS = 24
const OVER = 12
/** A lower level is to cost at most so much of the budget, a higher one so much: between them nothing changes. */
const LOWER_TO: Ratio = 0.8
const RAISE_TO: Ratio = 0.7
/** What is not worth taking, and what is worth giving back, of the budget, where even the lowest level costs too much. */
const NOT_WORTH: Ratio = 0.1
const WORTH: Ratio = 0.05
/** There is room for so long before a step is given back: four times as long after each step that had to be taken again, half as long after each that had not. */
const HOLD_MIN: Milliseconds = 30_000
const HOLD_MAX: Milliseconds = 1_800_000
/** A step that is taken so soon after one was given back was given back too early. */
const TOO_EARLY: Milliseconds = 300_000

/**
 * Holds the cost under a budget. Over it for a minute of two, the first lower level is taken that is forecast to cost 80 % of it at most. Where none does,
 * because what cannot be taken back costs too much, the first from which on there is next to nothing to spare: traces are not given up in
 * vain. A step is given back when it is forecast to cost 70 % at most, or next to nothing, for 30 seconds without a break.
 */
export class GovernorState {
  readonly budget: Ratio
  #level = FULL
  #recent: Ratio[] = []
  #hold = HOLD_MIN
  #roomSince: Milliseconds | undefined
  #raisedAt = -Infinity
  #lastReason: ChangeReason | undefined
  #isExhausted = false

  /** @param budget - a share of one core, above 0 */
  constructor(budget: Ratio) {
    this.budget = budget
  }

  get level(): Level {
    return this.#level
  }

  /** Whether the last reading was over the budget, with nothing left that would be worth taking back. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /**
   * Takes a reading.
   *
   * @param now - of a clock that never goes back
   * @param share - what the agent cost since the last reading, of one core
   * @returns what changes; undefined when nothing does
   */
  look(now: Milliseconds, share: Ratio, forecast: Forecast): Change | undefined {
    this.#recent = [...this.#recent, share].slice(-READINGS)
    const mean = this.#recent.reduce((sum, each) => sum + each, 0) / this.#recent.length
    const least = forecast(FLOOR)
    const isOver = mean > this.budget && share > this.budget && this.#recent.filter((each) => each > this.budget).length >= OVER
    const lowerTo = Math.max(this.budget * LOWER_TO, least + this.budget * NOT_WORTH)
    this.#isExhausted = isOver && share <= lowerTo
    if (isOver && !this.#isExhausted) return this.#lower(now, mean, (level) => forecast(level) <= lowerTo)
    const raiseTo = Math.max(this.budget * RAISE_TO, least + this.budget * WORTH)
    const above = levelsAbove(this.#level).find((level) => forecast(level) <= raiseTo)
    if (above === undefined) {
      this.#roomSince = undefined
      return undefined
    }
    this.#roomSince ??= now
    if (now - this.#roomSince < this.#hold) return undefined
    if (this.#lastReason === 'load_fell') this.#hold = Math.max(HOLD_MIN, this.#hold / 2)
    this.#raisedAt = now
    return this.#change(above, 'load_fell', mean)
  }

  #lower(now: Milliseconds, mean: Ratio, fits: (level: Level) => boolean): Change | undefined {
    this.#roomSince = undefined
    const below = levelsBelow(this.#level).find((level) => fits(level))
    // The forecast is another than what was measured: at the floor already.
    if (below === undefined) return undefined
    this.#hold = now - this.#raisedAt < TOO_EARLY ? Math.min(HOLD_MAX, this.#hold * 4) : HOLD_MIN
    return this.#change(below, 'over_budget', mean)
  }

  #change(to: Level, reason: ChangeReason, share: Ratio): Change {
    const from = this.#level
    this.#level = to
    this.#lastReason = reason
    this.#recent = []
    this.#roomSince = undefined
    return { from, to, reason, share, budget: this.budget }
  }
}
