// The databases that the process talks to, by client: what the instrumentations of their libraries share.
import type { DatabaseAddress } from './statements.ts'
import { Database } from './statements.ts'
import { registerInventory } from '../inventory.ts'
import type { AgentMeter, AgentRecorder } from '../metrics/meter.ts'
import type { AgentTracer } from '../tracer.ts'

/** More addresses than this are not remembered by address, only by client. */
const MAX_DATABASES = 200

class Databases {
  readonly #tracer: AgentTracer
  readonly #duration: AgentRecorder
  readonly #byAddress = new Map<string, Database>()
  readonly #byClient = new WeakMap<object, Database>()

  constructor(tracer: AgentTracer, meter: AgentMeter) {
    this.#tracer = tracer
    this.#duration = meter.createHistogram('db.client.operation.duration', { unit: 's', description: 'Duration of database client operations.' })
  }

  ofClient(client: object, describe: () => DatabaseAddress): Database {
    let database = this.#byClient.get(client)
    if (database === undefined) this.#byClient.set(client, (database = this.#ofAddress(describe())))
    return database
  }

  #ofAddress(place: DatabaseAddress): Database {
    const key = `${place.system}://${place.address}:${place.port}/${place.namespace}`
    const known = this.#byAddress.get(key)
    if (known !== undefined) return known
    const made = new Database(this.#tracer, this.#duration, place)
    if (this.#byAddress.size < MAX_DATABASES) this.#byAddress.set(key, made)
    registerInventory({ kind: 'dependency', name: `${place.system}/${place.namespace || place.address}` })
    return made
  }
}

let current: Databases | undefined

/** Records calls of databases through these from now on. @returns what ends it */
export function recordDatabases(tracer: AgentTracer, meter: AgentMeter): () => void {
  current = new Databases(tracer, meter)
  return () => {
    current = undefined
  }
}

/**
 * The database of a client.
 *
 * @param client - any object that stays with one database
 * @param describe - asked once for a client
 * @returns undefined while nothing is recorded
 */
export function databaseOf(client: object, describe: () => DatabaseAddress): Database | undefined {
  return current?.ofClient(client, describe)
}
