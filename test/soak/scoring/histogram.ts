// Histograms of slices: added up, and their quantiles.
import type { Ratio, Seconds } from '@andon/model'

/**
 * A histogram of one slice: how many values, their sum, then pairs of a bucket's index and its count, ascending. Bucket i holds
 * values above 2^((i−1)/8) and up to 2^(i/8); null where the slice had none.
 */
export type HistogramSlice = readonly number[] | null

/** Buckets per power of two. */
const PER_OCTAVE = 8

/** The bucket of a value above 0. */
export function bucketOf(value: number): number {
  // Limits of buckets of finer histograms are limits here too, up to rounding.
  return Math.ceil(Math.log2(value) * PER_OCTAVE - 1e-6)
}

const limit = (index: number): number => 2 ** (index / PER_OCTAVE)

/** A histogram as one slice is written; null when it is empty. */
export function sliceOf(count: number, sum: number, buckets: ReadonlyMap<number, number>): HistogramSlice {
  const pairs = [...buckets].filter(([, held]) => held > 0).toSorted(([a], [b]) => a - b)
  return count <= 0 || pairs.length === 0 ? null : [count, Number(sum.toPrecision(6)), ...pairs.flat()]
}

/** All values of several slices as one. */
export function added(slices: readonly (HistogramSlice | undefined)[]): HistogramSlice {
  let [count, sum] = [0, 0]
  const buckets = new Map<number, number>()
  for (const slice of slices) {
    if (slice === null || slice === undefined) continue
    count += slice[0] ?? 0
    sum += slice[1] ?? 0
    for (let at = 2; at < slice.length; at += 2) buckets.set(slice[at] ?? 0, (buckets.get(slice[at] ?? 0) ?? 0) + (slice[at + 1] ?? 0))
  }
  return sliceOf(count, sum, buckets)
}

/** The q-quantile, interpolated geometrically within its bucket; NaN of nothing. */
export function quantileOf(slice: HistogramSlice | undefined, q: Ratio): Seconds {
  if (slice === null || slice === undefined) return Number.NaN
  let total = 0
  for (let at = 3; at < slice.length; at += 2) total += slice[at] ?? 0
  let left = q * total
  for (let at = 2; at < slice.length; at += 2) {
    const [index, held] = [slice[at] ?? 0, slice[at + 1] ?? 0]
    if (left <= held || at + 2 >= slice.length) return limit(index - 1 + Math.min(1, left / held))
    left -= held
  }
  return Number.NaN
}

/** How many values lie above a limit, in seconds; of the bucket it lies in, the share above it. */
export function countAbove(slice: HistogramSlice | undefined, least: Seconds): number {
  if (slice === null || slice === undefined) return 0
  const place = Math.log2(least) * PER_OCTAVE
  let above = 0
  for (let at = 2; at < slice.length; at += 2) above += (slice[at + 1] ?? 0) * Math.min(1, Math.max(0, (slice[at] ?? 0) - place))
  return above
}
