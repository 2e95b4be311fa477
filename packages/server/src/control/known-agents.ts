// Which agents there are: what each said of itself with its last request.
import { type AgentIdentity, CONTROL_MS_MAX, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { AgentStore, HeardAgent } from '../store/agents.ts'
import { LastWritten } from '../store/last-written.ts'

/** An agent, when it was last heard of, and whether that is too long ago. */
export interface KnownAgent extends AgentIdentity {
  readonly lastSeen: Milliseconds
  /** Nothing was heard for five minutes: it is gone, or cannot reach this server and has returned to its own defaults. */
  readonly stale: boolean
}

/** Where agents are kept. */
export type AgentTable = Pick<AgentStore, 'write' | 'heardSince'>

/** Past it the one that was silent for longest is forgotten. */
export const AGENTS_MAX = 10_000
/** How often what was heard for the first time, or says something else than before, is written. */
export const WRITE_MS: Milliseconds = 30_000
/** For so long a name belongs to the token under which it sent, and after a start at least. */
const OWNED: Milliseconds = 10 * 60_000
/** As long as an agent holds on to a state without contact. */
const STALE: Milliseconds = 5 * 60_000
/** As long as a desired state can wait for an agent that is not there. */
const KEPT: Milliseconds = CONTROL_MS_MAX

/** All that an agent's row says but the time. */
const rowOf = ({ instance, service, version, revision, capabilities, owner }: HeardAgent): string => JSON.stringify([instance, service, version, revision, capabilities, owner])

/** By service, then instance. */
const order = ({ service, instance }: AgentIdentity): string => `${service}\n${instance}`

/**
 * The agents of the last seven days. Kept in a table: what is new is written within 30 seconds, only when each was last heard once
 * an hour and at the end. What a crash loses of it, the agents say again with their next requests.
 */
export class KnownAgents {
  readonly #table: AgentTable
  readonly #clock: Pick<Clock, 'now' | 'every'>
  readonly #failed: (error: unknown) => void
  /** By instance, the one that was silent for longest first. */
  readonly #agents: Map<string, HeardAgent>
  /** Instances that were heard since they were written. */
  readonly #unwritten = new Set<string>()
  /** By all that a row says but the time. */
  readonly #rows: LastWritten<string>
  readonly #openedAt: Milliseconds
  #writing: Promise<void> = Promise.resolve()
  #cancel: () => void

  private constructor(table: AgentTable, clock: Pick<Clock, 'now' | 'every'>, heard: readonly HeardAgent[], failed: (error: unknown) => void) {
    this.#table = table
    this.#clock = clock
    this.#failed = failed
    this.#rows = new LastWritten(clock, AGENTS_MAX)
    this.#openedAt = clock.now()
    this.#agents = new Map(heard.map((agent) => [agent.instance, agent]))
    this.#cancel = clock.every(WRITE_MS, () => void this.write())
  }

  /**
   * Reads who was there before; `stop` ends it.
   *
   * @param failed - told when the table could not be written; it is tried again with the next turn
   */
  static async open(table: AgentTable, clock: Pick<Clock, 'now' | 'every'>, failed: (error: unknown) => void = () => undefined): Promise<KnownAgents> {
    return new KnownAgents(table, clock, await table.heardSince(clock.now() - KEPT, AGENTS_MAX), failed)
  }

  /**
   * Takes note of a request.
   *
   * @returns false where the instance belongs to another token, which was heard within ten minutes, or before a start within ten
   */
  seen(identity: AgentIdentity, owner: string): boolean {
    const now = this.#clock.now()
    const { instance } = identity
    const before = this.#agents.get(instance)
    if (before !== undefined && before.owner !== owner && now - Math.max(before.lastSeen, this.#openedAt) < OWNED) return false
    this.#agents.delete(instance)
    this.#agents.set(instance, { ...identity, owner, lastSeen: now })
    this.#unwritten.add(instance)
    if (this.#agents.size > AGENTS_MAX) {
      const [silent] = this.#agents.keys()
      if (silent !== undefined) this.#forget(silent)
    }
    return true
  }

  #forget(instance: string): void {
    this.#agents.delete(instance)
    this.#unwritten.delete(instance)
  }

  find(instance: string): KnownAgent | undefined {
    const found = this.#agents.get(instance)
    return found === undefined || this.#clock.now() - found.lastSeen > KEPT ? undefined : this.#shown(found)
  }

  #shown({ owner: _owner, ...agent }: HeardAgent): KnownAgent {
    return { ...agent, stale: this.#clock.now() - agent.lastSeen >= STALE }
  }

  /** Whether an instance sends under this token. */
  isOwnedBy(instance: string, owner: string): boolean {
    return this.#agents.get(instance)?.owner === owner
  }

  /** Those of the last seven days, by service and instance. */
  list(): KnownAgent[] {
    const now = this.#clock.now()
    for (const [instance, { lastSeen }] of this.#agents) {
      if (now - lastSeen <= KEPT) break
      this.#forget(instance)
    }
    return [...this.#agents.values()].map((agent) => this.#shown(agent)).toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
  }

  /** Writes what is due of those that were heard since the last time, one write after the other; never rejects. */
  write(): Promise<void> {
    return this.#queue((agent) => this.#rows.isDue(rowOf(agent)))
  }

  #queue(isDue: (agent: HeardAgent) => boolean): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(isDue))
    return this.#writing
  }

  async #write(isDue: (agent: HeardAgent) => boolean): Promise<void> {
    const agents = [...this.#unwritten].flatMap((instance) => this.#agents.get(instance) ?? []).filter(isDue)
    if (agents.length === 0) return
    for (const { instance } of agents) this.#unwritten.delete(instance)
    try {
      await this.#table.write(agents)
      this.#rows.note(agents.map(rowOf))
    } catch (error) {
      for (const { instance } of agents) if (this.#agents.has(instance)) this.#unwritten.add(instance)
      this.#failed(error)
    }
  }

  /** Writes what is left and ends. */
  async stop(): Promise<void> {
    this.#cancel()
    await this.#queue(() => true)
  }
}
