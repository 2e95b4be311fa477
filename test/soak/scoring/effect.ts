// How much a fault changed, by measurement.
import { median, type Milliseconds } from '@andon/model'
import { added, quantileOf } from './histogram.ts'
import type { Stretch, Track, Truth } from './stretch.ts'

/** So many slices before a fault say what was usual: five minutes. */
const BEFORE = 20
/** Measured effects are this much smaller by chance than they truly are. */
const MEASURED = 0.95
/** What is worse by so little is below what a detector is to find, and reported apart. */
const BELOW_FLOOR: ReadonlySet<string> = new Set(['latency 1.3'])

/** A fault with its strength, as reports name it. */
export const kindOf = ({ fault, strength }: Truth): string => `${fault} ${strength}`

/** Whether it was never meant to be found. */
export const isBelowFloor = (fault: Truth): boolean => BELOW_FLOOR.has(kindOf(fault))

function totalOf(list: Float64Array, from: number, until: number): number {
  return list.subarray(from, until).reduce((sum, value) => sum + value, 0)
}

/** What a track was in some slices: of a share the share of all, of durations a quantile of all, of the heap its greatest, else the median. */
function levelOf({ key, what, values, histograms, counts, failed }: Track, from: number, until: number): number {
  if (failed !== undefined && counts !== undefined) return totalOf(failed, from, until) / Math.max(1, totalOf(counts, from, until))
  if (histograms !== undefined) return quantileOf(added(histograms.slice(from, until)), key.endsWith('.p50') ? 0.5 : 0.95)
  const known = [...values.subarray(from, until)].filter((value) => !Number.isNaN(value))
  if (what !== 'heap') return median(known)
  return known.length === 0 ? Number.NaN : Math.max(...known)
}

/** How much a fault changed each track: the ratio of during to before, of the share of errors the difference. */
function effectsOf({ start, tracks, history, stepMs }: Stretch, fault: Truth): ReadonlyMap<string, number> {
  const at = (time: Milliseconds): number => Math.ceil((time - start) / stepMs)
  const begin = at(fault.start)
  const effects = new Map<string, number>()
  for (const track of tracks) {
    const was = levelOf(track, Math.max(history, begin - BEFORE), begin)
    const is = levelOf(track, at(fault.set) + 1, at(fault.end))
    effects.set(track.key, track.what === 'errors' ? is - was : is / was)
  }
  return effects
}

/** Whether a fault changed something by the floor of the design: × 1.5 (by measurement, less 5 %), error share by 1.5 points; throughput the other way. */
export function hasEffect(stretch: Stretch, fault: Truth): boolean {
  return fault.hasEffect ?? [...effectsOf(stretch, fault)].some(([key, effect]) => (key === 'errors' ? effect >= 0.015 : key === 'throughput' ? effect <= 1 / (1.5 * MEASURED) : effect >= 1.5 * MEASURED))
}
