import type { Ratio } from '@andon/model'

const PER_OCTAVE = 8
const LOWEST = -6
/** From 2⁻⁶ to 2¹⁰, eight an octave. */
export const HISTOGRAM_BUCKETS = 128

const bucketOf = (value: number): number => {
  if (!(value > 0)) return 0
  const index = Math.floor((Math.log2(value) - LOWEST) * PER_OCTAVE)
  return index < 0 ? 0 : index >= HISTOGRAM_BUCKETS ? HISTOGRAM_BUCKETS - 1 : index
}
/** The lower bound of a bucket. */
const boundOf = (index: number): number => 2 ** (index / PER_OCTAVE + LOWEST)

/** The shares of a distribution beyond a value, as a tail is fitted to them. */
export interface Exceedances {
  /** By weight. */
  readonly count: number
  /** Of what lies beyond the value, minus it. */
  readonly mean: number
  readonly variance: number
}

/**
 * Values of one series, not negative, by their logarithm: 128 buckets of 9 %, half a kibibyte. What is smaller than 2⁻⁶ lies in the first bucket,
 * what is greater than 2¹⁰ in the last. Old values fade by `fade`.
 */
export class LogHistogram {
  readonly #counts: Float32Array
  #total = 0

  /** @param counts - 128 numbers, owned by this from now on */
  constructor(counts: Float32Array) {
    this.#counts = counts
    for (const count of counts) this.#total += count
  }

  /** The weight of all values. */
  get total(): number {
    return this.#total
  }

  add(value: number): void {
    const index = bucketOf(value)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#total += 1
  }

  /** Makes all that was added count less. */
  fade(factor: Ratio): void {
    this.#total = 0
    for (let index = 0; index < HISTOGRAM_BUCKETS; index += 1) {
      const kept = (this.#counts[index] ?? 0) * factor
      this.#counts[index] = kept
      this.#total += kept
    }
  }

  /** The share of values of at least this one, within 0..1; the value's own bucket counts in part. 1 when there are none. */
  beyond(value: number): Ratio {
    if (this.#total <= 0) return 1
    const own = bucketOf(value)
    let above = 0
    for (let index = HISTOGRAM_BUCKETS - 1; index > own; index -= 1) above += this.#counts[index] ?? 0
    const within = own === 0 ? 1 : Math.min(1, Math.max(0, (boundOf(own + 1) - value) / (boundOf(own + 1) - boundOf(own))))
    // One for the value itself, as a conformal rank has it.
    return Math.min(1, (above + (this.#counts[own] ?? 0) * within + 1) / (this.#total + 1))
  }

  /** The value below which a share of all lies; NaN when there are none. */
  quantile(q: Ratio): number {
    if (this.#total <= 0) return Number.NaN
    let left = q * this.#total
    for (let index = 0; index < HISTOGRAM_BUCKETS; index += 1) {
      const count = this.#counts[index] ?? 0
      if (left <= count && count > 0) return index === 0 ? boundOf(1) * (left / count) : boundOf(index) + (boundOf(index + 1) - boundOf(index)) * (left / count)
      left -= count
    }
    return boundOf(HISTOGRAM_BUCKETS)
  }

  /** What lies beyond a value, by the middles of buckets. */
  exceedances(value: number): Exceedances {
    const own = bucketOf(value)
    let [count, sum, squares] = [0, 0, 0]
    for (let index = own; index < HISTOGRAM_BUCKETS; index += 1) {
      const low = Math.max(value, boundOf(index))
      const high = boundOf(index + 1)
      const share = index === own ? Math.max(0, (high - low) / (high - boundOf(index))) : 1
      const weight = (this.#counts[index] ?? 0) * share
      const excess = (low + high) / 2 - value
      count += weight
      sum += weight * excess
      squares += weight * excess * excess
    }
    if (count <= 0) return { count: 0, mean: 0, variance: 0 }
    const mean = sum / count
    return { count, mean, variance: Math.max(0, squares / count - mean * mean) }
  }
}
