// Preloaded by the other side of the comparison: the OpenTelemetry SDK with its project's own instrumentations, as their makers ship them.
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { KoaInstrumentation } from '@opentelemetry/instrumentation-koa'
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

/** Says to a test beside this file where it was compiled to. */
export const PUBLISHED_SDK: URL = new URL(import.meta.url)

// Loaded by the test itself, it starts nothing.
if (process.env['ANDON_TEST_PUBLISHED'] === '1') {
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] })
  tracerProvider.register()
  registerInstrumentations({
    tracerProvider,
    instrumentations: [
      new HttpInstrumentation(),
      new UndiciInstrumentation(),
      new ExpressInstrumentation(),
      new KoaInstrumentation(),
      new FastifyOtelInstrumentation({ registerOnInitialization: true }),
      new PgInstrumentation(),
      new MySQL2Instrumentation(),
      new IORedisInstrumentation(),
      new RedisInstrumentation(),
    ],
  })
  process.once('beforeExit', () => void tracerProvider.shutdown())
}
