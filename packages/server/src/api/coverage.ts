import type { FastifyInstance } from 'fastify'
import type { CoverageReader } from '../query/coverage.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Query, text, timeRange } from './parameters.ts'

export interface CoverageDeps {
  readonly coverage: Pick<CoverageReader, 'read'>
  readonly clock: Pick<Clock, 'now'>
}

/** GET /api/coverage: critical operations of one service or all, which of them have metrics and traces, and the share. */
export function registerCoverage(app: FastifyInstance, { coverage, clock }: CoverageDeps): void {
  app.get<{ Querystring: Query }>('/api/coverage', { config: { role: 'viewer' } }, async ({ query }) => {
    const range = timeRange({ ...query, from: text(query, 'from') ?? 'now-1d' }, clock.now())
    return { from: range.start, to: range.end, services: await coverage.read(range, text(query, 'service')) }
  })
}
