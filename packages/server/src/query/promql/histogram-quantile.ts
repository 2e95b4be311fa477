// Quantiles of classic histograms: series of cumulative buckets with a label `le`.
import { type Labels, labelsKey } from '@andon/model'
import { element, type GridElement, set, withoutName } from './vector.ts'

interface Bucket {
  readonly limit: number
  count: number
}

function limitOf(labels: Labels): number {
  const le = labels['le'] ?? ''
  return le === '+Inf' || le === 'Inf' ? Infinity : le === '' ? Number.NaN : Number(le)
}

/**
 * The q-quantile by linear interpolation within its bucket, as prometheus promql/quantile.go has it.
 *
 * @param buckets - cumulative counts in the order of their limits, the last one +Inf
 */
function bucketQuantile(q: number, buckets: Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  const last = buckets.at(-1)
  if (buckets.length < 2 || last === undefined || last.limit !== Infinity) return Number.NaN
  makeMonotonic(buckets)
  return last.count > 0 ? interpolated(buckets, q * last.count) : Number.NaN
}

/** Rates of buckets are rounded apart, so that a larger one can have a smaller count. */
function makeMonotonic(buckets: readonly Bucket[]): void {
  let highest = 0
  for (const bucket of buckets) {
    bucket.count = Math.max(bucket.count, highest)
    highest = bucket.count
  }
}

function interpolated(buckets: readonly Bucket[], rank: number): number {
  const index = buckets.findIndex(({ count }) => count >= rank)
  const bucket = buckets[index]
  const previous = buckets[index - 1] ?? { limit: 0, count: 0 }
  if (bucket === undefined) return Number.NaN
  // Nothing is known above the highest limit.
  if (bucket.limit === Infinity) return previous.limit
  if (index === 0 && bucket.limit <= 0) return bucket.limit
  return previous.limit + (bucket.limit - previous.limit) * ((rank - previous.count) / (bucket.count - previous.count))
}

/** histogram_quantile over the elements that have a label `le`. */
export function histogramQuantile(elements: readonly GridElement[], q: (step: number) => number, steps: number): GridElement[] {
  const groups = new Map<string, { labels: Labels; members: { limit: number; member: GridElement }[] }>()
  for (const member of elements) {
    const limit = limitOf(member.labels)
    if (Number.isNaN(limit)) continue
    const { le: _, ...labels } = withoutName(member.labels)
    const key = labelsKey(labels)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { labels, members: [{ limit, member }] })
    else group.members.push({ limit, member })
  }
  return [...groups.values()].map(({ labels, members }) => {
    const ordered = members.toSorted((a, b) => a.limit - b.limit)
    const result = element(labels, steps)
    for (let step = 0; step < steps; step += 1) {
      const buckets = ordered.filter(({ member }) => member.present[step] === 1).map(({ limit, member }) => ({ limit, count: member.values[step] ?? Number.NaN }))
      if (buckets.length > 0) set(result, step, bucketQuantile(q(step), buckets))
    }
    return result
  })
}
