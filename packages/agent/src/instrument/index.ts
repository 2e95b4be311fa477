// Which instrumentations are on.
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import type { AgentMeterProvider } from '../metrics/meter.ts'
import type { AgentTracerProvider } from '../tracer.ts'
import { createPgInstrumentation } from './database.ts'
import { instrumentFastify } from './fastify.ts'

/** Modules that are replaced at import; of all others the loader keeps away. */
export const INSTRUMENTED_MODULES: readonly string[] = ['http', 'https', 'node:http', 'node:https', 'pg', 'pg-pool']

/** Turns the instrumentations on for modules that are loaded from now on. @returns what ends them */
export function startInstrumentations(tracerProvider: AgentTracerProvider, meterProvider: AgentMeterProvider): () => void {
  // Otherwise the packages speak the older conventions, with milliseconds.
  process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] ??= 'http,database'
  const instrumentations: Instrumentation[] = [new HttpInstrumentation(), new UndiciInstrumentation(), createPgInstrumentation()]
  const ends = [registerInstrumentations({ tracerProvider, meterProvider, instrumentations }), instrumentFastify()]
  return () => {
    for (const end of ends) end()
  }
}
