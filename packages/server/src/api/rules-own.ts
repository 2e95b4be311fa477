// Rules that are made here, and what a rule would have told: GET, POST, PUT and DELETE /api/rules/own, POST /api/rules/backtest.
import { AndonError, type BacktestResult, type ListedOwnRule, type Milliseconds } from '@andon/model'
import { parseDuration } from '@andon/promql'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type BacktestRequest, type Backtests, DAYS, DAYS_MAX } from '../rules/backtests.ts'
import type { RuleGroup } from '../rules/definition.ts'
import { type OwnRule, type OwnRules, readOwnRule } from '../rules/own-rules.ts'
import { readRules } from '../rules/schema.ts'
import type { Guard } from './guard.ts'
import { goneSignal } from './metrics-request.ts'
import { oneOf, type Query, text, whole } from './parameters.ts'

export interface OwnRulesApiDeps {
  readonly own: OwnRules
  readonly backtests: Backtests
  readonly guard: Pick<Guard, 'actor'>
}

const VIEWER = { config: { role: 'viewer' } } as const
const EDITOR = { config: { role: 'editor' }, bodyLimit: 65_536 } as const
const BACKTEST = { config: { role: 'viewer' }, bodyLimit: 4 * 1024 * 1024 } as const
const BACKTEST_KEYS = ['rules', 'file', 'rule', 'only', 'days', 'interval']

type Fields = Readonly<Record<string, unknown>>

/** What is to become of a rule, and who wants it. */
interface Change {
  readonly body: unknown
  readonly query: Query
  readonly actor: string
}

interface OfRule {
  readonly Params: { readonly id: string }
  readonly Querystring: Query
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldsOf(body: unknown): Fields {
  if (!isFields(body)) throw new AndonError('bad_body', 'The body must be a JSON object.')
  return body
}

/** A rule as it is answered. */
function ruleJson({ id, definition, rule, revision, actor, updatedAt }: OwnRule): ListedOwnRule {
  const { name, expression, recovery, forMs, keepFiringForMs, labels, annotations } = rule
  return { id, definition, alert: name, expression, recovery: recovery ?? null, forMs, keepFiringForMs, labels, annotations, revision, actor, updatedAt }
}

function daysOf(value: unknown): number {
  if (value === undefined) return DAYS
  if (typeof value !== 'number' || !(value > 0 && value <= DAYS_MAX)) throw new AndonError('bad_body', `days must be a number above 0, at most ${DAYS_MAX}.`)
  return value
}

function intervalOf(value: unknown): Milliseconds | undefined {
  if (value === undefined) return undefined
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined || ms < 1000) throw new AndonError('bad_body', 'interval must be a duration of 1s or longer, such as "1m".')
  return ms
}

/** What is to be tested: the text of a file of rules, or one rule. */
function groupsOf(body: Fields): readonly RuleGroup[] {
  const unknown = Object.keys(body).find((key) => !BACKTEST_KEYS.includes(key))
  if (unknown !== undefined) throw new AndonError('bad_body', `A backtest has no "${unknown.slice(0, 50)}"; it may have ${BACKTEST_KEYS.join(', ')}.`)
  const { rules, rule, only, file = 'rules' } = body
  if ((rules === undefined) === (rule === undefined)) throw new AndonError('bad_body', 'A backtest needs either rules, the text of a file, or rule, one rule.')
  if (rule !== undefined) {
    const id = isFields(rule) && typeof rule['id'] === 'string' ? rule['id'] : 'backtest'
    return [{ name: 'backtest', file: '', intervalMs: undefined, limit: 0, queryOffsetMs: undefined, rules: [readOwnRule(id, rule)] }]
  }
  if (typeof rules !== 'string' || typeof file !== 'string' || (only !== undefined && typeof only !== 'string')) throw new AndonError('bad_body', 'rules, file and only must be texts.')
  const groups = readRules(rules, file.slice(0, 200))
  if (only === undefined) return groups
  const chosen = groups.map((group) => ({ ...group, rules: group.rules.filter(({ name }) => name === only) }))
  if (chosen.every((group) => group.rules.length === 0)) throw new AndonError('bad_body', `There is no rule of the name "${only.slice(0, 100)}".`)
  return chosen
}

/** An id of what a rule says of itself. */
function idOf(body: Fields): string {
  const { id, alert } = body
  if (typeof id === 'string' && id !== '') return id
  if (typeof alert === 'string' && alert !== '') return alert.replaceAll(/[^\w.:-]+/g, '-').slice(0, 100)
  throw new AndonError('bad_body', 'A rule needs an id, or the name of its alert.')
}

/** Routes of rules that are made here. Changes need the role editor, a backtest changes nothing. */
export function registerOwnRulesApi(app: FastifyInstance, { own, backtests, guard }: OwnRulesApiDeps): void {
  const found = (id: string): OwnRule => {
    const rule = own.get(id)
    if (rule === undefined) throw new AndonError('not_found', `There is no own rule "${id.slice(0, 100)}".`, { hint: 'GET /api/rules/own lists those there are.' })
    return rule
  }
  const tested = async (rule: OwnRule, query: Query, reply: FastifyReply): Promise<BacktestResult> => {
    const days = whole(query, 'days', { min: 1, max: DAYS_MAX, otherwise: DAYS })
    return await backtests.ofRule(rule.rule, { days, signal: goneSignal(reply) })
  }
  const set = async (id: string, { body, query, actor }: Change, reply: FastifyReply): Promise<object> => {
    const isDry = oneOf(query, 'dry_run', ['true', 'false']) === 'true'
    if (!isDry) return { rule: ruleJson(await own.put(id, body, actor)), backtest: null }
    const rule = own.check(id, body, actor)
    return { rule: ruleJson(rule), backtest: await tested(rule, query, reply) }
  }
  app.get('/api/rules/own', { config: { role: 'viewer', live: true } }, () => ({ rules: own.list().map(ruleJson) }))
  app.get<OfRule>('/api/rules/own/:id', VIEWER, ({ params }) => ruleJson(found(params.id)))
  app.post<{ Querystring: Query }>('/api/rules/own', EDITOR, (request, reply) => {
    const id = idOf(fieldsOf(request.body))
    if (own.get(id) !== undefined && text(request.query, 'dry_run') !== 'true') throw new AndonError('bad_body', `There is an own rule "${id}" already.`, { hint: 'PUT /api/rules/own/ID replaces it.' })
    return set(id, { body: request.body, query: request.query, actor: guard.actor(request).name }, reply)
  })
  app.put<OfRule>('/api/rules/own/:id', EDITOR, (request, reply) => set(request.params.id, { body: request.body, query: request.query, actor: guard.actor(request).name }, reply))
  app.delete<OfRule>('/api/rules/own/:id', EDITOR, async (request, reply) => {
    found(request.params.id)
    await own.remove(request.params.id, guard.actor(request).name)
    return reply.code(204).send()
  })
  app.post('/api/rules/backtest', BACKTEST, async (request, reply) => {
    const body = fieldsOf(request.body)
    const groups = groupsOf(body)
    const intervalMs = intervalOf(body['interval'])
    const wanted: BacktestRequest = { days: daysOf(body['days']), signal: goneSignal(reply), ...(intervalMs !== undefined && { intervalMs }) }
    return { results: await backtests.ofGroups(groups, wanted) }
  })
}
