// All groups of all channels, in bounded memory.
import type { Milliseconds } from '@andon/model'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { Channel } from './channel.ts'
import { COOL_DOWN_MS, Lane, laneKey, readTold, type Told, toldRow } from './lane.ts'
import { type MessageRow, type Owed, readOwed } from './message.ts'

interface Logged {
  readonly key: string
  readonly revision: number
  readonly state: string
  readonly doc: unknown
}

/** Messages that are over and may still be found in a log that was read before. */
const RECENT_MAX = 20_000

export class LaneBook {
  readonly #max: number
  readonly #lanes = new Map<string, Lane>()
  readonly #owing = new Set<Lane>()
  /** Keys that were taken: what a log says again is not told again. */
  readonly #recent = new Set<string>()
  readonly #spilled: ReturnType<OwnMetrics['counter']>
  #isSpilled = false
  #isReading = false
  /** Something did not fit since the log was asked. */
  #cameLate = false

  /** @param max - lanes that are owed something; what comes past it stays in the log alone */
  constructor(max: number, own: Pick<OwnMetrics, 'counter'>) {
    this.#max = max
    this.#spilled = own.counter('andon_notify_spilled_total', 'Messages that had no room in memory and were read from the log later.')
  }

  find(channel: string, groupKey: string): Lane | undefined {
    return this.#lanes.get(laneKey(channel, groupKey))
  }

  /** Whether a message stands in the log already, as far as this process knows: a row that says again that it is owed would be believed. */
  isKnown({ key, channel, notification }: Owed): boolean {
    return this.#recent.has(key) || this.find(channel, notification.groupKey)?.knows(key) === true
  }

  /** Lanes that are owed something. */
  owing(): readonly Lane[] {
    for (const lane of this.#owing) if (lane.isIdle) this.#owing.delete(lane)
    return [...this.#owing]
  }

  get isSpilled(): boolean {
    return this.#isSpilled
  }

  /** Gives a message to its lane; undefined where it is there already, or stays in the log for now. */
  take(channel: Channel, owed: Owed): Lane | undefined {
    const { groupKey } = owed.notification
    if (this.isKnown(owed)) return undefined
    const known = this.find(channel.name, groupKey)
    const isOwing = known !== undefined && !known.isIdle
    // Once one waits in the log, all that come after it wait there too: else they would overtake it.
    if (!isOwing && owed.insteadOf === '' && (this.#isSpilled || (this.#owing.size >= this.#max && this.owing().length >= this.#max))) {
      this.#isSpilled = true
      this.#cameLate = true
      this.#spilled.add(1)
      return undefined
    }
    const lane = known ?? new Lane(channel, groupKey)
    this.#remember(owed.key)
    this.#lanes.set(lane.key, lane)
    this.#owing.add(lane)
    lane.add(owed)
    this.#bound()
    return lane
  }

  /** A lane that is about to be given a message in place of another channel, and tells nothing before. */
  reserve(channel: Channel, { insteadOf, notification: { groupKey } }: Owed): Lane {
    const lane = this.find(channel.name, groupKey) ?? new Lane(channel, groupKey)
    this.#lanes.set(lane.key, lane)
    lane.holds += 1
    lane.expectsFor = insteadOf
    return lane
  }

  #remember(key: string): void {
    this.#recent.add(key)
    if (this.#recent.size > RECENT_MAX) for (const oldest of this.#recent) return void this.#recent.delete(oldest)
  }

  /** Lanes that have ended are forgotten first; their rows say what is needed after a restart. */
  #bound(): void {
    if (this.#lanes.size <= this.#max * 2) return
    for (const [key, lane] of this.#lanes) {
      if (lane.isIdle && !lane.isOpen) this.#lanes.delete(key)
      if (this.#lanes.size <= this.#max) return
    }
  }

  /** Whether messages that wait in the log should be read now. Who is told so calls `refill` or `notRead`. */
  wantsRefill(): boolean {
    if (!this.#isSpilled || this.#isReading || this.owing().length > this.#max / 2) return false
    this.#isReading = true
    this.#cameLate = false
    return true
  }

  /** Takes what the log was asked for; what did not fit meanwhile is asked for again. */
  refill(take: () => void): void {
    this.#isReading = false
    this.#isSpilled = false
    take()
    this.#isSpilled ||= this.#cameLate
  }

  notRead(): void {
    this.#isReading = false
  }

  told(told: Told): void {
    const lane = this.#lanes.get(laneKey(told.channel, told.groupKey))
    if (lane !== undefined) lane.told = told
  }

  /** Takes what was told before. @returns rows that forget what ended long ago */
  restore(rows: readonly Logged[], channelOf: (name: string) => Channel | undefined, now: Milliseconds): readonly MessageRow[] {
    const forgotten: MessageRow[] = []
    for (const { key, state, doc } of rows) {
      const told = key.startsWith('lane/') ? readTold(doc) : undefined
      if (told === undefined) continue
      const channel = channelOf(told.channel)
      if (state === 'closed' && now - told.at > COOL_DOWN_MS) forgotten.push({ ...toldRow(told), state: 'gone' })
      else if (channel !== undefined) this.#lanes.set(key, new Lane(channel, told.groupKey, told))
    }
    return forgotten
  }

  /** Messages that are owed, in the order in which they were decided. */
  owedOf(rows: readonly Logged[]): readonly Owed[] {
    return rows
      .flatMap(({ key, state, doc, revision }) => {
        const owed = key.startsWith('m/') && state === 'queued' ? readOwed(key, doc) : undefined
        return owed === undefined ? [] : [{ owed, revision }]
      })
      .toSorted((a, b) => a.owed.notification.decidedAt - b.owed.notification.decidedAt || a.revision - b.revision)
      .map(({ owed }) => owed)
  }

  /** Whether another group of the same incident still fires, or will be told to fire, on the same channel. */
  othersFire(lane: Lane, { notification: { incident } }: Owed): boolean {
    if (incident === undefined) return false
    for (const other of this.#lanes.values()) {
      if (other === lane || other.channel !== lane.channel) continue
      if (other.told?.incident === incident && other.isOpen) return true
      if (other.pending?.notification.incident === incident && other.owesFiring) return true
    }
    return false
  }
}
