// Where a value lies in an exponential histogram: buckets (base^i, base^(i+1)] with base = 2^(2^-scale).
// @see https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram

const buffer = new DataView(new ArrayBuffer(8))

/**
 * The index of the bucket that holds a value: ceil(log2(v) · 2^scale) − 1, exact at powers of two.
 *
 * @param value - positive and finite, of any unit
 * @param scale - −10..20
 * @example bucketIndex(1, 5) // -1, because buckets are closed above
 */
export function bucketIndex(value: number, scale: number): number {
  buffer.setFloat64(0, value)
  const high = buffer.getUint32(0)
  const exponent = (high >>> 20) & 0x7ff
  const isPowerOfTwo = exponent > 0 && (high & 0xf_ffff) === 0 && buffer.getUint32(4) === 0
  if (isPowerOfTwo) {
    const power = exponent - 1023
    return scale >= 0 ? power * 2 ** scale - 1 : ((power - 1) >> -scale)
  }
  const factor = 2 ** scale
  const index = Math.ceil(Math.log2(value) * factor) - 1
  return Object.is(index, -0) ? 0 : index
}

/**
 * The upper bound of a bucket, in the unit of the values: 2^((index + 1) / 2^scale).
 *
 * @example bucketUpperBound(-1, 5) // 1
 */
export function bucketUpperBound(index: number, scale: number): number {
  return 2 ** ((index + 1) / 2 ** scale)
}

/**
 * The index of the bucket at a coarser scale that holds the bucket of this index.
 *
 * @param by - how many steps coarser, not negative
 */
export function downscaledIndex(index: number, by: number): number {
  return by < 31 ? index >> by : index < 0 ? -1 : 0
}

/** The scale at which durations of spans are kept, in seconds: 8 buckets per power of two. */
export const SPAN_SCALE = 3

/** Counts by bucket index, as the store keeps them. */
export type BucketCounts = ReadonlyMap<number, number>

/**
 * The q-quantile of an exponential histogram without negative values, by geometric interpolation within its bucket.
 *
 * @param zeroCount - values that are taken as 0
 * @param buckets - positive buckets; counts not negative
 * @param q - a ratio within 0..1
 * @returns a value in the unit of the values, off by at most the width of one bucket (base − 1); NaN when empty
 */
export function bucketQuantile(zeroCount: number, buckets: BucketCounts, scale: number, q: number): number {
  let total = zeroCount
  for (const count of buckets.values()) total += count
  if (total === 0) return Number.NaN
  const rank = q * total
  let seen = zeroCount
  if (rank <= seen) return 0
  let last = Number.NaN
  for (const index of [...buckets.keys()].toSorted((a, b) => a - b)) {
    const count = buckets.get(index) ?? 0
    if (count <= 0) continue
    if (rank <= seen + count) return bucketUpperBound(index - 1, scale) * 2 ** ((rank - seen) / count / 2 ** scale)
    seen += count
    last = bucketUpperBound(index, scale)
  }
  return last
}
