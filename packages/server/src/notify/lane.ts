// What one channel knows of one group, and what it is still owed of it: told one after another, in the order of the decisions.
import type { Milliseconds } from '@andon/model'
import type { Channel, OutMessage } from './channel.ts'
import { merged, type MessageRow, type Owed } from './message.ts'
import { digestOf } from './slack-webhook.ts'

/** What a channel was told of a group; kept in the state log. */
export interface Told {
  readonly channel: string
  readonly groupKey: string
  readonly incident: string | undefined
  /** When each alert that it was told of began, by fingerprint, as long as it was not told its end. */
  readonly firing: Readonly<Record<string, Milliseconds>>
  /** What the channel wants to be reminded of; JSON. */
  readonly memory: unknown
  /** The channel for which it stands in until the group has ended; '' for none. */
  readonly insteadOf: string
  readonly at: Milliseconds
}

/** Alerts that are remembered of one group. */
const FIRING_MAX = 2000
/** How long after its end an incident that opens again is the same message. */
export const COOL_DOWN_MS: Milliseconds = 86_400_000

export function laneKey(channel: string, groupKey: string): string {
  return `lane/${channel}/${digestOf(groupKey)}`
}

const isOpen = ({ firing }: Told): boolean => Object.keys(firing).length > 0

export function toldRow(told: Told): MessageRow {
  return { kind: 'message', key: laneKey(told.channel, told.groupKey), state: isOpen(told) ? 'told' : 'closed', service: '', severity: '', actor: '', doc: told }
}

/** As it is read back; undefined where it is not understood. */
export function readTold(doc: unknown): Told | undefined {
  if (typeof doc !== 'object' || doc === null) return undefined
  const { channel, groupKey, incident, firing, memory, insteadOf, at } = Object.fromEntries(Object.entries(doc)) as Record<string, unknown>
  if (typeof channel !== 'string' || typeof groupKey !== 'string' || typeof at !== 'number' || typeof firing !== 'object' || firing === null) return undefined
  const began = Object.entries(firing).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return { channel, groupKey, incident: typeof incident === 'string' ? incident : undefined, firing: Object.fromEntries(began), memory: memory ?? undefined, insteadOf: typeof insteadOf === 'string' ? insteadOf : '', at }
}

/** What is known after a message was delivered. */
export function toldAfter(before: Told | undefined, { notification, channel, insteadOf }: Owed, memory: unknown, at: Milliseconds): Told {
  const { alerts, status, incident, groupKey } = notification
  const firing = new Map(Object.entries(before?.firing ?? {}))
  for (const { fingerprint, status: now, startsAt } of alerts) {
    if (now === 'firing') firing.set(fingerprint, startsAt)
    else firing.delete(fingerprint)
  }
  if (status === 'resolved') firing.clear()
  return {
    channel,
    groupKey,
    incident: incident ?? before?.incident,
    firing: Object.fromEntries([...firing].slice(-FIRING_MAX)),
    memory,
    insteadOf: insteadOf === '' && before !== undefined && isOpen(before) ? before.insteadOf : insteadOf,
    at,
  }
}

/** A group on a channel. */
export class Lane {
  readonly key: string
  readonly channel: Channel
  readonly groupKey: string
  told: Told | undefined
  /** Waits to be told; what comes meanwhile becomes part of it. */
  pending: Owed | undefined
  /** Being told or recorded just now. */
  current: Owed | undefined
  attempts = 0
  nextAt: Milliseconds = 0
  /** What an attempt had done already. */
  progress: unknown
  lastError = ''
  /** How many are storing what it will be owed, or in another form; nothing is told before that is done. */
  holds = 0
  /** The channel whose message it is about to be given; '' for none. */
  expectsFor = ''

  constructor(channel: Channel, groupKey: string, told?: Told) {
    this.key = laneKey(channel.name, groupKey)
    this.channel = channel
    this.groupKey = groupKey
    this.told = told
  }

  get isIdle(): boolean {
    return this.pending === undefined && this.current === undefined && this.holds === 0
  }

  /** When the oldest thing that it is owed was decided. */
  get since(): Milliseconds | undefined {
    return (this.current ?? this.pending)?.since
  }

  /** It was told of something that fires, and not of its end. */
  get isOpen(): boolean {
    return this.told !== undefined && isOpen(this.told)
  }

  /** Something that fires waits to be told. */
  get owesFiring(): boolean {
    return [this.pending, this.current].some((owed) => owed !== undefined && owed.notification.alerts.some(({ status }) => status === 'firing'))
  }

  /** The channel in place of which it tells, or will tell, of this group; '' for none. */
  get standsInFor(): string {
    const known = [this.pending?.insteadOf, this.current?.insteadOf, this.expectsFor, this.isOpen ? this.told?.insteadOf : '']
    return known.find((name) => name !== undefined && name !== '') ?? ''
  }

  knows(key: string): boolean {
    return [this.pending, this.current].some((owed) => owed !== undefined && (owed.key === key || owed.absorbed.some((one) => one.key === key)))
  }

  /** Takes a message; what was decided later is told as what is true now. */
  add(owed: Owed): void {
    const { pending } = this
    this.progress = undefined
    if (pending === undefined) this.pending = owed
    else this.pending = owed.notification.decidedAt < pending.notification.decidedAt ? merged(owed, pending) : merged(pending, owed)
  }

  /** Begins with what waits. */
  take(): Owed {
    const { pending } = this
    if (pending === undefined) throw new Error('nothing is owed')
    this.pending = undefined
    this.current = pending
    return pending
  }

  /** Nothing more is tried of what it began with; the next message begins anew. */
  giveUp(): void {
    this.current = undefined
    this.attempts = 0
    this.nextAt = 0
    this.progress = undefined
  }

  /** What was not taken waits again, before what came meanwhile. */
  putBack(owed: Owed, progress: unknown): void {
    this.progress = this.pending === undefined ? progress : undefined
    this.pending = this.pending === undefined ? owed : merged(owed, this.pending)
    this.current = undefined
  }

  /** Whether what it remembers is of the same incident: one that is open, or was not long ago. */
  remembers(owed: Owed, now: Milliseconds): boolean {
    const { told } = this
    if (told === undefined) return false
    if (this.isOpen) return true
    return told.incident !== undefined && told.incident === owed.notification.incident && now - told.at <= COOL_DOWN_MS
  }

  /** The message as its channel is given it; undefined where there is nothing that the channel wants to hear. */
  message(owed: Owed): OutMessage | undefined {
    const { notification, earlier, earlierLeftOut, insteadOf } = owed
    const firing = this.told?.firing ?? {}
    const unannounced = new Set(notification.alerts.flatMap(({ status, fingerprint, startsAt }) => (status === 'resolved' && firing[fingerprint] !== startsAt ? [fingerprint] : [])))
    // Two channels may tell a third of the same notification, and not the same.
    const id = insteadOf === '' ? notification.id : `${notification.id}.${digestOf(insteadOf)}`
    const base = { id, unannounced, earlier, earlierLeftOut, insteadOf }
    if (this.channel.sendResolved) return { ...base, notification }
    // What it was never told it is told, also when it is over; that something is over it is not told.
    const alerts = notification.alerts.filter(({ status, fingerprint }) => status === 'firing' || unannounced.has(fingerprint))
    if (alerts.length === 0) return undefined
    return { ...base, notification: { ...notification, alerts } }
  }
}
