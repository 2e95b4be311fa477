// Tells the sampler which request each sample belongs to.
import { type AsyncHook, createHook } from 'node:async_hooks'
import { type Context, isSpanContextValid } from '@opentelemetry/api'
import { activeContext, requestOf, spanOf, watchContexts } from '../context.ts'
import type { nativeSampler } from './native.ts'

type Time = NonNullable<ReturnType<typeof nativeSampler>>['time']

/** What a sample points at: the context that ran when it was taken. */
interface Holder {
  context: Context | undefined
}

function isHolder(value: object): value is Holder {
  return 'context' in value
}

/**
 * Keeps the native sampler told of the running context. A sample takes a pointer to the current holder; the holder is replaced only after
 * a sample was taken, so that a switch costs one comparison and one assignment. Works without async-context frames, whose use by the
 * sampler leaks on Node 24.
 *
 * @see dd-trace-js packages/dd-trace/src/profiling/profilers/wall.js, where the way of doing it comes from
 */
export class ContextLabels {
  readonly #time: Time
  readonly #hook: AsyncHook
  #state: ArrayLike<number> = []
  #seen = -1
  #holder: Holder = { context: undefined }

  constructor(time: Time) {
    this.#time = time
    this.#hook = createHook({ before: () => this.#enter() })
  }

  /** The sampler has started: its counter is a new one. */
  start(): void {
    this.#restart()
    watchContexts(() => this.#enter())
    this.#hook.enable()
  }

  /** The sampler goes on with its counter at zero. */
  restart(): void {
    this.#restart()
  }

  /** Before the sampler stops. */
  stop(): void {
    this.#hook.disable()
    watchContexts(undefined)
  }

  #restart(): void {
    const state: ArrayLike<number> = this.#time.getState()
    this.#state = state
    this.#seen = -1
    this.#enter()
  }

  #enter(): void {
    const count = this.#state[Number(this.#time.constants.kSampleCount)] ?? 0
    if (count !== this.#seen) {
      this.#seen = count
      this.#holder = { context: undefined }
      this.#time.setContext(this.#holder)
    }
    this.#holder.context = activeContext()
  }
}

const NOTHING: Readonly<Record<string, string>> = {}

/** Route, trace and span of what a sample points at. The route is read late: it is known only after the request was routed. */
export function labelsOf(holder: object | undefined): Readonly<Record<string, string>> {
  if (holder === undefined || !isHolder(holder) || holder.context === undefined) return NOTHING
  const ids = spanOf(holder.context)?.spanContext()
  const route = requestOf(holder.context)?.route
  if (ids === undefined || !isSpanContextValid(ids)) return route === undefined ? NOTHING : { route }
  return { ...(route !== undefined && { route }), trace_id: ids.traceId, span_id: ids.spanId }
}
