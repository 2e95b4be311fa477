// Which agents there are: what each said of itself with its last request.
import type { AgentIdentity, Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'

/** An agent and when it was last heard of. */
export interface KnownAgent extends AgentIdentity {
  readonly lastSeen: Milliseconds
}

/** Past it the one that was silent for longest is forgotten. */
export const AGENTS_MAX = 10_000
const DAY: Milliseconds = 86_400_000
/** For so long a name belongs to the token under which it sent. */
const OWNED: Milliseconds = 10 * 60_000

interface Seen extends KnownAgent {
  /** The name of the token that it sent under. */
  readonly owner: string
}

/** The agents of the last day, in memory: after a restart each is known again with its next request. */
export class KnownAgents {
  readonly #clock: Pick<Clock, 'now'>
  /** By instance, the one that was silent for longest first. */
  readonly #agents = new Map<string, Seen>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /**
   * Takes note of a request.
   *
   * @returns false where the instance belongs to another token, which was heard within ten minutes
   */
  seen(identity: AgentIdentity, owner: string): boolean {
    const now = this.#clock.now()
    const before = this.#agents.get(identity.instance)
    if (before !== undefined && before.owner !== owner && now - before.lastSeen < OWNED) return false
    this.#agents.delete(identity.instance)
    this.#agents.set(identity.instance, { ...identity, owner, lastSeen: now })
    if (this.#agents.size > AGENTS_MAX) {
      const [silent] = this.#agents.keys()
      if (silent !== undefined) this.#agents.delete(silent)
    }
    return true
  }

  find(instance: string): KnownAgent | undefined {
    return this.#agents.get(instance)
  }

  /** Whether an instance sends under this token. */
  isOwnedBy(instance: string, owner: string): boolean {
    return this.#agents.get(instance)?.owner === owner
  }

  /** Those of the last day, by service and instance. */
  list(): KnownAgent[] {
    const now = this.#clock.now()
    for (const [instance, { lastSeen }] of this.#agents) {
      if (now - lastSeen <= DAY) break
      this.#agents.delete(instance)
    }
    const order = ({ service, instance }: KnownAgent): string => `${service}\n${instance}`
    return [...this.#agents.values()].map(({ owner: _owner, ...agent }) => agent).toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
  }
}
