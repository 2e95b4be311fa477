// Jaeger's own headers: uber-trace-id and uberctx-.
// @see https://www.jaegertracing.io/sdk-migration/#propagation-format
import { type BaggageEntry, type Context, propagation, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api'
import { isSuppressed } from '../context.ts'
import { decoded, encoded } from './baggage.ts'
import { isDebug, only, outgoing, under, withDebug } from './carrier.ts'
import { isId, trimBlanks } from './hex.ts'

const HEADER = 'uber-trace-id'
const BAGGAGE = 'uberctx-'
const MAX_ENTRIES = 180
const SAMPLED_FLAG = 1
const DEBUG_FLAG = 2
/** What a header may be named: Node refuses others by throwing. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

function extractSpan(context: Context, header: string): Context {
  // Clients that write it into a URL encode the colons.
  const parts = decoded(trimBlanks(header)).split(':')
  const [trace = '', span = '', , flags = ''] = parts
  // Leading zeros may be absent.
  const traceId = trace.toLowerCase().padStart(32, '0')
  const spanId = span.toLowerCase().padStart(16, '0')
  if (parts.length !== 4 || trace.length > 32 || span.length > 16 || !isId(traceId, 0, 32) || !isId(spanId, 0, 16) || !/^[\da-f]{1,2}$/i.test(flags)) return context
  const bits = Number.parseInt(flags, 16)
  const found = under(context, traceId, spanId, bits & SAMPLED_FLAG)
  return (bits & DEBUG_FLAG) === 0 ? found : withDebug(found)
}

export class JaegerPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = outgoing(context)
    if (span !== undefined) {
      const flags = isDebug(context) ? SAMPLED_FLAG | DEBUG_FLAG : span.traceFlags & SAMPLED_FLAG
      setter.set(carrier, HEADER, `${span.traceId}:${span.spanId}:0:0${flags}`)
    }
    const baggage = propagation.getBaggage(context)
    if (baggage === undefined || isSuppressed(context)) return
    for (const [key, { value }] of baggage.getAllEntries().slice(0, MAX_ENTRIES)) {
      const text = encoded(value)
      if (text !== undefined && TOKEN.test(key)) setter.set(carrier, `${BAGGAGE}${key}`, text)
    }
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = only(carrier, getter, HEADER)
    const found = header === undefined ? context : extractSpan(context, header)
    const entries = new Map<string, BaggageEntry>()
    for (const name of getter.keys(carrier)) {
      if (!name.toLowerCase().startsWith(BAGGAGE) || name.length === BAGGAGE.length || entries.size >= MAX_ENTRIES) continue
      const value = only(carrier, getter, name)
      if (value !== undefined) entries.set(name.slice(BAGGAGE.length), { value: decoded(trimBlanks(value)) })
    }
    if (entries.size === 0) return found
    let baggage = propagation.getBaggage(found) ?? propagation.createBaggage()
    for (const [key, entry] of entries) baggage = baggage.setEntry(key, entry)
    return propagation.setBaggage(found, baggage)
  }

  fields(): string[] {
    return [HEADER]
  }
}
