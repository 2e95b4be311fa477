// Pools of pg: how long a connection is waited for, and how many there are.
import type { Milliseconds } from '@andon/model'
import { activeContext, NO_CONTEXT, runIn } from '../context.ts'
import type { Bound } from '../metrics/instrument.ts'
import type { AgentMeter, AgentRecorder } from '../metrics/meter.ts'
import type { AgentTracer } from '../tracer.ts'
import { onModule } from './load.ts'
import { Database } from './statements.ts'
import { followed, get, getText, isMethod, list, wrap } from './wrap.ts'

const WAIT: unique symbol = Symbol('andon.pool_wait')
const DATABASE: unique symbol = Symbol('andon.database')
const WAITS: unique symbol = Symbol('andon.pool_waits')
const MAX_DATABASES = 100

/** Of pg's client what is used here. Fields are read and written plainly: Reflect costs ten times as much. */
export interface PgClient {
  readonly _Promise?: unknown
  /** True while it waits for nothing: a statement is written at once. */
  readonly readyForQuery?: unknown
  [WAIT]?: Milliseconds
  [DATABASE]?: Database
}

/** Of pg-pool's pool what is used here; what it keeps to itself may be missing. */
interface PgPool {
  /** Where the waits for its connections are recorded; set once it has been seen. */
  [WAITS]?: Bound | null
  readonly ending?: unknown
  readonly options?: { readonly max?: unknown } | null
  readonly _idle?: unknown
  readonly _clients?: unknown
  readonly _pendingQueue?: unknown
  listenerCount?(event: string): number
}

/** Takes out how long the caller waited for this connection, told once, to its first statement. */
export function poolWait(client: PgClient): Milliseconds {
  const wait = client[WAIT]
  if (wait === undefined || wait === 0) return 0
  client[WAIT] = 0
  return wait
}

/** Whether a pulse does no more than to hand an idle connection to a waiter, which runs in a context of its own. */
function opensNothing(pool: PgPool): boolean {
  const { ending, options, _idle, _clients, _pendingQueue } = pool
  if (ending !== false || !Array.isArray(_pendingQueue) || !Array.isArray(_idle) || !Array.isArray(_clients)) return false
  if (_pendingQueue.length === 0) return true
  const max = options?.max
  if (typeof max !== 'number' || (_idle.length === 0 && _clients.length < max)) return false
  return pool.listenerCount?.('acquire') === 0
}

/** What clients and pools of pg share. */
export class PgMetrics {
  readonly #tracer: AgentTracer
  readonly #duration: AgentRecorder
  readonly #waitTime: AgentRecorder
  readonly #databases = new Map<string, Database>()
  readonly #pools = new Set<WeakRef<object>>()
  readonly #waits = new Map<string, Bound>()

  constructor(tracer: AgentTracer, meter: AgentMeter) {
    this.#tracer = tracer
    this.#duration = meter.createHistogram('db.client.operation.duration', { unit: 's', description: 'Duration of database client operations.' })
    this.#waitTime = meter.createHistogram('db.client.connection.wait_time', { unit: 's', description: 'The time it took to obtain an open connection from the pool.' })
    const count = meter.createObservableUpDownCounter('db.client.connection.count', { unit: '{connection}', description: 'The number of connections that are currently in state described by the state attribute.' })
    const max = meter.createObservableUpDownCounter('db.client.connection.max', { unit: '{connection}', description: 'The maximum number of open connections allowed.' })
    const pending = meter.createObservableUpDownCounter('db.client.connection.pending_requests', { unit: '{request}', description: 'The number of current pending requests for an open connection.' })
    meter.addBatchObservableCallback(
      (result) => {
        for (const [name, { idle, used, limit, waiting }] of this.#states()) {
          const pool = { 'db.client.connection.pool.name': name }
          result.observe(count, idle, { ...pool, 'db.client.connection.state': 'idle' })
          result.observe(count, used, { ...pool, 'db.client.connection.state': 'used' })
          result.observe(max, limit, pool)
          result.observe(pending, waiting, pool)
        }
      },
      [count, max, pending],
    )
  }

  /** By pool's name; pools of one name are one. */
  #states(): Map<string, { idle: number; used: number; limit: number; waiting: number }> {
    const states = new Map<string, { idle: number; used: number; limit: number; waiting: number }>()
    for (const reference of this.#pools) {
      const pool = reference.deref()
      if (pool === undefined || get(pool, 'ended') === true) {
        this.#pools.delete(reference)
        continue
      }
      const name = poolName(pool)
      const state = states.get(name) ?? { idle: 0, used: 0, limit: 0, waiting: 0 }
      const [idle, total] = [number(pool, 'idleCount'), number(pool, 'totalCount')]
      states.set(name, { idle: state.idle + idle, used: state.used + total - idle, limit: state.limit + number(get(pool, 'options'), 'max'), waiting: state.waiting + number(pool, 'waitingCount') })
    }
    return states
  }

  /** The database that a client talks to. */
  databaseOf(client: PgClient): Database {
    const known = client[DATABASE]
    if (known !== undefined) return known
    const parameters = get(client, 'connectionParameters')
    const address = { system: 'postgresql', namespace: getText(parameters, 'database') ?? '', address: getText(parameters, 'host') ?? '', port: number(parameters, 'port') }
    const key = `${address.address}\n${address.port}\n${address.namespace}`
    let database = this.#databases.get(key)
    if (database === undefined) {
      database = new Database(this.#tracer, this.#duration, address)
      if (this.#databases.size < MAX_DATABASES) this.#databases.set(key, database)
    }
    client[DATABASE] = database
    return database
  }

  /** Patches every copy of pg-pool that is loaded from now on. */
  watchPools(): void {
    onModule('pg-pool', { versions: '>=3.0.0 <4' }, (Pool) => {
      const prototype = get(Pool, 'prototype')
      const see = (pool: PgPool): void => {
        if (pool[WAITS] !== undefined) return
        pool[WAITS] = null
        this.#pools.add(new WeakRef(pool))
      }
      const acquired = this.#acquired.bind(this)
      wrap(prototype, 'connect', (original) =>
        function connect(this: unknown, ...args: unknown[]): unknown {
          if (!isPool(this)) return Reflect.apply(original, this, args)
          see(this)
          const startMs = performance.now()
          const [callback] = args
          if (isMethod(callback)) {
            const active = activeContext()
            // A waiter is called by whoever gives a connection back: in that one's context, even where the waiter has none.
            const bound = (error: unknown, client: unknown, release: unknown): unknown => {
              acquired(this, client, startMs)
              return runIn(active, () => callback.call(undefined, error, client, release))
            }
            return original.call(this, bound)
          }
          return followed(Reflect.apply(original, this, args), (client) => acquired(this, client, startMs), () => undefined)
        },
      )
      wrap(prototype, '_pulseQueue', (original) =>
        // What it starts, such as a new connection for a waiter, is not of the request that gives a connection back.
        function pulse(this: unknown, ...args: unknown[]): unknown {
          if (isPool(this) && opensNothing(this)) return original.call(this)
          return runIn(NO_CONTEXT, () => Reflect.apply(original, this, args))
        },
      )
    })
  }

  #acquired(pool: PgPool, client: unknown, startMs: Milliseconds): void {
    const wait = performance.now() - startMs
    const bound = pool[WAITS] ?? this.#waitsOf(pool)
    bound.record(wait / 1000)
    if (isClient(client)) client[WAIT] = wait
  }

  #waitsOf(pool: PgPool): Bound {
    const name = poolName(pool)
    let bound = this.#waits.get(name)
    if (bound === undefined) {
      bound = this.#waitTime.bind({ 'db.client.connection.pool.name': name })
      if (this.#waits.size < MAX_DATABASES) this.#waits.set(name, bound)
    }
    // The name is known for good once there is a connection.
    if (Object.hasOwn(pool, NAME)) pool[WAITS] = bound
    return bound
  }
}

function isPool(value: unknown): value is PgPool {
  return typeof value === 'object' && value !== null
}

function isClient(value: unknown): value is PgClient {
  return typeof value === 'object' && value !== null
}

function number(owner: unknown, name: string): number {
  const value = Number(get(owner, name) ?? 0)
  return Number.isFinite(value) ? value : 0
}

const NAME = Symbol('andon.pool_name')

function poolName(pool: object): string {
  const known: unknown = Reflect.get(pool, NAME)
  if (typeof known === 'string') return known
  // A pool knows its parameters as they were given; the first client knows what they came to.
  const options = get(list(get(pool, '_clients'))[0], 'connectionParameters') ?? get(pool, 'options')
  const name = `${getText(options, 'host') ?? 'localhost'}:${number(options, 'port') || 5432}/${getText(options, 'database') ?? ''}`
  if (list(get(pool, '_clients')).length > 0) Reflect.set(pool, NAME, name)
  return name
}
