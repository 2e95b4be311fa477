// The operators </ and >/, which keep what a histogram holds below or above a limit.
import type { HistogramValue } from '../../../store/metric-rows.ts'
import { biasedBuckets, type Bucket, isCustom, shareBelow } from './buckets.ts'

/** What is left of a bucket, and where its values are taken to be. */
interface Kept {
  readonly count: number
  readonly at: number
}

const NOTHING: Kept = { count: 0, at: 0 }

/** The middle of an interval: geometric in exponential buckets beside zero. */
function middle(lower: number, upper: number, { side }: Bucket, custom: boolean): number {
  if (custom || side === 'zero') return (lower + upper) / 2
  return side === 'positive' ? Math.sqrt(lower * upper) : -Math.sqrt(lower * upper)
}

/** A whole bucket; of the outermost custom ones only one end is known. */
function whole(bucket: Bucket, custom: boolean): Kept {
  const { lower, upper, count } = bucket
  const at = lower === -Infinity ? upper : upper === Infinity ? lower : middle(lower, upper, bucket, custom)
  return { count, at: Number.isFinite(at) ? at : 0 }
}

function belowLimit(bucket: Bucket, limit: number, custom: boolean): Kept {
  const { lower, upper, count } = bucket
  if (upper <= limit) return whole(bucket, custom)
  if (lower >= limit || upper === Infinity) return NOTHING
  if (lower === -Infinity) return { count, at: limit }
  return { count: count * shareBelow(bucket, limit, custom), at: middle(lower, limit, bucket, custom) }
}

function aboveLimit(bucket: Bucket, limit: number, custom: boolean, isLowest: boolean): Kept {
  const { lower, upper, count } = bucket
  // What lies below 0 in the lowest custom bucket, which is taken to begin at 0, is not known.
  if (upper <= limit || (isLowest && limit < Math.max(lower, 0) && limit !== -Infinity)) return NOTHING
  if (lower >= limit) return whole(bucket, custom)
  if (lower === -Infinity) return NOTHING
  if (upper === Infinity) return isLowest ? NOTHING : { count, at: limit }
  return { count: count * (1 - shareBelow(bucket, limit, custom)), at: middle(limit, upper, bucket, custom) }
}

/**
 * What a histogram holds at most (`</`) or above (`>/`) a limit. Where nothing is cut off it stays as it is, sum
 * included; else the sum is estimated from the buckets that are left.
 */
export function trimmed(value: HistogramValue, limit: number, keepsBelow: boolean): HistogramValue {
  if (limit === (keepsBelow ? Infinity : -Infinity)) return value
  const custom = isCustom(value)
  const positive = new Map<number, number>()
  const negative = new Map<number, number>()
  let [zeroCount, count, sum, isWhole] = [0, 0, 0, true]
  for (const bucket of biasedBuckets(value)) {
    const kept = keepsBelow ? belowLimit(bucket, limit, custom) : aboveLimit(bucket, limit, custom, custom && bucket.index === 0)
    if (kept.count !== bucket.count) isWhole = false
    if (kept.count === 0) continue
    count += kept.count
    sum += kept.count * kept.at
    if (bucket.side === 'zero') zeroCount = kept.count
    else (bucket.side === 'positive' ? positive : negative).set(bucket.index ?? 0, kept.count)
  }
  // Cut within the lowest or the highest custom bucket, the count stays and the sum does not.
  const isCut = custom && biasedBuckets(value).some(({ lower, upper }) => (upper === Infinity && !keepsBelow && limit > lower) || (lower === -Infinity && keepsBelow && limit < upper))
  return isWhole && !isCut ? value : { ...value, positive, negative, zeroCount, count, sum }
}
