// Fastify: the server span of a request is named after the route, not the path, and holds the error that its handler or a hook threw.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { activeContext, requestOf } from '../context.ts'
import { registerInventory } from '../inventory.ts'
import { note } from './outcomes.ts'
import { getText } from './wrap.ts'

const CHANNEL = 'fastify.initialization'

/** Of a Fastify instance what is needed here; the package itself is not imported. */
interface FastifyLike {
  addHook(name: 'onRequest', hook: (request: { readonly routeOptions?: { readonly url?: string } }, reply: unknown, done: () => void) => void): unknown
  addHook(name: 'onError', hook: (request: unknown, reply: unknown, error: unknown, done: () => void) => void): unknown
  addHook(name: 'onRoute', hook: (route: { readonly method: string | readonly string[]; readonly url: string }) => void): unknown
}

function isFastify(value: unknown): value is FastifyLike {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'addHook') === 'function'
}

function initialized(message: unknown): void {
  const fastify: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, 'fastify') : undefined
  if (!isFastify(fastify)) return
  note({ name: 'fastify', version: getText(fastify, 'version') ?? '', path: '', by: 'andon', reason: undefined, detail: '' })
  fastify.addHook('onRoute', ({ method, url }) => {
    // A HEAD route is the shadow of its GET.
    for (const each of [method].flat()) if (each !== 'HEAD') registerInventory({ kind: 'route', name: `${each} ${url}` })
  })
  fastify.addHook('onRequest', (request, _reply, done) => {
    const served = requestOf(activeContext())
    // `routeOptions` builds an object at each read.
    if (served !== undefined) {
      const route = request.routeOptions?.url
      if (route !== undefined) served.route = route
    }
    done()
  })
  // Once for a request, and before any handler of errors answers, also one of the application's own.
  fastify.addHook('onError', (_request, _reply, error, done) => {
    if (error instanceof Error) requestOf(activeContext())?.span.recordException(error)
    done()
  })
}

/** Sees every Fastify instance made from now on: routes, which go to the inventory too, and errors. @returns what ends it */
export function instrumentFastify(): () => void {
  subscribe(CHANNEL, initialized)
  return () => unsubscribe(CHANNEL, initialized)
}
