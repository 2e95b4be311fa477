// Pools of pg: how long a connection is waited for, and how many there are.
import type { Milliseconds } from '@andon/model'
import { activeContext, NO_CONTEXT, runIn } from '../context.ts'
import type { Bound } from '../metrics/instrument.ts'
import type { AgentMeter, AgentRecorder } from '../metrics/meter.ts'
import type { AgentTracer } from '../tracer.ts'
import { onModule } from './load.ts'
import { Database } from './statements.ts'
import { get, getText, isMethod, list, wrap } from './wrap.ts'

const WAIT = Symbol('andon.pool_wait')
const DATABASE = Symbol('andon.database')
const MAX_DATABASES = 100

/** Takes out how long the caller waited for this connection, told once, to its first statement. */
export function poolWait(client: object): Milliseconds {
  const wait: unknown = Reflect.get(client, WAIT)
  if (typeof wait !== 'number' || wait === 0) return 0
  Reflect.set(client, WAIT, 0)
  return wait
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
  databaseOf(client: object): Database {
    const known: unknown = Reflect.get(client, DATABASE)
    if (known instanceof Database) return known
    const parameters = get(client, 'connectionParameters')
    const address = { system: 'postgresql', namespace: getText(parameters, 'database') ?? '', address: getText(parameters, 'host') ?? '', port: number(parameters, 'port') }
    const key = `${address.address}\n${address.port}\n${address.namespace}`
    let database = this.#databases.get(key)
    if (database === undefined) {
      database = new Database(this.#tracer, this.#duration, address)
      if (this.#databases.size < MAX_DATABASES) this.#databases.set(key, database)
    }
    Reflect.set(client, DATABASE, database)
    return database
  }

  /** Patches every copy of pg-pool that is loaded from now on. */
  watchPools(): void {
    onModule('pg-pool', { versions: '>=3.0.0 <4' }, (Pool) => {
      const prototype = get(Pool, 'prototype')
      const watched = new WeakSet<object>()
      const pools = this.#pools
      const acquired = this.#acquired.bind(this)
      wrap(prototype, 'connect', (original) =>
        function connect(this: unknown, ...args: unknown[]): unknown {
          if (typeof this !== 'object' || this === null) return Reflect.apply(original, this, args)
          if (!watched.has(this)) {
            watched.add(this)
            pools.add(new WeakRef(this))
          }
          const startMs = performance.now()
          const [callback] = args
          if (isMethod(callback)) {
            const active = activeContext()
            // A waiter is called by whoever gives a connection back: in that one's context, even where the waiter has none.
            const bound = (...answer: unknown[]): unknown => {
              acquired(this, answer[1], startMs)
              return runIn(active, () => Reflect.apply(callback, undefined, answer))
            }
            return Reflect.apply(original, this, [bound])
          }
          const result: unknown = Reflect.apply(original, this, args)
          if (result instanceof Promise) result.then((client: unknown) => acquired(this, client, startMs), () => undefined)
          return result
        },
      )
      wrap(prototype, '_pulseQueue', (original) =>
        // What it starts, such as a new connection for a waiter, is not of the request that gives a connection back.
        function pulse(this: unknown, ...args: unknown[]): unknown {
          return runIn(NO_CONTEXT, () => Reflect.apply(original, this, args))
        },
      )
    })
  }

  #acquired(pool: object, client: unknown, startMs: Milliseconds): void {
    const wait = performance.now() - startMs
    const name = poolName(pool)
    let bound = this.#waits.get(name)
    if (bound === undefined) {
      bound = this.#waitTime.bind({ 'db.client.connection.pool.name': name })
      if (this.#waits.size < MAX_DATABASES) this.#waits.set(name, bound)
    }
    bound.record(wait / 1000)
    if (typeof client === 'object' && client !== null) Reflect.set(client, WAIT, wait)
  }
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
