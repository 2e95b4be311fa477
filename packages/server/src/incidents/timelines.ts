// What happened in each incident. Those that were asked for last are held; all are in the state log.
import type { TimelineEntry } from '@andon/model'
import { type IncidentLog, inOrder, isEntry } from './incident-log.ts'

/** Entries of one incident; past them only what people do is noted. */
export const ENTRIES_MAX = 2000
/** And past these nothing. */
const PEOPLE_MAX = 5000
/** Timelines that are held. */
const HELD_MAX = 100
const BY_PEOPLE: ReadonlySet<TimelineEntry['kind']> = new Set(['opened', 'state', 'reopened', 'comment', 'action', 'step', 'quality'])

/** Entries by their ids, in the order in which they were noted. */
type Noted = Map<string, TimelineEntry>

/** May be read concurrently; whoever writes does so one after the other. */
export class Timelines {
  readonly #log: Pick<IncidentLog, 'history'>
  readonly #held = new Map<string, Promise<Noted>>()
  /** Entries that were left out because their incident has too many. */
  leftOut = 0

  constructor(log: Pick<IncidentLog, 'history'>) {
    this.#log = log
  }

  /** What happened, the oldest first. */
  async of(incident: string): Promise<readonly TimelineEntry[]> {
    return inOrder([...(await this.#noted(incident)).values()])
  }

  /** Of some entries those that are to be noted: not yet there, and not too many. */
  async fresh(incident: string, entries: readonly TimelineEntry[]): Promise<readonly TimelineEntry[]> {
    if (entries.length === 0) return []
    const noted = await this.#noted(incident)
    const ids = new Set<string>()
    let count = noted.size
    return entries.filter(({ id, kind }) => {
      if (noted.has(id) || ids.has(id)) return false
      if (count >= (BY_PEOPLE.has(kind) ? PEOPLE_MAX : ENTRIES_MAX)) {
        this.leftOut += 1
        return false
      }
      ids.add(id)
      count += 1
      return true
    })
  }

  /** Takes note of what has been stored. */
  async stored(incident: string, entries: readonly TimelineEntry[]): Promise<void> {
    const noted = await this.#held.get(incident)
    for (const entry of entries) noted?.set(entry.id, entry)
  }

  #noted(incident: string): Promise<Noted> {
    const held = this.#held.get(incident)
    // The one that was asked for last stands at the end.
    this.#held.delete(incident)
    const noted = held ?? this.#read(incident)
    this.#held.set(incident, noted)
    const [oldest] = this.#held.keys()
    if (this.#held.size > HELD_MAX && oldest !== undefined) this.#held.delete(oldest)
    return noted
  }

  async #read(incident: string): Promise<Noted> {
    try {
      const rows = await this.#log.history('incident-event', incident, PEOPLE_MAX)
      return new Map(rows.toReversed().flatMap(({ doc }) => (isEntry(doc) ? [[doc.id, doc] as const] : [])))
    } catch (error) {
      this.#held.delete(incident)
      throw error
    }
  }
}
