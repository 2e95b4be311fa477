// Objectives, of which one burns, and the agreement that it is.
import type { AgreementDay, AgreementReport, BudgetLedger, BurnDown, Indicator, LedgerEntry, ObjectiveDetail, ObjectiveState, ObjectiveSummary, WhatIf, WindowStanding } from '@andon/model'
import { NOW } from '../dashboard-now.ts'
import { ago, DAY, ENDED_INCIDENT, ERROR_EXPRESSION, HOUR, MINUTE, OPEN_INCIDENT } from './scene.ts'

const windowOf = (name: string, target: number, bad: number, total: number, more: Partial<WindowStanding> = {}): WindowStanding => {
  const allowed = total * (1 - target)
  return { name, from: ago(30 * DAY), to: NOW, ends: null, total, bad, attainment: 1 - bad / total, allowed, remaining: (allowed - bad) / allowed, outageMinutes: (30 * 24 * 60 * (allowed - bad)) / total, exhaustedInMs: bad > allowed ? 0 : 9 * HOUR, ...more }
}
const RATES = { '5m': 84, '30m': 31.2, '1h': 16.8, '2h': 8.5, '6h': 3.1, '1d': 1.4, '3d': 0.8 }
const objective = (id: string, name: string, state: ObjectiveState, [target, bad, total]: readonly [number, number, number], more: Partial<ObjectiveSummary> = {}): ObjectiveSummary => ({
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
const KANBAN_WORKS = objective('kanban-works', 'Requests work', 'page', [0.999, 8120, 9_400_000], { customer: 'Hofer AG', description: 'What the web shop promises' })
export const OBJECTIVES: readonly ObjectiveSummary[] = [
  KANBAN_WORKS,
  objective('kanban-fast', 'Requests are fast', 'ticket', [0.95, 510_000, 9_400_000], { kind: 'latency' }),
  objective('mailer-works', 'Mails are sent', 'ok', [0.99, 320, 480_000], { service: 'mailer', isDefault: true, windows: [windowOf('30d', 0.99, 320, 480_000, { exhaustedInMs: null })] }),
  objective('worker-works', 'Jobs succeed', 'no-data', [0.99, 0, 1], { service: 'worker', windows: [{ ...windowOf('30d', 0.99, 0, 1), total: 0, attainment: null, remaining: null, outageMinutes: null, exhaustedInMs: null }], burnRates: { '5m': null, '1h': null, '6h': null, '3d': null } }),
]
const INDICATOR: Indicator = { kind: 'spans', service: 'kanban', environment: 'production', routes: [], exceptRoutes: ['/healthz'], underMs: undefined }
export const OBJECTIVE: ObjectiveDetail = {
  ...KANBAN_WORKS,
  objective: {
    id: KANBAN_WORKS.id,
    name: KANBAN_WORKS.name,
    description: KANBAN_WORKS.description,
    service: 'kanban',
    environment: 'production',
    indicator: INDICATOR,
    target: 0.999,
    windows: [
      { kind: 'rolling', name: '30d', lengthMs: 30 * DAY },
      { kind: 'calendar', name: 'month', unit: 'month', timeZone: 'Europe/Berlin' },
    ],
    maintenance: [{ kind: 'once', start: NOW + DAY, end: NOW + DAY + 2 * HOUR, comment: 'The database is moved' }],
    agreement: { customer: 'Hofer AG', unit: 'month', timeZone: 'Europe/Berlin', consequence: '10 % of the fee of the month is paid back', target: 0.999 },
    labels: {},
    annotations: {},
    runbook: 'error-burst',
    alerts: { page: true, ticket: true, fast: true },
    file: '/etc/andon/objectives/kanban.yaml',
  },
  expression: ERROR_EXPRESSION,
  alerts: { page: { state: 'firing', startsAt: ago(12 * MINUTE), endsAt: undefined, onsetAt: ago(14 * MINUTE), value: 0.084, overMs: 2 * MINUTE, by: ['fast', '1h/5m'], noDataSince: undefined } },
  month: { end: NOW + 6 * DAY, attainment: 0.99904, spent: 0.96, kept: true },
  maintenance: [{ start: NOW + DAY, end: NOW + DAY + 2 * HOUR, comment: 'The database is moved' }],
}
export const BURN_DOWN: BurnDown = {
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
const part = (key: string, title: string, bad: number): LedgerEntry => ({ key, title, bad, total: bad * 12, share: bad / 8120, budget: bad / 9400 })
export const LEDGER: BudgetLedger = {
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
export function whatIf(percent: number): WhatIf {
  const target = percent / 100
  const months = [0.99904, 0.99951, 0.9987, 0.99962, 0.99981].map((attainment, index) => ({ month: `2026-${String(11 - index).padStart(2, '0')}`, attainment, kept: attainment >= target }))
  return { target, windows: [windowOf('30d', target, 8120, 9_400_000)], burnRates: RATES, months: [...months, { month: '2026-06', attainment: null, kept: null }] }
}
const DAYS: readonly AgreementDay[] = Array.from({ length: 24 }, (_, index) => {
  const [total, bad] = [430_000, index === 11 ? 2240 : index === 20 ? 3100 : index === 23 ? 1204 : index % 5 === 0 ? 0 : 40 + index * 3]
  return { day: `2026-11-${String(index + 1).padStart(2, '0')}`, total, bad, attainment: 1 - bad / total }
})
export const report = (period: string): AgreementReport => ({
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
    indicator: INDICATOR,
    objective: 0.999,
    minutes: 33_900,
    minutesWithData: 33_860,
    minutesWithBad: 1204,
    worst: [1, 2, 3].map((index) => ({ time: ago(3 * DAY - index * MINUTE), bad: 400 - index * 30, total: 900 })),
  },
})
