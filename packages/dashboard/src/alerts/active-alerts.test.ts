import type { ListedAlert, ListedRunbook } from '@andon/model'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counts, inOrder, isWanted, nameOf, runbookFor } from './active-alerts.ts'

const alert = (name: string, more: Partial<ListedAlert> = {}): ListedAlert => ({
  fingerprint: name,
  status: 'firing',
  state: 'active',
  flapping: false,
  ticketBecause: null,
  service: 'kanban',
  severity: 'warning',
  labels: { alertname: name, route: '/x' },
  annotations: {},
  source: 'rule',
  startsAt: 0,
  onsetAt: null,
  changedAt: 0,
  updatedAt: 0,
  value: null,
  expression: null,
  generatorUrl: '',
  incident: null,
  silencedBy: [],
  inhibitedBy: [],
  mutedBy: [],
  receivers: [],
  ...more,
})

const book = (name: string, ...alerts: string[]): ListedRunbook => ({ name, title: name, alerts, severity: '', owner: '', checks: 0, actions: 0, from: 'own' })

test('what is told comes first, then the worst, then the newest', () => {
  const alerts = [alert('old'), alert('quiet', { state: 'suppressed', severity: 'critical' }), alert('new', { startsAt: 9 }), alert('worst', { severity: 'critical' })]
  assert.deepEqual(inOrder(alerts).map(nameOf), ['worst', 'new', 'old', 'quiet'])
  assert.deepEqual(counts(alerts), { told: 3, suppressed: 1, critical: 1 })
})

test('filters hold together', () => {
  const one = alert('A', { service: 'mailer', state: 'suppressed' })
  assert.ok(isWanted(one, { find: 'ROUTE=/x', service: 'mailer', show: 'suppressed', severity: 'warning' }))
  for (const picks of [{ find: 'zzz' }, { service: 'kanban' }, { show: 'told' }, { severity: 'critical' }]) assert.ok(!isWanted(one, picks), JSON.stringify(picks))
})

test('the runbook that names an alert goes before one that fits by a pattern', () => {
  const books = [book('any', '*'), book('slow', 'Slow*'), book('exact', 'SlowQuery')]
  assert.equal(runbookFor(alert('SlowQuery'), books)?.name, 'exact')
  assert.equal(runbookFor(alert('SlowLoop'), books.slice(1))?.name, 'slow')
  assert.equal(runbookFor(alert('S.lowLoop'), [book('dot', 'S.lo?*')]), undefined)
})
