// Rules and alerts, as Prometheus' API tells them.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/#rules
import { AndonError, type Labels, type ListedAlertingRule, type ListedRule, type ListedRuleAlert, type ListedRuleGroup, type Milliseconds, type RuleReport } from '@andon/model'
import { parse, print } from '@andon/promql'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { labelMatch } from '../query/promql/label-match.ts'
import { numberText } from '../query/promql/number-text.ts'
import type { ActiveAlert } from '../rules/alerting.ts'
import type { GroupEvaluator, RuleHealth } from '../rules/group.ts'
import type { AlertRule, RecordingRule } from '../rules/schema.ts'
import { matchersOf, parameters, success } from './metrics-request.ts'
import { type Query, text, texts } from './parameters.ts'

export interface RulesApiDeps {
  readonly groups: () => readonly GroupEvaluator[]
}

const LIVE = { config: { role: 'viewer', live: true } } as const
/** Prometheus' time of what never was. */
const NEVER = '0001-01-01T00:00:00Z'

const timeText = (time: Milliseconds): string => (time === 0 ? NEVER : new Date(time).toISOString())

function alertJson({ labels, annotations, activeAt, value, keptSince, noDataSince }: ActiveAlert, state: ListedRuleAlert['state']): ListedRuleAlert {
  return {
    labels,
    annotations,
    state,
    activeAt: timeText(activeAt),
    ...(keptSince !== undefined && { keepFiringSince: timeText(keptSince) }),
    // Not of Prometheus: its telemetry is missing since then, and it stays as it was.
    ...(noDataSince !== undefined && { noDataSince: timeText(noDataSince) }),
    value: numberText(value),
  }
}

const active = (alerts: Iterable<ActiveAlert>): ListedRuleAlert[] => [...alerts].flatMap((alert) => (alert.state === 'inactive' ? [] : [alertJson(alert, alert.state)]))

/** What a rule is as a whole: that of its worst alert. */
function stateOf(alerts: readonly ListedRuleAlert[]): ListedAlertingRule['state'] {
  return alerts.some(({ state }) => state === 'firing') ? 'firing' : alerts.length > 0 ? 'pending' : 'inactive'
}

function fared({ health, lastError, lastEvaluation, tookMs }: RuleHealth): RuleReport {
  return { health, ...(lastError !== '' && { lastError }), evaluationTime: tookMs / 1000, lastEvaluation: timeText(lastEvaluation) }
}

interface Wanted {
  readonly type: string | undefined
  readonly names: readonly string[]
  readonly groups: readonly string[]
  readonly files: readonly string[]
  readonly withoutAlerts: boolean
  readonly matches: (labels: Labels) => boolean
}

function listOf(query: Query, name: string): string[] {
  return [...texts(query, name), ...texts(query, `${name}[]`)]
}

function wantedOf(request: FastifyRequest): Wanted {
  const query = parameters(request)
  const type = text(query, 'type')
  if (type !== undefined && type !== 'alert' && type !== 'record') throw new AndonError('bad_parameter', 'type must be alert or record')
  const selectors = matchersOf(query).map((matchers) => matchers.map(labelMatch))
  return {
    type,
    names: listOf(query, 'rule_name'),
    groups: listOf(query, 'rule_group'),
    files: listOf(query, 'file'),
    withoutAlerts: text(query, 'exclude_alerts') === 'true',
    matches: (labels) => selectors.length === 0 || selectors.some((conditions) => conditions.every((holds) => holds(labels))),
  }
}

function ruleJson(rule: AlertRule | RecordingRule, health: RuleHealth, alerts: readonly ListedRuleAlert[], wanted: Wanted): ListedRule {
  const query = print(parse(rule.expression))
  if (rule.kind === 'record') return { name: rule.name, query, labels: rule.labels, type: 'recording', ...fared(health) }
  return {
    state: stateOf(alerts),
    name: rule.name,
    query,
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    // Not of Prometheus: what must hold of what fires already, so that it fires on.
    ...(rule.recovery !== undefined && { recovery: print(parse(rule.recovery)) }),
    labels: rule.labels,
    annotations: rule.annotations,
    alerts: wanted.withoutAlerts ? [] : alerts,
    type: 'alerting',
    ...fared(health),
  }
}

function groupJson(evaluator: GroupEvaluator, wanted: Wanted): ListedRuleGroup {
  const { group, intervalMs, lastEvaluation, tookMs, health } = evaluator
  const alerting = [...evaluator.alerting]
  const rules = group.rules.flatMap((rule, index) => {
    const alerts = rule.kind === 'alert' ? active(alerting.shift()?.rule.alerts.values() ?? []) : []
    const isWanted = (wanted.type === undefined || wanted.type === rule.kind) && (wanted.names.length === 0 || wanted.names.includes(rule.name)) && wanted.matches(rule.labels)
    return isWanted ? [ruleJson(rule, health[index] ?? { health: 'unknown', lastError: '', lastEvaluation: 0, tookMs: 0 }, alerts, wanted)] : []
  })
  return { name: group.name, file: group.file, rules, interval: intervalMs / 1000, limit: group.limit, evaluationTime: tookMs / 1000, lastEvaluation: timeText(lastEvaluation) }
}

/** GET /api/v1/rules and /api/v1/alerts; inside the scope that answers errors as Prometheus does. */
export function registerRules(app: FastifyInstance, { groups }: RulesApiDeps): void {
  app.get('/api/v1/rules', LIVE, (request, reply) => {
    const wanted = wantedOf(request)
    const chosen = groups().filter(({ group }) => (wanted.groups.length === 0 || wanted.groups.includes(group.name)) && (wanted.files.length === 0 || wanted.files.includes(group.file)))
    return success(reply, { groups: chosen.map((group) => groupJson(group, wanted)).filter(({ rules }) => rules.length > 0) })
  })
  app.get('/api/v1/alerts', LIVE, (_request, reply) => success(reply, { alerts: groups().flatMap(({ alerting }) => alerting.flatMap(({ rule }) => active(rule.alerts.values()))) }))
}
