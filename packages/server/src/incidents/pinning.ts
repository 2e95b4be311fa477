// When evidence is copied: a little after an incident was opened, and a little after it was resolved, one at a time. Deploys at once.
import type { DeployMarker, Evidence, Incident, Milliseconds, TimelineEntry, TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { ANDON, closedAt, entry, isOpen } from './draft.ts'
import { deployEntry, pinnedText } from './entries.ts'
import { evidenceRange, type EvidenceSource, gather } from './evidence.ts'

export type PinStage = 'deploys' | 'opened' | 'resolved'

export interface PinningDeps {
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn'>
  readonly source: EvidenceSource
  /** Deploys of some services, and those that hold for all. */
  readonly deploys: (services: readonly string[], range: TimeRange) => Promise<readonly DeployMarker[]>
  readonly neighbours: (service: string) => Promise<ReadonlySet<string>>
  readonly find: (incident: string) => Incident | undefined
  /** Settles when it is stored. */
  readonly keep: (incident: string, stage: PinStage, entries: readonly TimelineEntry[], evidence: readonly Evidence[]) => Promise<void>
}

/** So that what happened last has arrived. */
const DELAY: Milliseconds = 45_000
const AGAIN: Milliseconds = 60_000
const ATTEMPTS = 3
const WAITING_MAX = 500
/** What was resolved longer ago is not caught up with after a restart. */
const LATE: Milliseconds = 86_400_000
/** Deploys so long before the onset may explain it. */
export const DEPLOY_LOOKBACK: Milliseconds = 2 * 3_600_000

/** Owns its timers until `stop`. */
export class Pinning {
  readonly #deps: PinningDeps
  readonly #timers = new Map<string, () => void>()
  #tail: Promise<void> = Promise.resolve()
  #stopped = false
  /** Incidents of which nothing was kept, because too many waited. */
  dropped = 0

  constructor(deps: PinningDeps) {
    this.#deps = deps
  }

  /**
   * Sees to it that what an incident lacks is copied.
   *
   * @param isNew - whether it has just been opened, or was found after a restart
   */
  note(incident: Incident, isNew: boolean): void {
    const { id, evidenceAt } = incident
    const closed = closedAt(incident)
    if (closed !== undefined && closed <= this.#deps.clock.now() - LATE) return
    if (isNew && isOpen(incident)) this.#schedule(id, 'deploys', 1, 0)
    if (evidenceAt.opened === null) this.#schedule(id, 'opened', 1, DELAY)
    if (closed !== undefined && evidenceAt.resolved === null) this.#schedule(id, 'resolved', 1, DELAY)
  }

  #schedule(id: string, stage: PinStage, attempt: number, ms: Milliseconds): void {
    const key = `${id}/${stage}`
    if (this.#stopped || this.#timers.has(key)) return
    if (this.#timers.size >= WAITING_MAX) {
      this.dropped += 1
      return
    }
    const run = async (before: Promise<void>): Promise<void> => {
      await before
      const isDone = this.#stopped || (await this.#attempt(id, stage, attempt >= ATTEMPTS))
      this.#timers.delete(key)
      if (!isDone && attempt < ATTEMPTS) this.#schedule(id, stage, attempt + 1, AGAIN)
    }
    const cancel = this.#deps.clock.after(ms, () => {
      this.#tail = run(this.#tail)
    })
    this.#timers.set(key, cancel)
  }

  /** @returns whether it is done, or is to be attempted again */
  async #attempt(id: string, stage: PinStage, last: boolean): Promise<boolean> {
    const { clock, source, find, keep, logger } = this.#deps
    try {
      const incident = find(id)
      if (incident === undefined || (stage === 'resolved' && isOpen(incident))) return true
      const markers = await this.#deploys(incident, last)
      if (stage === 'deploys') {
        await keep(id, stage, markers.map(deployEntry), [])
        return true
      }
      const { evidence, failures } = await gather(incident, source, clock.now())
      if (evidence.length === 0 && failures.length > 0 && !last) return false
      const pinned = entry('evidence', clock.now(), ANDON, pinnedText(evidence, failures), { detail: { stage, pieces: evidence.length, failures: failures.length } })
      await keep(id, stage, [...markers.map(deployEntry), pinned], evidence)
      return true
    } catch (error) {
      logger.warn('the evidence of an incident could not be kept', { incident: id, error: String(error) })
      return false
    }
  }

  async #deploys(incident: Incident, last: boolean): Promise<readonly DeployMarker[]> {
    const { clock, deploys, neighbours } = this.#deps
    const { service, services, onsetAt, environment } = incident
    const near = service === '' ? new Set<string>() : await neighbours(service)
    try {
      const found = await deploys([...new Set([...services, ...near])], { start: onsetAt - DEPLOY_LOOKBACK, end: evidenceRange(incident, clock.now()).end })
      return found.filter((marker) => marker.environment === '' || environment === '' || marker.environment === environment)
    } catch (error) {
      if (last) return []
      throw error
    }
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    await this.#tail
  }
}
