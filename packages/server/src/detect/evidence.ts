import type { Milliseconds, Ratio } from '@andon/model'
import { EVIDENCE } from './parameters.ts'

const EPSILONS: readonly number[] = EVIDENCE.epsilons
const LOG_EPSILONS = EPSILONS.map((epsilon) => Math.log(epsilon))
/** How many numbers the evidence of a series is. */
export const EVIDENCE_SIZE: number = 2 * EPSILONS.length

/**
 * Evidence that p-values have ceased to be uniform: the mixture over bets ε·p^(ε−1) of e-CUSUMs, each of which begins anew at its floor of 1. While p-values are
 * independent and not too small, alarms at e^threshold are at least e^threshold slices apart on average. In logarithms.
 *
 * @see Shin, Ramdas & Rinaldo, "E-detectors"; Vovk 2021, "Testing randomness online", for the bets
 */
export class Evidence {
  /** Evidence of each bet, then since when. */
  readonly #state: Float64Array

  /** @param state - EVIDENCE_SIZE numbers, all 0 at the beginning; shared with who keeps it */
  constructor(state: Float64Array) {
    this.#state = state
  }

  /** Takes the p-value of the slice that begins at a time. @returns ln of the mixture */
  add(p: Ratio, time: Milliseconds): number {
    const state = this.#state
    const count = EPSILONS.length
    const logP = Math.log(p)
    for (let index = 0; index < count; index += 1) {
      const before = state[index] ?? 0
      if (before <= 0) state[count + index] = time
      const after = (before <= 0 ? 0 : before) + (LOG_EPSILONS[index] ?? 0) + ((EPSILONS[index] ?? 1) - 1) * logP
      state[index] = after > EVIDENCE.cap ? EVIDENCE.cap : after
    }
    return this.value
  }

  /** ln of the mean over the bets. */
  get value(): number {
    const state = this.#state
    const count = EPSILONS.length
    let most = Number.NEGATIVE_INFINITY
    for (let index = 0; index < count; index += 1) most = Math.max(most, state[index] ?? 0)
    let sum = 0
    for (let index = 0; index < count; index += 1) sum += Math.exp((state[index] ?? 0) - most)
    return most + Math.log(sum / count)
  }

  /** The start of the first slice after the strongest bet was last at its floor: when the change is most likely to have begun. */
  get onset(): Milliseconds {
    const state = this.#state
    const count = EPSILONS.length
    let best = 0
    for (let index = 1; index < count; index += 1) if ((state[index] ?? 0) > (state[best] ?? 0)) best = index
    return state[count + best] ?? 0
  }

  reset(): void {
    this.#state.fill(0)
  }
}
