// The active context of an async call. Imports nothing of the agent.
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api'

/** One store for everything: a second one would cost as much again on Node 20 and 22. */
export class AsyncContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(context: Context, fn: F, thisArg?: ThisParameterType<F>, ...args: A): ReturnType<F> {
    return this.#storage.run(context, () => fn.call(thisArg, ...args))
  }

  /** A function that runs in the context; of an event emitter, its listeners that are added from now on. */
  bind<T>(context: Context, target: T): T {
    if (target instanceof EventEmitter) return this.#bindEmitter(context, target)
    if (typeof target !== 'function') return target
    const storage = this.#storage
    return new Proxy(target, { apply: (fn, thisArg, args) => storage.run(context, () => Reflect.apply(fn, thisArg, args)) })
  }

  #bindEmitter<T extends EventEmitter>(context: Context, emitter: T): T {
    const bound = new WeakMap<object, (...args: unknown[]) => void>()
    for (const method of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const) {
      const original = emitter[method].bind(emitter)
      emitter[method] = (event: string | symbol, listener: (...args: unknown[]) => void) => {
        const wrapped = this.bind(context, listener)
        bound.set(listener, wrapped)
        return original(event, wrapped)
      }
    }
    const remove = emitter.removeListener.bind(emitter)
    emitter.removeListener = (event: string | symbol, listener: (...args: unknown[]) => void) => remove(event, bound.get(listener) ?? listener)
    emitter.off = (event: string | symbol, listener: (...args: unknown[]) => void) => emitter.removeListener(event, listener)
    return emitter
  }

  enable(): this {
    return this
  }

  disable(): this {
    this.#storage.disable()
    return this
  }
}
