/** How a series is measured, and which change of it matters. */
export interface Effect {
  /** Of latencies and rates the logarithm is watched, so that "half as much again" is the same at every level. */
  readonly scale: 'log' | 'linear'
  /** Added before the logarithm is taken, in the unit of the series: what is far below it does not matter. */
  readonly offset: number
  readonly worse: 'up' | 'down'
  /** The change must be at least by this factor … */
  readonly factor: number
  /** … and by so much, in the unit of the series. */
  readonly least: number
}

/** A change, as it is held against the floor. */
export interface Change {
  /** What was expected and by how much it differs to the bad side, on the scale of the effect. */
  readonly expected: number
  readonly shift: number
  /** How much of the floor chance may have taken away, in ln. */
  readonly slack: number
}

export function toScale({ scale, offset }: Effect, value: number): number {
  return scale === 'log' ? Math.log(Math.max(0, value) + offset) : value
}

export function fromScale({ scale, offset }: Effect, x: number): number {
  return scale === 'log' ? Math.max(0, Math.exp(x) - offset) : x
}

/**
 * By how much a change passes its floor.
 *
 * @returns 1 and more where it matters; 0.5 is half of what matters, on the scale of the effect
 */
export function effectOf(effect: Effect, { expected, shift, slack }: Change): number {
  if (shift <= 0) return 0
  const sign = effect.worse === 'up' ? 1 : -1
  const before = fromScale(effect, expected)
  const after = fromScale(effect, expected + sign * shift)
  const byAmount = effect.least <= 0 ? Number.POSITIVE_INFINITY : Math.abs(after - before) / effect.least
  const ratio = effect.scale === 'log' ? shift : Math.log(Math.max(after, 1e-12) / Math.max(before, 1e-12)) * sign
  return Math.min((ratio + slack) / Math.log(effect.factor), byAmount)
}

