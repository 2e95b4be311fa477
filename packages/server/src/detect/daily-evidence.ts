import type { Milliseconds } from '@andon/model'
import { CALIBRATION, EVIDENCE } from './parameters.ts'

const DAY: Milliseconds = 86_400_000
const BINS = CALIBRATION.dailyBins
const BIN_MS = DAY / BINS
/** How many numbers are kept of a day, and of now. */
export const DAILY_BINS_SIZE: number = BINS
export const DAILY_SIZE = 3

const BIN = 0
const WAITING = 1
const IS_EXCLUDED = 2

/**
 * What a series does at the same time of every day: the greatest evidence of each half hour, which fades from day to day. A backup at night raises the
 * threshold at its time and at no other.
 */
export class DailyEvidence {
  readonly #bins: Float32Array
  readonly #state: Float64Array

  /** @param bins - DAILY_BINS_SIZE numbers @param state - DAILY_SIZE numbers, all 0 at the beginning; both shared with who keeps them */
  constructor(bins: Float32Array, state: Float64Array) {
    this.#bins = bins
    this.#state = state
  }

  /** Notes the evidence of a slice, ln. */
  add(log: number, time: Milliseconds): void {
    const state = this.#state
    const bin = Math.floor(time / BIN_MS)
    const own = state[BIN] ?? 0
    if (bin !== own) {
      const at = own % BINS
      if (own !== 0 && state[IS_EXCLUDED] === 0) this.#bins[at] = Math.max(state[WAITING] ?? 0, (this.#bins[at] ?? 0) * CALIBRATION.dailyKept)
      state[BIN] = bin
      state[WAITING] = 0
      state[IS_EXCLUDED] = 0
    }
    if (log > (state[WAITING] ?? 0)) state[WAITING] = log
  }

  /** Leaves out the half hour of now: what is known of it stays as it is. */
  exclude(): void {
    this.#state[IS_EXCLUDED] = 1
  }

  /** ln of the evidence that is usual at a time of day, or in the half hour after it; 0 where none is. The half hour before is of today already. */
  usual(time: Milliseconds): number {
    const bin = Math.floor(time / BIN_MS) % BINS
    return Math.max(this.#bins[bin] ?? 0, this.#bins[(bin + 1) % BINS] ?? 0)
  }

  /** ln of the evidence that is needed at a time of day; 0 where nothing more than at others. Beyond the cap of evidence no alarm is possible then. */
  needed(time: Milliseconds): number {
    const usual = this.usual(time)
    return usual < CALIBRATION.dailyFrom ? 0 : Math.min(EVIDENCE.cap, usual * CALIBRATION.dailyFactor + CALIBRATION.dailyMargin)
  }
}
