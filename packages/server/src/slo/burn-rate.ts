// How fast a budget is being spent, and Google's four pairs of windows.
// @see https://sre.google/workbook/alerting-on-slos/ (multiwindow, multi-burn-rate)
import { binomialTail, type Milliseconds, type Ratio } from '@andon/model'
import type { Tally } from './minute-ring.ts'

const MINUTE: Milliseconds = 60_000
const HOUR: Milliseconds = 3_600_000
const DAY: Milliseconds = 86_400_000

/** Windows of which burn rates are told. */
export const BURN_WINDOWS: readonly (readonly [name: string, ms: Milliseconds])[] = [
  ['5m', 5 * MINUTE],
  ['30m', 30 * MINUTE],
  ['1h', HOUR],
  ['2h', 2 * HOUR],
  ['6h', 6 * HOUR],
  ['1d', DAY],
  ['3d', 3 * DAY],
]

/** Two windows over which too much of the budget must be spent at once. */
export interface WindowPair {
  readonly name: string
  readonly longMs: Milliseconds
  readonly shortMs: Milliseconds
  /** The share of the budget that the long window may spend. */
  readonly spent: Ratio
  readonly pages: boolean
}

export const WINDOW_PAIRS: readonly WindowPair[] = [
  { name: '1h/5m', longMs: HOUR, shortMs: 5 * MINUTE, spent: 0.02, pages: true },
  { name: '6h/30m', longMs: 6 * HOUR, shortMs: 30 * MINUTE, spent: 0.05, pages: true },
  { name: '1d/2h', longMs: DAY, shortMs: 2 * HOUR, spent: 0.1, pages: false },
  { name: '3d/6h', longMs: 3 * DAY, shortMs: 6 * HOUR, spent: 0.1, pages: false },
]

/** So unlikely must what was counted be within the budget: few requests prove nothing. */
const EVIDENCE: Ratio = 1e-6

/** How many times as fast as allowed a budget is spent; null where nothing was counted. */
export function burnRate({ bad, total }: Pick<Tally, 'bad' | 'total'>, budget: Ratio): number | null {
  return total > 0 ? bad / total / budget : null
}

/** Whether so many bad ones are more than chance makes of a share that the budget allows. */
export function hasEvidence({ bad, total, worth }: Tally, budget: Ratio): boolean {
  if (!(total > 0) || !(worth > 0)) return false
  return binomialTail(worth, Math.min(worth, bad * (worth / total)), budget) < EVIDENCE
}

/**
 * The pairs of windows that burn too fast.
 *
 * @param sum - of the time before now
 * @param periodMs - of the objective: pairs that are longer are left out
 */
export function burningPairs(sum: (lengthMs: Milliseconds) => Tally, budget: Ratio, periodMs: Milliseconds): WindowPair[] {
  return WINDOW_PAIRS.filter(({ longMs, shortMs, spent }) => {
    if (longMs > periodMs) return false
    const factor = (spent * periodMs) / longMs
    // The short one first: it is read faster, and mostly says that all is well.
    if ((burnRate(sum(shortMs), budget) ?? 0) <= factor) return false
    const long = sum(longMs)
    return (burnRate(long, budget) ?? 0) > factor && hasEvidence(long, budget)
  })
}
