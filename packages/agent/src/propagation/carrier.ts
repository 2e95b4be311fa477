// What all propagators share: one header of a carrier, and the span that goes into it.
import { type Context, createContextKey, type SpanContext, type TextMapGetter, trace } from '@opentelemetry/api'
import { isSuppressed, spanOf, withSpan } from '../context.ts'
import { isId } from './hex.ts'

/** One header; undefined when it is absent or there are several of this name. */
export function only(carrier: unknown, getter: TextMapGetter, name: string): string | undefined {
  const value = getter.get(carrier, name)
  if (!Array.isArray(value)) return typeof value === 'string' ? value : undefined
  return value.length === 1 ? value[0] : undefined
}

/** All headers of a name as one list, as RFC 9110 (5.3) joins them. */
export function joined(carrier: unknown, getter: TextMapGetter, name: string): string {
  const value = getter.get(carrier, name)
  return Array.isArray(value) ? value.join(',') : (value ?? '')
}

/** The span that goes along with a request; undefined when there is none to tell of. */
export function outgoing(context: Context): SpanContext | undefined {
  const span = spanOf(context)?.spanContext()
  if (span === undefined || isSuppressed(context)) return undefined
  return span.traceId.length === 32 && span.spanId.length === 16 && isId(span.traceId, 0, 32) && isId(span.spanId, 0, 16) ? span : undefined
}

/** The context under a span of another process. */
export function under(context: Context, traceId: string, spanId: string, traceFlags: number): Context {
  return withSpan(context, trace.wrapSpanContext({ traceId, spanId, traceFlags, isRemote: true }))
}

/** That a caller asked for this trace whatever the sampling: B3 and Jaeger hand it on. */
const DEBUG = createContextKey('andon propagation debug')

export function withDebug(context: Context): Context {
  return context.setValue(DEBUG, true)
}

export function isDebug(context: Context): boolean {
  return context.getValue(DEBUG) === true
}
