// `--import` of the subject "OpenTelemetry SDK": equal spans (one of the server, one a statement), its own exporters.
import { metrics, trace } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = 'http,database'
const tracerProvider = new NodeTracerProvider({
  // Its default queue of 2,048 spans would drop most of them here.
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { maxQueueSize: 1_000_000, maxExportBatchSize: 2048, scheduledDelayMillis: 500 })],
})
tracerProvider.register()
const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: 10_000 })] })
metrics.setGlobalMeterProvider(meterProvider)
registerInstrumentations({ tracerProvider: trace.getTracerProvider(), meterProvider, instrumentations: [new HttpInstrumentation(), new PgInstrumentation({ ignoreConnectSpans: true })] })
