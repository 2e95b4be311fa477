// Rules of files and of one's own, and what one of them would have told.
import type { BacktestResult, ListedAlertingRule, ListedOwnRule, ListedRuleGroup } from '@andon/model'
import { NOW } from '../dashboard-now.ts'
import { ago, DAY, ERROR_EXPRESSION, HOUR, MINUTE } from './scene.ts'

const rule = (name: string, query: string, more: Partial<ListedAlertingRule> = {}): ListedAlertingRule => ({
  type: 'alerting',
  name,
  query,
  state: 'inactive',
  duration: 60,
  keepFiringFor: 0,
  labels: { severity: 'warning' },
  annotations: { summary: `{{ $labels.service_name }}: ${name}` },
  alerts: [],
  health: 'ok',
  lastEvaluation: new Date(ago(8000)).toISOString(),
  evaluationTime: 0.0042,
  ...more,
})
export const RULE_GROUPS: readonly ListedRuleGroup[] = [
  {
    name: 'kanban',
    file: '/etc/andon/rules/kanban.yaml',
    interval: 15,
    limit: 0,
    evaluationTime: 0.01,
    lastEvaluation: new Date(ago(8000)).toISOString(),
    rules: [
      rule('ErrorBurst', `${ERROR_EXPRESSION} > 0.05`, { state: 'firing', labels: { severity: 'critical' }, alerts: [{ labels: { alertname: 'ErrorBurst', service_name: 'kanban', severity: 'critical' }, annotations: {}, state: 'firing', activeAt: new Date(ago(13 * MINUTE)).toISOString(), value: '0.084' }] }),
      rule('EventLoopBlocked', 'max by (service_name) (nodejs_eventloop_delay_p99_seconds) > 0.2', { state: 'pending', duration: 120, alerts: [{ labels: { alertname: 'EventLoopBlocked', service_name: 'kanban', severity: 'warning' }, annotations: {}, state: 'pending', activeAt: new Date(ago(40_000)).toISOString(), value: '0.31' }] }),
      rule('CacheMisses', 'kanban_cache_hit_ratio < 0.5', { health: 'err', lastError: 'two elements of CacheMisses have the same labels once its own are added' }),
      { type: 'recording', name: 'kanban:requests:rate5m', query: 'sum by (service_name) (rate(http_server_request_duration_seconds_count[5m]))', labels: {}, health: 'ok', lastEvaluation: new Date(ago(8000)).toISOString(), evaluationTime: 0.001 },
    ],
  },
  { name: 'own', file: 'api', interval: 15, limit: 0, evaluationTime: 0.001, lastEvaluation: new Date(ago(8000)).toISOString(), rules: [rule('Tasks are slow', 'histogram_quantile(0.95, rate({"kanban.task.creation"}[5m])) > 500')] },
]
export const OWN_RULES: readonly ListedOwnRule[] = [
  {
    id: 'slow-tasks',
    definition: { alert: 'Tasks are slow', metric: 'kanban.task.creation', operator: 'gt', threshold: 500, recovery: 400, for: '1m', severity: 'warning', aggregation: 'p95', window: '5m' },
    alert: 'Tasks are slow',
    expression: 'histogram_quantile(0.95, rate({"kanban.task.creation"}[5m])) > 500',
    recovery: null,
    forMs: MINUTE,
    keepFiringForMs: 0,
    labels: { severity: 'warning' },
    annotations: {},
    revision: 3,
    actor: 'anna',
    updatedAt: ago(3 * DAY),
  },
]

/** What a backtest answers: three times in two weeks. */
export const BACKTEST: { readonly results: readonly BacktestResult[] } = {
  results: [
    {
      alert: 'Tasks are slow',
      expression: 'histogram_quantile(0.95, rate({"kanban.task.creation"}[5m])) > 500',
      from: ago(14 * DAY),
      to: NOW,
      intervalMs: 15_000,
      dataFrom: ago(14 * DAY),
      isShorter: false,
      count: 3,
      perWeek: 1.5,
      firingShare: 0.0041,
      episodes: [
        { labels: { alertname: 'Tasks are slow', service_name: 'kanban' }, activeAt: ago(11 * DAY), start: ago(11 * DAY - MINUTE), end: ago(11 * DAY - 31 * MINUTE), peak: 912 },
        { labels: { alertname: 'Tasks are slow', service_name: 'kanban' }, activeAt: ago(6 * DAY), start: ago(6 * DAY - MINUTE), end: ago(6 * DAY - 12 * MINUTE), peak: 640 },
        { labels: { alertname: 'Tasks are slow', service_name: 'kanban' }, activeAt: ago(HOUR), start: ago(HOUR - MINUTE), end: null, peak: 1204 },
      ],
      areEpisodesCut: false,
    },
  ],
}
