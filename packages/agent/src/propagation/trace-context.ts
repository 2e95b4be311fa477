// W3C trace context: traceparent and tracestate.
// @see https://www.w3.org/TR/trace-context-2/
import { type Context, type SpanContext, type TextMapGetter, type TextMapPropagator, type TextMapSetter, trace } from '@opentelemetry/api'
import { withSpan } from '../context.ts'
import { joined, only, outgoing } from './carrier.ts'
import { hexDigit, isHex, isId, trimBlanks } from './hex.ts'
import { TraceState } from './trace-state.ts'

// VV-TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT-SSSSSSSSSSSSSSSS-FF
const LENGTH = 55
const TRACE_AT = 3
const SPAN_AT = 36
const FLAGS_AT = 53
const DASH = 45
/** Sampled, and that the trace's id is random. */
const KNOWN_FLAGS = 0x03

/** The parent of a traceparent header; undefined when it is none. Versions above 00 may carry more after the flags. */
export function parseTraceParent(header: string): SpanContext | undefined {
  const text = trimBlanks(header)
  if (text.length < LENGTH || !isHex(text, 0, 2) || !isHex(text, FLAGS_AT, 2)) return undefined
  if (text.charCodeAt(2) !== DASH || text.charCodeAt(35) !== DASH || text.charCodeAt(52) !== DASH) return undefined
  if (text.length > LENGTH && (text.startsWith('00') || text.charCodeAt(LENGTH) !== DASH)) return undefined
  if (text.startsWith('ff') || !isId(text, TRACE_AT, 32) || !isId(text, SPAN_AT, 16)) return undefined
  const traceFlags = hexDigit(text, FLAGS_AT + 1) & KNOWN_FLAGS
  return { traceId: text.slice(TRACE_AT, TRACE_AT + 32), spanId: text.slice(SPAN_AT, SPAN_AT + 16), traceFlags, isRemote: true }
}

export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = outgoing(context)
    if (span === undefined) return
    setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-0${span.traceFlags & KNOWN_FLAGS}`)
    const state = span.traceState?.serialize() ?? ''
    if (state !== '') setter.set(carrier, 'tracestate', state)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    // Several headers of this name are an error: the trace is started anew.
    const header = only(carrier, getter, 'traceparent')
    const span = header === undefined ? undefined : parseTraceParent(header)
    if (span === undefined) return context
    const state = joined(carrier, getter, 'tracestate')
    const traceState = state === '' ? undefined : TraceState.parse(state)
    return withSpan(context, trace.wrapSpanContext(traceState === undefined ? span : { ...span, traceState }))
  }

  fields(): string[] {
    return ['traceparent', 'tracestate']
  }
}
