// What is true of alerts, what was decided to be told of them, and whether a channel was told it.
import type { Notification, NotifiedAlert } from '@andon/model'
import type { Taken } from './fakes/taken.ts'

export interface Decided {
  readonly sequence: string
  readonly notification: Notification
}

const ALERTS = 3

/** One group of alerts of one sequence. */
export class GroupOfAlerts {
  readonly #sequence: string
  readonly #key: string
  readonly #alerts = new Map<string, NotifiedAlert>()
  #spells = 0
  readonly decided: Decided[] = []

  constructor(sequence: string, index: number) {
    this.#sequence = sequence
    this.#key = `${sequence}g${index}`
  }

  get fires(): boolean {
    return [...this.#alerts.values()].some(({ status }) => status === 'firing')
  }

  /** Something begins or ends, and it is decided to tell it. */
  change(random: () => number, now: number): Decided {
    const fingerprint = Math.floor(random() * ALERTS).toString(16).padStart(16, '0')
    const before = this.#alerts.get(fingerprint)
    if (before?.status === 'firing') this.#alerts.set(fingerprint, { ...before, status: 'resolved', endsAt: now })
    else {
      this.#spells += 1
      const labels = { alertname: 'Spell', severity: 'critical', service: this.#key, instance: fingerprint }
      this.#alerts.set(fingerprint, { status: 'firing', fingerprint, labels, annotations: { summary: `Spell ${this.#key}n${this.#spells}` }, startsAt: now, endsAt: undefined, generatorUrl: '', value: 1, expression: undefined })
    }
    const alerts = [...this.#alerts.values()].toSorted((a, b) => (a.status < b.status ? -1 : 1))
    for (const [key, { status }] of this.#alerts) if (status === 'resolved') this.#alerts.delete(key)
    const isFiring = alerts.some(({ status }) => status === 'firing')
    const decided: Decided = {
      sequence: this.#sequence,
      notification: {
        id: `${this.#key}d${this.decided.length}`,
        receiver: 'team',
        groupKey: `{}:{service="${this.#key}"}`,
        groupLabels: { service: this.#key },
        incident: `incident-${this.#key}-${this.#sequence}`,
        reason: isFiring ? (this.decided.length === 0 ? 'first' : 'new-alerts') : 'all-resolved',
        status: isFiring ? 'firing' : 'resolved',
        alerts,
        truncated: 0,
        decidedAt: now,
      },
    }
    this.decided.push(decided)
    return decided
  }
}

const nameOf = ({ annotations }: NotifiedAlert): string => (annotations['summary'] ?? '').replace('Spell ', '')

export interface ChannelKind {
  readonly channel: string
  /** It is not told of ends. */
  readonly isQuiet: boolean
  /** It is told only what others did not take. */
  readonly isSpare: boolean
}

/** What was wrong with what a channel took of the groups of one sequence. */
export function faultsOf(groups: readonly GroupOfAlerts[], taken: readonly Taken[], { channel, isQuiet, isSpare }: ChannelKind): string[] {
  const faults: string[] = []
  const begun = new Set<string>()
  const over = new Set<string>()
  for (const { spells } of taken) {
    for (const { spell, state } of spells) {
      if (state === 'resolved' && !begun.has(spell)) faults.push(`${channel}: the end of ${spell} is an orphan`)
      if (state === 'resolved' && isQuiet) faults.push(`${channel}: the end of ${spell} is not to be told`)
      begun.add(spell)
      if (state !== 'firing') over.add(spell)
    }
  }
  const all = groups.flatMap(({ decided }) => decided.flatMap(({ notification }) => notification.alerts))
  const ended = new Set(all.filter(({ status }) => status === 'resolved').map(nameOf))
  if (!isSpare) for (const spell of new Set(all.map(nameOf))) if (!begun.has(spell)) faults.push(`${channel}: ${spell} is lost`)
  if (!isQuiet) for (const spell of isSpare ? [...begun].filter((each) => ended.has(each)) : ended) if (!over.has(spell)) faults.push(`${channel}: the end of ${spell} is lost`)
  return [...faults, ...orderFaults(groups, taken, channel)]
}

/** Of receivers that are told which notification it is. */
function orderFaults(groups: readonly GroupOfAlerts[], taken: readonly Taken[], channel: string): string[] {
  return groups.flatMap(({ decided }) => {
    const places = taken.map(({ id }) => decided.findIndex(({ notification }) => notification.id === id.replace(/\.[\da-f]{12}$/, ''))).filter((place) => place >= 0)
    return places.some((place, index) => index > 0 && place < (places[index - 1] ?? 0)) ? [`${channel}: ${places.join(' ')} is not the order of the decisions`] : []
  })
}
