// The buckets of a native histogram as intervals.
import { bucketUpperBound } from '@andon/model'
import { CUSTOM_BOUNDS, type HistogramValue } from '../../../store/metric-rows.ts'

/** An interval and how many values lie in it. */
export interface Bucket {
  readonly lower: number
  readonly upper: number
  readonly count: number
  /** Its index among the positive or the negative ones; undefined for the bucket around zero. */
  readonly index?: number
  readonly side: 'negative' | 'zero' | 'positive'
}

export function isCustom({ schema }: HistogramValue): boolean {
  return schema === CUSTOM_BOUNDS
}

/** Lower and upper limit of a positive bucket; of a negative one they are mirrored. */
export function limitsOf({ schema, bounds }: HistogramValue, index: number): [lower: number, upper: number] {
  if (schema === CUSTOM_BOUNDS) return [bounds[index - 1] ?? -Infinity, bounds[index] ?? Infinity]
  return [bucketUpperBound(index - 1, schema), bucketUpperBound(index, schema)]
}

function ascending(buckets: HistogramValue['positive']): [index: number, count: number][] {
  const list: [number, number][] = []
  for (const [index, count] of buckets) if (count !== 0) list.push([index, count])
  return list.toSorted(([a], [b]) => a - b)
}

/** All buckets that hold something, from the lowest to the highest; the zero bucket is [-threshold, threshold]. */
export function bucketsOf(value: HistogramValue): Bucket[] {
  const list: Bucket[] = []
  for (const [index, count] of ascending(value.negative).toReversed()) {
    const [lower, upper] = limitsOf(value, index)
    list.push({ lower: -upper, upper: -lower, count, index, side: 'negative' })
  }
  if (value.zeroCount !== 0) list.push({ lower: -value.zeroThreshold, upper: value.zeroThreshold, count: value.zeroCount, side: 'zero' })
  for (const [index, count] of ascending(value.positive)) {
    const [lower, upper] = limitsOf(value, index)
    list.push({ lower, upper, count, index, side: 'positive' })
  }
  return list
}

/**
 * The buckets as values are distributed in them: the zero bucket of a histogram that has values on one side only lies on
 * that side, and the lowest custom bucket begins at 0 when its limit is positive.
 */
export function biasedBuckets(value: HistogramValue): Bucket[] {
  const custom = isCustom(value)
  const [negatives, positives] = [value.negative.size > 0, value.positive.size > 0]
  return bucketsOf(value).map((bucket) => {
    if (custom) return bucket.lower === -Infinity && bucket.upper > 0 ? { ...bucket, lower: 0 } : bucket
    if (bucket.side !== 'zero' || negatives === positives) return bucket
    return positives ? { ...bucket, lower: 0 } : { ...bucket, upper: 0 }
  })
}

/** The value below which the given share of a bucket lies: geometric in exponential buckets beside zero, else linear. */
export function valueAt({ lower, upper, side }: Bucket, share: number, custom: boolean): number {
  if (custom || side === 'zero') return lower + (upper - lower) * share
  const [low, high] = [Math.log2(Math.abs(lower)), Math.log2(Math.abs(upper))]
  return side === 'positive' ? 2 ** (low + (high - low) * share) : -(2 ** (high + (low - high) * (1 - share)))
}

/** The share of a bucket that lies below a value within it; the inverse of `valueAt`. */
export function shareBelow({ lower, upper, side }: Bucket, value: number, custom: boolean): number {
  if (custom || side === 'zero') return (value - lower) / (upper - lower)
  const [low, high, at] = [Math.log2(Math.abs(lower)), Math.log2(Math.abs(upper)), Math.log2(Math.abs(value))]
  return side === 'positive' ? (at - low) / (high - low) : 1 - (at - high) / (low - high)
}
