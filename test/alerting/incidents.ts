// Incidents that are open, with all of one of them, and those that have ended.
import type {
  Evidence,
  FigureObjectives,
  Incident,
  IncidentAlert,
  IncidentFigures,
  IncidentRow,
  IncidentState,
  MatchedRunbook,
  PinnedCourses,
  PinnedSeries,
  PinnedSpan,
  PinnedTrace,
  TimelineEntry,
  TimelineKind,
} from '@andon/model'
import { NOW } from '../dashboard-now.ts'
import { ago, DAY, ENDED_INCIDENT, ERROR_EXPRESSION, MINUTE, OPEN_INCIDENT, TAKEN_INCIDENT } from './scene.ts'

const OBJECTIVES: FigureObjectives = { detectMs: 5 * MINUTE, acknowledgeMs: null, resolveMs: 30 * MINUTE }
const figures = (mttdMs: number, mttaMs: number | null, mttmMs: number | null, mttrMs: number | null): IncidentFigures => ({ mttdMs, mttaMs, mttmMs, mttrMs })
const row = (id: string, title: string, state: IncidentState, detectedAgo: number, more: Partial<IncidentRow> = {}): IncidentRow => ({
  id,
  revision: 4,
  title,
  state,
  severity: 'critical',
  service: 'kanban',
  environment: 'production',
  services: ['kanban'],
  openedBy: { kind: 'alert', name: 'ErrorBurst' },
  onsetAt: ago(detectedAgo + 2 * MINUTE),
  detectedAt: ago(detectedAgo),
  acknowledged: null,
  resolvedAt: null,
  reopened: 0,
  alerts: 2,
  firing: 1,
  rules: ['ErrorBurst'],
  figures: figures(2 * MINUTE, null, null, null),
  ...more,
})
export const OPEN_ROWS: readonly IncidentRow[] = [
  row(OPEN_INCIDENT, 'Requests of kanban fail', 'detected', 12 * MINUTE, { services: ['kanban', 'postgresql'], firing: 2 }),
  row(TAKEN_INCIDENT, 'Statements of mailer are slow', 'acknowledged', 47 * MINUTE, { severity: 'warning', service: 'mailer', services: ['mailer'], rules: ['SlowStatements'], acknowledged: { at: ago(44 * MINUTE), actor: 'ben' }, figures: figures(4 * MINUTE, 3 * MINUTE, null, null) }),
]
const ended = (id: string, title: string, days: number, [mttd, mtta, mttr]: readonly [number, number, number], more: Partial<IncidentRow> = {}): IncidentRow =>
  row(id, title, 'resolved', days * DAY, { acknowledged: { at: ago(days * DAY - mtta * MINUTE), actor: 'anna' }, resolvedAt: ago(days * DAY - mttr * MINUTE), firing: 0, figures: figures(mttd * MINUTE, mtta * MINUTE, (mttr - 5) * MINUTE, mttr * MINUTE), ...more })
export const ENDED_ROWS: readonly IncidentRow[] = [
  ended(ENDED_INCIDENT, 'Requests of kanban fail', 3, [1.5, 2, 24]),
  ended('inc-2026-11-18-1', 'The pool of kanban is exhausted', 6, [0.7, 4, 16], { state: 'reviewed', severity: 'warning', rules: ['PoolExhausted'] }),
  ended('inc-2026-11-12-1', 'The event loop of kanban is blocked', 12, [7.5, 11, 52], { state: 'reviewed', severity: 'warning', rules: ['EventLoopBlocked'] }),
  ended('inc-2026-11-05-1', 'worker has stopped to send', 19, [3, 1, 9], { service: 'worker', services: ['worker'], rules: ['TelemetryMissing'] }),
]

const entry = (minutesAgo: number, kind: TimelineKind, text: string, more: Partial<TimelineEntry> = {}): TimelineEntry => ({ id: `${kind}/${minutesAgo}/${text.length}`, at: ago(minutesAgo * MINUTE), kind, actor: 'andon', text, detail: {}, ...more })
const TIMELINE: readonly TimelineEntry[] = [
  entry(19, 'deploy', 'Deployed: kanban 1.3.0 in production (c0ffee1)', { actor: 'pipeline', detail: { service: 'kanban', version: '1.3.0', source: 'told' } }),
  entry(12, 'opened', 'Opened by ErrorBurst: 8.4 % of the requests of kanban fail'),
  entry(11.9, 'notification', 'slack-web was told', { detail: { channel: 'slack-web', notification: 'n1', state: 'delivered' } }),
  entry(11.8, 'notification', 'pagerduty-web could not be told yet: 429, again in 20 s', { detail: { channel: 'pagerduty-web', notification: 'n1', state: 'retrying' } }),
  entry(11.4, 'notification', 'pagerduty-web was told', { detail: { channel: 'pagerduty-web', notification: 'n1', state: 'delivered' } }),
  entry(11, 'evidence', 'Kept: 1 slow traces, 1 courses, errors, statements'),
  entry(10, 'alert', 'PoolExhausted fires: requests wait 0.9 s for a connection'),
  entry(7, 'escalation', 'Escalated to anna, who is on call, by pagerduty-anna', { detail: { policy: 'web', run: 1, round: 0, receiver: 'pagerduty-anna', person: 'anna' } }),
  entry(4, 'comment', 'The inserts hit a unique key; looking at the migration of 1.3.0.', { actor: 'ben' }),
]
const incidentAlert = (name: string, startedAgo: number, more: Partial<IncidentAlert> = {}): IncidentAlert => ({
  fingerprint: name.padEnd(16, '0').slice(0, 16),
  rule: name,
  status: 'firing',
  severity: 'critical',
  source: 'rule',
  service: 'kanban',
  labels: { alertname: name, service_name: 'kanban', deployment_environment_name: 'production', severity: 'critical' },
  annotations: { summary: '8.4 % of the requests of kanban fail' },
  startsAt: ago(startedAgo),
  endsAt: null,
  onsetAt: ago(startedAgo + 2 * MINUTE),
  value: 0.084,
  expression: ERROR_EXPRESSION,
  generatorUrl: '',
  fired: 1,
  ...more,
})

const INCIDENT: Incident = {
  id: OPEN_INCIDENT,
  revision: 7,
  title: 'Requests of kanban fail',
  state: 'detected',
  severity: 'critical',
  service: 'kanban',
  environment: 'production',
  services: ['kanban', 'postgresql'],
  openedBy: { kind: 'alert', name: 'ErrorBurst' },
  onsetAt: ago(14 * MINUTE),
  marks: { detected: { at: ago(12 * MINUTE), actor: 'andon' } },
  firstAcknowledgedAt: null,
  touchedAt: ago(4 * MINUTE),
  firedAt: ago(10 * MINUTE),
  reopened: 0,
  alerts: [incidentAlert('ErrorBurst', 12 * MINUTE), incidentAlert('PoolExhausted', 10 * MINUTE, { severity: 'warning', annotations: { summary: 'Requests wait 0.9 s for a connection' }, value: 0.9, expression: null, status: 'resolved', endsAt: ago(3 * MINUTE), fired: 2 })],
  forgottenAlerts: 0,
  steps: [{ runbook: 'error-burst', step: 0, text: 'See which route fails most', at: ago(5 * MINUTE), actor: 'ben' }],
  verdicts: {},
  pages: [{ rule: 'ErrorBurst', service: 'kanban', source: 'rule', at: ago(12 * MINUTE) }],
  escalation: { policy: 'web', run: 1, round: 0, step: 2, nextAt: NOW + 3 * MINUTE, resting: false, told: ['pagerduty-anna'] },
  evidenceAt: { opened: ago(11 * MINUTE), resolved: null },
}
const MATCHED: readonly MatchedRunbook[] = [
  { name: 'error-burst', title: 'Requests fail', url: '', rule: 'ErrorBurst' },
  { name: 'pool-exhaustion', title: 'The pool is exhausted', url: '', rule: 'PoolExhausted' },
]
const course = (base: number, jump: number): PinnedSeries['points'] => Array.from({ length: 60 }, (_, index) => [ago((59 - index) * 30_000), base + (index > 31 ? jump : 0) + 0.004 * Math.sin(index)])
const span = (id: string, service: string, name: string, durationMs: number): PinnedSpan => ({ spanId: id.repeat(16), parentSpanId: id === 'a' ? '' : 'a'.repeat(16), name, kind: 'server', service, start: ago(12 * MINUTE), durationMs, attributes: {}, events: [], status: 'unset', message: '' })
// Each data as what pins them writes them.
const TRACE: PinnedTrace = {
  traceId: '1'.padStart(32, '0'),
  start: ago(12 * MINUTE),
  durationMs: 1284,
  rootService: 'kanban',
  rootName: 'POST /api/tasks',
  errors: 1,
  spans: [span('a', 'kanban', 'POST /api/tasks', 1284), span('b', 'postgresql', 'INSERT INTO tasks', 1190)],
}
const COURSES: PinnedCourses = { expression: ERROR_EXPRESSION, start: ago(30 * MINUTE), end: NOW, series: [{ labels: { service_name: 'kanban' }, points: course(0.004, 0.08) }] }
export const EVIDENCE: readonly Evidence[] = [
  { name: `trace-${TRACE.traceId}`, kind: 'trace', title: 'kanban POST /api/tasks: 1284 ms', at: ago(11 * MINUTE), cut: false, data: { ...TRACE, spanCount: TRACE.spans.length } },
  { name: 'errors', kind: 'errors', title: 'Errors of kanban', at: ago(11 * MINUTE), cut: false, data: [{ type: 'DatabaseError', message: 'duplicate key value violates unique constraint "tasks_pkey"', count: 214 }] },
  { name: 'series-0', kind: 'series', title: 'ErrorBurst', at: ago(11 * MINUTE), cut: false, data: COURSES },
]

const detail = (incident: Incident, took: IncidentFigures): object => ({
  now: NOW,
  incident,
  figures: took,
  objectives: OBJECTIVES,
  timeline: TIMELINE,
  evidence: EVIDENCE.map(({ name, kind, title, at, cut }) => ({ name, kind, title, at, cut })),
  runbooks: MATCHED,
})
export const OPEN: object = detail(INCIDENT, figures(2 * MINUTE, null, null, null))
export const RESOLVED: object = detail(
  {
    ...INCIDENT,
    id: ENDED_INCIDENT,
    state: 'resolved',
    marks: { detected: { at: ago(12 * MINUTE), actor: 'andon' }, acknowledged: { at: ago(10 * MINUTE), actor: 'anna' }, mitigated: { at: ago(5 * MINUTE), actor: 'anna' }, resolved: { at: ago(2 * MINUTE), actor: 'anna' } },
    firstAcknowledgedAt: ago(10 * MINUTE),
    escalation: null,
  },
  figures(2 * MINUTE, 2 * MINUTE, 9 * MINUTE, 12 * MINUTE),
)
