// Loaded before the application of the subject "OpenTelemetry SDK": equal spans (one of the server, one a statement), its
// own exporters, and metrics by a reader, as ours has them.
import type * as Api from '@opentelemetry/api'
import type * as Core from '@opentelemetry/core'
import type * as MetricExporter from '@opentelemetry/exporter-metrics-otlp-proto'
import type * as TraceExporter from '@opentelemetry/exporter-trace-otlp-proto'
import type * as Instrumentations from '@opentelemetry/instrumentation'
import type * as Http from '@opentelemetry/instrumentation-http'
import type * as Postgres from '@opentelemetry/instrumentation-pg'
import type * as Metrics from '@opentelemetry/sdk-metrics'
import type * as Tracing from '@opentelemetry/sdk-trace-base'
import { isNewest, peers } from './peers.ts'

process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = 'http,database'
const { context, metrics, propagation, trace }: typeof Api = peers('@opentelemetry/api')
const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator }: typeof Core = peers('@opentelemetry/core')
const { OTLPTraceExporter }: typeof TraceExporter = peers('@opentelemetry/exporter-trace-otlp-proto')
const { OTLPMetricExporter }: typeof MetricExporter = peers('@opentelemetry/exporter-metrics-otlp-proto')
const { registerInstrumentations }: typeof Instrumentations = peers('@opentelemetry/instrumentation')
const { HttpInstrumentation }: typeof Http = peers('@opentelemetry/instrumentation-http')
const { PgInstrumentation }: typeof Postgres = peers('@opentelemetry/instrumentation-pg')
const { MeterProvider, PeriodicExportingMetricReader }: typeof Metrics = peers('@opentelemetry/sdk-metrics')

type Exporter = InstanceType<typeof TraceExporter.OTLPTraceExporter>

/** The tracing SDK has another name from 3.0 on, and other parameters. */
function tracerProviderOf(exporter: Exporter, options: Tracing.BufferConfig): Api.TracerProvider {
  if (isNewest) {
    const { BatchSpanProcessor, TracerProvider }: NewestTracing = peers('@opentelemetry/sdk-trace')
    return new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter, ...options })] })
  }
  const { BasicTracerProvider, BatchSpanProcessor }: typeof Tracing = peers('@opentelemetry/sdk-trace-base')
  return new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter, options)] })
}

/** What is used of `@opentelemetry/sdk-trace` 3.x. */
interface NewestTracing {
  readonly BatchSpanProcessor: new (options: Tracing.BufferConfig & { readonly exporter: Exporter }) => Tracing.SpanProcessor
  readonly TracerProvider: new (options: { readonly spanProcessors: readonly Tracing.SpanProcessor[] }) => Api.TracerProvider
}

function contextManager(): Api.ContextManager {
  const { AsyncLocalStorageContextManager }: { readonly AsyncLocalStorageContextManager: new () => Api.ContextManager } = peers('@opentelemetry/context-async-hooks')
  return new AsyncLocalStorageContextManager().enable()
}

// Its default queue of 2,048 spans would drop most of them here.
const tracerProvider = tracerProviderOf(new OTLPTraceExporter(), { maxQueueSize: 1_000_000, maxExportBatchSize: 2048, scheduledDelayMillis: 500 })
context.setGlobalContextManager(contextManager())
propagation.setGlobalPropagator(new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }))
trace.setGlobalTracerProvider(tracerProvider)
const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: 10_000 })] })
metrics.setGlobalMeterProvider(meterProvider)
registerInstrumentations({ tracerProvider: trace.getTracerProvider(), meterProvider, instrumentations: [new HttpInstrumentation(), new PgInstrumentation({ ignoreConnectSpans: true })] })
