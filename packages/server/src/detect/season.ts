import { median, type Milliseconds } from '@andon/model'
import { FORECAST } from './parameters.ts'

const DAY: Milliseconds = 86_400_000
const BINS = FORECAST.seasonBins
const DAYS = FORECAST.seasonDays
const BIN_MS = DAY / BINS
/** How many numbers the bins of a series are, and those that belong to the bin of now. */
export const SEASON_BINS_SIZE: number = BINS * DAYS
export const SEASON_SIZE = 6

const BIN = 0
const SUM = 1
const COUNT = 2
const HALF = 3
const FROM = 4
const TO = 5

const binOf = (time: Milliseconds): number => Math.floor(time / BIN_MS)

/**
 * What is usual at a time of day: the median, over the last seven days, of the means of half hours, interpolated between their middles.
 */
export class Season {
  /** By bin of the day, then day modulo seven; NaN where nothing was measured. */
  readonly #bins: Float32Array
  /** The bin of now, its sum and count; for which half of a bin the two medians between which is interpolated were looked up, and they. */
  readonly #state: Float64Array

  /** @param bins - SEASON_BINS_SIZE numbers @param state - SEASON_SIZE numbers, all 0 at the beginning; both shared with who keeps them */
  constructor(bins: Float32Array, state: Float64Array) {
    this.#bins = bins
    this.#state = state
    if (state[BIN] === 0) {
      bins.fill(Number.NaN)
      state[FROM] = Number.NaN
      state[TO] = Number.NaN
    }
  }

  /** NaN where too few days are known. */
  predict(time: Milliseconds): number {
    const state = this.#state
    const half = Math.floor((time / BIN_MS) * 2)
    if (half !== state[HALF]) {
      const left = half % 2 === 0 ? half / 2 - 1 : (half - 1) / 2
      state[HALF] = half
      state[FROM] = this.#usual(left)
      state[TO] = this.#usual(left + 1)
    }
    const from = state[FROM] ?? Number.NaN
    const to = state[TO] ?? Number.NaN
    const position = time / BIN_MS - 0.5
    return from + (to - from) * (position - Math.floor(position))
  }

  /** Takes a value that is not suspicious. */
  learn(value: number, time: Milliseconds): void {
    const state = this.#state
    const bin = binOf(time)
    if (bin !== state[BIN]) {
      this.#close()
      state[BIN] = bin
      state[SUM] = 0
      state[COUNT] = 0
    }
    state[SUM] = (state[SUM] ?? 0) + value
    state[COUNT] = (state[COUNT] ?? 0) + 1
  }

  #close(): void {
    const [bin = 0, sum = 0, count = 0] = this.#state
    if (bin === 0 || count === 0) return
    this.#bins[(bin % BINS) * DAYS + (Math.floor(bin / BINS) % DAYS)] = sum / count
  }

  #usual(bin: number): number {
    const start = (((bin % BINS) + BINS) % BINS) * DAYS
    const known: number[] = []
    for (let day = 0; day < DAYS; day += 1) {
      const value = this.#bins[start + day] ?? Number.NaN
      if (!Number.isNaN(value)) known.push(value)
    }
    return known.length < FORECAST.seasonLeastDays ? Number.NaN : median(known)
  }
}
