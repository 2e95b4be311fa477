// Alerts that are told together to one receiver: when, and what of them was told.
import type { Labels, Milliseconds, StateEntry } from '@andon/model'
import { nothingTold, type Told } from './dedup.ts'
import { type HeldAlert, toldLabels } from './held-alert.ts'
import type { GroupPlace, RouteNode } from './route.ts'
import { isPage, serviceOf } from './severity.ts'

/** Why an alert of a group is not told. */
export interface Mute {
  readonly silencedBy: readonly string[]
  readonly inhibitedBy: readonly string[]
}

/** What is kept of a group over a restart: the decision of its last flush that decided something. */
export interface GroupRecord {
  readonly receiver: string
  readonly groupKey: string
  readonly labels: Labels
  /** From which flush the intervals are counted. */
  readonly anchor: Milliseconds
  readonly flushedAt: Milliseconds
  readonly told: Told
  /** Messages of the same millisecond before the last one: pages may come one by one. */
  readonly nth: number
  /** The incident by which the receiver knows it, from its first message to its last. */
  readonly incident: string | undefined
  /** By fingerprint. */
  readonly mutes: Readonly<Record<string, Mute>>
  /** Names of the intervals of the calendar in which nothing is told. */
  readonly quietBy: readonly string[]
}

/** The interval of what was told by a route that is not configured any more. */
const DETACHED_INTERVAL: Milliseconds = 300_000

export const groupId = (receiver: string, groupKey: string): string => `${receiver}\n${groupKey}`

export class Group {
  readonly receiver: string
  readonly groupKey: string
  readonly labels: Labels
  /** Undefined where no route leads here any more: then only what is owed is told. */
  readonly route: RouteNode | undefined
  /** Fingerprints. */
  readonly members: Set<string> = new Set()
  /** Undefined until its first flush. */
  record: GroupRecord | undefined
  /** When it is flushed next. */
  due: Milliseconds = Infinity

  constructor({ receiver, groupKey, labels }: Pick<GroupRecord, 'receiver' | 'groupKey' | 'labels'>, route: RouteNode | undefined) {
    this.receiver = receiver
    this.groupKey = groupKey
    this.labels = labels
    this.route = route
  }

  static at({ route, labels, groupKey }: GroupPlace): Group {
    return new Group({ receiver: route.config.receiver, groupKey, labels }, route)
  }

  get id(): string {
    return groupId(this.receiver, this.groupKey)
  }

  get told(): Told {
    return this.record?.told ?? nothingTold
  }

  get intervalMs(): Milliseconds {
    return this.route?.config.groupIntervalMs ?? DETACHED_INTERVAL
  }

  /** The first slot of its intervals after a time. */
  slotAfter(time: Milliseconds): Milliseconds {
    const anchor = this.record?.anchor ?? time
    return anchor + (Math.floor((time - anchor) / this.intervalMs) + 1) * this.intervalMs
  }

  #waitOf(held: HeldAlert): Milliseconds {
    const { pageWaitMs, groupWaitMs } = this.route?.config ?? { pageWaitMs: undefined, groupWaitMs: 0 }
    return (isPage(toldLabels(held)) ? pageWaitMs : undefined) ?? groupWaitMs
  }

  /** When a group is flushed for the first time in which an alert begins. One that began long ago has waited already, as in Alertmanager. */
  firstDue(held: HeldAlert, at: Milliseconds): Milliseconds {
    const wait = this.#waitOf(held)
    return held.alert.startsAt + wait < at ? at : at + wait
  }

  /**
   * Sees to it that an alert that fires is told in time.
   *
   * @param at - when it began to fire, or fired again
   */
  expect(held: HeldAlert, at: Milliseconds): void {
    const { record, route } = this
    if (record === undefined) this.due = Math.min(this.due, this.firstDue(held, at))
    else if (route?.config.pageWaitMs !== undefined && isPage(toldLabels(held)) && at >= record.flushedAt && !this.#isDecided(held, record)) this.due = Math.min(this.due, at + route.config.pageWaitMs)
  }

  #isDecided({ fingerprint }: HeldAlert, { told, mutes, quietBy }: GroupRecord): boolean {
    return told.firing.includes(fingerprint) || mutes[fingerprint] !== undefined || quietBy.length > 0
  }

  /** Whether one that is resolved left the group at its last flush. In the millisecond of that flush it may have been before it or after. */
  hasLeft(held: HeldAlert, record: GroupRecord): boolean {
    if (record.told.firing.includes(held.fingerprint) || held.changedAt > record.flushedAt) return false
    return held.changedAt < record.flushedAt || !this.#isDecided(held, record)
  }

  /**
   * Finds after a restart when it is flushed next: at once when a flush was missed in which a change was to be decided on.
   *
   * @param changedAt - when each of its members last changed
   */
  resume(now: Milliseconds, changedAt: Iterable<Milliseconds>): void {
    const { record } = this
    if (record === undefined) return
    const last = this.slotAfter(now) - this.intervalMs
    const isMissed = last > record.flushedAt && [...changedAt].some((time) => time > record.flushedAt && time < last)
    this.due = Math.min(this.due, isMissed ? now : this.slotAfter(now))
  }

  entry(record: GroupRecord, isClosed: boolean): StateEntry {
    return { ...closedRow(record), state: isClosed ? 'closed' : 'open' }
  }
}

/** The row of a group that is gone. */
export function closedRow(record: GroupRecord): StateEntry {
  return { kind: 'alert-group', key: groupId(record.receiver, record.groupKey), state: 'closed', service: serviceOf(record.labels), severity: '', actor: '', doc: record }
}

/** What a row says; undefined where it is not understood. */
export function recordOf(doc: unknown): GroupRecord | undefined {
  if (!isRecord(doc)) return undefined
  return { ...doc, told: { ...doc.told, at: doc.told.at }, incident: doc.incident }
}

function isRecord(doc: unknown): doc is GroupRecord {
  return typeof doc === 'object' && doc !== null && 'receiver' in doc && 'groupKey' in doc && 'told' in doc && 'anchor' in doc
}
