import type { Ratio } from '@andon/model'
import type { LogHistogram } from './log-histogram.ts'
import { REFERENCE } from './parameters.ts'

/** A generalised Pareto distribution over what lies beyond a threshold. */
export interface Tail {
  /** In the unit of the values. */
  readonly threshold: number
  /** How much of the distribution lies beyond it. */
  readonly share: Ratio
  readonly scale: number
  /** 0 is an exponential tail; the greater, the heavier. Within 0..0.5. */
  readonly shape: number
}

/**
 * The tail of a distribution beyond its 98th percentile, by the method of moments. The shape of a sample of few exceedances is drawn to that of
 * a slightly heavy tail, since moments tell little of it.
 *
 * @returns undefined where there are too few values to say anything
 * @see Hosking & Wallis 1987, "Parameter and quantile estimation for the generalized Pareto distribution"
 */
export function fitTail(reference: LogHistogram): Tail | undefined {
  if (reference.total < 100) return undefined
  const threshold = reference.quantile(REFERENCE.tailFrom)
  const { count, mean, variance } = reference.exceedances(threshold)
  const share = 1 - REFERENCE.tailFrom
  if (count < 1 || !(mean > 0)) return { threshold, share, scale: Math.max(threshold, 1e-3) * 0.1, shape: REFERENCE.shapePrior }
  const estimate = variance > 0 ? 0.5 * (1 - (mean * mean) / variance) : 0
  const drawn = (count * estimate + REFERENCE.shapePriorWeight * REFERENCE.shapePrior) / (count + REFERENCE.shapePriorWeight)
  const shape = Math.min(REFERENCE.shapeMax, Math.max(0, drawn))
  // The mean of a generalised Pareto distribution is scale / (1 − shape).
  return { threshold, share, scale: mean * (1 - shape), shape }
}

/** How likely a value beyond the threshold, or a greater one, is. */
export function beyondTail({ threshold, share, scale, shape }: Tail, value: number): Ratio {
  const excess = (value - threshold) / scale
  return share * (shape < 1e-6 ? Math.exp(-excess) : (1 + shape * excess) ** (-1 / shape))
}
