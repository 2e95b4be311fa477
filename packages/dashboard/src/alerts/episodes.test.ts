import type { ListedAlertChange } from '@andon/model'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { episodesOf } from './episodes.ts'

const change = (at: number, status: ListedAlertChange['status'], fingerprint = 'a', startsAt = at): ListedAlertChange => ({ at, status, fingerprint, service: 's', severity: 'warning', labels: { alertname: 'A' }, annotations: {}, source: 'rule', startsAt, value: null, incident: null })

test('changes become times in which an alert fired', () => {
  const changes = [change(90, 'firing'), change(60, 'resolved'), change(50, 'firing', 'b'), change(20, 'firing'), change(10, 'resolved', 'c', 3)]
  assert.deepEqual(
    episodesOf(changes, { from: 5, to: 100 }).map(({ key, start, end }) => [key, start, end]),
    [['a 90', 90, null], ['b 50', 50, null], ['a 20', 20, 60], ['c 3', 3, 10]],
  )
})

test('an alert that is told again as firing did not begin anew', () => {
  assert.deepEqual(episodesOf([change(30, 'resolved'), change(20, 'firing'), change(10, 'firing')], { from: 0, to: 50 }).map(({ start, end }) => [start, end]), [[10, 30]])
})
