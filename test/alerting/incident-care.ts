// What people deal with incidents by: runbooks, figures, the quality of alerts, and who is on call.
import type { AlertQuality, CheckResult, EscalationPolicy, FiguredIncident, FigureSummaries, FigureSummary, ListedRunbook, OnCallSchedule, OnCallShift, Runbook } from '@andon/model'
import { NOW } from '../dashboard-now.ts'
import { ENDED_ROWS, OPEN_ROWS } from './incidents.ts'
import { ago, DAY, ENDED_INCIDENT, ERROR_EXPRESSION, HOUR, MINUTE } from './scene.ts'

const RUNBOOK_TEXT = '# Requests fail\n\nUsers see errors. **First** make it stop, then find out why.\n\n1. If it began with a deploy, roll that back.\n2. Else look at the errors by type.\n\n| sign | cause |\n|---|---|\n| one route | code of that route |\n| all routes | database, or a dependency |\n\nSee [the errors](/traces?status=error).'
const ERROR_BURST: Runbook = {
  name: 'error-burst',
  title: 'Requests fail',
  alerts: ['ErrorBurst', 'Error*'],
  labels: {},
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
}
const RESULTS: readonly CheckResult[] = [
  { title: 'Share of failed requests', query: ERROR_EXPRESSION, samples: [{ labels: { service_name: 'kanban' }, value: 0.084 }], more: 0, error: '' },
  { title: 'Requests waiting for a connection', query: 'sum(db_client_connection_pending_requests)', samples: [], more: 0, error: '' },
  { title: 'Which dependency fails', query: 'topk(3, x)', samples: [], more: 0, error: 'the query took longer than 10 s' },
]
export const RUNBOOK: object = { runbook: ERROR_BURST, at: ago(4000), service: 'kanban', results: RESULTS, ticked: [] }
const listed = (name: string, title: string, alerts: readonly string[], from: Runbook['from'] = 'andon'): ListedRunbook => ({ name, title, alerts, severity: '', owner: from === 'own' ? 'web' : '', from, checks: 3, actions: 4 })
export const RUNBOOKS: readonly ListedRunbook[] = [listed('error-burst', 'Requests fail', ['ErrorBurst', 'Error*']), listed('pool-exhaustion', 'The pool is exhausted', ['PoolExhausted']), listed('memory-leak', 'The heap grows', ['HeapGrows']), listed('tasks', 'Tasks are slow', ['Tasks are slow'], 'own')]
export const POSTMORTEM: object = {
  incident: ENDED_INCIDENT,
  markdown: '# Requests of kanban fail\n\n## Impact\n\n1,204 requests failed; 3.1 % of the budget of this month was spent.\n\n## Timeline\n\n| time | what |\n|---|---|\n| 11:41:00Z | Deployed: kanban 1.3.0 |\n| 11:48:00Z | Opened by ErrorBurst |\n\n## What to change\n\n- [ ] Test the migration against a copy of the data\n- [x] Alert on duplicate keys\n',
}
const summary = (p50: number, p90: number, objective: number | null, within: number | null): FigureSummary => ({ count: 6, p50Ms: p50 * MINUTE, p90Ms: p90 * MINUTE, objectiveMs: objective === null ? null : objective * MINUTE, within })
export const FIGURES: FigureSummaries = { mttd: summary(2, 7.5, 5, 5 / 6), mtta: summary(3, 11, null, null), mttm: summary(12, 47, null, null), mttr: summary(20, 52, 30, 0.75) }
export const FIGURED: readonly FiguredIncident[] = [...OPEN_ROWS, ...ENDED_ROWS].map(({ id, title, service, severity, state, detectedAt, figures }) => ({ id, title, service, severity, state, detectedAt, ...figures }))
const quality = (name: string, pages: number, [real, noise, expected]: readonly [number, number, number], more: Partial<AlertQuality> = {}): AlertQuality => ({ rule: name, fired: pages * 2, perWeek: pages / 2, pages, real, noise, expected, precision: real + noise === 0 ? null : real / (real + noise), medianAckMs: 3 * MINUTE, proposal: null, demotedUntil: null, reason: '', ...more })
export const QUALITY: readonly AlertQuality[] = [
  quality('ErrorBurst', 4, [4, 0, 0]),
  quality('CpuIsHigh', 14, [3, 11, 0], { proposal: 'demote', reason: '21 % of its 14 judged calls were real' }),
  quality('PoolExhausted', 3, [2, 0, 1], { demotedUntil: NOW + 2 * DAY, reason: 'It has called people 3 times this week; its budget is 2' }),
  quality('HeapGrows', 1, [0, 0, 0]),
]
const shift = (person: string, from: number, to: number, override = false): OnCallShift => ({ person, receiver: `pagerduty-${person}`, from, to, override })
export const SCHEDULES: readonly OnCallSchedule[] = [{ name: 'web', timeZone: 'Europe/Berlin', kind: 'rotation', current: shift('anna', ago(2 * DAY), NOW + 5 * DAY), next: [shift('ben', NOW + 5 * DAY, NOW + 12 * DAY), shift('cora', NOW + 12 * DAY, NOW + 19 * DAY, true)] }]
export const POLICIES: readonly EscalationPolicy[] = [{ name: 'web', match: { severity: ['critical'], service: [], environment: [] }, steps: [{ kind: 'notify', receiver: 'slack-web' }, { kind: 'wait', ms: 5 * MINUTE }, { kind: 'on-call', schedule: 'web' }], rounds: 3, staleMs: HOUR }]
