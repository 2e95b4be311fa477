// The outbox: decisions become messages that cannot be lost.
import { AndonError, type Milliseconds, type Notification, type Outbox, type StateEntry, type TimeRange } from '@andon/model'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { Channel, Outcome } from './channel.ts'
import { ChannelHealth } from './channel-health.ts'
import { Fallbacks } from './fallbacks.ts'
import { Lane, toldAfter, toldRow } from './lane.ts'
import { LaneBook } from './lane-book.ts'
import { Ledger } from './ledger.ts'
import { type MessageRow, type Owed, owedOf, queuedRow, settledRow } from './message.ts'
import { MetaAlerts } from './meta.ts'
import type { LoggedMessage, OutboxDeps, OutboxReceiver } from './outbox-deps.ts'
import { channelViews, type ChannelView, oldestMs, writtenMessages } from './outbox-view.ts'
import { Plans } from './plans.ts'
import { type Attempt, defaultTiming, type Timing, Worker } from './worker.ts'
import { titleOf } from './words.ts'

/** States of rows of which nothing is owed and nothing remembered. */
const OVER = ['delivered', 'given-up', 'coalesced', 'gone']
/** How long an end waits for messages under way. */
const STOP_MS: Milliseconds = 5000
const LANES_MAX = 10_000
/** Messages that became part of another and are still named by rows of their own. */
const ABSORBED_MAX = 64
/** How long an alert about a message that was given up lasts. */
const GIVEN_UP_MS: Milliseconds = 3_600_000

/**
 * Owns its timers from `start` to `stop`. Every message is a row of the state log before anybody hears of it, and is owed until a row says
 * otherwise: a restart resumes what is owed. Told at least once; what was told twice has the same idempotency key.
 */
export class MessageOutbox implements Outbox {
  readonly #deps: OutboxDeps
  readonly #timing: Timing
  readonly #receivers: ReadonlyMap<string, OutboxReceiver>
  readonly #lanes: LaneBook
  readonly #worker: Worker
  readonly #health: ChannelHealth
  readonly #meta: MetaAlerts
  readonly #plans: Plans
  readonly #ledger: Ledger
  readonly #attempts: ReturnType<OwnMetrics['counter']>
  readonly #fellBack: ReturnType<OwnMetrics['counter']>
  readonly #fallbacks: Fallbacks

  private constructor(deps: OutboxDeps) {
    const { clock, random = Math.random, timing = defaultTiming, own, receivers, lanesMax = LANES_MAX } = deps
    this.#deps = deps
    this.#timing = timing
    this.#receivers = new Map(receivers.map((receiver) => [receiver.name, receiver]))
    this.#meta = new MetaAlerts(deps.alerts, clock, deps.logger)
    this.#health = new ChannelHealth(receivers.flatMap(({ channels }) => channels), this.#meta, clock)
    this.#lanes = new LaneBook(lanesMax, own)
    this.#fallbacks = new Fallbacks(this.#receivers, this.#lanes, (name) => this.#channel(name))
    this.#plans = new Plans(this.#receivers, this.#lanes, clock)
    this.#worker = new Worker({
      clock,
      random,
      timing,
      picture: deps.picture ?? (() => Promise.resolve(undefined)),
      othersFire: (lane, owed) => this.#lanes.othersFire(lane, owed),
      settled: async (attempt) => await this.#settled(attempt),
      failed: (error) => deps.logger.error('the outbox failed', { error }),
      waited: (lane, owed, now) => this.#waited(lane, owed, now),
    })
    this.#ledger = new Ledger({ ...deps, random, signal: this.#worker.signal, written: () => this.#worker.soon() })
    this.#attempts = own.counter('andon_notify_attempts_total', 'Attempts to tell a message, by channel and outcome.')
    this.#fellBack = own.counter('andon_notify_fallbacks_total', 'Messages that were given to the fall-back channel as well, by channel.')
    own.gauge('andon_notify_queued', 'Messages that wait to be told or are being told.', () => this.#lanes.owing().length)
    own.gauge('andon_notify_oldest_seconds', 'How long the oldest message has been waiting.', () => oldestMs(this.#lanes, clock.now()) / 1000)
    own.gauge('andon_notify_channels_disabled', 'Channels that take nothing until a person mends them.', () => this.#health.disabledCount)
  }

  /** Reads what is owed and what was told before. Nothing is told before `start`. */
  static async open(deps: OutboxDeps): Promise<MessageOutbox> {
    const outbox = new MessageOutbox(deps)
    outbox.#health.restore(await deps.log.latest('channel', { except: ['enabled'] }))
    await outbox.#restore()
    return outbox
  }

  start(): void {
    this.#meta.start()
    this.#worker.start()
  }

  /** Ends; what is still owed stays in the log. */
  async stop(): Promise<void> {
    this.#meta.stop()
    await this.#worker.stop(STOP_MS)
    await this.#ledger.drained()
  }

  #channel(name: string): Channel | undefined {
    return this.#health.channel(name)
  }

  async #restore(): Promise<void> {
    const { log, clock } = this.#deps
    const rows = await log.latest('message', { except: OVER })
    const forgotten = this.#lanes.restore(rows, (name) => this.#channel(name), clock.now())
    if (forgotten.length > 0) await log.append(forgotten)
    this.#enqueueLogged(rows)
  }

  #enqueueLogged(rows: readonly LoggedMessage[]): void {
    for (const owed of this.#lanes.owedOf(rows)) {
      if (this.#channel(owed.channel) === undefined) this.#ledger.write(this.#orphaned(owed))
      else this.#enqueue(owed)
    }
  }

  /** Its channel is configured no more: the fall-back channel is told, and people. */
  async #orphaned(owed: Owed): Promise<void> {
    const detail = `the channel ${owed.channel} is not configured any more`
    await this.#recordWith([settledRow(owed, owed.key, 'given-up', { detail })], this.#fallbacks.insteadOf(owed))
    this.#gaveUp(owed, detail)
  }

  /** Stores rows, and with them what another channel is owed; what is decided meanwhile is told there after it. */
  async #recordWith(rows: readonly MessageRow[], instead: Owed | undefined): Promise<void> {
    const channel = instead === undefined ? undefined : this.#channel(instead.channel)
    if (instead === undefined || channel === undefined) return await this.#ledger.record(rows)
    const lane = this.#lanes.reserve(channel, instead)
    await this.#ledger.record([...rows, queuedRow(instead)])
    this.#enqueue(instead)
    lane.expectsFor = ''
    lane.holds -= 1
    this.#worker.soon()
  }

  entries(notifications: readonly Notification[]): readonly StateEntry[] {
    return notifications.flatMap((notification) => {
      const { owed, closing } = this.#plans.make(notification)
      if (this.#receivers.size > 0 && !this.#receivers.has(notification.receiver)) this.#isUnknown(notification.receiver)
      return [...owed.filter((one) => !this.#lanes.isKnown(one)).map(queuedRow), ...closing.map(toldRow)]
    })
  }

  /** Whom nobody has configured nobody can tell; where there is no receiver at all, that is wanted. */
  #isUnknown(receiver: string): void {
    this.#deps.logger.error('a receiver is not configured', { receiver })
    this.#meta.raise({ alertname: 'AndonReceiverUnknown', receiver, severity: 'critical' }, { summary: `The receiver ${receiver} is told of alerts and is not configured`, description: 'A route names it, and notify.receivers does not.' }, GIVEN_UP_MS)
  }

  deliver(notifications: readonly Notification[]): void {
    for (const notification of notifications) {
      const { owed, closing, late } = this.#plans.take(notification)
      for (const told of closing) this.#lanes.told(told)
      for (const one of owed) this.#enqueue(one)
      for (const one of late) this.#ledger.write(this.#recordWith([], one))
    }
  }

  #enqueue(owed: Owed): void {
    const channel = this.#channel(owed.channel)
    if (channel === undefined) return
    const lane = this.#lanes.take(channel, owed)
    // It stands in the log, and is read again when there is room.
    if (lane === undefined) return
    if ((lane.pending?.absorbed.length ?? 0) >= ABSORBED_MAX) this.#ledger.write(this.#keepMerged(lane))
    this.#worker.owes(lane)
  }

  /** Stores what became one message as one, so that no end of rows waits for it; and what the fall-back channel is owed with it. */
  async #keepMerged(lane: Lane, more: Partial<Owed> = {}, instead?: Owed): Promise<void> {
    const { pending } = lane
    if (pending === undefined || lane.holds > 0) return
    const { absorbed } = pending
    const kept = { ...pending, ...more, absorbed: [] }
    lane.pending = kept
    // What is told meanwhile would be said to be owed by a row that is written later.
    lane.holds += 1
    await this.#recordWith([...absorbed.map(({ key }) => settledRow(pending, key, 'coalesced', { into: pending.notification.id })), queuedRow(kept)], instead)
    lane.holds -= 1
    this.#ledger.tell(pending, absorbed.map(({ notification }) => notification), 'coalesced')
  }

  /** What waits too long is given up, and before that to the fall-back channel. @returns when to look again */
  #waited(lane: Lane, owed: Owed, now: Milliseconds): Milliseconds | undefined {
    const { fallbackAfterMs, giveUpAfterMs } = this.#timing
    const giveUpAt = owed.since + giveUpAfterMs
    if (lane.holds > 0) return undefined
    if (giveUpAt <= now) {
      this.#ledger.write(this.#giveUp(lane, lane.take(), `it was not taken for ${Math.round(giveUpAfterMs / 3_600_000)} h: ${lane.lastError === '' ? 'there was no attempt' : lane.lastError}`))
      return undefined
    }
    if (owed.fellBack || owed.insteadOf !== '' || this.#plans.isDeciding(lane.groupKey) || this.#fallbacks.of(owed) === undefined) return giveUpAt
    const at = this.#health.isDisabled(lane.channel.name) ? now : owed.since + fallbackAfterMs
    if (at > now) return Math.min(at, giveUpAt)
    this.#ledger.write(this.#fallBack(lane, owed))
    return giveUpAt
  }

  async #fallBack(lane: Lane, owed: Owed): Promise<void> {
    const instead = this.#fallbacks.insteadOf(owed)
    await this.#keepMerged(lane, { fellBack: true }, instead)
    if (instead === undefined) return
    this.#fellBack.add(1, { channel: owed.channel })
    this.#ledger.tell(owed, [owed.notification.id], 'retrying', `told to ${instead.channel} as well: ${lane.lastError}`)
  }

  async #giveUp(lane: Lane, owed: Owed, detail: string): Promise<void> {
    const now = this.#deps.clock.now()
    const instead = this.#fallbacks.insteadOf(owed)
    // Of what has ended nothing more will be said.
    const told = owed.notification.status === 'resolved' && lane.told !== undefined ? toldAfter(lane.told, owed, lane.told.memory, now) : undefined
    const rows = [owed.key, ...owed.absorbed.map(({ key }) => key)].map((key) => settledRow(owed, key, 'given-up', { detail }))
    await this.#recordWith([...rows, ...(told === undefined ? [] : [toldRow(told)])], instead)
    if (told !== undefined) lane.told = told
    lane.giveUp()
    this.#gaveUp(owed, detail)
    this.#afterwards()
  }

  #gaveUp(owed: Owed, detail: string): void {
    const { channel, notification, absorbed } = owed
    this.#ledger.count(channel, 'given-up', 1 + absorbed.length)
    this.#deps.logger.error('a message was given up', { channel, notification: notification.id, detail })
    this.#meta.raise(
      { alertname: 'AndonMessageGivenUp', channel, severity: 'critical' },
      { summary: `A message to ${channel} was given up`, description: `${detail}. It was about ${notification.groupKey}.` },
      GIVEN_UP_MS,
    )
    this.#ledger.tell(owed, [notification.id, ...absorbed.map((one) => one.notification)], 'given-up', detail)
  }

  async #settled(attempt: Attempt): Promise<void> {
    const { lane, owed, outcome } = attempt
    this.#attempts.add(1, { channel: lane.channel.name, outcome: outcome.state })
    if (outcome.state === 'delivered') return await this.#delivered(attempt, outcome)
    if (outcome.state === 'refused') return await this.#giveUp(lane, owed, outcome.detail)
    this.#health.failed(lane.channel.name, outcome.detail)
    if (lane.attempts === 1) this.#ledger.tell(owed, [owed.notification.id], 'retrying', outcome.detail)
    if (outcome.state === 'disabled' && !this.#health.isDisabled(lane.channel.name)) {
      this.#deps.logger.error('a channel was disabled', { channel: lane.channel.name, detail: outcome.detail })
      await this.#ledger.record([this.#health.disable(lane.channel.name, outcome.detail)])
    }
  }

  async #delivered({ lane, owed, message, at, tookMs }: Attempt, outcome: Outcome & { readonly state: 'delivered' }): Promise<void> {
    const { channel, key, absorbed, notification } = owed
    const told = toldAfter(lane.told, owed, message === undefined ? lane.told?.memory : outcome.memory, at)
    const state = message === undefined ? 'coalesced' : 'delivered'
    const enabled = this.#health.isDisabled(channel) && message !== undefined ? [this.#health.enable(channel)] : []
    await this.#ledger.record([
      settledRow(owed, key, state, message === undefined ? { detail: 'that it has ended is not told here' } : { title: titleOf(message), tookMs, lateMs: at - owed.since, ...(outcome.detail !== undefined && { detail: outcome.detail }) }),
      ...absorbed.map((one) => settledRow(owed, one.key, 'coalesced', { into: notification.id })),
      toldRow(told),
      ...enabled,
    ])
    lane.told = told
    lane.current = undefined
    if (message !== undefined) this.#health.delivered(channel, at)
    this.#ledger.count(channel, state, 1)
    this.#ledger.count(channel, 'coalesced', absorbed.length)
    this.#ledger.tell(owed, [notification.id], state, outcome.detail)
    this.#ledger.tell(owed, absorbed.map((one) => one.notification), 'coalesced')
    this.#afterwards()
  }

  /** What had no room in memory is read from the log when there is. */
  #afterwards(): void {
    if (!this.#lanes.wantsRefill()) return
    this.#ledger.write(this.#refill())
  }

  async #refill(): Promise<void> {
    try {
      const rows = await this.#deps.log.latest('message', { except: OVER })
      this.#lanes.refill(() => this.#enqueueLogged(rows))
    } catch (error) {
      this.#lanes.notRead()
      this.#deps.logger.warn('messages could not be read', { error: String(error) })
      return
    }
    this.#afterwards()
  }

  /** How each channel fares, in the order of the configuration. */
  channels(): readonly ChannelView[] {
    return channelViews(this.#health, this.#lanes, this.#receivers)
  }

  /** Whether nothing is owed. */
  get isEmpty(): boolean {
    return this.#lanes.owing().length === 0 && !this.#lanes.isSpilled
  }

  /**
   * Sends a test message now, once, past the queue; a channel that takes it is enabled.
   *
   * @throws AndonError not_found
   */
  async test(name: string, notification: Notification): Promise<{ readonly outcome: Outcome; readonly tookMs: Milliseconds }> {
    const channel = this.#channel(name)
    if (channel === undefined) throw new AndonError('not_found', `There is no channel "${name.slice(0, 100)}".`, { hint: 'GET /api/notifications/channels lists them.' })
    const { clock } = this.#deps
    const lane = new Lane(channel, notification.groupKey)
    const begun = clock.now()
    const outcome = await this.#worker.once(lane, owedOf(notification, name))
    if (outcome.state === 'delivered') await this.enable(name)
    return { outcome, tookMs: clock.now() - begun }
  }

  /** Lets a channel that was disabled tell again. @returns whether it was disabled */
  async enable(name: string): Promise<boolean> {
    const channel = this.#channel(name)
    if (channel === undefined || !this.#health.isDisabled(name)) return false
    await this.#ledger.record([this.#health.enable(name)])
    this.#worker.destination(channel).succeeded()
    this.#worker.soon()
    return true
  }

  /** Messages that were written in a time, the newest of each, those last written first; at most `limit`. */
  async written(range: TimeRange, limit: number): Promise<readonly LoggedMessage[]> {
    return await writtenMessages(this.#deps.log, range, limit)
  }
}
