// Messages between threads and processes of one machine. Node hands over the user's value and nothing beside it, and what is
// put into a value unasked may break who reads it: so the context goes along where both sides ask for it.
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { registerInventory } from './inventory.ts'
import { endWith } from './span-work.ts'

const KEY = 'andon.context'

/** A message and the context of who sends it, as structured cloning and JSON both keep it. */
export interface CarriedMessage<T> {
  readonly 'andon.context': Readonly<Record<string, string>>
  readonly message: T
}

/**
 * Puts the active context beside a message, for `postMessage` of a worker or port, or `process.send`.
 *
 * @param message - sent as it is; what it transfers stays in the list of what is transferred
 * @example worker.postMessage(carryContext({ image: 7 }))
 */
export function carryContext<T>(message: T): CarriedMessage<T> {
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  return { [KEY]: carrier, message }
}

function isCarried<T>(received: T | CarriedMessage<T>): received is CarriedMessage<T> {
  if (typeof received !== 'object' || received === null || !(KEY in received) || !('message' in received)) return false
  const carrier: unknown = received[KEY]
  return typeof carrier === 'object' && carrier !== null
}

/**
 * A listener for messages: `handle` runs within a span of its own, in the trace of who sent the message by `carryContext`,
 * and in a trace of its own where the message carries nothing. The span ends with the promise that `handle` gives, if it
 * gives one; what it throws passes through. The handler is registered in the inventory.
 *
 * @param name - of the spans; few different ones
 * @param handle - gets the message as it was given to `carryContext`, or to `postMessage` itself
 * @example parentPort.on('message', messageHandler('resize image', async ({ image }) => { … }))
 */
export function messageHandler<T>(name: string, handle: (message: T) => unknown): (received: T | CarriedMessage<T>) => unknown {
  registerInventory({ kind: 'handler', name })
  return (received) => {
    const carried = isCarried(received)
    const message = carried ? received.message : received
    // Not the active one: that is of who made the worker or the port, maybe another request.
    const above = carried ? propagation.extract(ROOT_CONTEXT, received[KEY]) : ROOT_CONTEXT
    return trace.getTracer('@andon/agent/messages').startActiveSpan(name, { kind: SpanKind.CONSUMER }, above, (span) => endWith(span, () => handle(message)))
  }
}
