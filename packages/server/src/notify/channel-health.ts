// How channels fare: what they took last, why they did not, and which take nothing until a person mends them.
import type { Labels, Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Channel, ChannelType } from './channel.ts'
import type { MessageRow } from './message.ts'
import type { MetaAlerts } from './meta.ts'

/** As people are shown it. */
export interface ChannelState {
  readonly name: string
  readonly receiver: string
  readonly type: ChannelType
  /** Whom it tells; no secret. */
  readonly target: string
  readonly sendResolved: boolean
  readonly state: 'ok' | 'failing' | 'disabled'
  readonly lastDeliveredAt: Milliseconds | null
  /** Why it did not take a message last; '' where it took the last one. */
  readonly lastError: string
  /** Since when it is disabled. */
  readonly disabledSince: Milliseconds | null
}

interface Health {
  readonly channel: Channel
  lastDeliveredAt: Milliseconds | null
  lastError: string
  disabledSince: Milliseconds | null
}

const metaLabels = (channel: string): Labels => ({ alertname: 'AndonChannelDisabled', channel, severity: 'critical' })

export class ChannelHealth {
  readonly #channels: ReadonlyMap<string, Health>
  readonly #meta: Pick<MetaAlerts, 'raise' | 'clear'>
  readonly #clock: Pick<Clock, 'now'>

  constructor(channels: readonly Channel[], meta: Pick<MetaAlerts, 'raise' | 'clear'>, clock: Pick<Clock, 'now'>) {
    this.#channels = new Map(channels.map((channel) => [channel.name, { channel, lastDeliveredAt: null, lastError: '', disabledSince: null }]))
    this.#meta = meta
    this.#clock = clock
  }

  /** Takes which were disabled. */
  restore(rows: readonly { readonly key: string; readonly state: string; readonly written: Milliseconds; readonly doc: unknown }[]): void {
    for (const { key, state, written, doc } of rows) {
      const health = this.#channels.get(key)
      if (health === undefined || state !== 'disabled') continue
      const detail: unknown = typeof doc === 'object' && doc !== null ? Reflect.get(doc, 'detail') : undefined
      this.#disable(health, typeof detail === 'string' ? detail : '', written)
    }
  }

  channel(name: string): Channel | undefined {
    return this.#channels.get(name)?.channel
  }

  get disabledCount(): number {
    return [...this.#channels.values()].filter(({ disabledSince }) => disabledSince !== null).length
  }

  isDisabled(name: string): boolean {
    return (this.#channels.get(name)?.disabledSince ?? null) !== null
  }

  failed(name: string, detail: string): void {
    const health = this.#channels.get(name)
    if (health !== undefined) health.lastError = detail
  }

  delivered(name: string, at: Milliseconds): void {
    const health = this.#channels.get(name)
    if (health === undefined) return
    health.lastDeliveredAt = at
    health.lastError = ''
  }

  /** @returns the row that says so */
  disable(name: string, detail: string): MessageRow {
    const health = this.#channels.get(name)
    if (health !== undefined) this.#disable(health, detail, this.#clock.now())
    return { kind: 'channel', key: name, state: 'disabled', service: '', severity: '', actor: '', doc: { detail } }
  }

  #disable(health: Health, detail: string, since: Milliseconds): void {
    health.disabledSince = since
    health.lastError = detail
    const { name } = health.channel
    this.#meta.raise(metaLabels(name), {
      summary: `The channel ${name} takes no messages`,
      description: `${detail}. What it is owed is kept for a day and told when it is mended: andon notify test ${name}.`,
    })
  }

  /** @returns the row that says so */
  enable(name: string): MessageRow {
    const health = this.#channels.get(name)
    if (health !== undefined) {
      health.disabledSince = null
      health.lastError = ''
      this.#meta.clear(metaLabels(name))
    }
    return { kind: 'channel', key: name, state: 'enabled', service: '', severity: '', actor: '', doc: {} }
  }

  /** In the order in which they were configured. */
  states(): readonly ChannelState[] {
    return [...this.#channels.values()].map(({ channel, lastDeliveredAt, lastError, disabledSince }) => ({
      name: channel.name,
      receiver: channel.receiver,
      type: channel.type,
      target: channel.target,
      sendResolved: channel.sendResolved,
      state: disabledSince === null ? (lastError === '' ? 'ok' : 'failing') : 'disabled',
      lastDeliveredAt,
      lastError,
      disabledSince,
    }))
  }
}
