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
  if (buckets.length < 2 || buckets.at(-1)?.limit !== Infinity) return Number.NaN
  // Rates of buckets are rounded apart, so that a larger one can have a smaller count.
  for (let index = 1; index < buckets.length; index += 1) {
    const bucket = buckets[index]
    if (bucket !== undefined) bucket.count = Math.max(bucket.count, buckets[index - 1]?.count ?? 0)
  }
  const total = buckets.at(-1)?.count ?? 0
  if (total === 0 || Number.isNaN(total)) return Number.NaN
  const rank = q * total
  const index = Math.min(buckets.findIndex(({ count }) => count >= rank), buckets.length - 1)
  if (index === buckets.length - 1) return buckets.at(-2)?.limit ?? Number.NaN
  const high = buckets[index]?.limit ?? Number.NaN
  if (index === 0 && high <= 0) return high
  const low = index === 0 ? 0 : (buckets[index - 1]?.limit ?? 0)
  const below = index === 0 ? 0 : (buckets[index - 1]?.count ?? 0)
  const count = (buckets[index]?.count ?? 0) - below
  return low + (high - low) * ((rank - below) / count)
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
