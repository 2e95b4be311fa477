// What the fall-back channel is told in place of another.
import type { Channel } from './channel.ts'
import type { LaneBook } from './lane-book.ts'
import { messageKey, type Owed } from './message.ts'
import type { OutboxReceiver } from './outbox-deps.ts'

export class Fallbacks {
  readonly #receivers: ReadonlyMap<string, OutboxReceiver>
  readonly #lanes: Pick<LaneBook, 'find'>
  readonly #channelOf: (name: string) => Channel | undefined

  constructor(receivers: ReadonlyMap<string, OutboxReceiver>, lanes: Pick<LaneBook, 'find'>, channelOf: (name: string) => Channel | undefined) {
    this.#receivers = receivers
    this.#lanes = lanes
    this.#channelOf = channelOf
  }

  /** The channel to which a message may fall back; undefined where there is none. */
  of({ channel, notification }: Owed): Channel | undefined {
    const receiver = this.#receivers.get(notification.receiver)
    if (receiver?.fallback === undefined || receiver.fallback === channel) return undefined
    const fallback = this.#channelOf(receiver.fallback)
    // A channel of the same receiver is told anyway.
    return fallback === undefined || receiver.channels.includes(fallback) ? undefined : fallback
  }

  /** The same message for the fall-back channel; undefined where it has had it, or there is none, or it has nothing to hear. */
  insteadOf(owed: Owed): Owed | undefined {
    const fallback = this.of(owed)
    if (fallback === undefined || owed.fellBack || owed.insteadOf !== '') return undefined
    const { alerts, groupKey } = owed.notification
    const told = this.#lanes.find(owed.channel, groupKey)?.told?.firing ?? {}
    const toldThere = this.#lanes.find(fallback.name, groupKey)?.told?.firing ?? {}
    // What began is news to who has not heard of it; what ended, to who does not know that the channel was never told of it.
    const isNews = owed.earlier.length > 0 || alerts.some(({ status, fingerprint, startsAt }) => (status === 'firing' ? toldThere : told)[fingerprint] !== startsAt)
    if (!isNews) return undefined
    return { ...owed, key: `${messageKey(owed.notification.id, fallback.name)}/${owed.channel}`, channel: fallback.name, insteadOf: owed.channel, fellBack: true, absorbed: [] }
  }
}
