import type { FastifyInstance } from 'fastify'
import type { ServiceMapReader } from '../query/edges.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Query, text, timeRange } from './parameters.ts'

export interface EdgesDeps {
  readonly map: Pick<ServiceMapReader, 'read'>
  readonly clock: Pick<Clock, 'now'>
}

/** GET /api/service-map: who calls whom, how often, how fast, and with how many errors. */
export function registerEdges(app: FastifyInstance, { map, clock }: EdgesDeps): void {
  app.get<{ Querystring: Query }>('/api/service-map', { config: { role: 'viewer', live: true } }, async ({ query }) => {
    const range = timeRange(query, clock.now())
    return { from: range.start, to: range.end, ...(await map.read(range, text(query, 'service'))) }
  })
}
