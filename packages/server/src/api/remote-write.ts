// POST /api/v1/write: Prometheus' remote write, versions 1 and 2.
import { AndonError } from '@andon/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Log } from '../runtime/log.ts'
import { type BodyReader, unread } from './body.ts'
import { asAndonError, sendError } from './errors.ts'

/** What takes requests; resolves when their points are stored. */
export interface RemoteWriteSink {
  accept(body: Uint8Array, version: 1 | 2): Promise<{ readonly rejected: number; readonly message: string; readonly samples: number; readonly histograms: number; readonly exemplars: number }>
}

export interface RemoteWriteDeps {
  readonly written: RemoteWriteSink
  readonly bodies: BodyReader
  readonly log: Log
}

const TYPE = 'application/x-protobuf'
const MESSAGES: Readonly<Record<string, 1 | 2>> = { 'prometheus.WriteRequest': 1, 'io.prometheus.write.v2.Request': 2 }

function versionOf(request: FastifyRequest): 1 | 2 {
  const header = request.headers['content-type'] ?? ''
  const proto = /;\s*proto=([^;\s]+)/i.exec(header)?.[1] ?? 'prometheus.WriteRequest'
  const version = MESSAGES[proto]
  if (version === undefined) throw new AndonError('unsupported_media_type', `The message ${proto.slice(0, 100)} is not known.`, { hint: `Send ${Object.keys(MESSAGES).join(' or ')}.` })
  return version
}

/**
 * Answers 204 only when stored; 400, which Prometheus does not send again, when some of it was refused and the rest is stored. What is to
 * be sent again is 503: of 429 Prometheus does so only where `retry_on_http_429` is set.
 */
export function registerRemoteWrite(app: FastifyInstance, { written, bodies, log }: RemoteWriteDeps): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(TYPE, unread)
    scope.setErrorHandler((error, request, reply) => {
      const known = asAndonError(error)
      sendError(known.code === 'overloaded' ? new AndonError('unavailable', known.message, { hint: known.hint }) : error, request, reply, log)
    })
    scope.post('/api/v1/write', { config: { role: 'ingest' } }, async (request, reply) => {
      const { 'content-encoding': encoding } = request.headers
      if (request.headers['content-type'] === undefined) throw new AndonError('unsupported_media_type', 'The request has no Content-Type.', { hint: `Send ${TYPE}.` })
      if (encoding !== undefined && encoding !== 'snappy') throw new AndonError('unsupported_media_type', `Content-Encoding "${encoding.slice(0, 40)}" is not understood.`, { hint: 'Send snappy.' })
      const version = versionOf(request)
      const { rejected, message, samples, histograms, exemplars } = await bodies.use(request, (body) => written.accept(body, version), 'snappy')
      void reply.headers({
        'x-prometheus-remote-write-samples-written': String(samples),
        'x-prometheus-remote-write-histograms-written': String(histograms),
        'x-prometheus-remote-write-exemplars-written': String(exemplars),
      })
      if (rejected > 0) throw new AndonError('bad_body', `${rejected} points were refused, all others are stored: ${message}.`, { hint: 'What was refused must not be sent again; see docs/reference/limits.md.' })
      return reply.code(204).send()
    })
    done()
  })
}
