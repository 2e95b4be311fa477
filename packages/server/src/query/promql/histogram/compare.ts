// Whether a histogram is another, or a counter that began anew.
import type { Buckets, HistogramValue } from '../../../store/metric-rows.ts'
import { isCustom } from './buckets.ts'
import { boundsDiffer, commonLayout, inLayout, sameLayout } from './layout.ts'

function someLess(now: Buckets, before: Buckets): boolean {
  for (const [index, count] of before) if ((now.get(index) ?? 0) < count) return true
  return false
}

/** Whether the counter began anew between two points. @see prometheus model/histogram DetectReset */
export function wasReset(now: HistogramValue, before: HistogramValue): boolean {
  if (now.hint === 'reset') return true
  if (now.hint === 'same') return false
  if (now.count < before.count || isCustom(now) !== isCustom(before)) return true
  // A counter goes to a coarser resolution without a reset, never to a finer one.
  if (now.schema > before.schema || now.zeroThreshold < before.zeroThreshold) return true
  const layout = commonLayout(now, before)
  if (layout === undefined || layout.zeroThreshold !== now.zeroThreshold) return true
  const [a, b] = boundsDiffer(now, before) ? [inLayout(now, layout), inLayout(before, layout)] : [now, inLayout(before, layout)]
  return a.zeroCount < b.zeroCount || someLess(a.positive, b.positive) || someLess(a.negative, b.negative)
}

function same(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

function sameBuckets(a: Buckets, b: Buckets): boolean {
  for (const [index, count] of a) if (!same(count, b.get(index) ?? 0)) return false
  for (const [index, count] of b) if (!a.has(index) && count !== 0) return false
  return true
}

/** Whether two histograms are the same, hints apart. */
export function equal(a: HistogramValue, b: HistogramValue): boolean {
  return sameLayout(a, b) && same(a.count, b.count) && same(a.sum, b.sum) && same(a.zeroCount, b.zeroCount) && sameBuckets(a.positive, b.positive) && sameBuckets(a.negative, b.negative)
}
