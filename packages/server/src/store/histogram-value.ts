// Arithmetic of histograms as the store keeps them.
import { bucketIndex, bucketUpperBound, downscaledIndex } from '@andon/model'
import { type Buckets, CUSTOM_BOUNDS, type HistogramValue } from './metric-rows.ts'

function downscaled(buckets: Buckets, by: number): Buckets {
  if (by <= 0) return buckets
  const result = new Map<number, number>()
  for (const [index, count] of buckets) {
    const coarse = downscaledIndex(index, by)
    result.set(coarse, (result.get(coarse) ?? 0) + count)
  }
  return result
}

/** The same histogram at a coarser schema; unchanged when it is as coarse already, or has explicit bounds. */
export function atSchema(value: HistogramValue, schema: number): HistogramValue {
  if (value.schema === CUSTOM_BOUNDS || value.schema <= schema) return value
  const by = value.schema - schema
  return { ...value, schema, positive: downscaled(value.positive, by), negative: downscaled(value.negative, by) }
}

function combined(a: Buckets, b: Buckets, sign: 1 | -1): Buckets {
  const result = new Map(a)
  for (const [index, count] of b) {
    const sum = (result.get(index) ?? 0) + sign * count
    if (sum === 0) result.delete(index)
    else result.set(index, sum)
  }
  return result
}

/** Whether two histograms can be added: both exponential, or with the same bounds. */
export function compatible(a: HistogramValue, b: HistogramValue): boolean {
  if (a.schema !== CUSTOM_BOUNDS && b.schema !== CUSTOM_BOUNDS) return true
  return a.schema === b.schema && a.bounds.length === b.bounds.length && a.bounds.every((bound, index) => bound === b.bounds[index])
}

/** a + b or a − b, at the coarser schema of the two. They must be compatible. */
export function combine(a: HistogramValue, b: HistogramValue, sign: 1 | -1): HistogramValue {
  const schema = Math.min(a.schema, b.schema)
  const [x, y] = [atSchema(a, schema), atSchema(b, schema)]
  return {
    schema,
    zeroThreshold: Math.max(x.zeroThreshold, y.zeroThreshold),
    zeroCount: x.zeroCount + sign * y.zeroCount,
    count: x.count + sign * y.count,
    sum: x.sum + sign * y.sum,
    positive: combined(x.positive, y.positive, sign),
    negative: combined(x.negative, y.negative, sign),
    bounds: x.bounds,
  }
}

function never(buckets: Buckets): boolean {
  for (const count of buckets.values()) if (count < 0) return true
  return false
}

/** What came since `previous`; the whole of `now` when the counter was reset in between. */
export function increaseSince(now: HistogramValue, previous: HistogramValue): HistogramValue {
  if (!compatible(now, previous) || now.count < previous.count) return now
  const difference = combine(now, previous, -1)
  return difference.zeroCount < 0 || never(difference.positive) || never(difference.negative) ? now : difference
}

/** A bucket's upper and lower bound. */
function bounds(value: HistogramValue, index: number): [low: number, high: number] {
  if (value.schema === CUSTOM_BOUNDS) return [value.bounds[index - 1] ?? -Infinity, value.bounds[index] ?? Infinity]
  return [bucketUpperBound(index - 1, value.schema), bucketUpperBound(index, value.schema)]
}

/**
 * How many values are at most `limit`: exact where a bucket ends there, else interpolated within the bucket (on a
 * logarithmic scale for exponential ones).
 */
export function countUpTo(value: HistogramValue, limit: number): number {
  if (limit === Infinity) return value.count
  let count = limit >= 0 ? value.zeroCount : 0
  for (const [index, n] of value.negative) {
    const [low, high] = bounds(value, index)
    // The negative bucket holds [-high, -low).
    count += n * (1 - share(-limit, low, high, value.schema))
  }
  if (value.schema !== CUSTOM_BOUNDS) return count + exponentialUpTo(value, limit)
  for (const [index, n] of value.positive) {
    const [low, high] = bounds(value, index)
    count += n * share(limit, low, high, value.schema)
  }
  return count
}

/** Of exponential buckets only the one that holds the limit is divided; its bounds alone are calculated. */
function exponentialUpTo(value: HistogramValue, limit: number): number {
  if (limit <= 0) return 0
  const last = bucketIndex(limit, value.schema)
  let count = 0
  for (const [index, n] of value.positive) {
    if (index < last) count += n
    else if (index === last) {
      const [low, high] = bounds(value, index)
      count += n * share(limit, low, high, value.schema)
    }
  }
  return count
}

/** The share of a bucket (low, high] that is at most `limit`. */
function share(limit: number, low: number, high: number, schema: number): number {
  if (limit >= high) return 1
  if (limit <= low) return 0
  if (!Number.isFinite(low) || !Number.isFinite(high)) return 0
  return schema === CUSTOM_BOUNDS ? (limit - low) / (high - low) : Math.log2(limit / low) / Math.log2(high / low)
}
