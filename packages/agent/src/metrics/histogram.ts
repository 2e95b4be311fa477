// An exponential histogram of bounded memory.
// @see https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
import { bucketIndex, bucketQuantile, bucketUpperBound, type Bytes } from '@andon/model'

/** Base 2^(1/32): a relative error of at most 1.1 % of a quantile. */
const SCALE = 5
const SUBS = 2 ** SCALE
/** Past it the scale is halved, as the OpenTelemetry specification has it. */
const MAX_BUCKETS = 320
const FIRST_BUCKETS = 16

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)
/** Upper limits of the buckets of 1 to 2. */
const UPPER = Float64Array.from({ length: SUBS }, (_, sub) => bucketUpperBound(sub, SCALE))
/** For the first eight bits of a mantissa the first bucket that may hold it: no bucket is so narrow that three meet there. */
const FIRST_SUB = Uint8Array.from({ length: 256 }, (_, bits) => Math.max(0, UPPER.findIndex((upper) => upper >= 1 + bits / 256)))
/** For the same bits the upper 20 bits of the mantissa where the next bucket begins. */
const LIMIT = Int32Array.from(FIRST_SUB, (sub) => {
  const upper = UPPER[sub] ?? 2
  if (upper >= 2) return 2 ** 20
  float[0] = upper
  return (words[1] ?? 0) & 0xf_ffff
})

/** The bucket of a positive number at SCALE: as bucketIndex, by table instead of a logarithm, and without a branch that depends on chance. */
export function fineIndex(value: number): number {
  float[0] = value
  const high = words[1] ?? 0
  const exponent = (high >>> 20) - 1023
  // Numbers that are not normal have no leading one.
  if (exponent === -1023) return bucketIndex(value, SCALE)
  const bits = high & 0xf_ffff
  if (bits === 0 && words[0] === 0) return exponent * SUBS - 1
  const cell = bits >>> 12
  const sub = FIRST_SUB[cell] ?? 0
  const limit = LIMIT[cell] ?? 0
  // One value in a hundred thousand: the lower bits decide.
  if (bits === limit) return exponent * SUBS + (value > (UPPER[sub] ?? 2) * 2 ** exponent ? sub + 1 : sub)
  return exponent * SUBS + sub + ((limit - bits) >>> 31)
}

/** Counts of a window of buckets. */
class Buckets {
  counts: Float64Array = new Float64Array(FIRST_BUCKETS)
  /** The index of counts[0]. */
  first = 0
  /** The indexes that hold something; none while low is above high. */
  low = 0
  high = -1

  /** Makes room for an index; false when the buckets would be too many. */
  reach(index: number): boolean {
    const isEmpty = this.low > this.high
    const low = isEmpty ? index : Math.min(this.low, index)
    const high = isEmpty ? index : Math.max(this.high, index)
    if (high - low >= MAX_BUCKETS) return false
    if (low < this.first || high >= this.first + this.counts.length) this.#move(low, high)
    this.low = low
    this.high = high
    return true
  }

  #move(low: number, high: number): void {
    const width = high - low + 1
    const length = Math.min(MAX_BUCKETS, Math.max(this.counts.length, FIRST_BUCKETS * 2 ** Math.ceil(Math.log2((width * 1.5) / FIRST_BUCKETS))))
    const first = low - Math.floor((length - width) / 2)
    const counts = new Float64Array(length)
    for (let index = this.low; index <= this.high; index += 1) counts[index - first] = this.counts[index - this.first] ?? 0
    this.counts = counts
    this.first = first
  }

  halve(): void {
    if (this.low > this.high) return
    const counts = new Float64Array(this.counts.length)
    const low = this.low >> 1
    for (let index = this.low; index <= this.high; index += 1) counts[(index >> 1) - low] = (counts[(index >> 1) - low] ?? 0) + (this.counts[index - this.first] ?? 0)
    this.counts = counts
    this.first = low
    this.low = low
    this.high >>= 1
  }

  clear(): void {
    this.counts.fill(0)
    this.low = 0
    this.high = -1
  }

  dense(): { offset: number; counts: number[] } {
    if (this.low > this.high) return { offset: 0, counts: [] }
    return { offset: this.low, counts: [...this.counts.subarray(this.low - this.first, this.high - this.first + 1)] }
  }
}

export class ExponentialHistogram {
  count = 0
  sum = 0
  min: number = Infinity
  max: number = -Infinity
  zeroCount = 0
  scale: number = SCALE
  readonly #positive = new Buckets()
  #negative: Buckets | undefined

  /** @param value - finite, of any unit */
  record(value: number): void {
    this.count += 1
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    if (value > 0) this.#add(this.#positive, fineIndex(value))
    else if (value < 0) this.#add((this.#negative ??= new Buckets()), fineIndex(-value))
    else this.zeroCount += 1
  }

  #add(buckets: Buckets, fine: number): void {
    let index = fine >> (SCALE - this.scale)
    if (index < buckets.low || index > buckets.high) {
      while (!buckets.reach(index)) {
        this.#coarser()
        index = fine >> (SCALE - this.scale)
      }
    }
    const at = index - buckets.first
    buckets.counts[at] = (buckets.counts[at] ?? 0) + 1
  }

  #coarser(): void {
    this.scale -= 1
    this.#positive.halve()
    this.#negative?.halve()
  }

  /** What its buckets take in memory. */
  get bytes(): Bytes {
    return this.#positive.counts.byteLength + (this.#negative?.counts.byteLength ?? 0)
  }

  /** Starts anew in the same memory. */
  clear(): void {
    this.count = 0
    this.sum = 0
    this.min = Infinity
    this.max = -Infinity
    this.zeroCount = 0
    this.scale = SCALE
    this.#positive.clear()
    this.#negative?.clear()
  }

  get positive(): { offset: number; counts: number[] } {
    return this.#positive.dense()
  }

  get negative(): { offset: number; counts: number[] } {
    return this.#negative?.dense() ?? { offset: 0, counts: [] }
  }

  /** The q-quantile of what was recorded; NaN when nothing was. Negative values count as 0. */
  quantile(q: number): number {
    const below = this.negative.counts.reduce((sum, count) => sum + count, this.zeroCount)
    const { offset, counts } = this.positive
    const value = bucketQuantile(below, new Map(counts.map((count, index) => [offset + index, count])), this.scale, q)
    return Math.min(this.max, Math.max(this.min, value))
  }
}
