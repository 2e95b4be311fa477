// What editors want of agents: the desired state of services and single instances.
import { AndonError, type ControlAnswer, type ControlSettings, type Milliseconds, noControl, readControlSettings } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { StateLog } from '../store/state.ts'

/** Whom a state is for: all instances of a service, or one instance. */
export type ControlTarget = { readonly service: string } | { readonly instance: string }

/** A state as an editor sees it. */
export interface ControlEntry extends ControlSettings {
  readonly revision: number
  readonly actor: string
}

/** States that are in force at the same time; past it a new one is refused. */
export const CONTROLS_MAX = 1000

const keyOf = (target: ControlTarget): string => ('service' in target ? `service/${target.service}` : `instance/${target.instance}`)

/**
 * The desired states, kept in the state log. One for an instance wins over one for its service, whole; they are not merged.
 * Each change has a revision of its own, and what has expired is as if it had been removed.
 */
export class ControlBook {
  readonly #log: Pick<StateLog, 'append' | 'latest'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #entries = new Map<string, ControlEntry>()
  /** Also of removed ones: what was written later wins, whichever insert ends first. */
  readonly #revisions = new Map<string, number>()

  private constructor(log: Pick<StateLog, 'append' | 'latest'>, clock: Pick<Clock, 'now'>) {
    this.#log = log
    this.#clock = clock
  }

  /** Replays the log. A document that is not understood any more is left out. */
  static async open(log: Pick<StateLog, 'append' | 'latest'>, clock: Pick<Clock, 'now'>): Promise<ControlBook> {
    const book = new ControlBook(log, clock)
    for (const { key, revision, written, state, actor, doc } of await log.latest('agent-control')) {
      // Checked as of the time at which it was set: its end may be near now.
      const settings = state === 'set' ? readControlSettings(doc, written) : 'removed'
      if (typeof settings !== 'string' && settings.expires > clock.now()) book.#entries.set(key, { ...settings, revision, actor })
    }
    return book
  }

  #live(target: ControlTarget): ControlEntry | undefined {
    const entry = this.#entries.get(keyOf(target))
    return entry !== undefined && entry.expires > this.#clock.now() ? entry : undefined
  }

  /** What is set for a target itself; undefined where nothing is. */
  entry(target: ControlTarget): ControlEntry | undefined {
    return this.#live(target)
  }

  /** The revision in force for an instance; 0 where nothing is wanted of it. */
  revision(service: string, instance: string): number {
    return this.#effective(service, instance)?.revision ?? 0
  }

  #effective(service: string | undefined, instance: string): ControlEntry | undefined {
    return this.#live({ instance }) ?? (service === undefined ? undefined : this.#live({ service }))
  }

  /** What an instance is to do. @param service - undefined where it is not known: then only its own state counts */
  answer(service: string | undefined, instance: string): ControlAnswer {
    const now = this.#clock.now()
    const entry = this.#effective(service, instance)
    if (entry === undefined) return noControl(now)
    const { revision, sampling, profile, thresholds, expires } = entry
    return { revision, now, sampling, profile: profile !== null && profile.until > now ? profile : null, thresholds, expires }
  }

  /**
   * Sets a state; settles when it is stored.
   *
   * @param given - JSON as it was sent
   * @throws AndonError bad_body with what is wrong, overloaded past 1,000 states
   */
  async set(target: ControlTarget, given: unknown, actor: string): Promise<ControlEntry> {
    const now = this.#clock.now()
    const settings = readControlSettings(given, now)
    if (typeof settings === 'string') throw new AndonError('bad_body', `${settings}.`, { hint: 'docs/reference/http.md shows a control state; times are milliseconds since 1970.' })
    this.#forgetExpired(now)
    const key = keyOf(target)
    if (!this.#entries.has(key) && this.#entries.size >= CONTROLS_MAX) throw new AndonError('overloaded', `${CONTROLS_MAX} control states are in force already.`, { hint: 'Delete those that are not needed any more.' })
    const revision = await this.#write(target, 'set', actor, settings)
    const entry = { ...settings, revision, actor }
    if (this.#isNewest(key, revision)) this.#entries.set(key, entry)
    return entry
  }

  /** Removes what is set for a target; settles when that is stored. @returns whether anything was */
  async remove(target: ControlTarget, actor: string): Promise<boolean> {
    if (this.#live(target) === undefined) return false
    const key = keyOf(target)
    const revision = await this.#write(target, 'removed', actor, null)
    if (this.#isNewest(key, revision)) this.#entries.delete(key)
    return true
  }

  async #write(target: ControlTarget, state: string, actor: string, doc: ControlSettings | null): Promise<number> {
    const service = 'service' in target ? target.service : ''
    const [revision = 0] = await this.#log.append([{ kind: 'agent-control', key: keyOf(target), state, service, severity: '', actor, doc }])
    return revision
  }

  #isNewest(key: string, revision: number): boolean {
    if (revision < (this.#revisions.get(key) ?? 0)) return false
    this.#revisions.set(key, revision)
    return true
  }

  #forgetExpired(now: Milliseconds): void {
    for (const [key, { expires }] of this.#entries) {
      if (expires > now) continue
      this.#entries.delete(key)
      this.#revisions.delete(key)
    }
  }
}
