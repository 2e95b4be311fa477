// POST /api/v1/write: Prometheus' remote write, versions 1 and 2.
import type { IncomingMessage } from 'node:http'
import { AndonError } from '@andon/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type BodyLimits, BodyReader } from './body.ts'

/** What takes requests; resolves when their points are stored. */
export interface RemoteWriteSink {
  accept(body: Uint8Array, version: 1 | 2): Promise<{ readonly rejected: number; readonly message: string; readonly samples: number; readonly histograms: number; readonly exemplars: number }>
}

export interface RemoteWriteDeps {
  readonly written: RemoteWriteSink
  readonly limits: BodyLimits
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

/** Answers 204 only when stored; 400, which Prometheus does not send again, when some of it was refused and the rest is stored. */
export function registerRemoteWrite(app: FastifyInstance, { written, limits }: RemoteWriteDeps): void {
  void app.register((scope, _options, done) => {
    const reader = new BodyReader(limits)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(TYPE, (request: FastifyRequest, payload: IncomingMessage) => {
      const { 'content-encoding': encoding } = request.headers
      if (encoding !== undefined && encoding !== 'snappy') throw new AndonError('unsupported_media_type', `Content-Encoding "${encoding.slice(0, 40)}" is not understood.`, { hint: 'Send snappy.' })
      return reader.read(request, payload, 'snappy')
    })
    scope.post('/api/v1/write', { config: { role: 'ingest' } }, async (request, reply) => {
      const body = request.body instanceof Uint8Array ? request.body : Buffer.alloc(0)
      if (request.headers['content-type'] === undefined) throw new AndonError('unsupported_media_type', 'The request has no Content-Type.', { hint: `Send ${TYPE}.` })
      const { rejected, message, samples, histograms, exemplars } = await reader.during(body, () => written.accept(body, versionOf(request)))
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
