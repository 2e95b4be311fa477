// Alerts, silences and what fired before.
import type { AlertStatus, ListedAlert, ListedAlertChange, ListedSilence, Severity, SilenceState } from '@andon/model'
import { NOW } from '../dashboard-now.ts'
import { ago, DAY, ENDED_INCIDENT, ERROR_EXPRESSION, HOUR, MINUTE, OPEN_INCIDENT, TAKEN_INCIDENT } from './scene.ts'

const SLOW_EXPRESSION = 'histogram_quantile(0.95, sum by (service_name) (rate(http_server_request_duration_seconds[5m])))'

const alert = (name: string, severity: Severity, startedAgo: number, more: Partial<ListedAlert> = {}): ListedAlert => ({
  fingerprint: name.padEnd(16, '0').slice(0, 16),
  status: 'firing',
  state: 'active',
  flapping: false,
  ticketBecause: null,
  service: 'kanban',
  severity,
  labels: { alertname: name, service_name: 'kanban', severity, deployment_environment_name: 'production' },
  annotations: {},
  source: 'rule',
  startsAt: ago(startedAgo),
  onsetAt: ago(startedAgo + 2 * MINUTE),
  changedAt: ago(startedAgo),
  updatedAt: NOW,
  value: null,
  expression: null,
  generatorUrl: '',
  incident: null,
  silencedBy: [],
  inhibitedBy: [],
  mutedBy: [],
  receivers: ['slack-web'],
  ...more,
})

export const ALERTS: readonly ListedAlert[] = [
  alert('ErrorBurst', 'critical', 12 * MINUTE, {
    annotations: { summary: '8.4 % of the requests of kanban fail', description: 'Most of them are POST /api/tasks; it began after 1.3.0 was deployed.' },
    value: 0.084,
    expression: ERROR_EXPRESSION,
    incident: OPEN_INCIDENT,
    receivers: ['slack-web', 'pagerduty-web'],
  }),
  alert('SlowStatements', 'warning', 47 * MINUTE, {
    annotations: { summary: 'Statements of mailer take 1.8 s', runbook_url: 'https://wiki.example/slow-statements' },
    service: 'mailer',
    labels: { alertname: 'SlowStatements', service_name: 'mailer', severity: 'warning', db_namespace: 'mail' },
    value: 1.8,
    expression: SLOW_EXPRESSION,
    incident: TAKEN_INCIDENT,
  }),
  alert('HeapGrows', 'warning', 3 * HOUR, { source: 'detector', annotations: { summary: 'The heap of worker grows by 4 MiB an hour' }, service: 'worker', labels: { alertname: 'HeapGrows', service_name: 'worker', severity: 'warning' }, state: 'suppressed', silencedBy: ['silence-1'] }),
  alert('PoolExhausted', 'warning', 10 * MINUTE, { annotations: { summary: 'Requests wait 0.9 s for a connection' }, flapping: true, state: 'suppressed', inhibitedBy: ['ErrorBurst000000'] }),
]

const silence = (id: string, state: SilenceState, from: number, to: number, more: Partial<ListedSilence> = {}): ListedSilence => ({ id, state, matchers: [{ name: 'alertname', operator: '=', value: 'HeapGrows' }, { name: 'service_name', operator: '=~', value: 'worker|batch' }], startsAt: from, endsAt: to, updatedAt: from, createdBy: 'anna', comment: 'Known leak in the image library, ticket 481', ...more })
export const SILENCES: readonly ListedSilence[] = [
  silence('silence-1', 'active', ago(2 * HOUR), NOW + 6 * HOUR),
  silence('silence-2', 'pending', NOW + 10 * HOUR, NOW + 12 * HOUR, { comment: 'The database is moved', createdBy: 'ben', matchers: [{ name: 'service_name', operator: '=', value: 'kanban' }] }),
  silence('silence-3', 'expired', ago(2 * DAY), ago(DAY), { comment: 'Load test' }),
]

const change = (minutesAgo: number, status: AlertStatus, name: string, more: Partial<ListedAlertChange> = {}): ListedAlertChange => ({ at: ago(minutesAgo * MINUTE), status, fingerprint: name.padEnd(16, '0').slice(0, 16), service: 'kanban', severity: 'warning', labels: { alertname: name, service_name: 'kanban' }, annotations: { summary: `${name} of kanban` }, source: 'rule', startsAt: ago(minutesAgo * MINUTE), value: 1, incident: null, ...more })
export const CHANGES: readonly ListedAlertChange[] = [
  change(12, 'firing', 'ErrorBurst', { severity: 'critical', incident: OPEN_INCIDENT }),
  change(47, 'firing', 'SlowStatements', { incident: TAKEN_INCIDENT, service: 'mailer' }),
  change(190, 'resolved', 'EventLoopBlocked'),
  change(204, 'firing', 'EventLoopBlocked'),
  change(610, 'resolved', 'ErrorBurst', { severity: 'critical', incident: ENDED_INCIDENT }),
  change(633, 'firing', 'ErrorBurst', { severity: 'critical', incident: ENDED_INCIDENT }),
  change(900, 'resolved', 'SlowStatements', { service: 'mailer' }),
  change(1000, 'firing', 'SlowStatements', { service: 'mailer' }),
]
