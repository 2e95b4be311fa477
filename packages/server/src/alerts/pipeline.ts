// What happens when groups are flushed, in this order: joined to incidents, inhibited, muted by the calendar, silenced, flapping, deduplicated.
// Decisions and their messages are one insert; then they are delivered.
import { type IncidentBook, labelsKey, type Milliseconds, type Notification, type Outbox, sortedPairs, type StateEntry } from '@andon/model'
import type { Log } from '../runtime/log.ts'
import type { AlertBook } from './alert-book.ts'
import { decide, type Decision, type Member } from './dedup.ts'
import { textHash } from './fingerprint.ts'
import { isFlapping } from './flap.ts'
import type { Group, GroupRecord, Mute } from './group.ts'
import type { GroupBook } from './group-book.ts'
import { changeOf, type HeldAlert, isToldFiring, notifiedOf, rowOf } from './held-alert.ts'
import { FiringAlerts, type InhibitRules, type TopologyInhibition } from './inhibit.ts'
import { activeIntervals, type TimeIntervals } from './mute-time.ts'
import type { SilenceBook } from './silence.ts'

export interface PipelineDeps {
  readonly alerts: AlertBook
  readonly groups: GroupBook
  readonly silences: SilenceBook
  readonly incidents: IncidentBook
  readonly outbox: Outbox
  readonly append: (rows: readonly StateEntry[]) => Promise<unknown>
  readonly logger: Pick<Log, 'warn' | 'info'>
}

/** What comes from the configuration, and changes with it. */
export interface PipelineRules {
  readonly inhibit: InhibitRules
  /** Undefined where it is not wanted. */
  readonly topology: TopologyInhibition | undefined
  readonly timeIntervals: TimeIntervals
}

/** Alerts of the groups of one insert. */
const BATCH = 5000
/** Alerts of one message; how many more there are is told. */
const TOLD_MAX = 500
/** After which a flush is tried again that could not be stored. */
const RETRY: Milliseconds = 5000

/** Why an alert is not told just now, beside the calendar. */
export const isMuted = ({ silencedBy, inhibitedBy }: Mute): boolean => silencedBy.length + inhibitedBy.length > 0

interface Flush {
  readonly group: Group
  readonly decision: Decision
  readonly record: GroupRecord
  readonly notification: Notification | undefined
  readonly isStored: boolean
}

export class Pipeline {
  readonly #deps: PipelineDeps
  rules: PipelineRules

  constructor(deps: PipelineDeps, rules: PipelineRules) {
    this.#deps = deps
    this.rules = rules
  }

  /** What fires, as it is told. */
  firing(now: Milliseconds): FiringAlerts {
    return new FiringAlerts([...this.#deps.alerts.all()].filter((held) => isToldFiring(held, now)).map(({ fingerprint, alert }) => ({ fingerprint, labels: alert.labels })))
  }

  /** What holds an alert back. A service map that does not answer holds nothing back. */
  async muteOf({ alert, fingerprint }: HeldAlert, firing: FiringAlerts): Promise<Mute> {
    const { inhibit, topology } = this.rules
    const configured = inhibit.inhibitors(alert.labels, firing)
    let roots: readonly string[] = []
    try {
      roots = (await topology?.inhibitors(alert.labels, firing)) ?? []
    } catch (error) {
      this.#deps.logger.warn('the service map cannot say what an alert depends on', { alert: fingerprint, error: String(error) })
    }
    return { silencedBy: this.#deps.silences.silencedBy(alert.labels), inhibitedBy: [...new Set([...configured, ...roots])].toSorted() }
  }

  /** Names of the intervals of the calendar by which a group is quiet now. */
  quietBy({ route }: Pick<Group, 'route'>, now: Milliseconds): readonly string[] {
    if (route === undefined) return []
    const { activeTimes, muteTimes } = route.config
    if (activeTimes.length > 0 && activeIntervals(this.rules.timeIntervals, activeTimes, now).length === 0) return activeTimes
    return activeIntervals(this.rules.timeIntervals, muteTimes, now)
  }

  /** Asks which incidents alerts belong to that changed since they were asked about; alerts are told without where there is no answer. */
  async join(held: readonly HeldAlert[]): Promise<void> {
    const { alerts, incidents, logger } = this.#deps
    if (held.length === 0) return
    try {
      const found = await incidents.join(held.map(changeOf))
      alerts.commit(held.map((one) => ({ ...one, incident: found.get(one.fingerprint) ?? one.incident, isJoined: true })))
    } catch (error) {
      logger.warn('incidents could not be joined', { alerts: held.length, error: String(error) })
    }
  }

  /**
   * Flushes the groups that are due.
   *
   * @returns what was told; empty where nothing was, or it could not be stored: then it is tried again in five seconds
   */
  async flush(now: Milliseconds): Promise<readonly Notification[]> {
    const { groups, alerts, append, outbox, logger } = this.#deps
    const due = groups.due(now, BATCH)
    if (due.length === 0) return []
    const members = new Map(due.flatMap((group) => [...group.members].flatMap((fingerprint) => this.#held(fingerprint))).map((held) => [held.fingerprint, held]))
    const unjoined = [...members.values()].filter(({ isJoined }) => !isJoined)
    await this.join(unjoined)
    const firing = this.firing(now)
    const mutes = new Map<string, Mute>()
    for (const held of members.values()) mutes.set(held.fingerprint, await this.muteOf(held, firing))
    const flushes = due.map((group) => this.#decide(group, mutes, now))
    const notifications = flushes.flatMap(({ notification }) => notification ?? [])
    const settled = this.#settled(flushes)
    const stored = flushes.filter(({ isStored }) => isStored)
    const rows = [
      ...stored.map(({ group, record, decision }) => group.entry(record, group.members.size === decision.leaving.length)),
      ...settled.map((held) => rowOf(held, 'settled')),
      ...this.#newlyJoined(stored, settled),
    ]
    try {
      if (rows.length > 0) await append([...rows, ...outbox.entries(notifications)])
    } catch (error) {
      logger.warn('decisions about alerts could not be stored; they are taken again', { groups: due.length, error: String(error) })
      for (const group of due) group.due = now + RETRY
      return []
    }
    for (const flush of flushes) this.#commit(flush, now)
    for (const held of settled) alerts.settle(held, now)
    if (notifications.length > 0) outbox.deliver(notifications)
    return notifications
  }

  #held(fingerprint: string): HeldAlert[] {
    const held = this.#deps.alerts.get(fingerprint)
    return held === undefined ? [] : [held]
  }

  #decide(group: Group, mutes: ReadonlyMap<string, Mute>, now: Milliseconds): Flush {
    const held = [...group.members].flatMap((fingerprint) => this.#held(fingerprint)).toSorted(byAge)
    const muteOf = ({ fingerprint }: HeldAlert): Mute => mutes.get(fingerprint) ?? NO_MUTE
    // Where no route leads any more only what is owed is told.
    const members = held.map((one): Member => ({ fingerprint: one.fingerprint, isFiring: isToldFiring(one, now), isFlapping: isFlapping(one.flaps, now), isMuted: group.route === undefined || isMuted(muteOf(one)) }))
    const quietBy = this.quietBy(group, now)
    const { told, record: before } = group
    const decision = decide(members, told, { now, repeatMs: group.route?.config.repeatIntervalMs ?? Infinity, isQuiet: quietBy.length > 0 })
    const muted = Object.fromEntries(held.filter((one) => isToldFiring(one, now) && isMuted(muteOf(one))).map((one) => [one.fingerprint, muteOf(one)]))
    const isTold = decision.reason !== undefined
    const record: GroupRecord = {
      receiver: group.receiver,
      groupKey: group.groupKey,
      labels: group.labels,
      anchor: isTold ? now : (before?.anchor ?? now),
      flushedAt: now,
      told: decision.told,
      nth: isTold && told.at === now ? (before?.nth ?? 0) + 1 : 0,
      incident: this.#incidentOf(group, decision),
      mutes: muted,
      quietBy,
    }
    // That a change was looked at is kept too, so that it is not taken for a missed one after a restart.
    const isStored = before === undefined || isTold || decision.leaving.length > 0 || decisionKey(before) !== decisionKey(record) || held.some(({ changedAt }) => changedAt > before.flushedAt)
    return { group, decision, record, notification: this.#notification(group, decision, record), isStored }
  }

  /** By the incident of its first message a receiver knows the group until it has ended. */
  #incidentOf({ told, record }: Group, { firing, resolved }: Decision): string | undefined {
    const known = told.firing.length > 0 ? record?.incident : undefined
    return known ?? incidentOf([...firing, ...resolved].flatMap((fingerprint) => this.#held(fingerprint)))
  }

  #notification(group: Group, { reason, firing, resolved }: Decision, { incident, flushedAt, nth }: GroupRecord): Notification | undefined {
    if (reason === undefined) return undefined
    const told = [
      ...firing.flatMap((fingerprint) => this.#held(fingerprint)).map((held) => notifiedOf(held, 'firing')),
      ...resolved.flatMap((fingerprint) => this.#held(fingerprint)).map((held) => notifiedOf(held, 'resolved')),
    ]
    return {
      id: `${textHash(`${group.id}\n${reason}\n${nth}`)}-${flushedAt.toString(36)}`,
      receiver: group.receiver,
      groupKey: group.groupKey,
      groupLabels: group.labels,
      incident,
      reason,
      status: firing.length > 0 ? 'firing' : 'resolved',
      alerts: told.slice(0, TOLD_MAX),
      truncated: Math.max(0, told.length - TOLD_MAX),
      decidedAt: flushedAt,
    }
  }

  /** Alerts that leave all groups they are in. */
  #settled(flushes: readonly Flush[]): HeldAlert[] {
    const leaving = new Map<string, Set<Group>>()
    for (const { group, decision } of flushes) for (const fingerprint of decision.leaving) leaving.set(fingerprint, (leaving.get(fingerprint) ?? new Set()).add(group))
    return [...leaving].flatMap(([fingerprint, left]) => ([...this.#deps.groups.of(fingerprint)].every((group) => left.has(group)) ? this.#held(fingerprint) : []))
  }

  /** Which incident an alert belongs to is stored with the first decision about it. */
  #newlyJoined(stored: readonly Flush[], settled: readonly HeldAlert[]): StateEntry[] {
    const done = new Set(settled.map(({ fingerprint }) => fingerprint))
    const found = new Map<string, HeldAlert>()
    for (const { group } of stored) for (const fingerprint of group.members) for (const held of this.#held(fingerprint)) if (!done.has(fingerprint) && held.changedAt > (group.record?.flushedAt ?? -Infinity) && held.isJoined) found.set(fingerprint, held)
    return [...found.values()].map((held) => rowOf(held, held.status))
  }

  #commit({ group, decision, record, isStored }: Flush, now: Milliseconds): void {
    if (isStored) group.record = record
    this.#deps.groups.leave(group, decision.leaving)
    group.due = group.slotAfter(now)
  }
}

/** The oldest first. */
function byAge(a: HeldAlert, b: HeldAlert): number {
  const [one, other] = [labelsKey(a.alert.labels), labelsKey(b.alert.labels)]
  return a.alert.startsAt - b.alert.startsAt || (one < other ? -1 : one > other ? 1 : 0)
}

const NO_MUTE: Mute = { silencedBy: [], inhibitedBy: [] }

/** What makes a decision worth a row of its own where nothing was told. */
function decisionKey({ mutes, quietBy, told }: GroupRecord): string {
  return JSON.stringify([sortedPairs(Object.fromEntries(Object.entries(mutes).map(([fingerprint, mute]) => [fingerprint, JSON.stringify(mute)]))), quietBy, told.flapping])
}

/** The incident that most of some alerts belong to; of several, that of the first. */
function incidentOf(held: readonly HeldAlert[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { incident } of held) if (incident !== undefined) counts.set(incident, (counts.get(incident) ?? 0) + 1)
  let best: string | undefined
  for (const [incident, count] of counts) if (best === undefined || count > (counts.get(best) ?? 0)) best = incident
  return best
}
