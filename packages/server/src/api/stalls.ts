import type { Milliseconds, StallRecord, TimeRange } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import { type Query, timeRange, whole } from './parameters.ts'

/** A block of an event loop as it is answered. */
export interface KeptStall extends StallRecord {
  /** When it ended. */
  readonly time: Milliseconds
  readonly env: string
  readonly version: string
  readonly instance: string
  /** '' where they are not known. */
  readonly traceId: string
  readonly spanId: string
}

export interface StallsDeps {
  /** Stalls of a service, the newest first. */
  readonly stalls: (query: { readonly service: string; readonly range: TimeRange; readonly limit: number }) => Promise<readonly KeptStall[]>
  readonly clock: Pick<Clock, 'now'>
}

/** GET /api/service/:name/stalls: what blocked the event loops of a service, the newest first. */
export function registerStalls(app: FastifyInstance, { stalls, clock }: StallsDeps): void {
  app.get<{ Params: { name: string }; Querystring: Query }>('/api/service/:name/stalls', { config: { role: 'viewer', live: true } }, async ({ params, query }) => {
    const range = timeRange(query, clock.now())
    const limit = whole(query, 'limit', { min: 1, max: 1000, otherwise: 100 })
    return { from: range.start, to: range.end, stalls: await stalls({ service: params.name, range, limit }) }
  })
}
