// An exponential histogram of bounded memory.
// @see https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
import { bucketIndex, bucketQuantile, downscaledIndex } from '@andon/model'

/** Base 2^(1/32): a relative error of at most 1.1 % of a quantile. */
const SCALE = 5
/** Past it the scale is halved, as the OpenTelemetry specification has it. */
const MAX_BUCKETS = 320

export class ExponentialHistogram {
  count = 0
  sum = 0
  min: number = Infinity
  max: number = -Infinity
  zeroCount = 0
  scale: number = SCALE
  #positive = new Map<number, number>()
  #negative = new Map<number, number>()

  /** @param value - finite, of any unit */
  record(value: number): void {
    this.count += 1
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    if (value === 0) {
      this.zeroCount += 1
      return
    }
    const buckets = value > 0 ? this.#positive : this.#negative
    const index = bucketIndex(Math.abs(value), this.scale)
    buckets.set(index, (buckets.get(index) ?? 0) + 1)
    while (spread(this.#positive) > MAX_BUCKETS || spread(this.#negative) > MAX_BUCKETS) this.#coarser()
  }

  #coarser(): void {
    this.scale -= 1
    this.#positive = halved(this.#positive)
    this.#negative = halved(this.#negative)
  }

  get positive(): { offset: number; counts: number[] } {
    return dense(this.#positive)
  }

  get negative(): { offset: number; counts: number[] } {
    return dense(this.#negative)
  }

  /** The q-quantile of what was recorded; NaN when nothing was. Negative values count as 0. */
  quantile(q: number): number {
    const below = [...this.#negative.values()].reduce((sum, count) => sum + count, this.zeroCount)
    const value = bucketQuantile(below, this.#positive, this.scale, q)
    return Math.min(this.max, Math.max(this.min, value))
  }
}

function spread(buckets: ReadonlyMap<number, number>): number {
  if (buckets.size < 2) return buckets.size
  let low = Infinity
  let high = -Infinity
  for (const index of buckets.keys()) {
    if (index < low) low = index
    if (index > high) high = index
  }
  return high - low + 1
}

function halved(buckets: ReadonlyMap<number, number>): Map<number, number> {
  const result = new Map<number, number>()
  for (const [index, count] of buckets) result.set(downscaledIndex(index, 1), (result.get(downscaledIndex(index, 1)) ?? 0) + count)
  return result
}

function dense(buckets: ReadonlyMap<number, number>): { offset: number; counts: number[] } {
  if (buckets.size === 0) return { offset: 0, counts: [] }
  const offset = Math.min(...buckets.keys())
  return { offset, counts: Array.from({ length: spread(buckets) }, (_, index) => buckets.get(offset + index) ?? 0) }
}
