// Told once; told again only when something changed. Says why.
// @see alertmanager notify/dedup_stage.go
import type { Milliseconds, NotificationReason } from '@andon/model'

/** An alert of a group at a flush. */
export interface Member {
  readonly fingerprint: string
  /** One that flaps fires until it has calmed down. */
  readonly isFiring: boolean
  readonly isFlapping: boolean
  /** Inhibited or silenced. */
  readonly isMuted: boolean
}

/** What a receiver knows of a group. */
export interface Told {
  /** Fingerprints that were told as firing and not as resolved since. */
  readonly firing: readonly string[]
  /** Of these, those that were told to flap. */
  readonly flapping: readonly string[]
  /** When the group was last told of; undefined where it never was. */
  readonly at: Milliseconds | undefined
}

export const nothingTold: Told = { firing: [], flapping: [], at: undefined }

export interface FlushTime {
  readonly now: Milliseconds
  readonly repeatMs: Milliseconds
  /** The calendar says that nothing is told now; what is owed is told afterwards. */
  readonly isQuiet: boolean
}

export interface Decision {
  /** Undefined where nothing is told. */
  readonly reason: NotificationReason | undefined
  /** What is told as firing, and as resolved. */
  readonly firing: readonly string[]
  readonly resolved: readonly string[]
  readonly told: Told
  /** What leaves the group: resolved, and nothing of it is owed. */
  readonly leaving: readonly string[]
}

interface Sorted {
  readonly visible: readonly Member[]
  readonly steady: readonly Member[]
  readonly flaps: readonly Member[]
  readonly owed: readonly string[]
}

function sorted(members: readonly Member[], told: Told): Sorted {
  const [known, knownFlaps] = [new Set(told.firing), new Set(told.flapping)]
  const visible = members.filter(({ isFiring, isMuted }) => isFiring && !isMuted)
  return {
    visible,
    steady: visible.filter(({ fingerprint, isFlapping }) => !isFlapping && !known.has(fingerprint)),
    flaps: visible.filter(({ fingerprint, isFlapping }) => isFlapping && !knownFlaps.has(fingerprint)),
    // Also of one that is muted by now: whoever heard that it fires hears that it does not any more.
    owed: members.filter(({ fingerprint, isFiring }) => !isFiring && known.has(fingerprint)).map(({ fingerprint }) => fingerprint),
  }
}

function reasonOf({ visible, steady, flaps, owed }: Sorted, told: Told, { now, repeatMs }: FlushTime): NotificationReason | undefined {
  if (steady.length > 0) return told.firing.length === 0 ? 'first' : 'new-alerts'
  if (flaps.length > 0) return 'flapping'
  if (owed.length > 0) return owed.length === told.firing.length ? 'all-resolved' : 'some-resolved'
  // What flaps was told to, and is quiet until it is stable.
  const isRepeated = told.at !== undefined && now - told.at >= repeatMs && visible.some(({ isFlapping }) => !isFlapping)
  return isRepeated ? 'repeat' : undefined
}

/** What is told of a group at a flush, and why. */
export function decide(members: readonly Member[], before: Told, time: FlushTime): Decision {
  const present = new Set(members.map(({ fingerprint }) => fingerprint))
  const told: Told = { ...before, firing: before.firing.filter((fingerprint) => present.has(fingerprint)) }
  const found = sorted(members, told)
  const reason = time.isQuiet ? undefined : reasonOf(found, told, time)
  const isResolved = members.filter(({ isFiring }) => !isFiring).map(({ fingerprint }) => fingerprint)
  const stillFlapping = new Set(members.filter(({ isFlapping }) => isFlapping).map(({ fingerprint }) => fingerprint))
  const flapping = told.flapping.filter((fingerprint) => stillFlapping.has(fingerprint))
  if (reason === undefined) {
    const owed = new Set(found.owed)
    return { reason, firing: [], resolved: [], told: { ...told, flapping }, leaving: isResolved.filter((fingerprint) => !owed.has(fingerprint)) }
  }
  const resolved = new Set(found.owed)
  const remaining = told.firing.filter((fingerprint) => !resolved.has(fingerprint))
  const visible = found.visible.map(({ fingerprint }) => fingerprint)
  return {
    reason,
    // Where all that fires on is muted, it is told nevertheless: the receiver must not take the group for ended.
    firing: visible.length > 0 ? visible : remaining,
    resolved: found.owed,
    told: {
      firing: [...new Set([...remaining, ...visible])],
      flapping: reason === 'flapping' ? [...new Set([...flapping, ...found.flaps.map(({ fingerprint }) => fingerprint)])] : flapping,
      at: time.now,
    },
    leaving: isResolved,
  }
}
