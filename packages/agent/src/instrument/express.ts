// Express 4 and 5, and the package `router` that 5 is made of: names of routes and errors of handlers, on the request's span.
import { diag } from '@opentelemetry/api'
import { activeContext, requestOf } from '../context.ts'
import { onModule } from './load.ts'
import { rememberMount, rememberRoute, routeName } from './route-names.ts'
import { get, getText, isMethod, list, wrap } from './wrap.ts'

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Calls what may fail without harm to the application. */
function safely(run: () => void): void {
  try {
    run()
  } catch (error) {
    diag.error('andon: a route of Express could not be recorded', error)
  }
}

const recorded = new WeakSet<Error>()

/** Records an error of a handler once, whichever layers and routers it passes. */
function recordError(error: unknown): void {
  if (!(error instanceof Error) || recorded.has(error)) return
  const request = requestOf(activeContext())
  if (request === undefined) return
  recorded.add(error)
  request.span.recordException(error)
}

/** The router of an application; undefined while it has none. */
function routerOf(app: unknown): unknown {
  // In version 4 the property `router` throws.
  const own = get(app, '_router')
  if (own !== undefined) return own
  const settings = get(app, 'lazyrouter')
  return isMethod(settings) ? undefined : get(app, 'router')
}

/** Path and handlers as `use` takes them: the path may be left out, and all may stand in lists of lists. */
function argumentsOf(args: readonly unknown[]): { readonly path: unknown; readonly handlers: readonly unknown[] } {
  const [first] = args
  const isHandler = isMethod([first].flat(Infinity)[0])
  return { path: isHandler ? '/' : first, handlers: (isHandler ? args : args.slice(1)).flat(Infinity) }
}

function patchRouter(prototype: unknown): void {
  wrap(prototype, 'use', (use) =>
    function patchedUse(this: unknown, ...args) {
      const result = Reflect.apply(use, this, args)
      safely(() => {
        const { path, handlers } = argumentsOf(args)
        for (const handler of handlers) if (isObject(this) && isObject(handler) && Array.isArray(get(handler, 'stack'))) rememberMount(this, path, handler)
      })
      return result
    },
  )
  wrap(prototype, 'route', (make) =>
    function patchedRoute(this: unknown, ...args) {
      const route = Reflect.apply(make, this, args)
      safely(() => {
        if (isObject(this) && isObject(route)) rememberRoute(this, route)
      })
      return route
    },
  )
  wrap(prototype, 'handle', (handle) =>
    function patchedHandle(this: unknown, ...args) {
      const [request, , out] = args
      // What no handler took leaves by the outermost router.
      if (isMethod(out) && (getText(request, 'baseUrl') ?? '') === '' && requestOf(activeContext()) !== undefined) {
        args[2] = (...left: unknown[]) => {
          recordError(left[0])
          return Reflect.apply(out, undefined, left)
        }
      }
      return Reflect.apply(handle, this, args)
    },
  )
}

function patchRoute(Route: unknown): void {
  wrap(get(Route, 'prototype'), 'dispatch', (dispatch) =>
    function patchedDispatch(this: unknown, ...args) {
      const request = requestOf(activeContext())
      if (request !== undefined) {
        safely(() => {
          if (isObject(this)) request.route = routeName(this, getText(args[0], 'baseUrl') ?? '')
        })
      }
      return Reflect.apply(dispatch, this, args)
    },
  )
}

/** Handlers of errors are called with each error: it is recorded before the first of them answers. */
function patchLayer(Layer: unknown, name: string): void {
  wrap(get(Layer, 'prototype'), name, (handle) =>
    function patchedHandleError(this: unknown, ...args) {
      recordError(args[0])
      return Reflect.apply(handle, this, args)
    },
  )
}

/** An application in an application: its routes lie under the path where it hangs. */
function patchApplication(app: unknown): void {
  wrap(app, 'use', (use) =>
    function patchedUse(this: unknown, ...args) {
      const result = Reflect.apply(use, this, args)
      safely(() => {
        const { path, handlers } = argumentsOf(args)
        const parent = routerOf(this)
        for (const handler of list(handlers)) {
          if (!isMethod(get(handler, 'handle')) || !isMethod(get(handler, 'set'))) continue
          const child = routerOf(handler)
          if (isObject(parent) && isObject(child)) rememberMount(parent, path, child)
        }
      })
      return result
    },
  )
}

/** Patches every copy that is loaded from now on. */
export function instrumentExpress(): void {
  onModule('express', { versions: '>=4 <5', file: 'lib/router/index.js' }, patchRouter)
  onModule('express', { versions: '>=4 <5', file: 'lib/router/route.js' }, patchRoute)
  onModule('express', { versions: '>=4 <5', file: 'lib/router/layer.js' }, (Layer) => patchLayer(Layer, 'handle_error'))
  onModule('express', { versions: '>=4 <6', file: 'lib/application.js' }, patchApplication)
  onModule('router', { versions: '>=2 <3', file: 'index.js' }, (Router) => patchRouter(get(Router, 'prototype')))
  onModule('router', { versions: '>=2 <3', file: 'lib/route.js' }, patchRoute)
  onModule('router', { versions: '>=2 <3', file: 'lib/layer.js' }, (Layer) => patchLayer(Layer, 'handleError'))
}
