import { createRequire } from 'node:module'
import { AgentTracerProvider, redactionOf, Sampler, SpanBuffer } from '@andon/agent/recorder'
import type { Benchmark } from '@andon/bench'
import { SpanKind, type Tracer, type TracerProvider } from '@opentelemetry/api'
import type * as Tracing from '@opentelemetry/sdk-trace-base'
import { isNewest, peers } from './subjects/peers.ts'

const count = 512

interface Serializer {
  readonly ProtobufTraceSerializer: { serializeRequest(spans: readonly Tracing.ReadableSpan[]): Uint8Array | undefined }
}

/** The serializer of the exporter that is compared, whichever version it brings. */
function serializer(): Serializer {
  const exporter = peers.resolve('@opentelemetry/exporter-trace-otlp-proto')
  const found: Serializer = createRequire(exporter)('@opentelemetry/otlp-transformer')
  return found
}

type Provider = new (options: { readonly spanProcessors: readonly Tracing.SpanProcessor[] }) => TracerProvider

/** From 3.0 on the tracing SDK has another name. */
function openTelemetryTracer(processor: Tracing.SpanProcessor): Tracer {
  const Newest: Provider | undefined = isNewest ? peers('@opentelemetry/sdk-trace').TracerProvider : undefined
  const Class: Provider = Newest ?? peers('@opentelemetry/sdk-trace-base').BasicTracerProvider
  return new Class({ spanProcessors: [processor] }).getTracer('bench')
}

function record(tracer: Tracer): void {
  for (let i = 0; i < count; i += 1) {
    const span = tracer.startSpan('GET /boards/:id', { kind: SpanKind.SERVER })
    span.setAttribute('http.request.method', 'GET')
    span.setAttribute('http.route', '/boards/:id')
    span.setAttribute('http.response.status_code', 200)
    span.end()
  }
}

export const benchmark: Benchmark = {
  title: `record a span with 3 attributes and encode it to OTLP, in batches of ${count}`,
  unit: 'spans',
  perIteration: count,
  subjects: {
    andon: () => {
      const buffer = new SpanBuffer({ attributes: { 'service.name': 'bench' }, droppedAttributes: 0, schemaUrl: '' }, 32 * 1024 * 1024, redactionOf, () => undefined)
      const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (scope) => buffer.sinkOf(scope)).getTracer('bench')
      return () => {
        record(tracer)
        buffer.seal()
        const batch = buffer.take()
        if (batch?.items !== count) throw new Error(`${batch?.items} of ${count} spans`)
        return batch.body
      }
    },
    'OpenTelemetry SDK with the serializer of its exporter': () => {
      const { ProtobufTraceSerializer } = serializer()
      let ended: Tracing.ReadableSpan[] = []
      // What its batch processor does, without the timer.
      const processor = { onStart: () => undefined, onEnd: (span: Tracing.ReadableSpan) => void ended.push(span), forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() }
      const tracer = openTelemetryTracer(processor)
      return () => {
        record(tracer)
        if (ended.length !== count) throw new Error(`${ended.length} of ${count} spans`)
        const body = ProtobufTraceSerializer.serializeRequest(ended)
        ended = []
        return body
      }
    },
  },
}
