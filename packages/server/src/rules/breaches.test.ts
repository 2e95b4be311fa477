import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Alert, ReportedBreach } from '@andon/model'
import { BreachAlerts, SILENT_MS } from './breaches.ts'

const NOW = Date.UTC(2026, 0, 1)

function setUp(): { alerts: BreachAlerts; taken: Alert[] } {
  const taken: Alert[] = []
  return { alerts: new BreachAlerts({ receiver: { accept: (all) => Promise.resolve(void taken.push(...all)) }, externalUrl: 'http://andon' }), taken }
}

const breach: ReportedBreach = {
  what: 'exceeded',
  rule: 'slow-board',
  type: 'PERFORMANCE_THRESHOLD_EXCEEDED',
  metric: 'board.load',
  value: 900,
  threshold: 500,
  severity: 'critical',
  message: '',
  tags: { 'board.id': '7' },
  time: NOW,
  service: 'kanban',
  instance: 'host:1',
}

test('a threshold that an agent found exceeded is an alert under the name of its rule, which may be believed for five minutes', async () => {
  const { alerts, taken } = setUp()
  await alerts.accept([breach])
  assert.deepEqual(taken, [
    {
      labels: { alertname: 'slow-board', service_name: 'kanban', instance: 'host:1', severity: 'critical', board_id: '7' },
      annotations: { summary: 'board.load is 900; the limit is 500', threshold: '500' },
      source: 'application',
      startsAt: NOW,
      endsAt: NOW + SILENT_MS,
      generatorUrl: `http://andon/graph?g0.expr=${encodeURIComponent('{"board.load", service_name="kanban", instance="host:1", board_id="7"}').replaceAll('%20', '+')}&g0.tab=1`,
      value: 900,
      expression: '{"board.load", service_name="kanban", instance="host:1", board_id="7"}',
      onsetAt: NOW,
    },
  ])
})

test('it lasts as long as it is told, from where it began, and ends when it is told so', async () => {
  const { alerts, taken } = setUp()
  await alerts.accept([breach])
  await alerts.accept([breach])
  await alerts.accept([{ ...breach, what: 'lasting', time: NOW + 60_000 }])
  await alerts.accept([{ ...breach, what: 'ended', time: NOW + 90_000 }])
  await alerts.accept([{ ...breach, time: NOW + 200_000 }])
  assert.deepEqual(taken.map(({ startsAt, endsAt }) => [startsAt - NOW, (endsAt ?? 0) - NOW]), [[0, SILENT_MS], [0, SILENT_MS], [0, 60_000 + SILENT_MS], [0, 90_000], [200_000, 200_000 + SILENT_MS]])
})

test('what comes from no rule has the name of its type', async () => {
  const { alerts, taken } = setUp()
  await alerts.accept([{ ...breach, rule: 'ERROR_RATE_EXCEEDED', type: 'ERROR_RATE_EXCEEDED', metric: 'errors.total', message: 'more than 10 errors a minute', value: Number.NaN, threshold: Number.NaN, tags: {} }])
  const [alert] = taken
  assert.deepEqual([alert?.labels['alertname'], alert?.annotations, alert?.value], ['ErrorRateExceeded', { summary: 'more than 10 errors a minute' }, undefined])
})
