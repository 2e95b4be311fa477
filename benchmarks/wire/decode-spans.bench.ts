import { createRequire } from 'node:module'
import type { Benchmark } from '@andon/bench'
import type { SpanRecord } from '@andon/model'
import { decodeSpans, encodeSpans } from '@andon/wire'

const count = 1000

const resource = { attributes: { 'service.name': 'kanban', 'service.version': '1.4.2', 'service.instance.id': 'host:4711' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: '@opentelemetry/instrumentation-http', version: '0.223.0', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

/** Server spans with the twelve attributes that the stable HTTP conventions ask for. */
const spans: SpanRecord[] = Array.from({ length: count }, (_, index) => ({
  traceId: (index + 1).toString(16).padStart(32, '0'),
  spanId: (index + 1).toString(16).padStart(16, '0'),
  parentSpanId: '',
  traceState: '',
  flags: 257,
  name: 'GET /api/boards/:id',
  kind: 'server',
  start: 1_790_000_000_000_000_000n + BigInt(index) * 1_000_000n,
  end: 1_790_000_000_003_000_000n + BigInt(index) * 1_000_000n,
  attributes: {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'url.path': `/api/boards/${index}`,
    'server.address': '127.0.0.1',
    'server.port': 3000n,
    'client.address': '127.0.0.1',
    'network.peer.address': '127.0.0.1',
    'network.peer.port': 50_000n,
    'network.protocol.version': '1.1',
    'user_agent.original': 'kanban-traffic',
    'http.response.status_code': 200n,
    'http.route': '/api/boards/:id',
  },
  droppedAttributes: 0,
  events: [],
  droppedEvents: 0,
  links: [],
  droppedLinks: 0,
  status: { code: 'unset', message: '' },
  resource,
  scope,
}))

interface Generated {
  readonly opentelemetry: { readonly proto: { readonly collector: { readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: { decode(bytes: Uint8Array): unknown } } } } } }
}

export const benchmark: Benchmark = {
  title: `decode an OTLP request of ${count.toLocaleString('en')} spans with 12 attributes`,
  unit: 'spans',
  perIteration: count,
  subjects: {
    andon: () => {
      const bytes = encodeSpans(spans)
      return () => decodeSpans(bytes)
    },
    'protobufjs (generated code of @opentelemetry/otlp-transformer 0.203.0)': () => {
      const bytes = encodeSpans(spans)
      const root: Generated = createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root.js')
      const request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest
      return () => request.decode(bytes)
    },
  },
}
