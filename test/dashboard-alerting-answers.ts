// What a server would answer the pages of alerts, incidents, objectives, detectors and deploys while errors burst in the kanban.
import { ALERTS, CHANGES, SILENCES } from './alerting/alerts.ts'
import { COMPARISON, DEPLOYS, DETECTOR, DETECTORS } from './alerting/detection.ts'
import { FIGURED, FIGURES, POLICIES, POSTMORTEM, QUALITY, RUNBOOK, RUNBOOKS, SCHEDULES } from './alerting/incident-care.ts'
import { ENDED_ROWS, EVIDENCE, OPEN, OPEN_ROWS, RESOLVED } from './alerting/incidents.ts'
import { BURN_DOWN, LEDGER, OBJECTIVE, OBJECTIVES, report, whatIf } from './alerting/objectives.ts'
import { OWN_RULES, RULE_GROUPS } from './alerting/rules.ts'
import { ago, DAY, ENDED_INCIDENT, HOUR, MINUTE, OPEN_INCIDENT } from './alerting/scene.ts'
import { NOW } from './dashboard-now.ts'

const channel = (name: string, state: string, more: object = {}): unknown => ({ name, receiver: 'web', type: 'slack-bot', target: '#web-alerts', sendResolved: true, state, lastDeliveredAt: ago(12 * MINUTE), lastError: '', disabledSince: null, queued: 0, oldestSince: null, fallback: 'pagerduty-web', ...more })
const CHANNELS = { now: NOW, channels: [channel('slack-web', 'ok'), channel('pagerduty-web', 'failing', { type: 'pagerduty', target: 'events.pagerduty.com', lastError: '429, again in 20 s', queued: 1, oldestSince: ago(20_000), fallback: null }), channel('mail-web', 'disabled', { type: 'email', target: 'web@example.org', lastError: '550 no such mailbox', lastDeliveredAt: null, disabledSince: ago(HOUR) })] }

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
  '/api/alerts/history': { from: ago(DAY), to: NOW, changes: CHANGES },
  '/api/silences': { now: NOW, silences: SILENCES },
  '/api/v1/rules': { status: 'success', data: { groups: RULE_GROUPS } },
  '/api/rules/own': { rules: OWN_RULES },
  '/api/v1/label/__name__/values': { status: 'success', data: ['kanban.task.creation', 'http_server_request_duration_seconds', 'nodejs_heap_used_bytes'] },
  [`/api/incidents/${OPEN_INCIDENT}`]: OPEN,
  [`/api/incidents/${ENDED_INCIDENT}`]: RESOLVED,
  [`/api/incidents/${OPEN_INCIDENT}/evidence`]: { evidence: EVIDENCE },
  [`/api/incidents/${ENDED_INCIDENT}/evidence`]: { evidence: EVIDENCE },
  [`/api/incidents/${ENDED_INCIDENT}/postmortem`]: POSTMORTEM,
  '/api/incidents/figures': { from: ago(28 * DAY), to: NOW, incidents: FIGURED.length, open: OPEN_ROWS.length, figures: FIGURES, each: FIGURED },
  '/api/alert-quality': { from: ago(28 * DAY), to: NOW, budget: { pages: 2, perMs: 7 * DAY }, rules: QUALITY },
  '/api/runbooks': { runbooks: RUNBOOKS },
  '/api/runbooks/error-burst': RUNBOOK,
  '/api/on-call': { now: NOW, schedules: SCHEDULES, policies: POLICIES },
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
