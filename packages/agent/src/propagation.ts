// Which headers carry the context from process to process.
import { type Context, diag, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api'
import { B3Propagator } from './propagation/b3.ts'
import { BaggagePropagator } from './propagation/baggage.ts'
import { JaegerPropagator } from './propagation/jaeger.ts'
import { TraceContextPropagator } from './propagation/trace-context.ts'
import { XTraceIdPropagator } from './propagation/x-trace-id.ts'

/** Several propagators as one: where two find a parent, the later one is believed. */
class CompositePropagator implements TextMapPropagator {
  readonly #all: readonly TextMapPropagator[]

  constructor(all: readonly TextMapPropagator[]) {
    this.#all = all
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    for (const each of this.#all) each.inject(context, carrier, setter)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    let found = context
    for (const each of this.#all) found = each.extract(found, carrier, getter)
    return found
  }

  fields(): string[] {
    return [...new Set(this.#all.flatMap((each) => each.fields()))]
  }
}

const PROPAGATORS: ReadonlyMap<string, () => TextMapPropagator> = new Map<string, () => TextMapPropagator>([
  ['tracecontext', () => new TraceContextPropagator()],
  ['baggage', () => new BaggagePropagator()],
  ['b3', () => new B3Propagator('single')],
  ['b3multi', () => new B3Propagator('multi')],
  ['jaeger', () => new JaegerPropagator()],
  // Named last, wherever it stands: it looks only where the others found nothing.
  ['xtraceid', () => new XTraceIdPropagator()],
])

/** The names that OTEL_PROPAGATORS may hold, none beside them. */
export const PROPAGATOR_NAMES: readonly string[] = [...PROPAGATORS.keys()]

/**
 * The propagator for OTEL_PROPAGATORS' names.
 *
 * @param names - those of PROPAGATOR_NAMES, or none; others are named on the diagnostic log and left out
 */
export function createPropagator(names: readonly string[]): TextMapPropagator {
  const all: TextMapPropagator[] = []
  for (const name of [...new Set(names)].toSorted((a, b) => Number(a === 'xtraceid') - Number(b === 'xtraceid'))) {
    const create = PROPAGATORS.get(name)
    if (create !== undefined) all.push(create())
    else if (name !== 'none' && name !== '') diag.warn(`andon: the propagator "${name}" is not known; known are ${PROPAGATOR_NAMES.join(', ')} and none`)
  }
  return new CompositePropagator(all)
}
