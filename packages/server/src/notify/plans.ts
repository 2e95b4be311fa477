// Which channels a notification is owed to.
import type { Milliseconds, Notification } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Channel } from './channel.ts'
import { type Lane, type Told, toldAfter } from './lane.ts'
import type { LaneBook } from './lane-book.ts'
import { type Owed, owedOf } from './message.ts'

/** What was decided about a notification: the messages, and what channels know when the group ends without a word to them. */
export interface Plan {
  readonly owed: readonly Owed[]
  readonly closing: readonly Told[]
}

interface Receiver {
  readonly channels: readonly Channel[]
  readonly fallback: string | undefined
}

/** A decision that was not handed over by then was never stored. */
const DECIDING_MS: Milliseconds = 600_000
const PLANS_MAX = 10_000

/** Makes plans, and keeps them from their storing to their delivery. */
export class Plans {
  readonly #receivers: ReadonlyMap<string, Receiver>
  readonly #lanes: LaneBook
  readonly #clock: Pick<Clock, 'now'>
  readonly #plans = new Map<string, Plan>()
  /** Of notifications that are being stored, by their ids, the oldest first. */
  readonly #deciding = new Map<string, { readonly groupKey: string; readonly at: Milliseconds }>()

  constructor(receivers: ReadonlyMap<string, Receiver>, lanes: LaneBook, clock: Pick<Clock, 'now'>) {
    this.#receivers = receivers
    this.#lanes = lanes
    this.#clock = clock
  }

  make(notification: Notification): Plan {
    const now = this.#clock.now()
    const plan = this.#plan(notification)
    this.#plans.set(notification.id, plan)
    const [oldest] = this.#plans.keys()
    if (this.#plans.size > PLANS_MAX && oldest !== undefined) this.#plans.delete(oldest)
    this.#deciding.set(notification.id, { groupKey: notification.groupKey, at: now })
    for (const [id, { at }] of this.#deciding) {
      if (now - at < DECIDING_MS) break
      this.#deciding.delete(id)
    }
    return plan
  }

  /**
   * The plan that was made of a notification; made now where none was.
   *
   * @returns also what it would hold besides if it were made now: while it was being stored, another channel may have begun to stand in
   */
  take(notification: Notification): Plan & { readonly late: readonly Owed[] } {
    const now = this.#plan(notification)
    const plan = this.#plans.get(notification.id) ?? now
    this.#plans.delete(notification.id)
    this.#deciding.delete(notification.id)
    return { ...plan, late: now.owed.filter(({ channel }) => !plan.owed.some((one) => one.channel === channel)) }
  }

  /** Whether a decision of a group is being stored, which was made without knowledge of what happens now. */
  isDeciding(groupKey: string): boolean {
    const now = this.#clock.now()
    return [...this.#deciding.values()].some((one) => one.groupKey === groupKey && now - one.at < DECIDING_MS)
  }

  /** Whether it may be owed something that fires: what stands in the log alone is not known. */
  #owesFiring(lane: Lane | undefined): boolean {
    return lane?.owesFiring === true || this.#lanes.isSpilled
  }

  #plan(notification: Notification): Plan {
    const { receiver: name, groupKey, status } = notification
    const receiver = this.#receivers.get(name)
    const owed: Owed[] = []
    const closing: Told[] = []
    // Who was told in place of another hears how it went on, and need not be told again by those who do not take it.
    const fallback = receiver?.fallback === undefined ? undefined : this.#lanes.find(receiver.fallback, groupKey)
    const standsIn = fallback !== undefined && fallback.standsInFor !== ''
    for (const channel of receiver?.channels ?? []) {
      const lane = this.#lanes.find(channel.name, groupKey)
      const one = { ...owedOf(notification, channel.name), fellBack: standsIn }
      if (channel.sendResolved || status !== 'resolved' || this.#owesFiring(lane)) owed.push(one)
      else if (lane?.told !== undefined && lane.isOpen) closing.push(toldAfter(lane.told, one, lane.told.memory, this.#clock.now()))
    }
    if (standsIn) owed.push(owedOf(notification, fallback.channel.name, fallback.standsInFor))
    return { owed, closing }
  }
}
