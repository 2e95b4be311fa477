import type { Milliseconds } from '@andon/model'
import { FORECAST } from './parameters.ts'
import { Season, SEASON_SIZE } from './season.ts'
import { Winters, WINTERS_SIZE } from './winters.ts'

/** Which prediction fits a series best. */
export const PREDICTIONS = ['level', 'holt-winters', 'seasonal median'] as const
export type Prediction = (typeof PREDICTIONS)[number]

const KINDS = PREDICTIONS.length
/** Where the single numbers stand. */
const LEVEL = 0
const COUNT = 1
const RECENT = 2
const CHOSEN = 3
const PREDICTED = 4
const ERRORS = PREDICTED + KINDS
const OWN = ERRORS + KINDS
/** How many numbers the forecast of a series is. */
export const FORECAST_SIZE: number = OWN + SEASON_SIZE + WINTERS_SIZE

/** Slices over which the level of now is remembered while nothing is learned. */
const RECENT_SLICES = 20

export interface ForecastOptions {
  /** Only a slow level and the season: of what must not be explained away by a trend. */
  readonly isSlow: boolean
  /** Errors below this are none, in the unit of the values. */
  readonly leastError: number
}

/**
 * What a series is expected to be: of three predictions that of which the 90th percentile of recent errors is the lowest. Learns only what it
 * is told to.
 */
export class Forecast {
  readonly #state: Float64Array
  readonly #season: Season
  readonly #winters: Winters
  readonly #options: ForecastOptions

  /** @param state - FORECAST_SIZE numbers, all 0 at the beginning @param bins - SEASON_BINS_SIZE numbers; both shared with who keeps them */
  constructor(state: Float64Array, bins: Float32Array, options: ForecastOptions) {
    this.#state = state
    this.#options = options
    this.#season = new Season(bins, state.subarray(OWN, OWN + SEASON_SIZE))
    this.#winters = new Winters(state.subarray(OWN + SEASON_SIZE, OWN + SEASON_SIZE + WINTERS_SIZE))
  }

  #at(index: number): number {
    return this.#state[index] ?? 0
  }

  get chosen(): Prediction {
    return PREDICTIONS[this.#at(CHOSEN)] ?? 'level'
  }

  /** The 90th percentile of the chosen prediction's recent errors. */
  get spread(): number {
    return Math.max(this.#options.leastError, this.#at(ERRORS + this.#at(CHOSEN)))
  }

  /** @returns what is expected of the slice that begins at a time; NaN before the first value */
  predict(time: Milliseconds): number {
    const state = this.#state
    if (this.#at(COUNT) === 0) return Number.NaN
    state[PREDICTED] = this.#at(LEVEL)
    state[PREDICTED + 1] = this.#options.isSlow ? Number.NaN : this.#winters.predict(time)
    state[PREDICTED + 2] = this.#season.predict(time)
    const predicted = this.#at(PREDICTED + this.#at(CHOSEN))
    return Number.isNaN(predicted) ? this.#at(LEVEL) : predicted
  }

  /** Notes a value that may be suspicious: nothing is learned of it but the level to begin anew with. */
  see(value: number): void {
    this.#state[RECENT] = this.#at(COUNT) === 0 ? value : this.#at(RECENT) + (value - this.#at(RECENT)) / RECENT_SLICES
  }

  /** Takes a value of the slice that `predict` was called for last. */
  learn(value: number, time: Milliseconds): void {
    const state = this.#state
    const count = this.#at(COUNT)
    if (count > 0) for (let kind = 0; kind < KINDS; kind += 1) this.#noteError(kind, value)
    const slices = this.#options.isSlow ? FORECAST.slowLevelSlices : FORECAST.levelSlices
    // A single value moves the level by no more than a usual error would.
    const most = 3 * this.spread
    const error = value - this.#at(LEVEL)
    const taken = count < slices ? error : Math.max(-most, Math.min(most, error))
    state[LEVEL] = count === 0 ? value : this.#at(LEVEL) + taken * Math.max(1 / slices, 1 / (count + 1))
    this.#winters.learn(value, time)
    this.#season.learn(value, time)
    state[COUNT] = count + 1
    if ((count + 1) % FORECAST.chooseEvery === 0) this.#choose()
  }

  #noteError(kind: number, value: number): void {
    const predicted = this.#at(PREDICTED + kind)
    if (Number.isNaN(predicted)) return
    const error = Math.abs(value - predicted)
    const known = this.#at(ERRORS + kind)
    const step = FORECAST.quantileStep
    this.#state[ERRORS + kind] = known === 0 ? Math.max(error, this.#options.leastError) : Math.max(known * Math.exp(error > known ? step * 0.9 : -step * 0.1), this.#options.leastError / 10)
  }

  #choose(): void {
    let best = this.#at(CHOSEN)
    const own = Number.isNaN(this.#at(PREDICTED + best)) ? Number.POSITIVE_INFINITY : this.#at(ERRORS + best)
    let least = own * FORECAST.switchBelow
    for (let kind = 0; kind < KINDS; kind += 1) {
      const error = this.#at(ERRORS + kind)
      if (error > 0 && error < least && !Number.isNaN(this.#at(PREDICTED + kind))) {
        best = kind
        least = error
      }
    }
    this.#state[CHOSEN] = best
  }

  /** Takes the level of now for usual. */
  rebase(time: Milliseconds): void {
    const recent = this.#at(RECENT)
    this.#state[LEVEL] = recent
    this.#state[CHOSEN] = 0
    this.#winters.rebase(recent, time)
  }
}
