// Profiles: pprof in, flame graphs and pprof out.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { AndonError, PROFILE_TYPES } from '@andon/model'
import { encodePprof } from '@andon/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ProfileQuery, ProfileReader } from '../query/profiles.ts'
import type { Clock } from '../runtime/clock.ts'
import { type BodyReader, unread } from './body.ts'
import { batchOf } from './otlp.ts'
import { oneOf, parseTraceId, type Query, text, timeRange } from './parameters.ts'

/** Who sent a profile. */
interface Sender {
  readonly service: string
  readonly env: string
  readonly version: string
  readonly instance: string
}

/** What takes profiles: resolves when they are stored. */
export interface ProfilesSink {
  accept(body: Uint8Array, sender: Sender, batch?: string): Promise<{ samples: number }>
}

export interface ProfilesDeps {
  readonly ingest: ProfilesSink
  readonly reader: ProfileReader
  readonly clock: Pick<Clock, 'now'>
  readonly bodies: BodyReader
  /** Notes which agent sends, and gives the revision that it is to have. */
  readonly note: (request: FastifyRequest) => number | undefined
}

const TYPES = ['application/x-protobuf', 'application/octet-stream', 'application/vnd.google.protobuf', 'application/gzip']
/** UTF-16 units of a name in the address. */
const NAME_MAX = 256
const pack = promisify(gzip)

function name(query: Query, key: string): string {
  const value = text(query, key) ?? ''
  if (value.length > NAME_MAX) throw new AndonError('bad_parameter', `${key} is longer than ${NAME_MAX} characters.`)
  return value
}

function required(query: Query): string {
  const service = name(query, 'service')
  if (service === '') throw new AndonError('bad_parameter', 'service is missing: whose profile it is.')
  return service
}

function queryOf(query: Query, now: number): ProfileQuery {
  const span = text(query, 'span')
  if (span !== undefined && !/^[\da-f]{16}$/i.test(span)) throw new AndonError('bad_parameter', `span="${span.slice(0, 100)}" is not 16 hex digits.`)
  const trace = text(query, 'trace')
  const [instance, version, route] = [name(query, 'instance'), name(query, 'version'), name(query, 'route')]
  return {
    service: required(query),
    type: oneOf(query, 'type', PROFILE_TYPES) ?? 'cpu',
    range: timeRange(query, now),
    ...(instance !== '' && { instance }),
    ...(version !== '' && { version }),
    ...(route !== '' && { route }),
    ...(trace !== undefined && { traceId: parseTraceId(trace) }),
    ...(span !== undefined && { spanId: span.toLowerCase() }),
  }
}

/** POST /api/profiles; GET /api/profiles, /api/profiles/flame, /api/profiles/pprof. A profile is answered only when it is stored. */
export function registerProfiles(app: FastifyInstance, { ingest, reader, clock, bodies, note }: ProfilesDeps): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(TYPES, unread)
    scope.post<{ Querystring: Query }>('/api/profiles', { config: { role: 'ingest' } }, async (request, reply) => {
      const { query } = request
      if (request.headers['content-type'] === undefined) throw new AndonError('unsupported_media_type', 'The request has no Content-Type.', { hint: `Send pprof as ${TYPES.join(' or ')}.` })
      const sender = { service: required(query), env: name(query, 'env'), version: name(query, 'version'), instance: name(query, 'instance') }
      const batch = batchOf(request)
      const stored = await bodies.use(request, (body) => ingest.accept(body, sender, batch))
      const revision = note(request)
      if (revision !== undefined) reply.header('andon-control', String(revision))
      return stored
    })
    done()
  })
  app.get<{ Querystring: Query }>('/api/profiles', { config: { role: 'viewer', live: true } }, async ({ query }) => {
    const range = timeRange(query, clock.now())
    const [service, instance] = [name(query, 'service'), name(query, 'instance')]
    return { from: range.start, to: range.end, sets: await reader.sets({ range, ...(service !== '' && { service }), ...(instance !== '' && { instance }) }) }
  })
  app.get<{ Querystring: Query }>('/api/profiles/flame', { config: { role: 'viewer' } }, async ({ query }) => {
    const asked = queryOf(query, clock.now())
    return { from: asked.range.start, to: asked.range.end, ...(await reader.flame(asked)) }
  })
  app.get<{ Querystring: Query }>('/api/profiles/pprof', { config: { role: 'viewer' } }, async ({ query }, reply) => {
    const asked = queryOf(query, clock.now())
    const profile = await reader.profile(asked)
    if (profile.samples.length === 0) throw new AndonError('not_found', `There is no ${asked.type} profile of ${asked.service} in this range.`, { hint: 'GET /api/profiles lists what there is.' })
    return reply.type('application/octet-stream').header('content-disposition', `attachment; filename="${asked.type}.pb.gz"`).send(await pack(encodePprof(profile)))
  })
}
