// Where a course changed its level.
import { mad, type Milliseconds } from '@andon/model'

export interface LevelChange {
  /** Of the first point of the new level. */
  readonly at: Milliseconds
  readonly before: number
  readonly after: number
  /** How many times the noise the change is, as of its means. */
  readonly score: number
}

/** Points on either side that a level takes. */
const SIDE_MIN = 4
const SCORE_MIN = 6
const EFFECT_MIN = 0.2

const mean = (part: readonly number[]): number => part.reduce((sum, value) => sum + value, 0) / part.length

/**
 * The one change of level that explains the most of a course: the split with the least squared error on both sides.
 *
 * @param points - in order of time, equally spaced
 * @returns undefined where no change stands out: it must be 6 times the noise of its means, and a fifth of the larger level
 */
export function levelChange(points: readonly (readonly [time: Milliseconds, value: number])[]): LevelChange | undefined {
  const n = points.length
  if (n < 2 * SIDE_MIN) return undefined
  const values = points.map(([, value]) => value)
  const total = values.reduce((sum, value) => sum + value, 0)
  let [best, gain, left] = [-1, 0, 0]
  for (let split = 1; split <= n - SIDE_MIN; split += 1) {
    left += values[split - 1] ?? 0
    if (split < SIDE_MIN) continue
    // Of the total squared error so much is explained by two means in place of one.
    const difference = left / split - (total - left) / (n - split)
    const explained = ((split * (n - split)) / n) * difference * difference
    if (explained > gain) [best, gain] = [split, explained]
  }
  if (best < 0) return undefined
  const [head, rest] = [values.slice(0, best), values.slice(best)]
  const [before, after] = [mean(head), mean(rest)]
  const size = Math.max(Math.abs(before), Math.abs(after))
  const residuals = [...head.map((value) => value - before), ...rest.map((value) => value - after)]
  // A course without any noise may change by the least.
  const noise = Math.max(1.4826 * mad(residuals), size * 1e-6)
  const score = Math.abs(after - before) / (noise * Math.sqrt(1 / best + 1 / (n - best)))
  return score < SCORE_MIN || Math.abs(after - before) < EFFECT_MIN * size ? undefined : { at: points[best]?.[0] ?? 0, before, after, score }
}
