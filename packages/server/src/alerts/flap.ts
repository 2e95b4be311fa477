// Whether an alert comes and goes so often that telling each change would tell nothing.
// @see Nagios' detection of flapping: https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/flapping.html
import type { Milliseconds, Ratio } from '@andon/model'

/** One look at the alert: what changed within it counts once. */
const SLOT: Milliseconds = 60_000
/** How many looks are judged at most, as Nagios does. */
const SLOTS = 20
/** A short history is judged as if it were this long, so that three changes at the beginning are not flapping yet. */
const SLOTS_MIN = 8
const ENTER: Ratio = 0.5
const LEAVE: Ratio = 0.25
/** Nagios' weights of the oldest and the newest look. */
const [OLDEST, NEWEST] = [0.8, 1.2]

/** When an alert changed, as far as it matters; and whether it flapped after the last change. */
export interface FlapHistory {
  /** Ascending numbers of slots in which it changed. */
  readonly slots: readonly number[]
  readonly isFlapping: boolean
}

export const noFlaps: FlapHistory = { slots: [], isFlapping: false }

const slotOf = (time: Milliseconds): number => Math.floor(time / SLOT)

/** The weighted share of looks in which it changed; a look of today counts half as much again as one of 20 minutes ago. */
export function flapScore({ slots }: Pick<FlapHistory, 'slots'>, now: Milliseconds): Ratio {
  const [first] = slots
  if (first === undefined) return 0
  const last = slotOf(now)
  const length = Math.min(SLOTS, Math.max(SLOTS_MIN, last - first + 1))
  const weightOf = (age: number): number => NEWEST - ((NEWEST - OLDEST) * age) / (length - 1)
  let sum = 0
  for (const slot of slots) if (last - slot < length) sum += weightOf(last - slot)
  // The weights of all looks add up to their number, for their mean is 1.
  return sum / length
}

/** Whether it flaps now. */
export function isFlapping(history: FlapHistory, now: Milliseconds): boolean {
  return history.isFlapping && flapScore(history, now) >= LEAVE
}

/** The history after a change. */
export function withChange(history: FlapHistory, now: Milliseconds): FlapHistory {
  const slot = slotOf(now)
  const recent = history.slots.filter((one) => slot - one < SLOTS)
  const slots = recent.at(-1) === slot ? recent : [...recent, slot]
  return { slots, isFlapping: isFlapping(history, now) || flapScore({ slots }, now) >= ENTER }
}

/** From when on what was known of changes does not matter any more. */
export const FLAP_MEMORY: Milliseconds = SLOT * SLOTS
