// The header x-trace-id: a trace without a span, as proxies and older services send it.
import { createHash } from 'node:crypto'
import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from '@opentelemetry/api'
import { spanOf } from '../context.ts'
import { newSpanId } from '../ids.ts'
import { only, outgoing, under } from './carrier.ts'
import { isId, trimBlanks } from './hex.ts'

const HEADER = 'x-trace-id'

/** 32 hex digits as they are; anything else hashed to them. */
export function traceIdOf(header: string): string {
  const lower = header.toLowerCase()
  return lower.length === 32 && isId(lower, 0, 32) ? lower : createHash('sha256').update(header).digest('hex').slice(0, 32)
}

/** Stands behind all others: what names a parent is believed before what names a trace only. */
export class XTraceIdPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = outgoing(context)
    if (span !== undefined) setter.set(carrier, HEADER, span.traceId)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    if (spanOf(context) !== undefined) return context
    const header = trimBlanks(only(carrier, getter, HEADER) ?? '')
    return header === '' ? context : under(context, traceIdOf(header), newSpanId(), 1)
  }

  fields(): string[] {
    return [HEADER]
  }
}
