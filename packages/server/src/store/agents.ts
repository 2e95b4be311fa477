// The table agents: what each agent said of itself when it was last heard.
import type { AgentIdentity, Milliseconds } from '@andon/model'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { i64, sql, u32 } from './sql.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['instance', 'service', 'version', 'revision', 'capabilities', 'owner', 'last_seen']

/** An agent as it was last heard. */
export interface HeardAgent extends AgentIdentity {
  readonly lastSeen: Milliseconds
  /** The name of the token that it sends under. */
  readonly owner: string
}

export class AgentStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Keeps agents in one insert, in place of what was kept of their instances before; settles when it is stored. */
  async write(agents: readonly HeardAgent[]): Promise<void> {
    const rows = new TsvRows(4096)
    for (const { instance, service, version, revision, capabilities, owner, lastSeen } of agents) {
      rows.text(instance).text(service).text(version).number(revision).text(capabilities.join(',')).text(owner).milliseconds(lastSeen).end()
    }
    await this.#database.insert('agents', COLUMNS, rows)
  }

  /** Agents that were heard since a time, the one that was silent for longest first; of more than `limit` those heard last. */
  async heardSince(since: Milliseconds, limit: number): Promise<HeardAgent[]> {
    const rows = await this.#database.query(
      sql`SELECT instance, service, version, revision, capabilities, owner, toUnixTimestamp64Milli(last_seen) FROM andon.agents FINAL
        WHERE last_seen >= fromUnixTimestamp64Milli(${i64(Math.floor(since))}) ORDER BY last_seen DESC, instance LIMIT ${u32(limit)}`,
      ([instance, service, version, revision, capabilities, owner, lastSeen]) => ({
        instance: stringOf(instance),
        service: stringOf(service),
        version: stringOf(version),
        revision: number(revision),
        capabilities: stringOf(capabilities).split(',').filter((each) => each !== ''),
        owner: stringOf(owner),
        lastSeen: number(lastSeen),
      }),
    )
    return rows.toReversed()
  }
}
