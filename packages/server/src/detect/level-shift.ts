import type { Ratio } from '@andon/model'

/** By how much the level of a second sample differs from that of a first. */
export interface LevelShift {
  /** Hodges and Lehmann's estimate: the median of all differences. In the unit of the samples. */
  readonly shift: number
  /** The interval that holds the true shift with the stated confidence. */
  readonly low: number
  readonly high: number
  readonly confidence: Ratio
}

/** Quantile of the normal distribution, to 4.5e-4. @see Abramowitz & Stegun 26.2.23 */
function normalQuantile(q: Ratio): number {
  const t = Math.sqrt(-2 * Math.log(1 - q))
  return t - (2.515_517 + 0.802_853 * t + 0.010_328 * t * t) / (1 + 1.432_788 * t + 0.189_269 * t * t + 0.001_308 * t ** 3)
}

/** How much more the mean of a sample varies than if its values were independent, by its lag-1 autocorrelation; at least 1. */
function inflation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let [covariance, variance] = [0, 0]
  for (let index = 0; index < values.length; index += 1) {
    const own = (values[index] ?? 0) - mean
    variance += own * own
    if (index > 0) covariance += own * ((values[index - 1] ?? 0) - mean)
  }
  const rho = variance > 0 ? Math.max(0, Math.min(0.8, covariance / variance)) : 0
  return (1 + rho) / (1 - rho)
}

/**
 * How far the level has moved between two samples in the order of time, with its interval by the ranks of the differences: neither outliers nor the
 * shape of the distribution matter. Values that depend on those before them widen the interval.
 *
 * @param before - of any unit, length at least 2; not modified
 * @param after - of the same unit, length at least 2
 * @param confidence - share of cases in which such an interval holds the true shift
 * @throws RangeError when a sample is too short
 * @see Hodges & Lehmann 1963; Hollander & Wolfe, "Nonparametric statistical methods", 4.3
 */
export function levelShift(before: readonly number[], after: readonly number[], confidence: Ratio): LevelShift {
  const [m, n] = [before.length, after.length]
  if (m < 2 || n < 2) throw new RangeError('levelShift needs two samples of at least 2 values')
  const differences = new Float64Array(m * n)
  for (let i = 0; i < m; i += 1) for (let j = 0; j < n; j += 1) differences[i * n + j] = (after[j] ?? 0) - (before[i] ?? 0)
  differences.sort()
  const factor = Math.max(inflation(before), inflation(after))
  const width = normalQuantile(1 - (1 - confidence) / 2) * Math.sqrt((factor * m * n * (m + n + 1)) / 12)
  const rank = Math.floor((m * n) / 2 - width)
  const at = (index: number): number => differences[Math.max(0, Math.min(differences.length - 1, index))] ?? 0
  const isWide = rank < 0
  const middle = (at(Math.floor((m * n - 1) / 2)) + at(Math.ceil((m * n - 1) / 2))) / 2
  // Too few values for so much confidence: nothing is excluded.
  return { shift: middle, low: isWide ? Number.NEGATIVE_INFINITY : at(rank), high: isWide ? Number.POSITIVE_INFINITY : at(m * n - 1 - rank), confidence }
}
