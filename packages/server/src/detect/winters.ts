import type { Milliseconds } from '@andon/model'
import { FORECAST } from './parameters.ts'

const HOUR: Milliseconds = 3_600_000
const HOURS = 24
/** How many numbers the smoothing of a series is: level, trend, how many values there were, and a season of 24 hours. */
export const WINTERS_SIZE: number = 3 + HOURS

const LEVEL = 0
const TREND = 1
const COUNT = 2
const SEASON = 3

/**
 * Holt and Winters' exponential smoothing, additive, with a damped trend and the season of a day by hours, between which is interpolated.
 *
 * @see Hyndman & Athanasopoulos, "Forecasting: principles and practice", chapter 8
 */
export class Winters {
  readonly #state: Float64Array

  /** @param state - WINTERS_SIZE numbers, all 0 at the beginning; shared with who keeps it */
  constructor(state: Float64Array) {
    this.#state = state
  }

  #at(index: number): number {
    return this.#state[index] ?? 0
  }

  /** NaN before the first value. */
  predict(time: Milliseconds): number {
    return this.#at(COUNT) === 0 ? Number.NaN : this.#at(LEVEL) + this.#at(TREND) + this.#season(time)
  }

  #season(time: Milliseconds): number {
    const position = time / HOUR - 0.5
    const left = Math.floor(position)
    const share = position - left
    return this.#at(SEASON + (left % HOURS)) * (1 - share) + this.#at(SEASON + ((left + 1) % HOURS)) * share
  }

  /** Takes a value that is not suspicious. */
  learn(value: number, time: Milliseconds): void {
    const state = this.#state
    const { level: alpha, trend: beta, damping, season: gamma } = FORECAST.winters
    const count = this.#at(COUNT)
    const season = this.#season(time)
    if (count === 0) state[LEVEL] = value
    else {
      const before = this.#at(LEVEL)
      const weight = Math.max(alpha, 1 / (count + 1))
      const level = weight * (value - season) + (1 - weight) * (before + this.#at(TREND))
      state[LEVEL] = level
      state[TREND] = beta * (level - before) + (1 - beta) * damping * this.#at(TREND)
      const hour = SEASON + (Math.floor(time / HOUR) % HOURS)
      state[hour] = this.#at(hour) + gamma * (value - level - this.#at(hour))
    }
    state[COUNT] = count + 1
  }

  /** Begins anew at a level; the season stays. */
  rebase(value: number, time: Milliseconds): void {
    this.#state[LEVEL] = value - this.#season(time)
    this.#state[TREND] = 0
  }
}
