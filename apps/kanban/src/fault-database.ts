// Ailments of the connections: none kept, too few, or given back too late.
import pg from 'pg'
import { type Database, POOL_OPTIONS, type Queryable, transact } from './db.ts'
import type { Faults } from './faults.ts'

interface Lease {
  readonly connection: pg.ClientBase
  /** Gives it back, perhaps later. */
  readonly release: () => void
}

/** A database whose connections can be struck by no-pool, small-pool and held-connections. */
export class FaultyDatabase implements Database {
  readonly #sound: Database
  readonly #faults: Faults
  #small: pg.Pool | undefined

  constructor(sound: Database, faults: Faults) {
    this.#sound = sound
    this.#faults = faults
    faults.when('small-pool', (connections) => this.#resize(connections))
  }

  get pool(): pg.Pool {
    return this.#small ?? this.#sound.pool
  }

  /** Another pool takes the place of the one before, which ends when its last user is done. */
  #resize(connections: number): void {
    const before = this.#small
    this.#small = connections === 0 ? undefined : new pg.Pool({ ...POOL_OPTIONS, connectionString: this.#sound.pool.options.connectionString, max: connections })
    this.#small?.on('error', () => undefined)
    void before?.end().catch(() => undefined)
  }

  get #isStruck(): boolean {
    return this.#small !== undefined || this.#faults.strength('no-pool') > 0 || this.#faults.strength('held-connections') > 0
  }

  async #lease(): Promise<Lease> {
    if (this.#faults.strikes('no-pool')) {
      const own = new pg.Client({ connectionString: this.#sound.pool.options.connectionString })
      own.on('error', () => undefined)
      await own.connect()
      return { connection: own, release: () => void own.end().catch(() => undefined) }
    }
    const client = await this.pool.connect()
    const heldMs = this.#faults.strength('held-connections')
    return { connection: client, release: heldMs === 0 ? () => client.release() : () => void setTimeout(() => client.release(), heldMs) }
  }

  async query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>> {
    if (!this.#isStruck) return await this.#sound.query<R>(text, values)
    const { connection, release } = await this.#lease()
    try {
      return await connection.query<R>(text, values === undefined ? undefined : [...values])
    } finally {
      release()
    }
  }

  async transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T> {
    if (!this.#isStruck) return await this.#sound.transaction(work)
    const { connection, release } = await this.#lease()
    try {
      return await transact(connection, work)
    } finally {
      release()
    }
  }

  async close(): Promise<void> {
    this.#resize(0)
    await this.#sound.close()
  }
}
