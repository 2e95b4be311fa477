// Muted by a person until a time.
// @see alertmanager silence/silence.go
import { randomUUID } from 'node:crypto'
import { AndonError, type LabelMatcher, type Labels, type Milliseconds, type Silence, type SilenceState, type StateEntry } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { allMatch, matcherOf, matcherText, sortedMatchers } from './matcher.ts'

/** A silence as it is asked for; one with an id is changed. */
export interface WantedSilence {
  /** '' for a new one. */
  readonly id: string
  readonly matchers: readonly LabelMatcher[]
  readonly startsAt: Milliseconds
  readonly endsAt: Milliseconds
  readonly createdBy: string
  readonly comment: string
}

/** The part of the state log that silences use. */
export interface SilenceLog {
  append(rows: readonly StateEntry[]): Promise<unknown>
  latest(kind: 'silence', options?: { readonly except?: readonly string[] }): Promise<readonly { readonly doc: unknown }[]>
}

/** How long an expired one is shown: as long as Alertmanager does. */
const EXPIRED_KEPT: Milliseconds = 120 * 3_600_000
/** That are pending or active. */
const SILENCES_MAX = 10_000
const MATCHERS_MAX = 100
const TEXT_MAX = 8192

export function silenceState({ startsAt, endsAt }: Pick<Silence, 'startsAt' | 'endsAt'>, now: Milliseconds): SilenceState {
  return now < startsAt ? 'pending' : now < endsAt ? 'active' : 'expired'
}

const bad = (problem: string): AndonError => new AndonError('bad_parameter', problem, { hint: 'docs/reference/alertmanager.md says what a silence needs.' })
const keyOf = (matchers: readonly LabelMatcher[]): string => sortedMatchers(matchers).map(matcherText).join()

function checkWanted({ matchers, startsAt, endsAt, createdBy, comment }: WantedSilence, now: Milliseconds): void {
  if (matchers.length === 0) throw bad('at least one matcher required')
  if (matchers.length > MATCHERS_MAX) throw bad(`more than ${MATCHERS_MAX} matchers`)
  for (const { name, operator, value } of matchers) matcherOf(name, operator, value)
  if (allMatch(matchers)({})) throw bad('at least one matcher must not match the empty string')
  if (!(startsAt < endsAt)) throw bad('Failed to create silence: start time must be before end time')
  if (endsAt < now) throw bad("Failed to create silence: end time can't be in the past")
  if (createdBy === '') throw bad('creator information missing')
  if (comment === '') throw bad('comment missing')
  if (createdBy.length > TEXT_MAX || comment.length > TEXT_MAX) throw bad(`comment and creator have at most ${TEXT_MAX} characters`)
}

/** Whether a silence can become another without hiding what it once was. */
function canBecome(before: Silence, wanted: WantedSilence, now: Milliseconds): boolean {
  if (keyOf(before.matchers) !== keyOf(wanted.matchers)) return false
  switch (silenceState(before, now)) {
    case 'active':
      return Math.floor(before.startsAt / 1000) === Math.floor(wanted.startsAt / 1000) && wanted.endsAt >= now
    case 'pending':
      return wanted.startsAt >= now
    case 'expired':
      return false
  }
}

interface Held {
  readonly silence: Silence
  readonly matches: (labels: Labels) => boolean
}

function isSilence(doc: unknown): doc is Silence {
  return typeof doc === 'object' && doc !== null && 'matchers' in doc && 'id' in doc && 'endsAt' in doc
}

/** Owns all silences; what it answers is stored. */
export class SilenceBook {
  readonly #log: SilenceLog
  readonly #clock: Pick<Clock, 'now'>
  readonly #newId: () => string
  readonly #held = new Map<string, Held>()

  private constructor(log: SilenceLog, clock: Pick<Clock, 'now'>, newId: () => string) {
    this.#log = log
    this.#clock = clock
    this.#newId = newId
  }

  static async open(log: SilenceLog, clock: Pick<Clock, 'now'>, newId: () => string = randomUUID): Promise<SilenceBook> {
    const book = new SilenceBook(log, clock, newId)
    for (const { doc } of await log.latest('silence')) if (isSilence(doc)) book.#hold(doc)
    book.#forget()
    return book
  }

  #hold(silence: Silence): void {
    this.#held.set(silence.id, { silence, matches: allMatch(silence.matchers) })
  }

  #forget(): void {
    const before = this.#clock.now() - EXPIRED_KEPT
    for (const [id, { silence }] of this.#held) if (silence.endsAt < before) this.#held.delete(id)
  }

  /** Ids of the active silences that match, in order. */
  silencedBy(labels: Labels): string[] {
    const now = this.#clock.now()
    return [...this.#held.values()].flatMap(({ silence, matches }) => (silenceState(silence, now) === 'active' && matches(labels) ? [silence.id] : [])).toSorted()
  }

  get(id: string): Silence | undefined {
    this.#forget()
    return this.#held.get(id)?.silence
  }

  /** Active ones first, then pending, then expired ones; as Alertmanager sorts them. */
  list(): Silence[] {
    this.#forget()
    const now = this.#clock.now()
    const rank = (silence: Silence): number => ['active', 'pending', 'expired'].indexOf(silenceState(silence, now))
    const time = (silence: Silence): number => (rank(silence) === 0 ? silence.endsAt : rank(silence) === 1 ? silence.startsAt : -silence.endsAt)
    return [...this.#held.values()].map(({ silence }) => silence).toSorted((a, b) => rank(a) - rank(b) || time(a) - time(b) || (a.id < b.id ? -1 : 1))
  }

  /**
   * Makes a silence, or changes one. One whose matchers change, or that has begun at another time, is expired and another made in its place.
   *
   * @returns its id
   * @throws AndonError bad_parameter, not_found where it has an id that is not known, overloaded when there are too many
   */
  async set(wanted: WantedSilence): Promise<string> {
    const now = this.#clock.now()
    checkWanted(wanted, now)
    const before = wanted.id === '' ? undefined : this.get(wanted.id)
    if (wanted.id !== '' && before === undefined) throw new AndonError('not_found', `silence ${wanted.id.slice(0, 100)} not found`, { hint: 'Leave the id out to make a new one.' })
    if (before !== undefined && canBecome(before, wanted, now)) {
      await this.#store([{ ...wanted, updatedAt: now }])
      return wanted.id
    }
    if ([...this.#held.values()].filter(({ silence }) => silence.endsAt > now).length >= SILENCES_MAX) throw new AndonError('overloaded', `there are more than ${SILENCES_MAX} silences`)
    const made: Silence = { ...wanted, id: this.#newId(), startsAt: Math.max(wanted.startsAt, now), updatedAt: now }
    await this.#store([...(before === undefined || silenceState(before, now) === 'expired' ? [] : [expired(before, now)]), made])
    return made.id
  }

  /**
   * Ends a silence; one that has ended stays as it is.
   *
   * @throws AndonError not_found
   */
  async expire(id: string, actor: string): Promise<void> {
    const silence = this.get(id)
    const now = this.#clock.now()
    if (silence === undefined) throw new AndonError('not_found', `silence ${id.slice(0, 100)} not found`, { hint: 'GET /api/silences lists those that there are.' })
    if (silenceState(silence, now) !== 'expired') await this.#store([expired(silence, now)], actor)
  }

  async #store(silences: readonly Silence[], actor?: string): Promise<void> {
    const now = this.#clock.now()
    await this.#log.append(
      silences.map((silence) => ({ kind: 'silence', key: silence.id, state: silenceState(silence, now) === 'expired' ? 'expired' : 'set', service: '', severity: '', actor: actor ?? silence.createdBy.slice(0, 200), doc: silence })),
    )
    for (const silence of silences) this.#hold(silence)
  }
}

function expired(silence: Silence, now: Milliseconds): Silence {
  return { ...silence, startsAt: Math.min(silence.startsAt, now), endsAt: now, updatedAt: now }
}
