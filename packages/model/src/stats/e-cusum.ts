// The sequential test that tells soon after its share rose that more is bad than before, with a stated rate of false alarms.
// @see Shin, Ramdas, Rinaldo: E-detectors: a nonparametric framework for sequential change detection
import type { Milliseconds, Ratio } from '../units.ts'
import { logLikelihoodRatio } from './binomial.ts'

/** The alternatives as multiples of what is tolerated, and how much each weighs. Those in which a person is woken weigh most. */
const ALTERNATIVES: readonly (readonly [factor: number, weight: number])[] = [
  [1.5, 0.02],
  [2, 0.02],
  [3, 0.1],
  [5, 0.1],
  [10, 0.16],
  [30, 0.5],
  [100, 0.07],
  [300, 0.03],
]
/** No alternative is nearer to certainty. */
const Q_MAX: Ratio = 0.999
/** So many times above the alarm no value rises, so that it comes down again in time. */
const ABOVE_ALARM = 1e3

/** What was counted in a slice of time. */
export interface Slice {
  readonly time: Milliseconds
  /** Independent ones: of weighted samples as many as they are worth. */
  readonly n: number
  readonly bad: number
}

/** What must be kept to go on after a restart. */
export interface EcusumState {
  /** The sums of the alternatives, in their order: over all slices at which the share may have risen, how many times likelier is what was seen since. */
  readonly sums: readonly number[]
  /** Logarithms of the greatest parts of the sums, floored at 1 before each slice: those of the slice since which it rose most likely. */
  readonly logs: readonly number[]
  /** Since when each has been above its floor; undefined where it is at it. */
  readonly since: readonly (Milliseconds | undefined)[]
}

/** What is held to be well. */
export interface EcusumNull {
  /** The share of bad ones that is tolerated: greater than 0, less than 1. */
  readonly p0: Ratio
  /** ρ of the beta-binomial distribution; 0 for the binomial. */
  readonly dispersion: Ratio
}

export const ECUSUM_START: EcusumState = { sums: ALTERNATIVES.map(() => 0), logs: ALTERNATIVES.map(() => 0), since: ALTERNATIVES.map(() => undefined) }

/**
 * One more slice: each alternative's sum, and 1 for this slice as the first, is multiplied by how many times likelier the slice is under it.
 *
 * @param options.alarm - what the statistic must reach; values are kept within reach of it
 * @returns a new state; the given one is not modified
 */
export function ecusumStep(state: EcusumState, { time, n, bad }: Slice, { p0, dispersion }: EcusumNull, { alarm }: { readonly alarm: number }): EcusumState {
  if (!(n > 0)) return state
  const { sums, logs, since } = state
  const most = alarm * ABOVE_ALARM
  const ratios = ALTERNATIVES.map(([factor]) => {
    const q = Math.min(Q_MAX, p0 * factor)
    return q <= p0 ? -Infinity : logLikelihoodRatio(n, Math.min(n, bad), { q, p: p0, dispersion })
  })
  const next = ratios.map((ratio, index) => (ratio === -Infinity ? 0 : Math.min(Math.log(most), Math.max(0, logs[index] ?? 0) + ratio)))
  return {
    sums: ratios.map((ratio, index) => Math.min(most, ((sums[index] ?? 0) + 1) * Math.exp(ratio))),
    logs: next,
    since: next.map((log, index) => (log <= 0 ? undefined : (logs[index] ?? 0) <= 0 ? time : (since[index] ?? time))),
  }
}

/**
 * The statistic: the weighted mean of the sums over the alternatives. Under any share up to `p0` its mean after n slices is at most n, so
 * that an alarm at `c` comes on average no sooner than after c slices.
 */
export function ecusumValue({ sums }: EcusumState): number {
  return ALTERNATIVES.reduce((sum, [, weight], index) => sum + weight * (sums[index] ?? 0), 0)
}

/** How much speaks against the share being what is tolerated since the likeliest slice: the weighted mean of the greatest parts; 1 or less where nothing does. */
export function ecusumEvidence({ logs }: EcusumState): number {
  return ALTERNATIVES.reduce((sum, [, weight], index) => sum + weight * Math.exp(logs[index] ?? 0), 0)
}

/** When the share is estimated to have risen: since when the leading alternative has been above its floor. Undefined where none is. */
export function ecusumOnset({ logs, since }: EcusumState): Milliseconds | undefined {
  let best = -1
  let most = 0
  for (const [index, [, weight]] of ALTERNATIVES.entries()) {
    const value = weight * Math.exp(logs[index] ?? 0)
    if ((logs[index] ?? 0) > 0 && value > most) [best, most] = [index, value]
  }
  return best < 0 ? undefined : since[best]
}

/** How many slices there are in a year: an alarm at this value is false once a year at most. */
export function slicesPerYear(sliceMs: Milliseconds): number {
  return (365.25 * 86_400_000) / sliceMs
}
