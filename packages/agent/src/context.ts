// The active context of an async call. Of the agent it imports nothing but the baggage of spans.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Baggage, type Context, type ContextManager, createContextKey, ROOT_CONTEXT, type Span } from '@opentelemetry/api'
import { SpanBaggage } from './span-baggage.ts'

// The keys under which the API and the published instrumentation look: createContextKey is Symbol.for.
/** @see opentelemetry-js api/src/trace/context-utils.ts */
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN')
/** @see opentelemetry-js packages/opentelemetry-core/src/trace/suppress-tracing.ts */
const SUPPRESS_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
/** @see opentelemetry-js packages/opentelemetry-core/src/trace/rpc-metadata.ts */
const RPC_KEY = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')
/** @see opentelemetry-js api/src/baggage/context-helpers.ts */
const BAGGAGE_KEY = createContextKey('OpenTelemetry Baggage Key')
const KNOWN_KEY = createContextKey('andon baggage known')

/** What a framework tells of the request that is being served: its route. The published instrumentation writes it too. */
export interface RpcMetadata {
  readonly type: 'http'
  readonly span: Span
  route?: string
}

/** Up to which of its settings a span's own baggage was known when the context was given baggage. */
interface Known {
  readonly span: Span
  readonly count: number
}

/**
 * A context that holds the two values of nearly every call in fields of its own: OpenTelemetry's copies a map for each.
 * All other values are in `base`.
 */
export class AgentContext implements Context {
  readonly span: Span | undefined
  readonly rpc: RpcMetadata | undefined
  readonly base: Context

  constructor(span: Span | undefined, rpc: RpcMetadata | undefined, base: Context) {
    this.span = span
    this.rpc = rpc
    this.base = base
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this.span
    if (key === RPC_KEY) return this.rpc
    return key === BAGGAGE_KEY ? baggageIn(this) : this.base.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    if (key === SPAN_KEY) return new AgentContext(isSpan(value) ? value : undefined, this.rpc, this.base)
    if (key === RPC_KEY) return new AgentContext(this.span, isRpc(value) ? value : undefined, this.base)
    return new AgentContext(this.span, this.rpc, restated(key, this.span, this.base.setValue(key, value)))
  }

  deleteValue(key: symbol): Context {
    return key === SPAN_KEY || key === RPC_KEY ? this.setValue(key, undefined) : new AgentContext(this.span, this.rpc, restated(key, this.span, this.base.deleteValue(key)))
  }
}

function ownBaggage(span: Span | undefined): SpanBaggage | undefined {
  return span !== undefined && 'baggage' in span && span.baggage instanceof SpanBaggage ? span.baggage : undefined
}

/** A base that was given baggage, or deprived of it: what the span has carried so far is part of that word. */
function restated(key: symbol, span: Span | undefined, base: Context): Context {
  const own = key === BAGGAGE_KEY ? ownBaggage(span) : undefined
  return own === undefined ? base : base.setValue(KNOWN_KEY, { span, count: own.count })
}

function isKnown(value: unknown): value is Known {
  return typeof value === 'object' && value !== null && 'span' in value && 'count' in value
}

/** How many settings of the span's own baggage the context's baggage has in it, or left out on purpose. */
export function knownBaggage(context: Context, span: Span): number {
  const known = context.getValue(KNOWN_KEY)
  return isKnown(known) && known.span === span ? known.count : 0
}

function isBaggage(value: unknown): value is Baggage {
  return typeof value === 'object' && value !== null && 'getAllEntries' in value
}

function baggageIn({ span, base }: AgentContext): unknown {
  const given = base.getValue(BAGGAGE_KEY)
  const own = ownBaggage(span)
  return own === undefined || span === undefined ? given : own.over(isBaggage(given) ? given : undefined, knownBaggage(base, span))
}

function isSpan(value: unknown): value is Span {
  return typeof value === 'object' && value !== null && 'spanContext' in value
}

function isRpc(value: unknown): value is RpcMetadata {
  return typeof value === 'object' && value !== null && 'span' in value
}

/** The context in which nothing is active. */
export const NO_CONTEXT: AgentContext = new AgentContext(undefined, undefined, ROOT_CONTEXT)

/** The span of a context. */
export function spanOf(context: Context): Span | undefined {
  if (context instanceof AgentContext) return context.span
  const value = context.getValue(SPAN_KEY)
  return isSpan(value) ? value : undefined
}

/** The context with another span. */
export function withSpan(context: Context, span: Span): Context {
  return context instanceof AgentContext ? new AgentContext(span, context.rpc, context.base) : new AgentContext(span, requestOf(context), context)
}

/** The context of a request that is being served. */
export function withRequest(context: Context, rpc: RpcMetadata): AgentContext {
  const base = context instanceof AgentContext ? context.base : context
  return new AgentContext(rpc.span, rpc, base)
}

/** The request that is being served. */
export function requestOf(context: Context): RpcMetadata | undefined {
  if (context instanceof AgentContext) return context.rpc
  const value = context.getValue(RPC_KEY)
  return isRpc(value) ? value : undefined
}

/** Whether nothing is to be recorded here. */
export function isSuppressed(context: Context): boolean {
  const base = context instanceof AgentContext ? context.base : context
  return base !== ROOT_CONTEXT && base.getValue(SUPPRESS_KEY) === true
}

/** One store for everything: a second one would cost as much again on Node 20 and 22. */
const storage = new AsyncLocalStorage<Context>()

/** The context of the running call. */
export function activeContext(): Context {
  return storage.getStore() ?? NO_CONTEXT
}

/** Told after each context that a call enters or leaves, while a profiler labels its samples. */
let watcher: (() => void) | undefined

/** What async_hooks do not tell: a context that changes within one callback. */
export function watchContexts(told: (() => void) | undefined): void {
  watcher = told
}

/** Runs a function without arguments in a context. */
export function runIn<T>(context: Context, fn: () => T): T {
  return watcher === undefined ? storage.run(context, fn) : runWatched(context, fn, watcher)
}

function runWatched<T>(context: Context, fn: () => T, told: () => void): T {
  try {
    return storage.run(context, () => {
      told()
      return fn()
    })
  } finally {
    told()
  }
}

/** Made when the agent is loaded, before there is any request. */
const outside = new AsyncResource('ANDON')

/**
 * Runs work of the agent's own outside of the call that happens to cause it, such as the request whose span fills a batch: without a
 * span, labels of a profile, or what the host keeps in storages of its own, which connections and timers would carry on for ever.
 */
export function runOutside<T>(fn: () => T): T {
  // The outer one tells a profiler of the change and of its end.
  return runIn(NO_CONTEXT, () => outside.runInAsyncScope(fn))
}

/** In which nothing is recorded, by whoever instruments what runs. */
const SUPPRESSED = NO_CONTEXT.setValue(SUPPRESS_KEY, true)

/** Runs a part of the agent's own work that instrumentation of the host's, such as that of sockets, must not take for the host's. */
export function runUnseen<T>(fn: () => T): T {
  return runIn(SUPPRESSED, fn)
}

export class AsyncContextManager implements ContextManager {
  active(): Context {
    return activeContext()
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(context: Context, fn: F, thisArg?: ThisParameterType<F>, ...args: A): ReturnType<F> {
    return runIn(context, () => fn.call(thisArg, ...args))
  }

  /** A function that runs in the context; of an event emitter, its listeners that are added from now on. */
  bind<T>(context: Context, target: T): T {
    if (target instanceof EventEmitter) return this.#bindEmitter(context, target)
    if (typeof target !== 'function') return target
    return new Proxy(target, { apply: (fn, thisArg, args) => runIn(context, () => Reflect.apply(fn, thisArg, args)) })
  }

  #bindEmitter<T extends EventEmitter>(context: Context, emitter: T): T {
    const bound = new WeakMap<object, (...args: unknown[]) => void>()
    for (const method of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const) {
      const original = emitter[method].bind(emitter)
      emitter[method] = (event: string | symbol, listener: (...args: unknown[]) => void) => {
        // The same one for a listener that is added twice, so that each can be taken off.
        const wrapped = bound.get(listener) ?? this.bind(context, listener)
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
    storage.disable()
    return this
  }
}
