// What the governor can take back, in steps.
import type { Ratio } from '@andon/model'
import type { SamplingLimit } from '../sampler.ts'

/** How many steps are taken back, of spans and of the continuous profile. */
export interface Level {
  readonly sampling: number
  readonly profile: number
}

export const FULL: Level = { sampling: 0, profile: 0 }
/** Each step keeps half of the traces: 1/128 at the last. */
const SAMPLING_STEPS = 7
/** A lower rate than half would spare little and make each upload hold the thread for longer; then the profile is off. */
const PROFILE_FACTORS: readonly Ratio[] = [1, 0.5, 0]

export const FLOOR: Level = { sampling: SAMPLING_STEPS, profile: PROFILE_FACTORS.length - 1 }

/**
 * The traces that are kept and watched at a level. Two steps down all are still watched, so that no slow or failed one is
 * lost; from there on watching costs more than what is kept, and is lowered as well.
 */
export function samplingLimit({ sampling }: Level): SamplingLimit {
  const keep = 2 ** -sampling
  return { keep, watch: Math.min(1, keep * 4) }
}

/** What is left of the wanted rate of the continuous profile; 0: it is off. */
export function profileFactor({ profile }: Level): Ratio {
  return PROFILE_FACTORS[profile] ?? 0
}

/**
 * The levels below one, in the order in which they are taken: spans first, then the profile; among those with the same profile the one that
 * takes back least. Where the profile costs too much, spans are not taken back in vain.
 */
export function levelsBelow(level: Level): Level[] {
  const levels: Level[] = []
  for (let profile = level.profile; profile <= FLOOR.profile; profile += 1) {
    for (let sampling = level.sampling; sampling <= FLOOR.sampling; sampling += 1) levels.push({ sampling, profile })
  }
  return levels.slice(1)
}

/** The levels one step up, in the order in which they are tried: what was taken last returns first. */
export function levelsAbove({ sampling, profile }: Level): Level[] {
  const levels: Level[] = []
  if (profile > 0) levels.push({ sampling, profile: profile - 1 })
  if (sampling > 0) levels.push({ sampling: sampling - 1, profile })
  return levels
}
