// Histograms of different resolution brought to one: schema, bucket around zero, bounds.
import { atSchema } from '../../../store/histogram-value.ts'
import type { Buckets, HistogramValue } from '../../../store/metric-rows.ts'
import { bucketsOf, isCustom, limitsOf } from './buckets.ts'

/** What two histograms must share to be added bucket by bucket. */
export type Layout = Pick<HistogramValue, 'schema' | 'zeroThreshold' | 'bounds'>

function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, index) => bound === b[index]))
}

export function sameLayout(a: Layout, b: Layout): boolean {
  return a.schema === b.schema && a.zeroThreshold === b.zeroThreshold && sameBounds(a.bounds, b.bounds)
}

/** The least threshold at or above `threshold` that cuts through no bucket with values. */
function fittingThreshold(value: HistogramValue, threshold: number): number {
  let fitting = threshold
  for (;;) {
    const cut = bucketsOf(value).find(({ lower, upper, side }) => side !== 'zero' && Math.min(Math.abs(lower), Math.abs(upper)) < fitting && Math.max(Math.abs(lower), Math.abs(upper)) > fitting)
    if (cut === undefined) return fitting
    fitting = Math.max(Math.abs(cut.lower), Math.abs(cut.upper))
  }
}

function withThreshold(value: HistogramValue, zeroThreshold: number): HistogramValue {
  if (value.zeroThreshold === zeroThreshold) return value
  let { zeroCount } = value
  const beyond = (buckets: Buckets): Buckets => {
    const kept = new Map<number, number>()
    for (const [index, count] of buckets) {
      if (limitsOf(value, index)[0] < zeroThreshold) zeroCount += count
      else kept.set(index, count)
    }
    return kept
  }
  const [positive, negative] = [beyond(value.positive), beyond(value.negative)]
  return { ...value, zeroThreshold, zeroCount, positive, negative }
}

/** The custom buckets merged into fewer ones, whose bounds are among its own. */
function withBounds(value: HistogramValue, bounds: readonly number[]): HistogramValue {
  if (sameBounds(value.bounds, bounds)) return value
  const positive = new Map<number, number>()
  for (const [index, count] of value.positive) {
    const upper = limitsOf(value, index)[1]
    const found = bounds.findIndex((bound) => bound >= upper)
    const at = found === -1 ? bounds.length : found
    positive.set(at, (positive.get(at) ?? 0) + count)
  }
  return { ...value, bounds, positive }
}

/** The histogram in a coarser layout. */
export function inLayout(value: HistogramValue, layout: Layout): HistogramValue {
  if (sameLayout(value, layout)) return value
  return isCustom(value) ? withBounds(value, layout.bounds) : atSchema(withThreshold(value, layout.zeroThreshold), layout.schema)
}

/** The finest layout that both can be brought to; undefined when one is exponential and the other has custom bounds. */
export function commonLayout(a: HistogramValue, b: HistogramValue): Layout | undefined {
  if (isCustom(a) !== isCustom(b)) return undefined
  if (sameLayout(a, b)) return a
  if (isCustom(a)) return { schema: a.schema, zeroThreshold: a.zeroThreshold, bounds: a.bounds.filter((bound) => b.bounds.includes(bound)) }
  let zeroThreshold = Math.max(a.zeroThreshold, b.zeroThreshold)
  for (;;) {
    const fitting = Math.max(a.zeroThreshold < zeroThreshold ? fittingThreshold(a, zeroThreshold) : zeroThreshold, b.zeroThreshold < zeroThreshold ? fittingThreshold(b, zeroThreshold) : zeroThreshold)
    if (fitting === zeroThreshold) break
    zeroThreshold = fitting
  }
  return { schema: Math.min(a.schema, b.schema), zeroThreshold, bounds: [] }
}

/** Whether the bounds of two custom histograms differ, so that adding them loses some. */
export function boundsDiffer(a: HistogramValue, b: HistogramValue): boolean {
  return isCustom(a) && isCustom(b) && !sameBounds(a.bounds, b.bounds)
}
