import { AndonError } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { ErrorReader } from '../query/exceptions.ts'
import type { Clock } from '../runtime/clock.ts'
import { parseId, type Query, text, timeRange, whole } from './parameters.ts'

export interface ExceptionsDeps {
  readonly errors: Pick<ErrorReader, 'list' | 'one'>
  readonly clock: Pick<Clock, 'now'>
}

/** GET /api/errors and /api/errors/:id: errors by group, and the single errors of one. */
export function registerExceptions(app: FastifyInstance, { errors, clock }: ExceptionsDeps): void {
  const asked = (query: Query): Parameters<ErrorReader['list']>[0] => {
    const [service, env, version] = [text(query, 'service'), text(query, 'env'), text(query, 'version')]
    return { range: timeRange(query, clock.now()), ...(service !== undefined && { service }), ...(env !== undefined && { env }), ...(version !== undefined && { version }) }
  }
  app.get<{ Querystring: Query }>('/api/errors', { config: { role: 'viewer', live: true } }, async ({ query }) => {
    const { range, ...of } = asked(query)
    const limit = whole(query, 'limit', { min: 1, max: 1000, otherwise: 100 })
    return { from: range.start, to: range.end, groups: await errors.list({ range, ...of }, limit, text(query, 'since')) }
  })
  app.get<{ Params: { id: string }; Querystring: Query }>('/api/errors/:id', { config: { role: 'viewer', live: true } }, async ({ params, query }) => {
    const { range, ...of } = asked(query)
    const limit = whole(query, 'limit', { min: 1, max: 200, otherwise: 20 })
    const found = await errors.one(parseId(params.id), { range, ...of }, limit)
    if (found === undefined) throw new AndonError('not_found', `There are no errors of the group ${params.id} in this range.`, { hint: 'GET /api/errors lists the groups of a range.' })
    return { from: range.start, to: range.end, ...found }
  })
}
