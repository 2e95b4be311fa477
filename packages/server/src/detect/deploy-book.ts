// Markers of releases: told by people and pipelines, or seen in the telemetry.
import { AndonError, type DeployMarker, type Milliseconds, type ToldDeploy, xxHash64 } from '@andon/model'

/** A row of a marker. */
export interface DeployEntry {
  readonly kind: 'deploy'
  readonly key: string
  /** `first`: the version in which a service was first seen, which is no release. */
  readonly state: 'told' | 'seen' | 'first'
  readonly service: string
  readonly severity: ''
  readonly actor: string
  readonly doc: DeployMarker
}

/** The part of the state log that markers use. */
export interface DeployLog {
  append(rows: readonly DeployEntry[]): Promise<unknown>
  latest(kind: 'deploy'): Promise<readonly { readonly state: string; readonly doc: unknown }[]>
}

/** A version of a service in the telemetry. */
export interface SeenVersion {
  readonly service: string
  readonly environment: string
  readonly version: string
  readonly at: Milliseconds
}

export interface DeployFilter {
  readonly service?: string | undefined
  readonly start: Milliseconds
  readonly end: Milliseconds
  readonly limit: number
}

/** Markers that are kept in memory, the newest. */
const KEPT = 10_000
/** A version that is seen within this time of being told is the same release. */
const SAME_MS: Milliseconds = 6 * 3_600_000
/** A version that was away for less and comes back was never away: two versions run side by side during a release. */
const BACK_MS: Milliseconds = 10 * 60_000

function isMarker(doc: unknown): doc is DeployMarker {
  return typeof doc === 'object' && doc !== null && 'service' in doc && 'version' in doc && 'at' in doc && typeof doc.at === 'number'
}

const keyOf = ({ service, environment }: Pick<SeenVersion, 'service' | 'environment'>): string => `${service}\u001f${environment}`
const idOf = ({ service, environment, version, at }: SeenVersion): string => xxHash64(`${service}\u001f${environment}\u001f${version}\u001f${at}`).toString(16).padStart(16, '0')

/** Whether a version was there all the time, or has only come back where no other was meanwhile: a restart is no release. */
function hasStayed(known: ReadonlyMap<string, Milliseconds>, { version, at }: SeenVersion): boolean {
  const last = known.get(version)
  return last !== undefined && (at - last < BACK_MS || [...known.values()].every((other) => other <= last))
}

/** All markers; what was said or seen is stored before it is answered. */
export class DeployBook {
  readonly #log: DeployLog
  readonly #markers = new Map<string, DeployMarker>()
  /** By service and environment: versions that were seen, and when last. */
  readonly #versions = new Map<string, Map<string, Milliseconds>>()

  private constructor(log: DeployLog) {
    this.#log = log
  }

  /** @param now - while nobody looked, versions that were known are taken to have stayed */
  static async open(log: DeployLog, now: Milliseconds): Promise<DeployBook> {
    const book = new DeployBook(log)
    const rows = await log.latest('deploy')
    for (const { state, doc } of rows) if (isMarker(doc)) book.#note(doc, state === 'first')
    for (const versions of book.#versions.values()) for (const version of versions.keys()) versions.set(version, now)
    return book
  }

  #note(marker: DeployMarker, isFirst: boolean): void {
    if (marker.source === 'seen') this.#sawVersion(marker, marker.at)
    if (isFirst) return
    this.#markers.set(marker.id, marker)
    if (this.#markers.size <= KEPT) return
    const oldest = [...this.#markers.values()].reduce((least, each) => (each.at < least.at ? each : least))
    this.#markers.delete(oldest.id)
  }

  #sawVersion(of: Pick<SeenVersion, 'service' | 'environment' | 'version'>, at: Milliseconds): void {
    const versions = this.#versions.get(keyOf(of)) ?? new Map<string, Milliseconds>()
    versions.set(of.version, Math.max(at, versions.get(of.version) ?? 0))
    this.#versions.set(keyOf(of), versions)
  }

  /** Markers, the newest first. */
  list({ service, start, end, limit }: DeployFilter): DeployMarker[] {
    return [...this.#markers.values()]
      .filter((each) => (service === undefined || each.service === service) && each.at >= start && each.at < end)
      .toSorted((a, b) => b.at - a.at)
      .slice(0, limit)
  }

  /** @throws AndonError not_found */
  find(id: string): DeployMarker {
    const marker = this.#markers.get(id)
    if (marker === undefined) throw new AndonError('not_found', `There is no deploy "${id.slice(0, 100)}".`, { hint: 'GET /api/deploys lists them.' })
    return marker
  }

  /** Marks a release; the same said twice is one. Settles when it is stored. */
  async tell(deploy: ToldDeploy, actor: string): Promise<DeployMarker> {
    const marker: DeployMarker = { id: idOf(deploy), ...deploy, source: 'told', actor }
    const known = this.#markers.get(marker.id)
    if (known !== undefined) return known
    await this.#log.append([{ kind: 'deploy', key: marker.id, state: 'told', service: marker.service, severity: '', actor, doc: marker }])
    this.#note(marker, false)
    return marker
  }

  /**
   * Takes the versions that telemetry names now. One that is new beside those that are known is a release, unless it was told; settles when what is new is stored.
   *
   * @returns the releases that were seen
   */
  async see(versions: readonly SeenVersion[]): Promise<DeployMarker[]> {
    const rows: DeployEntry[] = []
    for (const seen of versions) {
      if (seen.version === '' || seen.service === '') continue
      const known = this.#versions.get(keyOf(seen))
      if (known !== undefined && hasStayed(known, seen)) {
        known.set(seen.version, Math.max(known.get(seen.version) ?? 0, seen.at))
        continue
      }
      const doc: DeployMarker = { id: idOf(seen), ...seen, source: 'seen', actor: '', note: '' }
      const state = known === undefined ? 'first' : 'seen'
      if (rows.some((row) => row.doc.service === seen.service && row.doc.environment === seen.environment && row.doc.version === seen.version)) continue
      rows.push({ kind: 'deploy', key: doc.id, state: this.#wasTold(seen) ? 'first' : state, service: seen.service, severity: '', actor: '', doc })
    }
    if (rows.length === 0) return []
    await this.#log.append(rows)
    for (const { doc, state } of rows) this.#note(doc, state === 'first')
    return rows.filter(({ state }) => state === 'seen').map(({ doc }) => doc)
  }

  #wasTold({ service, environment, version, at }: SeenVersion): boolean {
    return [...this.#markers.values()].some((each) => each.source === 'told' && each.service === service && (each.environment === '' || each.environment === environment) && each.version === version && Math.abs(each.at - at) < SAME_MS)
  }
}
