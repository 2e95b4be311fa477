// Whether a quantity grows with the work that was done.

export interface Slope {
  /** The median of the slopes of all pairs of points. */
  readonly median: number
  /** The interval that holds the slope with the stated confidence. */
  readonly low: number
  readonly high: number
  readonly confidence: number
}

/** The standard normal quantile of a two-sided interval of 95 %. */
export const Z95 = 1.959964

/**
 * Theil and Sen's slope with Sen's interval: a few points that lie far off, such as a heap measured before a late collection,
 * move neither. It takes the points as independent; where neighbours resemble each other the true interval is wider.
 *
 * @param points - at least 4 pairs of x (ascending) and y
 * @throws RangeError with fewer points
 * @see Sen 1968, Estimates of the regression coefficient based on Kendall's tau
 * @example slopeOf([[0, 1], [1, 3], [2, 5], [3, 7]]).median // 2
 */
export function slopeOf(points: readonly (readonly [number, number])[]): Slope {
  if (points.length < 4) throw new RangeError('slopeOf needs at least 4 points')
  const slopes = points.flatMap(([x, y], index) => points.slice(index + 1).map(([otherX, otherY]) => (otherY - y) / (otherX - x))).toSorted((a, b) => a - b)
  const { length } = points
  const width = Z95 * Math.sqrt((length * (length - 1) * (2 * length + 5)) / 18)
  const at = (rank: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN
  return { median: at((slopes.length - 1) / 2), low: at((slopes.length - width) / 2 - 1), high: at((slopes.length + width) / 2), confidence: 0.95 }
}
