// The mean of paired differences with its interval.

const RESAMPLES = 10_000
const CONFIDENCE = 0.95

export interface MeanDifference {
  readonly mean: number
  /** Ends of the interval that holds the true mean in 95 % of cases. */
  readonly low: number
  readonly high: number
}

/** Numbers within 0..1, the same at each call. @see mulberry32 by Tommy Ettinger */
function generator(): () => number {
  let state = 0x9e37_79b9
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * By a bootstrap over the pairs: means and not medians, because what is done once a minute falls into few of them.
 *
 * @see Efron & Tibshirani 1993, chapter 13
 */
export function meanDifference(first: readonly number[], second: readonly number[]): MeanDifference {
  const differences = first.map((value, index) => value - (second[index] ?? Number.NaN))
  const random = generator()
  const means = Array.from({ length: RESAMPLES }, () => meanOf(differences.map(() => differences[Math.floor(random() * differences.length)] ?? Number.NaN))).toSorted((a, b) => a - b)
  const at = (q: number): number => means[Math.round(q * (RESAMPLES - 1))] ?? Number.NaN
  return { mean: meanOf(differences), low: at((1 - CONFIDENCE) / 2), high: at((1 + CONFIDENCE) / 2) }
}
