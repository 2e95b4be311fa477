// Which instrumentations are on.
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import type { AgentMeterProvider } from '../metrics/meter.ts'
import type { AgentTracerProvider } from '../tracer.ts'
import { createPgInstrumentation } from './database.ts'
import { VERSION } from '../version.ts'
import { instrumentFastify } from './fastify.ts'
import { HttpClientInstrumentation } from './http-client.ts'
import { HttpServerInstrumentation } from './http-server.ts'

/** Modules that are replaced at import; of all others the loader keeps away. */
export const INSTRUMENTED_MODULES: readonly string[] = ['pg', 'pg-pool']

/** Turns the instrumentations on for modules that are loaded from now on. @returns what ends them */
export function startInstrumentations(tracerProvider: AgentTracerProvider, meterProvider: AgentMeterProvider): () => void {
  // Otherwise the packages speak the older conventions, with milliseconds.
  process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] ??= 'http,database'
  const instrumentations: Instrumentation[] = [new UndiciInstrumentation(), createPgInstrumentation()]
  const tracer = tracerProvider.getTracer('@andon/agent/http', VERSION)
  const meter = meterProvider.getMeter('@andon/agent/http', VERSION)
  const ends = [new HttpServerInstrumentation(tracer, meter).start(), new HttpClientInstrumentation(tracer, meter).start(), registerInstrumentations({ tracerProvider, meterProvider, instrumentations }), instrumentFastify()]
  return () => {
    for (const end of ends) end()
  }
}
