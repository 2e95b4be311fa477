// The two detectors that everyone has, as peers in reports.
import { mad, quantile } from '@andon/model'

/** To which side a change is one for the worse. */
export type Worse = 'up' | 'down'

/** Says of each value whether it alarms; NaN is no value. */
export interface SimpleDetector {
  add(value: number): boolean
}

/** Values of a day. */
const DAY = 5760
const OF_3 = 3

/** Mean and standard deviation of the first values, then fixed: three values in a row beyond three standard deviations, to the bad side. */
export class StaticSigma implements SimpleDetector {
  readonly #sign: 1 | -1
  readonly #learned: number
  #count = 0
  #mean = 0
  #squares = 0
  #run = 0

  /** @param learned - from how many values it learns, at least 2 and at most those of a day */
  constructor(worse: Worse, learned: number = DAY) {
    this.#sign = worse === 'up' ? 1 : -1
    this.#learned = Math.min(DAY, Math.max(2, learned))
  }

  add(value: number): boolean {
    if (Number.isNaN(value)) return this.#run >= OF_3
    if (this.#count < this.#learned) {
      this.#count += 1
      const delta = value - this.#mean
      this.#mean += delta / this.#count
      this.#squares += delta * (value - this.#mean)
      return false
    }
    const sigma = Math.sqrt(this.#squares / (this.#count - 1))
    this.#run = (value - this.#mean) * this.#sign > 3 * sigma ? this.#run + 1 : 0
    return this.#run >= OF_3
  }
}

/** Values of an hour. */
const WINDOW = 240
const K = 6
/** From the median absolute deviation to the standard deviation of a normal distribution. */
const NORMAL = 1.4826

/** The place of a value in an ascending list. */
function placeOf(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Six robust standard deviations from the median of the last hour, by the median absolute deviation, to the bad side. */
export class RobustZ implements SimpleDetector {
  readonly #sign: 1 | -1
  readonly #recent: number[] = []
  readonly #sorted: number[] = []
  #deviation = 0
  #since = 0
  #isFiring = false

  constructor(worse: Worse) {
    this.#sign = worse === 'up' ? 1 : -1
  }

  add(value: number): boolean {
    if (Number.isNaN(value)) return this.#isFiring
    if (this.#recent.length >= WINDOW) {
      // The deviation moves slowly: now and then is often enough.
      if (this.#since % 10 === 0) this.#deviation = mad(this.#sorted) * NORMAL
      this.#since += 1
      this.#isFiring = (value - quantile(this.#sorted, 0.5)) * this.#sign > K * Math.max(this.#deviation, 1e-12)
      const [oldest = 0] = this.#recent.splice(0, 1)
      this.#sorted.splice(placeOf(this.#sorted, oldest), 1)
    }
    this.#recent.push(value)
    this.#sorted.splice(placeOf(this.#sorted, value), 0, value)
    return this.#isFiring
  }
}
