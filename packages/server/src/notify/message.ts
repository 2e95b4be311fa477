// What is owed to a channel: a notification, or several that became one while they waited.
import { type Milliseconds, type Notification, type NotifiedAlert, serviceOfLabels, type StateEntry } from '@andon/model'

/** A notification on its way to one channel. */
export interface Owed {
  /** Of its row in the state log. */
  readonly key: string
  readonly channel: string
  /** What is told; of several that became one, the newest, with what the others had to tell. */
  readonly notification: Notification
  /** When the first thing that it holds was decided. */
  readonly since: Milliseconds
  /** Fingerprints of alerts that the newest decision does not name itself: what is known of them is older. */
  readonly carried: readonly string[]
  /** Spells of alerts that ended and began anew while it waited, the oldest first. */
  readonly earlier: readonly NotifiedAlert[]
  /** Spells that are not in `earlier` because there were too many. */
  readonly earlierLeftOut: number
  /** The channel that did not take it in time; '' where it is told where it belongs. */
  readonly insteadOf: string
  /** It was given to the fall-back channel as well. */
  readonly fellBack: boolean
  /** What became part of it, and is settled with it. */
  readonly absorbed: readonly { readonly key: string; readonly notification: string }[]
}

/** A row of the kind `message` or `channel`. */
export interface MessageRow extends StateEntry {
  readonly kind: 'message' | 'channel'
}

/** Past so many the rest is counted only. */
const ALERTS_MAX = 500
const EARLIER_MAX = 100

/** Of the row of a message. */
export function messageKey(notification: string, channel: string): string {
  return `m/${notification}/${channel}`
}

/** A notification as it is owed to a channel. */
export function owedOf(notification: Notification, channel: string, insteadOf = ''): Owed {
  return { key: messageKey(notification.id, channel), channel, notification, since: notification.decidedAt, carried: [], earlier: [], earlierLeftOut: 0, insteadOf, fellBack: false, absorbed: [] }
}

const ended = (alert: NotifiedAlert, endsAt: Milliseconds): NotifiedAlert => ({ ...alert, status: 'resolved', endsAt })

interface Joined {
  readonly alerts: ReadonlyMap<string, NotifiedAlert>
  readonly carried: ReadonlySet<string>
  /** Spells of alerts that began anew since. */
  readonly spells: readonly NotifiedAlert[]
}

/** What is true of each alert, of two messages. */
function joined(before: Owed, after: Owed): Joined {
  const { notification: now } = after
  const alerts = new Map(now.alerts.map((alert) => [alert.fingerprint, alert]))
  const spells: NotifiedAlert[] = []
  const carried = new Set(after.carried)
  for (const alert of before.notification.alerts) {
    const newer = alerts.get(alert.fingerprint)
    if (newer === undefined) {
      carried.add(alert.fingerprint)
      // What a group that has ended does not name any more has ended with it.
      alerts.set(alert.fingerprint, now.status === 'resolved' && alert.status === 'firing' ? ended(alert, now.decidedAt) : alert)
      continue
    }
    // A channel that is not told of ends may know less than another whose message is told in the same place.
    const isOlder = carried.has(alert.fingerprint) && (alert.startsAt > newer.startsAt || (alert.startsAt === newer.startsAt && alert.status === 'resolved'))
    const [last, first] = isOlder ? [alert, newer] : [newer, alert]
    alerts.set(alert.fingerprint, last)
    if (first.startsAt !== last.startsAt) spells.push(first.status === 'firing' ? ended(first, last.startsAt) : first)
  }
  return { alerts, carried, spells }
}

/**
 * Two messages of one group to one channel as one: the newest state of each alert, and of alerts that began anew their spells before, so
 * that nothing that was to be told is silenced.
 *
 * @param before - decided before `after`
 */
export function merged(before: Owed, after: Owed): Owed {
  const [old, now] = [before.notification, after.notification]
  const { alerts, carried, spells } = joined(before, after)
  const all = [...alerts.values()].toSorted((a, b) => Number(a.status === 'resolved') - Number(b.status === 'resolved'))
  const spellsByKey = new Map([...before.earlier, ...after.earlier, ...spells].map((spell) => [`${spell.fingerprint} ${spell.startsAt}`, spell]))
  const earlier = [...spellsByKey.values()]
  const leftOut = Math.max(0, earlier.length - EARLIER_MAX)
  return {
    ...after,
    notification: {
      ...now,
      incident: now.incident ?? old.incident,
      reason: now.status === 'firing' && old.reason === 'first' ? 'first' : now.reason,
      alerts: all.slice(0, ALERTS_MAX),
      truncated: Math.max(now.truncated, old.truncated) + Math.max(0, all.length - ALERTS_MAX),
    },
    since: Math.min(before.since, after.since),
    carried: [...carried],
    earlier: earlier.slice(leftOut),
    earlierLeftOut: before.earlierLeftOut + after.earlierLeftOut + leftOut,
    insteadOf: after.insteadOf === '' ? before.insteadOf : after.insteadOf,
    absorbed: before.key === after.key ? before.absorbed : [...before.absorbed, ...after.absorbed, { key: before.key, notification: old.id }],
  }
}

const RANK: Readonly<Record<string, number>> = { info: 1, none: 1, warning: 2, error: 3, critical: 4, page: 4 }

/** The worst of what fires; of what has ended when nothing does. '' where nobody says. */
export function severityOf({ alerts }: Pick<Notification, 'alerts'>): string {
  const firing = alerts.filter(({ status }) => status === 'firing')
  let worst = ''
  for (const { labels } of firing.length > 0 ? firing : alerts) {
    const { severity = '' } = labels
    if ((RANK[severity] ?? 0) > (RANK[worst] ?? 0) || worst === '') worst = severity
  }
  return worst
}

/** What it is about. */
export function serviceOf({ groupLabels, alerts }: Pick<Notification, 'groupLabels' | 'alerts'>): string {
  return serviceOfLabels(groupLabels) || serviceOfLabels(alerts[0]?.labels ?? {})
}

/** The row by which a message can be delivered after a restart. */
export function queuedRow(owed: Owed): MessageRow {
  const { key, absorbed: _, ...doc } = owed
  return { kind: 'message', key, state: 'queued', service: serviceOf(owed.notification), severity: severityOf(owed.notification), actor: '', doc }
}

/** The row of a message of which nothing is owed any more. */
export function settledRow(owed: Owed, key: string, state: 'delivered' | 'given-up' | 'coalesced', more: Readonly<Record<string, unknown>>): MessageRow {
  const { notification, channel, since, insteadOf } = owed
  const { id, receiver, groupKey, incident, reason, status, decidedAt } = notification
  return {
    kind: 'message',
    key,
    state,
    service: serviceOf(notification),
    severity: severityOf(notification),
    actor: '',
    doc: { channel, since, insteadOf, notification: { id, receiver, groupKey, incident, reason, status, decidedAt }, ...more },
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isNotification(value: unknown): value is Notification {
  return isObject(value) && typeof value['id'] === 'string' && typeof value['groupKey'] === 'string' && Array.isArray(value['alerts']) && typeof value['decidedAt'] === 'number'
}

/** A queued row as it is read back; undefined where it is not understood. */
export function readOwed(key: string, doc: unknown): Owed | undefined {
  if (!isObject(doc)) return undefined
  const { channel, notification, since, carried, earlier, earlierLeftOut, insteadOf, fellBack } = doc
  if (typeof channel !== 'string' || typeof since !== 'number' || !isNotification(notification)) return undefined
  // As they were written by this program.
  const spells: readonly NotifiedAlert[] = Array.isArray(earlier) ? earlier : []
  return {
    key,
    channel,
    notification: { ...notification, incident: notification.incident ?? undefined },
    since,
    carried: Array.isArray(carried) ? carried.map(String) : [],
    earlier: spells,
    earlierLeftOut: typeof earlierLeftOut === 'number' ? earlierLeftOut : 0,
    insteadOf: typeof insteadOf === 'string' ? insteadOf : '',
    fellBack: fellBack === true,
    absorbed: [],
  }
}
