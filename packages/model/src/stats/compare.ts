import type { Ratio } from '../units.ts'
import { quantile } from './quantile.ts'

/** How much two paired samples differ, as the ratio of the first to the second. */
export interface PairedRatio {
  /** The median of the ratios of the pairs. */
  readonly median: number
  /** The interval that holds the median ratio with the stated confidence. */
  readonly low: number
  readonly high: number
  readonly confidence: Ratio
  /** How many pairs it rests on. */
  readonly pairs: number
}

const resamples = 2000

/** A small seeded generator, so that the same samples always give the same interval. @see Marsaglia 2003, xorshift32 */
function generator(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/**
 * The ratio of two paired samples with its bootstrap interval (percentiles of the resampled median).
 *
 * @param first - positive values of any unit, length n >= 1; not modified
 * @param second - values of the same unit measured in the same pairs, length n
 * @param confidence - share of cases in which such an interval holds the true ratio, within 0..1
 * @throws RangeError when the lengths differ or are 0
 * @example pairedRatio([2, 4], [1, 2], 0.99).median // 2
 * @see Efron & Tibshirani 1993, chapter 13
 */
export function pairedRatio(first: readonly number[], second: readonly number[], confidence: Ratio): PairedRatio {
  if (first.length !== second.length || first.length === 0) throw new RangeError('pairedRatio needs two samples of the same length, at least 1')
  const ratios = first.map((value, index) => value / (second[index] ?? Number.NaN)).toSorted((a, b) => a - b)
  const random = generator(ratios.length)
  const medians = Array.from({ length: resamples }, () => {
    const resample = ratios.map(() => ratios[Math.floor(random() * ratios.length)] ?? Number.NaN)
    return quantile(resample.toSorted((a, b) => a - b), 0.5)
  }).toSorted((a, b) => a - b)
  const tail = (1 - confidence) / 2
  return { median: quantile(ratios, 0.5), low: quantile(medians, tail), high: quantile(medians, 1 - tail), confidence, pairs: ratios.length }
}
