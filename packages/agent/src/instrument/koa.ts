// Koa: names of routes, whichever router matches them, and errors, on the request's span.
import { diag } from '@opentelemetry/api'
import { activeContext, requestOf } from '../context.ts'
import { registerInventory } from '../inventory.ts'
import { onModule } from './load.ts'
import { get, getText, isMethod, list, wrap } from './wrap.ts'

const MATCHED = Symbol('andon.matched')

/** Every router of Koa writes here which route it has matched: an accessor sees it, and costs nothing where none does. */
function watchMatches(prototype: object): void {
  Reflect.defineProperty(prototype, '_matchedRoute', {
    configurable: true,
    enumerable: false,
    get(this: object): unknown {
      return Reflect.get(this, MATCHED)
    },
    set(this: object, route: unknown): void {
      Reflect.set(this, MATCHED, route)
      const request = requestOf(activeContext())
      if (request !== undefined && (typeof route === 'string' || route instanceof RegExp)) request.route = `${getText(this, 'mountPath')?.replace(/\/$/, '') ?? ''}${String(route)}`
    },
  })
}

const SOON_MS = 1000

/** What a router has when the application has been put together: the layers of nested routers are in its own list. */
function registerRoutes(router: unknown): void {
  for (const layer of list(get(router, 'stack'))) {
    const path = get(layer, 'path')
    for (const method of list(get(layer, 'methods'))) {
      if (method !== 'HEAD' && typeof method === 'string' && (typeof path === 'string' || path instanceof RegExp)) registerInventory({ kind: 'route', name: `${method} ${String(path)}` })
    }
  }
}

function patchContext(prototype: unknown): void {
  if (typeof prototype !== 'object' || prototype === null) throw new Error('it exports no context')
  watchMatches(prototype)
  wrap(prototype, 'onerror', (onerror) =>
    function patchedOnError(this: unknown, ...args) {
      const [error] = args
      if (error instanceof Error) requestOf(activeContext())?.span.recordException(error)
      return Reflect.apply(onerror, this, args)
    },
  )
}

function patchApplication(Application: unknown): void {
  wrap(get(Application, 'prototype'), 'use', (use) =>
    function patchedUse(this: unknown, ...args) {
      try {
        const router = get(args[0], 'router')
        if (isMethod(args[0]) && Array.isArray(get(router, 'stack'))) setTimeout(registerRoutes, SOON_MS, router).unref()
      } catch (error) {
        diag.error('andon: the routes of a Koa router could not be registered', error)
      }
      return Reflect.apply(use, this, args)
    },
  )
}

/** Patches every copy that is loaded from now on. */
export function instrumentKoa(): void {
  onModule('koa', { versions: '>=2 <4', file: 'lib/context.js' }, patchContext)
  onModule('koa', { versions: '>=2 <4', file: 'lib/application.js' }, patchApplication)
}
