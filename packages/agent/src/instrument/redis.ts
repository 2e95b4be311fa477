// Commands of ioredis and of node-redis (the package redis).
import { diag } from '@opentelemetry/api'
import { activeContext, isSuppressed, NO_CONTEXT, runIn, spanOf } from '../context.ts'
import { databaseOf } from './databases.ts'
import { failure } from './failures.ts'
import { onModule } from './load.ts'
import type { Call, DatabaseAddress } from './statements.ts'
import { followed, get, getText, isMethod, type Method, wrap } from './wrap.ts'

/** Commands that wait in the server for somebody else: outside of any work they are a worker that has nothing to do. */
const WAITING: ReadonlySet<string> = new Set(['BLPOP', 'BRPOP', 'BRPOPLPUSH', 'BLMOVE', 'BLMPOP', 'BZPOPMIN', 'BZPOPMAX', 'BZMPOP', 'XREAD', 'XREADGROUP', 'WAIT', 'MONITOR', 'SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE'])

const upperNames = new Map<string, string>()

/** Names in upper case; few different ones, so they are remembered. */
function upper(name: string): string {
  const known = upperNames.get(name)
  if (known !== undefined) return known
  const made = name.toUpperCase()
  if (upperNames.size < 1000) upperNames.set(name, made)
  return made
}

/** Starts the span of a command; keys and values are not recorded. @param client - what stays with one database */
function begin(client: object, name: string, hasArguments: boolean, describe: () => DatabaseAddress): Call | undefined {
  try {
    const active = activeContext()
    const command = upper(name)
    if (isSuppressed(active) || (WAITING.has(command) && spanOf(active) === undefined)) return undefined
    return databaseOf(client, describe)?.begin(hasArguments ? `${command} ?` : command, active)
  } catch (error) {
    diag.error('andon: a command of Redis could not be recorded', error)
    return undefined
  }
}

function placeOf(address: unknown, port: unknown, namespace: unknown): DatabaseAddress {
  return { system: 'redis', namespace: String(Number(namespace) || 0), address: typeof address === 'string' ? address : 'localhost', port: Number(port) || 0 }
}

/** Ends a call with what the server says: an error by the word that it begins with, such as WRONGTYPE. */
function fail(call: Call, error: unknown): void {
  const [, word] = /^([A-Z]{3,}) /.exec(getText(error, 'message') ?? '') ?? []
  call.end(failure(error, getText(error, 'code') === undefined ? word : undefined))
}

/** Commands of a transaction are answered when they are queued: whether they went well stands in the answer to EXEC. */
function answered(call: Call, command: string, reply: unknown): void {
  const error = command === 'EXEC' && Array.isArray(reply) ? reply.find((each) => each instanceof Error) : undefined
  if (error === undefined) call.end()
  else fail(call, error)
}

const CALL = Symbol('andon.call')

/** Of a command of ioredis: a retry has new functions that settle it, and is still the same call. */
interface Tracked {
  readonly call: Call
  resolve: unknown
}

function follow(command: object, name: string, call: Call): void {
  const resolve = get(command, 'resolve')
  const reject = get(command, 'reject')
  if (!isMethod(resolve) || !isMethod(reject)) return
  const taken = (value: unknown): void => {
    answered(call, upper(name), value)
    Reflect.apply(resolve, command, [value])
  }
  Reflect.set(command, 'resolve', taken)
  Reflect.set(command, 'reject', (error: unknown) => {
    fail(call, error)
    Reflect.apply(reject, command, [error])
  })
  Reflect.set(command, CALL, { call, resolve: taken } satisfies Tracked)
}

function isTracked(value: unknown): value is Tracked {
  return typeof value === 'object' && value !== null && 'call' in value
}

function placeOfIoredis(redis: object): DatabaseAddress {
  const options = get(redis, 'options')
  const path = get(options, 'path')
  return placeOf(path ?? get(options, 'host'), typeof path === 'string' ? 0 : get(options, 'port'), get(options, 'db'))
}

function patchIoredis(Redis: unknown): void {
  wrap(get(Redis, 'prototype'), 'sendCommand', (send) =>
    function sendCommand(this: unknown, ...args) {
      const [command] = args
      const name = getText(command, 'name')
      // Before it is ready, a connection sends commands of its own.
      if (name === undefined || typeof command !== 'object' || command === null || typeof this !== 'object' || this === null || get(this, 'status') === 'connect') return Reflect.apply(send, this, args)
      const known: unknown = Reflect.get(command, CALL)
      if (isTracked(known)) {
        if (known.resolve !== get(command, 'resolve')) follow(command, name, known.call)
        return Reflect.apply(send, this, args)
      }
      const call = begin(this, name, get(get(command, 'args'), 'length') !== 0, placeOfIoredis.bind(undefined, this))
      if (call !== undefined) follow(command, name, call)
      return Reflect.apply(send, this, args)
    },
  )
  wrap(get(Redis, 'prototype'), 'connect', (connect) =>
    function patchedConnect(this: unknown, ...args) {
      const [callback] = args
      if (isMethod(callback)) {
        const active = activeContext()
        args[0] = (...answer: unknown[]) => runIn(active, () => Reflect.apply(callback, undefined, answer))
      }
      return connectOutside(() => Reflect.apply(connect, this, args))
    },
  )
}

/** A connection lives on when the work in which it was opened has ended: messages that come by it, to subscribers, are nobody's. */
function connectOutside(connect: () => unknown): unknown {
  return runIn(NO_CONTEXT, connect)
}

/** Where the queue of a node-redis client sends: the queue itself does not know. Another object after each change of it. */
const places = new WeakMap<object, DatabaseAddress>()
/** The queue whose commands go by a socket. */
const queues = new WeakMap<object, object>()
/** A client makes its queue and its socket in one go. */
let lastQueue: object | undefined
/** Of the options of the client that is just asked to connect: which database it selects before all else. */
let connecting: unknown

const UNKNOWN: DatabaseAddress = { system: 'redis', namespace: '0', address: '', port: 0 }

function isClass(value: unknown): value is new (...args: unknown[]) => object {
  return typeof value === 'function'
}

function extend(exports: unknown, made: (instance: object, args: readonly unknown[]) => void): void {
  const Base = get(exports, 'default')
  if (!isClass(Base) || typeof exports !== 'object' || exports === null) throw new Error('it exports no class')
  const Extended = new Proxy(Base, {
    construct: (target, args, newTarget) => {
      const instance: object = Reflect.construct(target, args, newTarget)
      made(instance, args)
      return instance
    },
  })
  if (!Reflect.set(exports, 'default', Extended)) throw new Error('its class cannot be replaced')
}

/** Commands that are added from now on go to another database of the same server. @returns what takes it back */
function select(queue: object, namespace: unknown): () => void {
  const before = places.get(queue) ?? UNKNOWN
  const made = { ...before, namespace: String(Number(namespace) || 0) }
  if (made.namespace !== before.namespace) places.set(queue, made)
  return () => {
    if (places.get(queue) === made) places.set(queue, before)
  }
}

function added(add: Method, queue: object, args: unknown[], words: readonly unknown[]): unknown {
  const command = upper(String(words[0]))
  const place = places.get(queue) ?? UNKNOWN
  const call = begin(place, command, words.length > 1, () => place)
  const undo = command === 'SELECT' ? select(queue, words[1]) : undefined
  const answer = Reflect.apply(add, queue, args)
  if (call === undefined) return answer
  return followed(
    answer,
    (reply) => answered(call, command, reply),
    (error) => {
      undo?.()
      fail(call, error)
    },
  )
}

function patchQueue(exports: unknown): void {
  wrap(get(get(exports, 'default'), 'prototype'), 'addCommand', (add) =>
    function addCommand(this: unknown, ...args) {
      const [words, options] = args
      // The commands with which a connection begins go before all others.
      if (!Array.isArray(words) || typeof this !== 'object' || this === null || get(options, 'asap') === true) return Reflect.apply(add, this, args)
      return added(add, this, args, words)
    },
  )
  extend(exports, (queue) => {
    lastQueue = queue
  })
}

function patchSocket(exports: unknown): void {
  wrap(get(get(exports, 'default'), 'prototype'), 'connect', (connect) =>
    function patchedConnect(this: unknown, ...args) {
      const queue = typeof this === 'object' && this !== null ? queues.get(this) : undefined
      if (queue !== undefined && connecting !== undefined) select(queue, connecting)
      return connectOutside(() => Reflect.apply(connect, this, args))
    },
  )
  extend(exports, (socket, args) => {
    const options = args.find((each) => get(each, 'host') !== undefined || get(each, 'port') !== undefined || get(each, 'path') !== undefined)
    const path = get(options, 'path')
    if (lastQueue !== undefined) {
      places.set(lastQueue, placeOf(path ?? get(options, 'host'), typeof path === 'string' ? 0 : (get(options, 'port') ?? 6379), 0))
      queues.set(socket, lastQueue)
    }
    lastQueue = undefined
  })
}

function databaseIn(client: unknown): unknown {
  try {
    return get(get(client, 'options'), 'database')
  } catch {
    // Not a client: the call that follows says so.
    return undefined
  }
}

/** Commands may be given before the connection is there: from `connect` on they belong to the database that is asked for. */
function patchClient(exports: unknown): void {
  wrap(get(get(exports, 'default'), 'prototype'), 'connect', (connect) =>
    function patchedConnect(this: unknown, ...args) {
      connecting = databaseIn(this)
      try {
        return Reflect.apply(connect, this, args)
      } finally {
        connecting = undefined
      }
    },
  )
}

/** Patches every copy that is loaded from now on. */
export function instrumentRedis(): void {
  onModule('ioredis', { versions: '>=4 <7', file: 'built/index.js' }, patchIoredis)
  const client = { versions: '>=1 <7' }
  onModule('@redis/client', { ...client, file: 'dist/lib/client/commands-queue.js' }, patchQueue)
  onModule('@redis/client', { ...client, file: 'dist/lib/client/socket.js' }, patchSocket)
  onModule('@redis/client', { ...client, file: 'dist/lib/client/index.js' }, patchClient)
}
