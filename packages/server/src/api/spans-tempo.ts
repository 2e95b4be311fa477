// Grafana's data source Tempo: one trace by its id, as OTLP.
import { AndonError } from '@andon/model'
import { encodeSpans, encodeSpansJson } from '@andon/wire'
import type { FastifyInstance } from 'fastify'
import type { SpanReader } from '../query/spans.ts'
import { parseTraceId } from './parameters.ts'

const VIEWER = { config: { role: 'viewer' } } as const
const PROTOBUF = 'application/protobuf'

/**
 * Under /tempo, because Jaeger's API has the same path: the address of the data source is `http://HOST:4318/tempo`.
 *
 * @see https://grafana.com/docs/tempo/latest/api_docs/#query
 */
export function registerTempo(app: FastifyInstance, spans: SpanReader): void {
  app.get('/tempo/api/echo', VIEWER, (_request, reply) => reply.type('text/plain').send('echo'))
  app.get<{ Params: { id: string } }>('/tempo/api/traces/:id', VIEWER, async (request, reply) => {
    const trace = await spans.trace(parseTraceId(request.params.id))
    if (trace.length === 0) throw new AndonError('not_found', 'There is no such trace.', { hint: 'It may be older than the retention of spans, or was not sampled.' })
    // A trace has the fields of an export request; only the name of the list in JSON is another.
    if ((request.headers.accept ?? '').includes(PROTOBUF)) return reply.type(PROTOBUF).send(Buffer.from(encodeSpans(trace)))
    const { resourceSpans }: { readonly resourceSpans: readonly unknown[] } = JSON.parse(encodeSpansJson(trace))
    return { batches: resourceSpans }
  })
}
