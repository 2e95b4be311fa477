// Exemplars of an expression.
import { AndonError, type LabelMatcher, type TimeRange } from '@andon/model'
import { type Expr, parse } from '@andon/promql'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { numberText } from '../query/promql/number-text.ts'
import type { SeriesExemplars } from '../store/metrics.ts'
import { parameters, required, success, timeOf, union } from './metrics-request.ts'

export interface ExemplarSource {
  exemplars(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly SeriesExemplars[]>
}

const VIEWER = { config: { role: 'viewer' } } as const

/** The selectors within an expression. */
function selectorsIn(expr: Expr): (readonly LabelMatcher[])[] {
  switch (expr.kind) {
    case 'selector':
      return [expr.matchers]
    case 'range':
      return [expr.selector.matchers]
    case 'call':
      return expr.args.flatMap(selectorsIn)
    case 'aggregate':
      return [...selectorsIn(expr.expr), ...(expr.param === undefined ? [] : selectorsIn(expr.param))]
    case 'binary':
      return [...selectorsIn(expr.left), ...selectorsIn(expr.right)]
    case 'subquery':
    case 'unary':
    case 'paren':
      return selectorsIn(expr.expr)
    case 'number':
    case 'string':
      return []
  }
}

export function registerExemplars(app: FastifyInstance, metrics: ExemplarSource): void {
  const exemplars = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parameters(request)
    const range = { start: timeOf('start', required(query, 'start')), end: timeOf('end', required(query, 'end')) }
    if (range.end < range.start) throw new AndonError('bad_parameter', 'end timestamp must not be before start timestamp')
    const found = await union(selectorsIn(parse(required(query, 'query'))), (matchers) => metrics.exemplars(matchers, range))
    const json = found.map(({ labels, exemplars: all }) => ({ seriesLabels: labels, exemplars: all.map(({ ts, value, labels: own }) => ({ labels: own, value: numberText(value), timestamp: ts / 1000 })) }))
    return success(reply, [...new Map(json.map((each) => [JSON.stringify(each.seriesLabels), each])).values()])
  }
  app.get('/api/v1/query_exemplars', VIEWER, exemplars)
  app.post('/api/v1/query_exemplars', VIEWER, exemplars)
}
