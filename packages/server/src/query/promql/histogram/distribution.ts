// What a native histogram says of its values: quantiles, fractions, variance.
import type { HistogramValue } from '../../../store/metric-rows.ts'
import { biasedBuckets, type Bucket, bucketsOf, isCustom, shareBelow, valueAt } from './buckets.ts'
import { Sum } from '../sum.ts'

/** Which remark a quantile needs when NaN was observed: it counts, but lies in no bucket. */
export type NanRemark = 'skewed' | 'nan' | undefined

function within(bucket: Bucket, rank: number, custom: boolean): number {
  // Of the lowest and the highest custom bucket only one end is known.
  if (bucket.lower === -Infinity) return bucket.upper
  if (bucket.upper === Infinity) return bucket.lower
  return valueAt(bucket, rank / bucket.count, custom)
}

/**
 * The q-quantile, in the unit of the values; off by at most one bucket.
 *
 * @returns -Infinity and +Infinity for q below 0 and above 1, NaN for an empty histogram
 */
export function quantileOf(value: HistogramValue, q: number): { quantile: number; remark: NanRemark } {
  if (q < 0 || q > 1) return { quantile: q < 0 ? -Infinity : Infinity, remark: undefined }
  if (value.count === 0 || Number.isNaN(q)) return { quantile: Number.NaN, remark: undefined }
  return ranked(value, q)
}

function ranked(value: HistogramValue, q: number): { quantile: number; remark: NanRemark } {
  const hasNan = Number.isNaN(value.sum)
  // From the nearer end, so that rounding matters least; from the lower one where NaN, which lies in no bucket, counts as highest.
  const forward = hasNan || q < 0.5
  const rank = forward ? q * value.count : (1 - q) * value.count
  const buckets = forward ? biasedBuckets(value) : biasedBuckets(value).toReversed()
  let seen = 0
  let found: Bucket | undefined
  for (const bucket of buckets) {
    found = bucket
    seen += bucket.count
    if (seen >= rank) break
  }
  if (found === undefined) return { quantile: hasNan ? Number.NaN : 0, remark: hasNan ? 'nan' : undefined }
  seen = Math.min(seen, value.count)
  if (seen < rank) return hasNan ? { quantile: Number.NaN, remark: 'nan' } : { quantile: found.upper, remark: undefined }
  const into = forward ? rank - (seen - found.count) : seen - rank
  return { quantile: within(found, into, isCustom(value)), remark: hasNan ? 'skewed' : undefined }
}

/** How many values are at most `limit`, which is finite. */
function below(buckets: readonly Bucket[], limit: number, custom: boolean): number {
  let count = 0
  for (const bucket of buckets) {
    if (bucket.lower >= limit) break
    if (bucket.upper <= limit || bucket.lower === -Infinity) count += bucket.count
    // What lies within the highest custom bucket is not known.
    else if (bucket.upper !== Infinity) count += bucket.count * shareBelow(bucket, limit, custom)
  }
  return count
}

/** The share of values in (lower, upper], a ratio; NaN for an empty histogram or a limit that is NaN. */
export function fractionOf(value: HistogramValue, lower: number, upper: number): number {
  if (value.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN
  if (lower >= upper) return 0
  const buckets = biasedBuckets(value)
  const custom = isCustom(value)
  const total = (): number => (Number.isNaN(value.sum) ? buckets.reduce((sum, { count }) => sum + count, 0) : value.count)
  const upTo = (limit: number): number => (limit === Infinity ? total() : limit === -Infinity ? 0 : below(buckets, limit, custom))
  return (upTo(upper) - upTo(lower)) / value.count
}

function middle({ lower, upper, side }: Bucket, custom: boolean): number {
  if (custom) return (lower + upper) / 2
  if (side === 'zero') return 0
  return side === 'positive' ? Math.sqrt(lower * upper) : -Math.sqrt(lower * upper)
}

/** The variance, with every value taken to be in the middle of its bucket. */
export function varianceOf(value: HistogramValue): number {
  const mean = value.sum / value.count
  const custom = isCustom(value)
  const sum = new Sum()
  for (const bucket of bucketsOf(value)) sum.add(bucket.count * (middle(bucket, custom) - mean) ** 2)
  return sum.value / value.count
}
