// Quantiles and fractions of cumulative buckets. @see prometheus promql/quantile.go BucketQuantile, BucketFraction

/** Count of the values at most `limit`. */
export interface ClassicBucket {
  readonly limit: number
  count: number
}

/** Differences below it are what rounding leaves of equal rates. */
const TOLERANCE = 1e-12

/** Adds up buckets of one limit. */
function merged(buckets: readonly ClassicBucket[]): ClassicBucket[] {
  const result: ClassicBucket[] = []
  for (const { limit, count } of buckets) {
    const last = result.at(-1)
    if (last?.limit === limit) last.count += count
    else result.push({ limit, count })
  }
  return result
}

/** Rates of buckets are rounded apart, so that a larger one can have a smaller count. @returns whether that was more than rounding */
function makeMonotonic(buckets: readonly ClassicBucket[]): boolean {
  let fixed = false
  let previous: number | undefined
  for (const bucket of buckets) {
    if (previous === undefined || bucket.count === previous) {
      previous ??= bucket.count
      continue
    }
    const isRounding = Math.abs(bucket.count - previous) <= TOLERANCE * Math.abs(bucket.count)
    if (isRounding || bucket.count < previous) {
      fixed ||= !isRounding
      bucket.count = previous
    } else previous = bucket.count
  }
  return fixed
}

/**
 * The q-quantile by linear interpolation within its bucket.
 *
 * @param buckets - in the order of their limits; changed
 * @returns NaN where there is no bucket +Inf, fewer than two buckets or no value
 */
export function classicQuantile(q: number, buckets: readonly ClassicBucket[]): { quantile: number; fixed: boolean } {
  if (q < 0 || q > 1) return { quantile: q < 0 ? -Infinity : Infinity, fixed: false }
  if (Number.isNaN(q) || buckets.at(-1)?.limit !== Infinity) return { quantile: Number.NaN, fixed: false }
  const distinct = merged(buckets)
  const fixed = makeMonotonic(distinct)
  const observations = distinct.at(-1)?.count ?? 0
  if (distinct.length < 2 || observations === 0) return { quantile: Number.NaN, fixed }
  return { quantile: interpolated(distinct, q * observations), fixed }
}

function interpolated(buckets: readonly ClassicBucket[], rank: number): number {
  const found = buckets.slice(0, -1).findIndex(({ count }) => count >= rank)
  // Nothing is known above the highest limit.
  if (found === -1) return buckets.at(-2)?.limit ?? Number.NaN
  const bucket = buckets[found]
  if (bucket === undefined) return Number.NaN
  if (found === 0 && bucket.limit <= 0) return bucket.limit
  const previous = buckets[found - 1] ?? { limit: 0, count: 0 }
  return previous.limit + (bucket.limit - previous.limit) * ((rank - previous.count) / (bucket.count - previous.count))
}

/** How many values are at most `limit`. */
function below(buckets: readonly ClassicBucket[], limit: number): number {
  let previous: { limit: number; count: number } | undefined
  for (const bucket of buckets) {
    const lower = previous?.limit ?? (bucket.limit > 0 ? 0 : -Infinity)
    const count = previous?.count ?? 0
    if (limit <= lower) return count
    // Where the lowest bucket begins is not known when it ends at or below 0.
    if (limit < bucket.limit) return lower === -Infinity ? Number.NaN : bucket.limit === Infinity ? count : count + (bucket.count - count) * ((limit - lower) / (bucket.limit - lower))
    previous = bucket
  }
  return previous?.count ?? 0
}

/** The share of values in (lower, upper], a ratio; NaN where there is no bucket +Inf or no value. */
export function classicFraction(buckets: readonly ClassicBucket[], lower: number, upper: number): number {
  const last = buckets.at(-1)
  if (last?.limit !== Infinity) return Number.NaN
  const distinct = merged(buckets)
  makeMonotonic(distinct)
  const total = distinct.at(-1)?.count ?? 0
  if (distinct.length < 2 || total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN
  if (lower >= upper) return 0
  const upTo = (limit: number): number => (limit === Infinity ? total : limit === -Infinity ? 0 : below(distinct, limit))
  return (upTo(upper) - upTo(lower)) / total
}
