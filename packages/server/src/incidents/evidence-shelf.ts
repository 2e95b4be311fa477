// What was kept of incidents, as it is read back.
import type { Evidence, Incident } from '@andon/model'
import { type IncidentLog, inListOrder, isEvidence } from './incident-log.ts'

/** Evidence without what it holds. */
export type EvidenceName = Omit<Evidence, 'data'>

const PIECES_MAX = 200
const HELD_MAX = 200

/** Holds the names of what was asked for last, because a page that is open asks for them again and again. May be called concurrently. */
export class EvidenceShelf {
  readonly #log: Pick<IncidentLog, 'history'>
  /** By incident and the times at which something was kept of it. */
  readonly #names = new Map<string, readonly EvidenceName[]>()

  constructor(log: Pick<IncidentLog, 'history'>) {
    this.#log = log
  }

  /** All of an incident, the newest of each name. */
  async of(incident: string): Promise<Evidence[]> {
    const newest = new Map<string, Evidence>()
    for (const { doc } of await this.#log.history('evidence', incident, PIECES_MAX)) if (isEvidence(doc) && !newest.has(doc.name)) newest.set(doc.name, doc)
    return inListOrder([...newest.values()])
  }

  /** Their names; nothing is read where nothing was kept, or nothing more since they were asked for last. */
  async names({ id, reopened, evidenceAt: { opened, resolved } }: Pick<Incident, 'id' | 'reopened' | 'evidenceAt'>): Promise<readonly EvidenceName[]> {
    if (opened === null && resolved === null) return []
    const key = `${id}/${reopened}/${opened ?? ''}/${resolved ?? ''}`
    const held = this.#names.get(key)
    if (held !== undefined) return held
    const names = (await this.of(id)).map(({ name, kind, title, at, cut }) => ({ name, kind, title, at, cut }))
    this.#names.set(key, names)
    const [oldest] = this.#names.keys()
    if (this.#names.size > HELD_MAX && oldest !== undefined) this.#names.delete(oldest)
    return names
  }
}
