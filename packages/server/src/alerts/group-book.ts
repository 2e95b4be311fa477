// All groups, and which alerts are in which.
import type { Milliseconds } from '@andon/model'
import { Group, groupId, type GroupRecord } from './group.ts'
import { type HeldAlert, isToldFiring, toldLabels } from './held-alert.ts'
import type { RouteNode } from './route.ts'

/** Groups that there are at most; an alert that would need a further one falls into the one of its route without labels. */
const GROUPS_MAX = 20_000

export class GroupBook {
  #root: RouteNode
  readonly #groups = new Map<string, Group>()
  readonly #ofAlert = new Map<string, Set<Group>>()

  constructor(root: RouteNode) {
    this.#root = root
  }

  get size(): number {
    return this.#groups.size
  }

  all(): Iterable<Group> {
    return this.#groups.values()
  }

  /** The groups that an alert is in. */
  of(fingerprint: string): ReadonlySet<Group> {
    return this.#ofAlert.get(fingerprint) ?? new Set()
  }

  nextDue(): Milliseconds {
    let next = Infinity
    for (const { due } of this.#groups.values()) if (due < next) next = due
    return next
  }

  /** Those that are due, the longest first, as many as hold `alerts` together; one at least. */
  due(now: Milliseconds, alerts: number): Group[] {
    let sum = 0
    return [...this.#groups.values()]
      .filter((group) => group.due <= now)
      .toSorted((a, b) => a.due - b.due)
      .filter(({ members }, index) => (sum += members.size) <= alerts || index === 0)
  }

  #join(group: Group, fingerprint: string): void {
    this.#groups.set(group.id, group)
    group.members.add(fingerprint)
    const held = this.#ofAlert.get(fingerprint)
    if (held === undefined) this.#ofAlert.set(fingerprint, new Set([group]))
    else held.add(group)
  }

  /** Puts an alert that fires into the groups of its routes. */
  place(held: HeldAlert, at: Milliseconds): void {
    for (const route of this.#root.match(toldLabels(held))) {
      const place = route.place(toldLabels(held))
      const known = this.#groups.get(groupId(route.config.receiver, place.groupKey))
      const group = known ?? (this.#groups.size < GROUPS_MAX ? Group.at(place) : this.#overflow(route))
      this.#join(group, held.fingerprint)
      group.expect(held, at)
    }
  }

  /** One message with too much in it is better than none. */
  #overflow(route: RouteNode): Group {
    const groupKey = `${route.key}:{}`
    return this.#groups.get(groupId(route.config.receiver, groupKey)) ?? Group.at({ route, labels: {}, groupKey })
  }

  leave(group: Group, fingerprints: Iterable<string>): void {
    for (const fingerprint of fingerprints) {
      group.members.delete(fingerprint)
      const held = this.#ofAlert.get(fingerprint)
      held?.delete(group)
      if (held?.size === 0) this.#ofAlert.delete(fingerprint)
    }
    if (group.members.size === 0) this.#groups.delete(group.id)
  }

  /**
   * Makes all groups anew: after a restart, or by other routes.
   *
   * @param records - of groups that were told of
   * @param receivers - that there are; what was told to others is owed to nobody
   * @returns records of groups that are gone
   */
  arrange(root: RouteNode, alerts: Iterable<HeldAlert>, records: readonly GroupRecord[], { now, receivers }: { readonly now: Milliseconds; readonly receivers: ReadonlySet<string> }): GroupRecord[] {
    this.#root = root
    this.#groups.clear()
    this.#ofAlert.clear()
    const held = new Map([...alerts].map((one) => [one.fingerprint, one]))
    const known = new Map(records.map((record) => [groupId(record.receiver, record.groupKey), record]))
    const byId = new Map<string, { group: Group; readonly members: HeldAlert[] }>()
    for (const alert of held.values()) {
      for (const route of root.match(toldLabels(alert))) {
        const place = route.place(toldLabels(alert))
        const id = groupId(route.config.receiver, place.groupKey)
        const found = byId.get(id) ?? { group: Group.at(place), members: [] }
        byId.set(id, found)
        found.members.push(alert)
      }
    }
    for (const [id, { group, members }] of byId) {
      group.record = known.get(id)
      for (const alert of members) this.#rejoin(group, alert, now)
    }
    const gone = records.filter((record) => !this.#groups.has(groupId(record.receiver, record.groupKey)) && !this.#detach(record, held, receivers))
    for (const group of this.#groups.values()) group.resume(now, [...group.members].flatMap((fingerprint) => held.get(fingerprint)?.changedAt ?? []))
    return gone
  }

  /** One that was resolved belongs to a group only as long as something of it is owed there. */
  #rejoin(group: Group, alert: HeldAlert, now: Milliseconds): void {
    const isFiring = isToldFiring(alert, now)
    if (group.record === undefined) {
      // Past its first flush without a record, the group was closed since; then it counts only that it fires again.
      const isWaiting = group.firstDue(alert, alert.beganAt) > now
      if (!isWaiting && !isFiring) return
      this.#join(group, alert.fingerprint)
      group.expect(alert, isWaiting ? alert.beganAt : alert.changedAt)
      return
    }
    if (!isFiring && group.hasLeft(alert, group.record)) return
    this.#join(group, alert.fingerprint)
    if (isFiring) group.expect(alert, alert.changedAt)
  }

  /** Keeps a group that no route leads to for as long as it is owed that its alerts have ended. */
  #detach(record: GroupRecord, held: ReadonlyMap<string, HeldAlert>, receivers: ReadonlySet<string>): boolean {
    const owed = record.told.firing.filter((fingerprint) => held.has(fingerprint))
    if (owed.length === 0 || !receivers.has(record.receiver)) return false
    const group = new Group(record, undefined)
    group.record = record
    for (const fingerprint of owed) this.#join(group, fingerprint)
    return true
  }
}
