// Objectives and agreements.
import { AndonError } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import { agreementCsv, agreementMarkdown } from '../slo/agreement-text.ts'
import type { ObjectiveReader } from '../slo/reader.ts'
import { oneOf, type Query, text } from './parameters.ts'

export interface SloDeps {
  readonly objectives: Pick<ObjectiveReader, 'list' | 'one' | 'burnDown' | 'ledger' | 'whatIf' | 'report'>
}

interface OfOne {
  readonly Params: { readonly id: string }
  readonly Querystring: Query
}

const LIVE = { config: { role: 'viewer', live: true } } as const
const FORMATS = ['json', 'md', 'csv'] as const

/** A target in percent as a share. */
function targetOf(query: Query): number {
  const value = text(query, 'target')
  const percent = value !== undefined && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN
  if (!(percent > 0 && percent < 100)) throw new AndonError('bad_parameter', `target="${(value ?? '').slice(0, 100)}" is not a number of percent greater than 0 and less than 100, such as 99.9.`)
  return Number((percent / 100).toPrecision(15))
}

/** GET /api/objectives and what is under it, and /api/agreements/:id/report. */
export function registerSlo(app: FastifyInstance, { objectives }: SloDeps): void {
  app.get<{ Querystring: Query }>('/api/objectives', LIVE, async ({ query }) => ({ objectives: await objectives.list(text(query, 'service')) }))
  app.get<OfOne>('/api/objectives/:id', LIVE, ({ params }) => objectives.one(params.id))
  app.get<OfOne>('/api/objectives/:id/burn-down', LIVE, ({ params, query }) => objectives.burnDown(params.id, text(query, 'window')))
  app.get<OfOne>('/api/objectives/:id/ledger', LIVE, ({ params, query }) => objectives.ledger(params.id, text(query, 'window')))
  app.get<OfOne>('/api/objectives/:id/what-if', LIVE, ({ params, query }) => objectives.whatIf(params.id, targetOf(query)))
  app.get<OfOne>('/api/agreements/:id/report', { config: { role: 'viewer' } }, async ({ params, query }, reply) => {
    const format = oneOf(query, 'format', FORMATS) ?? 'json'
    const report = await objectives.report(params.id, text(query, 'month'))
    if (format === 'json') return report
    const type = format === 'md' ? 'text/markdown' : 'text/csv'
    const file = `${report.id}-${report.period}.${format}`
    return reply.header('content-type', `${type}; charset=utf-8`).header('content-disposition', `attachment; filename="${file}"`).send(format === 'md' ? agreementMarkdown(report) : agreementCsv(report))
  })
}
