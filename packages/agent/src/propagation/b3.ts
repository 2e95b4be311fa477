// Zipkin's B3, in one header and in several.
// @see https://github.com/openzipkin/b3-propagation
import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from '@opentelemetry/api'
import { isDebug, only, outgoing, under, withDebug } from './carrier.ts'
import { isId, trimBlanks } from './hex.ts'

const SINGLE = 'b3'
const TRACE = 'x-b3-traceid'
const SPAN = 'x-b3-spanid'
const SAMPLED = 'x-b3-sampled'
const FLAGS = 'x-b3-flags'

/** Ids of 64 bits are the lower half of ours; digits may be upper-case. */
function parentOf(context: Context, trace: string, span: string, state: string): Context {
  const traceId = trace.toLowerCase().padStart(32, '0')
  const spanId = span.toLowerCase()
  if ((trace.length !== 16 && trace.length !== 32) || span.length !== 16 || !isId(traceId, 0, 32) || !isId(spanId, 0, 16)) return context
  // Without a state the decision is left to the receiver: to drop such traces by default would lose them all.
  const isSampled = state !== '0' && state !== 'false'
  const found = under(context, traceId, spanId, isSampled ? 1 : 0)
  return state === 'd' ? withDebug(found) : found
}

function extractSingle(context: Context, header: string): Context {
  const [trace = '', span = '', state = '', parent, ...rest] = trimBlanks(header).split('-')
  if (rest.length > 0 || !['', '0', '1', 'd'].includes(state) || (parent !== undefined && !isId(parent.toLowerCase(), 0, 16))) return context
  return parentOf(context, trace, span, state)
}

/** Reads both forms, the single header first; writes one of them. */
export class B3Propagator implements TextMapPropagator {
  readonly #form: 'single' | 'multi'

  constructor(form: 'single' | 'multi') {
    this.#form = form
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = outgoing(context)
    if (span === undefined) return
    const state = isDebug(context) ? 'd' : String(span.traceFlags & 1)
    if (this.#form === 'single') {
      setter.set(carrier, SINGLE, `${span.traceId}-${span.spanId}-${state}`)
      return
    }
    setter.set(carrier, TRACE, span.traceId)
    setter.set(carrier, SPAN, span.spanId)
    // Debug implies the decision, which is not to be sent beside it.
    if (state === 'd') setter.set(carrier, FLAGS, '1')
    else setter.set(carrier, SAMPLED, state)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const single = only(carrier, getter, SINGLE)
    const found = single === undefined ? context : extractSingle(context, single)
    const trace = found === context ? only(carrier, getter, TRACE) : undefined
    if (trace === undefined) return found
    const state = trimBlanks(only(carrier, getter, FLAGS) ?? '') === '1' ? 'd' : trimBlanks(only(carrier, getter, SAMPLED) ?? '').toLowerCase()
    return parentOf(context, trimBlanks(trace), trimBlanks(only(carrier, getter, SPAN) ?? ''), ['0', 'false', 'd'].includes(state) ? state : '1')
  }

  fields(): string[] {
    return this.#form === 'single' ? [SINGLE] : [TRACE, SPAN, SAMPLED, FLAGS]
  }
}
