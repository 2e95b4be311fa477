// W3C trace context and baggage, in and out.
// @see https://www.w3.org/TR/trace-context/ and https://www.w3.org/TR/baggage/
import {
  type BaggageEntry,
  type Context,
  diag,
  isSpanContextValid,
  propagation,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api'
import { TraceState } from '@opentelemetry/core'

const PARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
const MAX_BAGGAGE = 8192
const MAX_ENTRIES = 180

/** The parent of a traceparent header; undefined when it is none. Versions above 00 may carry more after the flags. */
export function parseTraceParent(header: string): SpanContext | undefined {
  const match = PARENT.exec(header.trim())
  if (match === null) return undefined
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 0x03, isRemote: true }
  return isSpanContextValid(context) ? context : undefined
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context)
    if (span === undefined || !isSpanContextValid(span)) return
    setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 0xff).toString(16).padStart(2, '0')}`)
    const state = span.traceState?.serialize() ?? ''
    if (state !== '') setter.set(carrier, 'tracestate', state)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = getter.get(carrier, 'traceparent')
    // Several headers of this name are an error: the trace is started anew.
    if (header === undefined || (Array.isArray(header) && header.length !== 1)) return context
    const span = parseTraceParent(first(header) ?? '')
    if (span === undefined) return context
    const state = getter.get(carrier, 'tracestate')
    const text = Array.isArray(state) ? state.join(',') : (state ?? '')
    return trace.setSpanContext(context, text === '' ? span : { ...span, traceState: new TraceState(text) })
  }

  fields(): string[] {
    return ['traceparent', 'tracestate']
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export class BaggagePropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const baggage = propagation.getBaggage(context)
    if (baggage === undefined) return
    const members = baggage
      .getAllEntries()
      .slice(0, MAX_ENTRIES)
      .map(([key, { value, metadata }]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}${metadata === undefined ? '' : `;${metadata.toString()}`}`)
    let header = ''
    for (const member of members) if (header.length + member.length < MAX_BAGGAGE) header += `${header === '' ? '' : ','}${member}`
    if (header !== '') setter.set(carrier, 'baggage', header)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = getter.get(carrier, 'baggage')
    const text = Array.isArray(header) ? header.join(',') : (header ?? '')
    if (text === '' || text.length > MAX_BAGGAGE) return context
    const entries: Record<string, BaggageEntry> = {}
    for (const member of text.split(',').slice(0, MAX_ENTRIES)) {
      const [pair = ''] = member.split(';')
      const at = pair.indexOf('=')
      if (at > 0) entries[decoded(pair.slice(0, at).trim())] = { value: decoded(pair.slice(at + 1).trim()) }
    }
    return Object.keys(entries).length === 0 ? context : propagation.setBaggage(context, propagation.createBaggage(entries))
  }

  fields(): string[] {
    return ['baggage']
  }
}

/** Several propagators as one. */
export class CompositePropagator implements TextMapPropagator {
  readonly #all: readonly TextMapPropagator[]

  constructor(all: readonly TextMapPropagator[]) {
    this.#all = all
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    for (const each of this.#all) each.inject(context, carrier, setter)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.#all.reduce((held, each) => each.extract(held, carrier, getter), context)
  }

  fields(): string[] {
    return this.#all.flatMap((each) => each.fields())
  }
}

/**
 * The propagator for OTEL_PROPAGATORS' names.
 *
 * @param names - tracecontext, baggage or none; others are named on the diagnostic log and left out
 */
export function createPropagator(names: readonly string[]): TextMapPropagator {
  const all: TextMapPropagator[] = []
  for (const name of new Set(names)) {
    if (name === 'tracecontext') all.push(new TraceContextPropagator())
    else if (name === 'baggage') all.push(new BaggagePropagator())
    else if (name !== 'none' && name !== '') diag.warn(`andon: the propagator "${name}" is not known`)
  }
  return new CompositePropagator(all)
}
