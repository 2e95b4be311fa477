// What a server would answer the pages of alerts, incidents, objectives, detectors and deploys while errors burst in the kanban.
import { NOW } from './dashboard-now.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const fieldsOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})
const ago = (ms: number): number => NOW - ms

/** The incident that nobody has taken yet. */
export const OPEN_INCIDENT = 'inc-2026-11-24-1'
const TAKEN_INCIDENT = 'inc-2026-11-24-2'
const ENDED_INCIDENT = 'inc-2026-11-21-1'
const TRACE = '1'.padStart(32, '0')

const ERROR_EXPRESSION = 'sum by (service_name) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[2m])) / sum by (service_name) (rate(http_server_request_duration_seconds_count[2m]))'
const SLOW_EXPRESSION = 'histogram_quantile(0.95, sum by (service_name) (rate(http_server_request_duration_seconds[5m])))'

const alert = (name: string, severity: string, startedAgo: number, more: object = {}): Record<string, unknown> => ({
  fingerprint: name.padEnd(16, '0').slice(0, 16),
  status: 'firing',
  state: 'active',
  flapping: false,
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

const ALERTS = [
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

const silence = (id: string, state: string, from: number, to: number, more: object = {}): unknown => ({ id, state, matchers: [{ name: 'alertname', operator: '=', value: 'HeapGrows' }, { name: 'service_name', operator: '=~', value: 'worker|batch' }], startsAt: from, endsAt: to, updatedAt: from, createdBy: 'anna', comment: 'Known leak in the image library, ticket 481', ...more })
const SILENCES = [
  silence('silence-1', 'active', ago(2 * HOUR), NOW + 6 * HOUR),
  silence('silence-2', 'pending', NOW + 10 * HOUR, NOW + 12 * HOUR, { comment: 'The database is moved', createdBy: 'ben', matchers: [{ name: 'service_name', operator: '=', value: 'kanban' }] }),
  silence('silence-3', 'expired', ago(2 * DAY), ago(DAY), { comment: 'Load test' }),
]

const change = (minutesAgo: number, status: string, name: string, more: object = {}): unknown => ({ at: ago(minutesAgo * MINUTE), status, fingerprint: name.padEnd(16, '0').slice(0, 16), service: 'kanban', severity: 'warning', labels: { alertname: name, service_name: 'kanban' }, annotations: { summary: `${name} of kanban` }, source: 'rule', startsAt: ago(minutesAgo * MINUTE), value: 1, incident: null, ...more })
const HISTORY = {
  from: ago(DAY),
  to: NOW,
  changes: [
    change(12, 'firing', 'ErrorBurst', { severity: 'critical', incident: OPEN_INCIDENT }),
    change(47, 'firing', 'SlowStatements', { incident: TAKEN_INCIDENT, service: 'mailer' }),
    change(190, 'resolved', 'EventLoopBlocked'),
    change(204, 'firing', 'EventLoopBlocked'),
    change(610, 'resolved', 'ErrorBurst', { severity: 'critical', incident: ENDED_INCIDENT }),
    change(633, 'firing', 'ErrorBurst', { severity: 'critical', incident: ENDED_INCIDENT }),
    change(900, 'resolved', 'SlowStatements', { service: 'mailer' }),
    change(1000, 'firing', 'SlowStatements', { service: 'mailer' }),
  ],
}

const rule = (name: string, query: string, more: object = {}): unknown => ({
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
const RULES = {
  status: 'success',
  data: {
    groups: [
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
    ],
  },
}
const OWN_RULES = {
  rules: [
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
  ],
}

/** What a backtest answers: three times in two weeks. */
export const BACKTEST: unknown = {
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

const figures = (mttdMs: number, mttaMs: number | null, mttmMs: number | null, mttrMs: number | null): Record<string, number | null> => ({ mttdMs, mttaMs, mttmMs, mttrMs })
const row = (id: string, title: string, state: string, detectedAgo: number, more: object = {}): Record<string, unknown> => ({
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
const OPEN_ROWS = [
  row(OPEN_INCIDENT, 'Requests of kanban fail', 'detected', 12 * MINUTE, { services: ['kanban', 'postgresql'], firing: 2 }),
  row(TAKEN_INCIDENT, 'Statements of mailer are slow', 'acknowledged', 47 * MINUTE, { severity: 'warning', service: 'mailer', services: ['mailer'], rules: ['SlowStatements'], acknowledged: { at: ago(44 * MINUTE), actor: 'ben' }, figures: figures(4 * MINUTE, 3 * MINUTE, null, null) }),
]
const ended = (id: string, title: string, days: number, [mttd, mtta, mttr]: readonly [number, number, number], more: object = {}): Record<string, unknown> =>
  row(id, title, 'resolved', days * DAY, { acknowledged: { at: ago(days * DAY - mtta * MINUTE), actor: 'anna' }, resolvedAt: ago(days * DAY - mttr * MINUTE), firing: 0, figures: figures(mttd * MINUTE, mtta * MINUTE, (mttr - 5) * MINUTE, mttr * MINUTE), ...more })
const ENDED_ROWS = [
  ended(ENDED_INCIDENT, 'Requests of kanban fail', 3, [1.5, 2, 24]),
  ended('inc-2026-11-18-1', 'The pool of kanban is exhausted', 6, [0.7, 4, 16], { state: 'reviewed', severity: 'warning', rules: ['PoolExhausted'] }),
  ended('inc-2026-11-12-1', 'The event loop of kanban is blocked', 12, [7.5, 11, 52], { state: 'reviewed', severity: 'warning', rules: ['EventLoopBlocked'] }),
  ended('inc-2026-11-05-1', 'worker has stopped to send', 19, [3, 1, 9], { service: 'worker', services: ['worker'], rules: ['TelemetryMissing'] }),
]

const entry = (minutesAgo: number, kind: string, text: string, more: object = {}): unknown => ({ id: `${kind}/${minutesAgo}/${text.length}`, at: ago(minutesAgo * MINUTE), kind, actor: 'andon', text, detail: {}, ...more })
const TIMELINE = [
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
const incidentAlert = (name: string, startedAgo: number, more: object = {}): unknown => ({
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
const DETAIL = {
  now: NOW,
  incident: {
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
    reopened: 0,
    alerts: [incidentAlert('ErrorBurst', 12 * MINUTE), incidentAlert('PoolExhausted', 10 * MINUTE, { severity: 'warning', annotations: { summary: 'Requests wait 0.9 s for a connection' }, value: 0.9, expression: null, status: 'resolved', endsAt: ago(3 * MINUTE), fired: 2 })],
    steps: [{ runbook: 'error-burst', step: 0, text: 'See which route fails most', at: ago(5 * MINUTE), actor: 'ben' }],
    verdicts: {},
    escalation: { policy: 'web', run: 1, round: 0, step: 2, nextAt: NOW + 3 * MINUTE, resting: false, told: ['pagerduty-anna'] },
  },
  figures: figures(2 * MINUTE, null, null, null),
  objectives: { detectMs: 5 * MINUTE, acknowledgeMs: null, resolveMs: 30 * MINUTE },
  timeline: TIMELINE,
  evidence: [
    { name: `trace-${TRACE}`, kind: 'trace', title: 'kanban POST /api/tasks: 1284 ms', at: ago(11 * MINUTE), cut: false },
    { name: 'errors', kind: 'errors', title: 'Errors of kanban', at: ago(11 * MINUTE), cut: false },
    { name: 'series-0', kind: 'series', title: 'ErrorBurst', at: ago(11 * MINUTE), cut: false },
  ],
  runbooks: [
    { name: 'error-burst', title: 'Requests fail', url: '', rule: 'ErrorBurst' },
    { name: 'pool-exhaustion', title: 'The pool is exhausted', url: '', rule: 'PoolExhausted' },
  ],
}
const RESOLVED = {
  ...DETAIL,
  incident: {
    ...DETAIL.incident,
    id: ENDED_INCIDENT,
    state: 'resolved',
    marks: { detected: { at: ago(12 * MINUTE), actor: 'andon' }, acknowledged: { at: ago(10 * MINUTE), actor: 'anna' }, mitigated: { at: ago(5 * MINUTE), actor: 'anna' }, resolved: { at: ago(2 * MINUTE), actor: 'anna' } },
    escalation: null,
  },
  figures: figures(2 * MINUTE, 2 * MINUTE, 9 * MINUTE, 12 * MINUTE),
}
const course = (base: number, jump: number): [number, number][] => Array.from({ length: 60 }, (_, index) => [ago((59 - index) * 30_000), base + (index > 31 ? jump : 0) + 0.004 * Math.sin(index)])
const EVIDENCE = {
  evidence: [
    {
      ...DETAIL.evidence[0],
      data: { traceId: TRACE, start: ago(12 * MINUTE), durationMs: 1284, rootService: 'kanban', rootName: 'POST /api/tasks', errors: 1, spanCount: 2, spans: [{ service: 'kanban', name: 'POST /api/tasks', durationUs: 1_284_000 }, { service: 'postgresql', name: 'INSERT INTO tasks', durationUs: 1_190_000 }] },
    },
    { ...DETAIL.evidence[1], data: [{ type: 'DatabaseError', message: 'duplicate key value violates unique constraint "tasks_pkey"', count: 214 }] },
    { ...DETAIL.evidence[2], data: { expression: ERROR_EXPRESSION, start: ago(30 * MINUTE), end: NOW, series: [{ labels: { service_name: 'kanban' }, points: course(0.004, 0.08) }] } },
  ],
}

const RUNBOOK_TEXT = '# Requests fail\n\nUsers see errors. **First** make it stop, then find out why.\n\n1. If it began with a deploy, roll that back.\n2. Else look at the errors by type.\n\n| sign | cause |\n|---|---|\n| one route | code of that route |\n| all routes | database, or a dependency |\n\nSee [the errors](/traces?status=error).'
const RUNBOOK = {
  runbook: {
    name: 'error-burst',
    title: 'Requests fail',
    alerts: ['ErrorBurst', 'Error*'],
    severity: '',
    owner: 'web',
    from: 'andon',
    checks: [
      { title: 'Share of failed requests', query: ERROR_EXPRESSION },
      { title: 'Requests waiting for a connection', query: 'sum(db_client_connection_pending_requests)' },
      { title: 'Which dependency fails', query: 'topk(3, x)' },
    ],
    actions: ['See which route fails most', 'Roll back kanban if it was deployed in the last hour', 'Look at the errors by type', 'Tell the people who use it'],
    text: RUNBOOK_TEXT,
  },
  at: ago(4000),
  service: 'kanban',
  results: [
    { title: 'Share of failed requests', query: ERROR_EXPRESSION, samples: [{ labels: { service_name: 'kanban' }, value: 0.084 }], more: 0, error: '' },
    { title: 'Requests waiting for a connection', query: 'sum(db_client_connection_pending_requests)', samples: [], more: 0, error: '' },
    { title: 'Which dependency fails', query: 'topk(3, x)', samples: [], more: 0, error: 'the query took longer than 10 s' },
  ],
  ticked: [],
}
const listed = (name: string, title: string, alerts: readonly string[], from = 'andon'): unknown => ({ name, title, alerts, severity: '', owner: from === 'own' ? 'web' : '', from, checks: 3, actions: 4 })
const RUNBOOKS = { runbooks: [listed('error-burst', 'Requests fail', ['ErrorBurst', 'Error*']), listed('pool-exhaustion', 'The pool is exhausted', ['PoolExhausted']), listed('memory-leak', 'The heap grows', ['HeapGrows']), listed('tasks', 'Tasks are slow', ['Tasks are slow'], 'own')] }
const POSTMORTEM = {
  incident: ENDED_INCIDENT,
  markdown: '# Requests of kanban fail\n\n## Impact\n\n1,204 requests failed; 3.1 % of the budget of this month was spent.\n\n## Timeline\n\n| time | what |\n|---|---|\n| 11:41:00Z | Deployed: kanban 1.3.0 |\n| 11:48:00Z | Opened by ErrorBurst |\n\n## What to change\n\n- [ ] Test the migration against a copy of the data\n- [x] Alert on duplicate keys\n',
}
const summary = (p50: number, p90: number, objective: number | null, within: number | null): unknown => ({ count: 6, p50Ms: p50 * MINUTE, p90Ms: p90 * MINUTE, objectiveMs: objective === null ? null : objective * MINUTE, within })
const FIGURES = {
  from: ago(28 * DAY),
  to: NOW,
  incidents: 6,
  open: 2,
  figures: { mttd: summary(2, 7.5, 5, 5 / 6), mtta: summary(3, 11, null, null), mttm: summary(12, 47, null, null), mttr: summary(20, 52, 30, 0.75) },
  each: [...OPEN_ROWS, ...ENDED_ROWS].map((one) => ({ id: one['id'], title: one['title'], service: one['service'], severity: one['severity'], state: one['state'], detectedAt: one['detectedAt'], ...fieldsOf(one['figures']) })),
}
const quality = (name: string, pages: number, [real, noise, expected]: readonly [number, number, number], more: object = {}): unknown => ({ rule: name, fired: pages * 2, perWeek: pages / 2, pages, real, noise, expected, precision: real + noise === 0 ? null : real / (real + noise), medianAckMs: 3 * MINUTE, proposal: null, demotedUntil: null, reason: '', ...more })
const QUALITY = {
  from: ago(28 * DAY),
  to: NOW,
  budget: { pages: 2, perMs: 7 * DAY },
  rules: [
    quality('ErrorBurst', 4, [4, 0, 0]),
    quality('CpuIsHigh', 14, [3, 11, 0], { proposal: 'demote', reason: '21 % of its 14 judged calls were real' }),
    quality('PoolExhausted', 3, [2, 0, 1], { demotedUntil: NOW + 2 * DAY, reason: 'It has called people 3 times this week; its budget is 2' }),
    quality('HeapGrows', 1, [0, 0, 0]),
  ],
}
const shift = (person: string, from: number, to: number, override = false): unknown => ({ person, receiver: `pagerduty-${person}`, from, to, override })
const ON_CALL = {
  now: NOW,
  schedules: [{ name: 'web', timeZone: 'Europe/Berlin', kind: 'rotation', current: shift('anna', ago(2 * DAY), NOW + 5 * DAY), next: [shift('ben', NOW + 5 * DAY, NOW + 12 * DAY), shift('cora', NOW + 12 * DAY, NOW + 19 * DAY, true)] }],
  policies: [{ name: 'web', match: { severity: ['critical'], service: [], environment: [] }, steps: [{ kind: 'notify', receiver: 'slack-web' }, { kind: 'wait', ms: 5 * MINUTE }, { kind: 'on-call', schedule: 'web' }], rounds: 3, staleMs: HOUR }],
}

const channel = (name: string, state: string, more: object = {}): unknown => ({ name, receiver: 'web', type: 'slack-bot', target: '#web-alerts', sendResolved: true, state, lastDeliveredAt: ago(12 * MINUTE), lastError: '', disabledSince: null, queued: 0, oldestSince: null, fallback: 'pagerduty-web', ...more })
const CHANNELS = { now: NOW, channels: [channel('slack-web', 'ok'), channel('pagerduty-web', 'failing', { type: 'pagerduty', target: 'events.pagerduty.com', lastError: '429, again in 20 s', queued: 1, oldestSince: ago(20_000), fallback: null }), channel('mail-web', 'disabled', { type: 'email', target: 'web@example.org', lastError: '550 no such mailbox', lastDeliveredAt: null, disabledSince: ago(HOUR) })] }

const windowOf = (name: string, target: number, bad: number, total: number, more: object = {}): object => {
  const allowed = total * (1 - target)
  return { name, from: ago(30 * DAY), to: NOW, ends: null, total, bad, attainment: 1 - bad / total, allowed, remaining: (allowed - bad) / allowed, outageMinutes: (30 * 24 * 60 * (allowed - bad)) / total, exhaustedInMs: bad > allowed ? 0 : 9 * HOUR, ...more }
}
const RATES = { '5m': 84, '30m': 31.2, '1h': 16.8, '2h': 8.5, '6h': 3.1, '1d': 1.4, '3d': 0.8 }
const objective = (id: string, name: string, state: string, [target, bad, total]: readonly [number, number, number], more: object = {}): Record<string, unknown> => ({
  id,
  name,
  description: '',
  service: 'kanban',
  environment: 'production',
  kind: 'availability',
  target,
  isDefault: false,
  customer: null,
  state,
  since: state === 'page' ? ago(12 * MINUTE) : null,
  lastData: ago(10_000),
  countedTo: ago(10_000),
  lastError: '',
  windows: [windowOf('30d', target, bad, total), windowOf('month', target, bad * 0.7, total * 0.78, { ends: NOW + 6 * DAY })],
  burnRates: state === 'ok' ? { '5m': 0, '30m': 0.1, '1h': 0.2, '2h': 0.2, '6h': 0.4, '1d': 0.5, '3d': 0.4 } : RATES,
  ...more,
})
const OBJECTIVES = [
  objective('kanban-works', 'Requests work', 'page', [0.999, 8120, 9_400_000], { customer: 'Hofer AG', description: 'What the web shop promises' }),
  objective('kanban-fast', 'Requests are fast', 'ticket', [0.95, 510_000, 9_400_000], { kind: 'latency' }),
  objective('mailer-works', 'Mails are sent', 'ok', [0.99, 320, 480_000], { service: 'mailer', isDefault: true, windows: [windowOf('30d', 0.99, 320, 480_000, { exhaustedInMs: null })] }),
  objective('worker-works', 'Jobs succeed', 'no-data', [0.99, 0, 1], { service: 'worker', windows: [{ ...windowOf('30d', 0.99, 0, 1), total: 0, attainment: null, remaining: null, outageMinutes: null, exhaustedInMs: null }], burnRates: { '5m': null, '1h': null, '6h': null, '3d': null } }),
]
const OBJECTIVE = {
  ...OBJECTIVES[0],
  objective: { indicator: { kind: 'spans', service: 'kanban', routes: [], exceptRoutes: ['/healthz'] }, labels: {}, file: '/etc/andon/objectives/kanban.yaml', runbook: 'error-burst', agreement: { customer: 'Hofer AG', unit: 'month', consequence: '10 % of the fee of the month is paid back', target: 0.999 } },
  expression: ERROR_EXPRESSION,
  alerts: { page: { state: 'firing', startsAt: ago(12 * MINUTE), by: ['1h and 5m at 14.4×', 'the fast test'] } },
  month: { end: NOW + 6 * DAY, attainment: 0.99904, spent: 0.96, kept: true },
  maintenance: [{ start: NOW + DAY, end: NOW + DAY + 2 * HOUR, comment: 'The database is moved' }],
}
const BURN_DOWN = {
  window: '30d',
  from: ago(30 * DAY),
  to: NOW,
  ends: NOW,
  stepMs: HOUR,
  points: Array.from({ length: 720 }, (_, index) => {
    const spent = index * 0.00055 + (index > 300 ? 0.18 : 0) + (index > 640 ? 0.21 : 0) + (index > 717 ? 0.08 * (index - 717) : 0)
    return { time: ago((720 - index) * HOUR), bad: 3, total: 13_000, remaining: 1 - spent, ideal: 1 - index / 720 }
  }),
}
const part = (key: string, title: string, bad: number): object => ({ key, title, bad, total: bad * 12, share: bad / 8120, budget: bad / 9400 })
const LEDGER = {
  window: '30d',
  from: ago(30 * DAY),
  to: NOW,
  bad: 8120,
  total: 9_400_000,
  allowed: 9400,
  byIncident: [part(ENDED_INCIDENT, 'Requests of kanban fail', 3100), part('inc-2026-11-18-1', 'The pool of kanban is exhausted', 2240), part(OPEN_INCIDENT, 'Requests of kanban fail', 1204), part('', 'outside of incidents', 1576)],
  byRoute: [part('/api/tasks', '/api/tasks', 5200), part('/api/boards/:id', '/api/boards/:id', 2100), part('', 'other routes', 820)],
  byRelease: [part('1.2.0', '1.2.0', 6916), part('1.3.0', '1.3.0', 1204)],
}
function whatIf(percent: number): unknown {
  const target = percent / 100
  const months = [0.99904, 0.99951, 0.9987, 0.99962, 0.99981].map((attainment, index) => ({ month: `2026-${String(11 - index).padStart(2, '0')}`, attainment, kept: attainment >= target }))
  return { target, windows: [windowOf('30d', target, 8120, 9_400_000)], burnRates: RATES, months: [...months, { month: '2026-06', attainment: null, kept: null }] }
}
const DAYS = Array.from({ length: 24 }, (_, index) => {
  const [total, bad] = [430_000, index === 11 ? 2240 : index === 20 ? 3100 : index === 23 ? 1204 : index % 5 === 0 ? 0 : 40 + index * 3]
  return { day: `2026-11-${String(index + 1).padStart(2, '0')}`, total, bad, attainment: 1 - bad / total }
})
const report = (period: string): unknown => ({
  id: 'kanban-works',
  name: 'Requests work',
  customer: 'Hofer AG',
  service: 'kanban',
  environment: 'production',
  consequence: '10 % of the fee of the month is paid back',
  period,
  timeZone: 'Europe/Berlin',
  from: Date.parse(`${period}-01T00:00:00+01:00`),
  to: Date.parse('2026-12-01T00:00:00+01:00'),
  countedTo: NOW,
  isFinal: period !== '2026-11',
  madeAt: NOW,
  kept: period !== '2026-09',
  target: 0.999,
  attainment: period === '2026-09' ? 0.9987 : 0.99915,
  margin: period === '2026-09' ? -0.0003 : 0.00015,
  total: 9_400_000,
  bad: period === '2026-09' ? 12_220 : 7990,
  allowed: 9400,
  spent: period === '2026-09' ? 1.3 : 0.85,
  days: DAYS,
  incidents: [{ ...part(ENDED_INCIDENT, 'Requests of kanban fail', 3100), start: ago(3 * DAY), end: ago(3 * DAY - 24 * MINUTE) }, { ...part(OPEN_INCIDENT, 'Requests of kanban fail', 1204), start: ago(14 * MINUTE), end: null }],
  outsideIncidents: 1576,
  maintenance: [{ start: ago(9 * DAY), end: ago(9 * DAY - HOUR), comment: 'New certificates', bad: 12, total: 18_000 }],
  evidence: {
    indicator: OBJECTIVE.objective.indicator,
    objective: 0.999,
    minutes: 33_900,
    minutesWithData: 33_860,
    minutesWithBad: 1204,
    worst: [1, 2, 3].map((index) => ({ time: ago(3 * DAY - index * MINUTE), bad: 400 - index * 30, total: 900 })),
  },
})

const detector = (id: string, title: string, state: string, more: object = {}): Record<string, unknown> => ({
  id,
  service: 'kanban',
  environment: 'production',
  signal: 'p95',
  key: '',
  title,
  unit: 'seconds',
  family: 'latency',
  isIndicator: false,
  state,
  because: '7 days of its own past raised 1 alarm',
  slices: 40_320,
  time: ago(12_000),
  value: 0.061,
  expected: 0.048,
  low: 0.036,
  high: 0.072,
  p: 0.2,
  statistic: 3.2,
  threshold: 1_000_000,
  firing: false,
  since: null,
  onset: null,
  held: '',
  ...more,
})
const DETECTORS = [
  detector('kanban-errors', 'share of failed requests', 'page', { signal: 'errors', family: 'errors', unit: 'ratio', isIndicator: true, value: 0.084, expected: 0.004, low: 0, high: 0.012, p: 1e-9, statistic: 4e9, firing: true, since: ago(12 * MINUTE), onset: ago(14 * MINUTE) }),
  detector('kanban-p95', '95th percentile of latency', 'ticket', { statistic: 900 }),
  detector('kanban-cpu', 'CPU of the processes', 'silent', { signal: 'cpu', family: 'cpu', unit: 'ratio', value: 0.22, low: 0.12, high: 0.31, held: 'the effect is too small' }),
  detector('kanban-heap', 'heap after major collections', 'learning', { signal: 'heap', family: 'memory', unit: 'bytes', value: 91_000_000, low: null, high: null, statistic: null, because: 'it has just been seen' }),
  detector('kanban-rate', 'requests per second', 'page', { signal: 'rate', family: 'rate', unit: 'per second', value: 12.3, low: 9, high: 16 }),
]
const DETECTOR = { ...DETECTORS[0], firstSeen: ago(19 * DAY), model: 'counts against 0.4 %', expression: ERROR_EXPRESSION, episodes: [{ start: ago(12 * MINUTE), end: null, onset: ago(14 * MINUTE), peak: 0.091, isExplained: false }, { start: ago(3 * DAY), end: ago(3 * DAY - 22 * MINUTE), onset: ago(3 * DAY + MINUTE), peak: 0.12, isExplained: true }] }

const deploy = (id: string, version: string, hoursAgo: number, more: object = {}): Record<string, unknown> => ({ id, service: 'kanban', environment: 'production', version, at: ago(hoursAgo * HOUR), source: 'told', actor: 'pipeline', note: 'c0ffee1: keys of tasks come from the client', ...more })
const DEPLOYS = [deploy('d3', '1.3.0', 19 / 60), deploy('d2', '1.2.0', 52, { source: 'seen', actor: '', note: '' }), deploy('d1', '2.0.1', 90, { service: 'mailer', actor: 'ben', note: '' })]
const compared = (title: string, unit: string, [before, after, changed]: readonly [number | null, number | null, number | null], verdict: string, kind = 'factor'): unknown => ({ id: { service: 'kanban', environment: 'production', signal: title, key: '' }, title, unit, before, after, change: changed, low: changed === null ? null : changed * 0.8, high: changed === null ? null : changed * 1.2, kind, verdict })
const COMPARISON = {
  marker: DEPLOYS[0],
  before: { start: ago(79 * MINUTE), end: ago(19 * MINUTE) },
  after: { start: ago(17 * MINUTE), end: NOW },
  isPreliminary: true,
  series: [
    compared('share of failed requests', 'ratio', [0.004, 0.084, 0.08], 'worse', 'difference'),
    compared('95th percentile of latency', 'seconds', [0.131, 0.118, -0.1], 'better'),
    compared('requests per second', 'per second', [12.1, 12.3, 0.017], 'no difference'),
    compared('heap after major collections', 'bytes', [null, null, null], 'too few data', 'difference'),
  ],
}

/** A course with a jump twelve minutes before the end, for whatever was asked. */
function rangeAnswer(url: URL): unknown {
  const [start, end, step] = ['start', 'end', 'step'].map((key) => Number(url.searchParams.get(key)))
  if (start === undefined || end === undefined || step === undefined || !(step > 0)) return undefined
  const isRatio = (url.searchParams.get('query') ?? '').includes('/')
  const value = (time: number): string => String((isRatio ? 0.004 : 310) * (1 + 0.2 * Math.sin(time / 190)) + (time * 1000 > ago(13 * MINUTE) ? (isRatio ? 0.08 : 420) : 0))
  const times = Array.from({ length: Math.min(500, Math.floor((end - start) / step) + 1) }, (_, index) => start + index * step)
  return { status: 'success', data: { resultType: 'matrix', result: [{ metric: { service_name: 'kanban' }, values: times.map((time) => [time, value(time)]) }] } }
}

const FIXED: Readonly<Record<string, unknown>> = {
  '/api/alerts': { now: NOW, alerts: ALERTS },
  '/api/alerts/history': HISTORY,
  '/api/silences': { now: NOW, silences: SILENCES },
  '/api/v1/rules': RULES,
  '/api/rules/own': OWN_RULES,
  '/api/v1/label/__name__/values': { status: 'success', data: ['kanban.task.creation', 'http_server_request_duration_seconds', 'nodejs_heap_used_bytes'] },
  [`/api/incidents/${OPEN_INCIDENT}`]: DETAIL,
  [`/api/incidents/${ENDED_INCIDENT}`]: RESOLVED,
  [`/api/incidents/${OPEN_INCIDENT}/evidence`]: EVIDENCE,
  [`/api/incidents/${ENDED_INCIDENT}/evidence`]: EVIDENCE,
  [`/api/incidents/${ENDED_INCIDENT}/postmortem`]: POSTMORTEM,
  '/api/incidents/figures': FIGURES,
  '/api/alert-quality': QUALITY,
  '/api/runbooks': RUNBOOKS,
  '/api/runbooks/error-burst': RUNBOOK,
  '/api/on-call': ON_CALL,
  '/api/notifications/channels': CHANNELS,
  '/api/objectives': { objectives: OBJECTIVES },
  '/api/objectives/kanban-works': OBJECTIVE,
  '/api/objectives/kanban-works/burn-down': BURN_DOWN,
  '/api/objectives/kanban-works/ledger': LEDGER,
  '/api/detectors': { now: NOW, until: NOW, replaying: false, total: DETECTORS.length, detectors: DETECTORS },
  '/api/detectors/kanban-errors': DETECTOR,
  '/api/deploys': { from: ago(7 * DAY), to: NOW, deploys: DEPLOYS },
  '/api/deploys/d3': COMPARISON,
}

/** The answer to a path of these pages; undefined for others. */
export function alertingAnswer(url: URL): unknown {
  const path = url.pathname
  if (path === '/api/incidents') return { now: NOW, incidents: url.searchParams.get('state') === 'open' ? OPEN_ROWS : ENDED_ROWS }
  if (path === '/api/v1/query_range') return rangeAnswer(url)
  if (path === '/api/objectives/kanban-works/what-if') return whatIf(Number(url.searchParams.get('target')))
  if (path === '/api/agreements/kanban-works/report') return report(url.searchParams.get('month') ?? '2026-11')
  return FIXED[path]
}
