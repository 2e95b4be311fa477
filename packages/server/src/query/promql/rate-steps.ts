// rate, increase and delta of floats at all steps of a range: what `extrapolated` gives window by window, without looking at each point again in every window.
import type { Milliseconds } from '@andon/model'
import { extrapolation, type RateKind, startedAnew } from './rate.ts'
import { at, type FloatPoints } from './range-series.ts'
import type { Times } from './times.ts'
import { FLOAT, type GridElement } from './vector.ts'

/** The ends of windows, and how far they reach back. */
export interface WindowEnds {
  readonly first: Milliseconds
  readonly step: Milliseconds
  readonly count: number
  readonly range: Milliseconds
}

export function windowEnds(times: Times, count: number, range: Milliseconds): WindowEnds {
  return { first: times.first, step: count > 1 ? times.at(1) - times.first : 0, count, range }
}

/** Past the last index. */
const END = 2 ** 31 - 1

/** The points at which a counter began anew, and those whose start lies before the point before them; windows are to be asked in order. */
class Turns {
  readonly #v: Float64Array
  readonly #resets: number[] = []
  readonly #overlaps: number[] = []
  #reset = 0
  #overlap = 0
  /** Up to this point of a window nothing has happened since the window before. */
  #quietUpTo = END
  /** Whether some window had such a start. */
  overlapped = false

  constructor({ ts, v, start }: FloatPoints, isCounter: boolean) {
    this.#v = v
    const count = isCounter ? ts.length : 0
    for (let index = 1; index < count; index += 1) {
      const isLess = at(v, index) < at(v, index - 1)
      if (start === undefined) {
        if (isLess) this.#resets.push(index)
        continue
      }
      const since = at(start, index)
      const before = at(start, index - 1)
      const last = at(ts, index - 1)
      if (isLess || startedAnew(before, last, since, at(ts, index))) this.#resets.push(index)
      if (since !== 0 && since < last && since !== before) this.#overlaps.push(index)
    }
    this.#resets.push(END)
    this.#overlaps.push(END)
    this.#quietUpTo = Math.min(this.#resets[0] ?? END, this.#overlaps[0] ?? END)
  }

  /** A difference with what was lost by resets after the first of the points lo..hi-1. */
  restored(difference: number, lo: number, hi: number): number {
    return hi <= this.#quietUpTo ? difference : this.#restored(difference, lo, hi)
  }

  #restored(difference: number, lo: number, hi: number): number {
    let whole = difference
    while ((this.#resets[this.#reset] ?? END) <= lo) this.#reset += 1
    for (let each = this.#reset; (this.#resets[each] ?? END) < hi; each += 1) whole += at(this.#v, (this.#resets[each] ?? 0) - 1)
    while ((this.#overlaps[this.#overlap] ?? END) <= lo) this.#overlap += 1
    this.overlapped ||= (this.#overlaps[this.#overlap] ?? END) < hi
    this.#quietUpTo = Math.min(this.#resets[this.#reset] ?? END, this.#overlaps[this.#overlap] ?? END)
    return whole
  }
}

/** Since when a counter counts, if that lies between the start of a window and its first point; 0 where it does not. */
function sinceWithin(first: Milliseconds, since: Milliseconds, windowStart: Milliseconds): number {
  return since > windowStart && since < first ? since : 0
}

/** How long before its first point a counter that rises as it does was 0, seconds. */
function toZero(isCounter: boolean, difference: number, begin: number, seconds: number): number {
  return isCounter && difference > 0 && begin >= 0 ? seconds * (begin / difference) : Infinity
}

/**
 * Writes the value of each window (end - range, end] into an element.
 *
 * @returns whether a start time within a window overlaps with the point before
 */
export function rateSteps(points: FloatPoints, { first: firstEnd, step, count, range }: WindowEnds, { isCounter, isRate }: RateKind, { values, present }: Pick<GridElement, 'values' | 'present'>): boolean {
  const { ts, v } = points
  const turns = new Turns(points, isCounter)
  const starts = isCounter ? points.start : undefined
  const perWindow = isRate ? 1000 / range : 1
  let lo = 0
  let hi = 0
  let end = firstEnd
  // Nothing is taken apart in this loop, which runs for each step of each series.
  for (let index = 0; index < count; index += 1, end += step) {
    const start = end - range
    while (hi < ts.length && at(ts, hi) <= end) hi += 1
    while (lo < hi && at(ts, lo) <= start) lo += 1
    if (lo === hi) continue
    const first = at(ts, lo)
    const last = at(ts, hi - 1)
    const begin = at(v, lo)
    const since = starts === undefined ? 0 : sinceWithin(first, at(starts, lo), start)
    const isFromZero = since !== 0
    if (!isFromZero && hi - lo < 2) continue
    const seconds = (last - first) / 1000
    const difference = turns.restored(isFromZero ? at(v, hi - 1) : at(v, hi - 1) - begin, lo, hi)
    const average = seconds / Math.max(1, hi - lo - 1)
    const sampled = isFromZero ? (last - since) / 1000 : seconds
    const toStart = isFromZero ? 0 : (first - start) / 1000
    values[index] = difference * (extrapolation(sampled, toStart, (end - last) / 1000, average, toZero(isCounter, difference, begin, seconds)) * perWindow)
    present[index] = FLOAT
  }
  return turns.overlapped
}
