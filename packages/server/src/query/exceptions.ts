// Errors by group: how many there are, since when, in which versions, and which of them a version has brought.
import type { Milliseconds, TimeRange } from '@andon/model'
import type { ErrorGroup, ErrorQuery, ErrorVersion, SourcedError } from '../store/exceptions.ts'
import { gridOf } from './grid.ts'

/** What errors are read from. */
export interface ErrorSource {
  groups(query: ErrorQuery, limit: number, group?: string): Promise<readonly ErrorGroup[]>
  versions(groups: readonly string[]): Promise<readonly ErrorVersion[]>
  releases(services: readonly string[]): Promise<readonly Release[]>
  events(group: string, query: ErrorQuery, limit: number): Promise<readonly SourcedError[]>
  routes(group: string, query: ErrorQuery): Promise<readonly { readonly route: string; readonly count: number }[]>
  course(group: string, query: ErrorQuery, step: Milliseconds): Promise<ReadonlyMap<Milliseconds, number>>
}

/** When a version of a service was first heard of. */
export interface Release {
  readonly service: string
  readonly version: string
  readonly since: Milliseconds
}

/** A version in which errors of a group were seen, as long as groups are kept. */
export interface SeenVersion {
  readonly version: string
  readonly firstSeen: Milliseconds
  readonly lastSeen: Milliseconds
  readonly count: number
}

/** Errors that are the same but for values and line numbers. */
export interface ErrorSummary {
  /** xxHash64 of what they have in common, unsigned in decimal. */
  readonly id: string
  readonly service: string
  readonly type: string
  /** Of the latest in the range. */
  readonly message: string
  /** In the range, by weight. */
  readonly count: number
  /** Of these, those that nothing caught. */
  readonly unhandled: number
  /** Also before the range. */
  readonly firstSeen: Milliseconds
  readonly lastSeen: Milliseconds
  readonly routes: readonly string[]
  /** The earliest first. */
  readonly versions: readonly SeenVersion[]
  /** The version that brought it: the first in which it was seen, where the service had an earlier one; else null. */
  readonly newIn: string | null
  /** Whether the newest version of the service brought it; where a version was named, whether that one or a later one did. */
  readonly isNew: boolean
}

export interface ErrorDetail extends ErrorSummary {
  readonly t: readonly Milliseconds[]
  /** Errors in each step, by weight. */
  readonly counts: readonly number[]
  readonly byRoute: readonly { readonly route: string; readonly count: number }[]
  /** The newest first. */
  readonly events: readonly SourcedError[]
}

/** Groups of which one list is made; those of a version are chosen among these. */
const GROUPS_MAX = 1000
const COURSE_POINTS = 60

const keyOf = ({ service, id }: Pick<ErrorGroup, 'service' | 'id'>): string => `${service}\0${id}`

/** Errors by group. Holds nothing; may be called concurrently. */
export class ErrorReader {
  readonly #source: ErrorSource

  constructor(source: ErrorSource) {
    this.#source = source
  }

  /**
   * Groups with errors in a range, the most frequent first.
   *
   * @param since - a version: only groups that it or a later one of their service has brought
   */
  async list(query: ErrorQuery, limit: number, since?: string): Promise<readonly ErrorSummary[]> {
    const groups = await this.#source.groups(query, since === undefined ? limit : GROUPS_MAX)
    const summaries = await this.#summaries(groups, since)
    return since === undefined ? summaries : summaries.filter(({ isNew }) => isNew).slice(0, limit)
  }

  /** One group. Of a group that several services have, the one of which most errors are in the range. @returns undefined where the range has none */
  async one(id: string, query: ErrorQuery, limit: number): Promise<ErrorDetail | undefined> {
    const [group] = await this.#source.groups(query, 1, id)
    if (group === undefined) return undefined
    const of = { ...query, service: group.service }
    const { step } = gridOf(query.range, COURSE_POINTS)
    const [[summary], events, byRoute, course] = await Promise.all([this.#summaries([group], undefined), this.#source.events(id, of, limit), this.#source.routes(id, of), this.#source.course(id, of, step)])
    if (summary === undefined) return undefined
    const t = timesOf(query.range, step)
    return { ...summary, t, counts: t.map((at) => course.get(at) ?? 0), byRoute, events }
  }

  async #summaries(groups: readonly ErrorGroup[], since: string | undefined): Promise<ErrorSummary[]> {
    const [versions, releases] = await Promise.all([this.#source.versions([...new Set(groups.map(({ id }) => id))]), this.#source.releases([...new Set(groups.map(({ service }) => service))])])
    const seen = new Map<string, ErrorVersion[]>()
    for (const version of versions) seen.set(keyOf(version), [...(seen.get(keyOf(version)) ?? []), version])
    return groups.map((group) => summaryOf(group, seen.get(keyOf(group)) ?? [], releases.filter(({ service }) => service === group.service), since))
  }
}

function timesOf({ start, end }: TimeRange, step: Milliseconds): Milliseconds[] {
  const times: Milliseconds[] = []
  for (let at = Math.floor(start); at < end; at += step) times.push(at)
  return times
}

/** @param versions - of the group, the earliest first; @param releases - of its service */
function summaryOf(group: ErrorGroup, versions: readonly ErrorVersion[], releases: readonly Release[], since: string | undefined): ErrorSummary {
  const firstSeen = Math.min(group.firstInRange, ...versions.map((each) => each.firstSeen))
  const lastSeen = Math.max(group.lastInRange, ...versions.map((each) => each.lastSeen))
  const newIn = broughtBy(versions, releases)
  const of = since === undefined ? releases.reduce<Release | undefined>((newest, each) => (newest === undefined || each.since > newest.since ? each : newest), undefined) : releases.find(({ version }) => version === since)
  const brought = releases.find(({ version }) => version === newIn)
  return {
    id: group.id,
    service: group.service,
    type: group.type,
    message: group.message,
    count: group.count,
    unhandled: group.unhandled,
    firstSeen,
    lastSeen,
    routes: group.routes,
    versions: versions.map(({ version, firstSeen: first, lastSeen: last, count }) => ({ version, firstSeen: first, lastSeen: last, count })),
    newIn,
    isNew: of !== undefined && brought !== undefined && brought.since >= of.since,
  }
}

function broughtBy(versions: readonly ErrorVersion[], releases: readonly Release[]): string | null {
  const first = versions[0]?.version ?? ''
  const release = releases.find(({ version }) => version === first)
  return release !== undefined && releases.some(({ since }) => since < release.since) ? first : null
}
