import { context as contextApi, diag } from '@opentelemetry/api'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'

type Method = (this: unknown, ...args: unknown[]) => unknown
type Patch = (original: Method) => Method

/**
 * A method whose callback runs in the context of the call, also when that one has no span. The package binds callbacks
 * only where there is a span: pg-pool calls a waiter from whoever releases a connection, and a query of the background
 * would hang under a stranger's request.
 */
function bindCallback(method: Method): Method {
  return function bound(...args) {
    const last = args.at(-1)
    if (typeof last === 'function') args[args.length - 1] = contextApi.bind(contextApi.active(), last)
    return Reflect.apply(method, this, args)
  }
}

/** Puts `bindCallback` around what a method of the package makes; false where the package has no such method. */
function widen(instrumentation: PgInstrumentation, name: string): boolean {
  const patch: unknown = Reflect.get(instrumentation, name)
  if (typeof patch !== 'function') return false
  const widened = (): Patch => {
    const made: Patch = Reflect.apply(patch, instrumentation, [])
    return (original) => bindCallback(made(original))
  }
  return Reflect.set(instrumentation, name, widened)
}

/** Instrumentation of pg and pg-pool. Queries outside a request are roots of their own. */
export function createPgInstrumentation(): PgInstrumentation {
  const instrumentation = new PgInstrumentation({ enabled: false, requireParentSpan: false, ignoreConnectSpans: false })
  const done = ['_getPoolConnectPatch', '_getClientQueryPatch'].map((name) => widen(instrumentation, name))
  if (done.includes(false)) diag.error('andon: queries of the background may hang under foreign requests: this version of the pg instrumentation is not known')
  return instrumentation
}
