import type { Ratio } from '../units.ts'

/**
 * The q-quantile of an ascending sample, by linear interpolation.
 *
 * @param sorted - ascending values of any one unit, length n; not modified
 * @param q - which quantile, a ratio within 0..1 (0.95 is p95)
 * @returns a value in the unit of `sorted`; NaN when n is 0
 * @throws RangeError when q is outside 0..1 or is NaN
 * @example quantile([1, 2, 3, 4], 0.5) // 2.5
 * @see Hyndman & Fan 1996, type 7; rank = q·(n−1), as in prometheus promql/quantile.go
 */
export function quantile(sorted: readonly number[], q: Ratio): number {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`a quantile must be within 0..1, not ${q}`)
  const rank = q * (sorted.length - 1)
  const low = sorted[Math.floor(rank)] ?? Number.NaN
  const high = sorted[Math.ceil(rank)] ?? Number.NaN
  const weight = rank - Math.floor(rank)
  return weight === 0 ? low : low + (high - low) * weight
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}

/**
 * The middle of a sample in any order.
 *
 * @returns a value in the unit of `values`; NaN when there is none
 * @example median([3, 1, 2]) // 2
 */
export function median(values: readonly number[]): number {
  return quantile(ascending(values), 0.5)
}

/**
 * The median absolute deviation from the median: a spread that outliers do not move. Not scaled to a normal
 * distribution's standard deviation (multiply by 1.4826 for that).
 *
 * @returns a value in the unit of `values`; NaN when there is none
 * @example mad([1, 2, 3, 100]) // 1
 */
export function mad(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}
