// Tempo's API, as Grafana's data source asks it: traces by their id. The searches are in spans-tempo-search.ts.
import { AndonError, type SpanRecord } from '@andon/model'
import { encodeSpans, encodeSpansJson, encodeTraceById } from '@andon/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SpanReader } from '../query/spans.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { errorText, prepareError } from './errors.ts'
import { parseTraceId } from './parameters.ts'
import { registerTempoSearch } from './spans-tempo-search.ts'

export interface TempoDeps {
  readonly spans: SpanReader
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

const VIEWER = { config: { role: 'viewer' } } as const
const PROTOBUF = 'application/protobuf'
/**
 * The version of Tempo whose routes these are: Grafana asks for scoped tags from 2.2 on. Our own version would make it fall back to routes
 * of Tempo before 2.
 */
const TEMPO_VERSION = '2.7.0'

type OfTrace = FastifyRequest<{ Params: { readonly id: string } }>

/**
 * Under /tempo, because Jaeger's API has the same paths: the address of the data source is `http://HOST:4318/tempo`. Errors are answered as text,
 * which Grafana shows.
 *
 * @see https://grafana.com/docs/tempo/latest/api_docs/ ; Grafana's calls: pkg/tsdb/tempo and public/app/plugins/datasource/tempo
 */
export function registerTempo(app: FastifyInstance, { spans, clock, log }: TempoDeps): void {
  void app.register((scope, _options, done) => {
    scope.setErrorHandler((error, request, reply) => {
      const known = prepareError(error, request, reply, log)
      return reply.type('text/plain; charset=utf-8').send(errorText(known))
    })
    registerTraces(scope, spans)
    registerTempoSearch(scope, { spans, clock })
    done()
  })
}

const wantsProtobuf = ({ headers }: OfTrace): boolean => (headers.accept ?? '').includes(PROTOBUF)
const protobuf = (reply: FastifyReply, bytes: Uint8Array): FastifyReply => reply.type(PROTOBUF).send(Buffer.from(bytes))

function resourceSpans(trace: readonly SpanRecord[]): unknown {
  const request: { readonly resourceSpans: unknown } = JSON.parse(encodeSpansJson(trace))
  return request.resourceSpans
}

function registerTraces(app: FastifyInstance, spans: SpanReader): void {
  // The times that Grafana sends with an id are left out: a link may lead from a page of another range.
  const read = async ({ params }: OfTrace): Promise<readonly SpanRecord[]> => {
    const trace = await spans.trace(parseTraceId(params.id))
    if (trace.length === 0) throw new AndonError('not_found', 'There is no such trace.', { hint: 'It may be older than the retention of spans, or was not sampled.' })
    return trace
  }
  app.get('/tempo/api/echo', VIEWER, (_request, reply) => reply.type('text/plain').send('echo'))
  app.get('/tempo/ready', VIEWER, (_request, reply) => reply.type('text/plain').send('ready\n'))
  app.get('/tempo/api/status/buildinfo', VIEWER, () => ({ version: TEMPO_VERSION, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' }))
  app.get<{ Params: { id: string } }>('/tempo/api/traces/:id', VIEWER, async (request, reply) => {
    const trace = await read(request)
    // A trace has the fields of an export request; only the name of the list in JSON is another.
    return wantsProtobuf(request) ? protobuf(reply, encodeSpans(trace)) : { batches: resourceSpans(trace) }
  })
  app.get<{ Params: { id: string } }>('/tempo/api/v2/traces/:id', VIEWER, async (request, reply) => {
    const trace = await read(request)
    return wantsProtobuf(request) ? protobuf(reply, encodeTraceById(trace)) : { trace: { resourceSpans: resourceSpans(trace) }, metrics: {} }
  })
}
