// The incidents that are held in memory: all that are open, and those that were closed last.
import { environmentOfLabels, type Incident, type TimeRange } from '@andon/model'
import { closedAt, isOpen } from './draft.ts'

/** Closed incidents that are held; older ones are in the state log alone. */
const CLOSED_MAX = 5000

/** Which incidents a list shows. */
export interface IncidentQuery {
  /** By the time of their detection; undefined for all that are held. */
  readonly range: TimeRange | undefined
  readonly states: readonly Incident['state'][]
  readonly service: string | undefined
  readonly limit: number
}

/** Holds what is stored, nothing else. */
export class Shelf {
  readonly #closedMax: number
  readonly #all = new Map<string, Incident>()
  readonly #open = new Map<string, Incident>()
  /** By the fingerprint of an alert the incident that it was put into last. */
  readonly #ofAlert = new Map<string, string>()
  /** By rule, service and environment. */
  readonly #closedLast = new Map<string, string>()

  /** @param closedMax - closed ones that are held */
  constructor(closedMax: number = CLOSED_MAX) {
    this.#closedMax = closedMax
  }

  find(id: string): Incident | undefined {
    return this.#all.get(id)
  }

  open(): Iterable<Incident> {
    return this.#open.values()
  }

  get openCount(): number {
    return this.#open.size
  }

  /** All that are held, in the order in which they were opened. */
  all(): Incident[] {
    return [...this.#all.values()]
  }

  /** The one that was detected last first. */
  list({ range, states, service, limit }: IncidentQuery): Incident[] {
    const isWanted = ({ marks, state, services }: Incident): boolean =>
      (range === undefined || (marks.detected.at >= range.start && marks.detected.at < range.end)) && (states.length === 0 || states.includes(state)) && (service === undefined || services.includes(service))
    // Of those that were detected at the same time the one that was opened last.
    return this.all()
      .filter(isWanted)
      .toReversed()
      .toSorted((a, b) => b.marks.detected.at - a.marks.detected.at)
      .slice(0, limit)
  }

  /** The incident that an alert belongs to, or last belonged to. */
  ofAlert(fingerprint: string): string | undefined {
    return this.#ofAlert.get(fingerprint)
  }

  /** The incident closed last in which alerts of a rule and a service fired. */
  closedLast(rule: string, service: string, environment: string): string | undefined {
    return this.#closedLast.get(keyOf(rule, service, environment))
  }

  put(incident: Incident): void {
    const { id } = incident
    this.#all.set(id, incident)
    for (const { fingerprint } of incident.alerts) {
      const other = this.#all.get(this.#ofAlert.get(fingerprint) ?? '')
      // Of a closed one and an open one it belongs to the open one, of two closed ones to the later.
      if (other === undefined || other.id === id || isOpen(incident) || (!isOpen(other) && other.marks.detected.at <= incident.marks.detected.at)) this.#ofAlert.set(fingerprint, id)
    }
    if (isOpen(incident)) {
      this.#open.set(id, incident)
      return
    }
    this.#open.delete(id)
    for (const { rule, service, labels } of incident.alerts) {
      const key = keyOf(rule, service, environmentOfLabels(labels))
      const last = this.#all.get(this.#closedLast.get(key) ?? '')
      if (last === undefined || (closedAt(last) ?? Infinity) <= (closedAt(incident) ?? 0)) this.#closedLast.set(key, id)
    }
    this.#makeRoom()
  }

  #makeRoom(): void {
    if (this.#all.size - this.#open.size <= this.#closedMax) return
    for (const [id, incident] of this.#all) {
      if (isOpen(incident)) continue
      this.#all.delete(id)
      for (const { fingerprint, rule, service, labels } of incident.alerts) {
        if (this.#ofAlert.get(fingerprint) === id) this.#ofAlert.delete(fingerprint)
        const key = keyOf(rule, service, environmentOfLabels(labels))
        if (this.#closedLast.get(key) === id) this.#closedLast.delete(key)
      }
      return
    }
  }
}

const keyOf = (rule: string, service: string, environment: string): string => `${rule}\0${service}\0${environment}`
