import { AndonError } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { StatementReader } from '../query/statements.ts'
import type { Clock } from '../runtime/clock.ts'
import { parseId, type Query, text, timeRange, whole } from './parameters.ts'

export interface StatementsDeps {
  readonly statements: Pick<StatementReader, 'list' | 'one'>
  readonly clock: Pick<Clock, 'now'>
}

/** GET /api/statements and /api/statements/:id: what database statements cost, and where they are run. */
export function registerStatements(app: FastifyInstance, { statements, clock }: StatementsDeps): void {
  const asked = (query: Query): Parameters<StatementReader['list']>[0] => {
    const [service, env] = [text(query, 'service'), text(query, 'env')]
    return { range: timeRange(query, clock.now()), ...(service !== undefined && { service }), ...(env !== undefined && { env }) }
  }
  app.get<{ Querystring: Query }>('/api/statements', { config: { role: 'viewer', live: true } }, async ({ query }) => {
    const { range, ...of } = asked(query)
    const limit = whole(query, 'limit', { min: 1, max: 1000, otherwise: 100 })
    return { from: range.start, to: range.end, ...(await statements.list({ range, ...of }, limit)) }
  })
  app.get<{ Params: { id: string }; Querystring: Query }>('/api/statements/:id', { config: { role: 'viewer', live: true } }, async ({ params, query }) => {
    const { range, ...of } = asked(query)
    const found = await statements.one(parseId(params.id), { range, ...of })
    if (found === undefined) throw new AndonError('not_found', `There is no statement ${params.id}.`, { hint: 'GET /api/statements lists them.' })
    return { from: range.start, to: range.end, ...found }
  })
}
