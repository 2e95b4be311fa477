// The two detectors that everyone has, as peers in reports.
import { median } from '@andon/model'

/** Says of each value whether it alarms; NaN is no value. */
export interface SimpleDetector {
  add(value: number): boolean
}

const LEARNED = 5760
const OF_3 = 3

/** Mean and standard deviation of the first day, then fixed: three values in a row beyond three standard deviations, to the bad side. */
export class StaticSigma implements SimpleDetector {
  readonly #sign: 1 | -1
  #count = 0
  #mean = 0
  #squares = 0
  #run = 0

  constructor(worse: 'up' | 'down') {
    this.#sign = worse === 'up' ? 1 : -1
  }

  add(value: number): boolean {
    if (Number.isNaN(value)) return this.#run >= OF_3
    if (this.#count < LEARNED) {
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

const WINDOW = 240
const K = 6
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

  constructor(worse: 'up' | 'down') {
    this.#sign = worse === 'up' ? 1 : -1
  }

  add(value: number): boolean {
    if (Number.isNaN(value)) return this.#isFiring
    const middle = this.#sorted[this.#sorted.length >> 1] ?? value
    if (this.#recent.length >= WINDOW) {
      if (this.#since % 10 === 0) this.#deviation = median(this.#sorted.map((each) => Math.abs(each - middle))) * NORMAL
      this.#since += 1
      this.#isFiring = (value - middle) * this.#sign > K * Math.max(this.#deviation, 1e-12)
      const [oldest = 0] = this.#recent.splice(0, 1)
      this.#sorted.splice(placeOf(this.#sorted, oldest), 1)
    }
    this.#recent.push(value)
    this.#sorted.splice(placeOf(this.#sorted, value), 0, value)
    return this.#isFiring
  }
}
