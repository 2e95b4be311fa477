import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definitionOf, EMPTY, formOf, idOf, problemsOf, readPairs, type RuleForm } from './rule-definition.ts'

const simple: RuleForm = { ...EMPTY, alert: 'Slow tasks', metric: 'kanban.task.creation', threshold: '500', recovery: '400', summary: 'Tasks are slow', tags: 'board=web shop', by: 'service, route', runbookUrl: 'https://wiki/slow' }

test('a form in the simple form is sent as the server reads it', () => {
  assert.deepEqual(definitionOf(simple), {
    alert: 'Slow tasks',
    for: '1m',
    metric: 'kanban.task.creation',
    operator: 'gt',
    threshold: 500,
    recovery: 400,
    severity: 'warning',
    message: 'Tasks are slow',
    window: '5m',
    tags: { board: 'web shop' },
    by: ['service', 'route'],
    annotations: { runbook_url: 'https://wiki/slow' },
  })
  assert.equal(idOf(simple), 'Slow-tasks')
})

test('a definition is shown, and sent again as it was', () => {
  const promql = { alert: 'Errors', expr: 'rate(x[5m]) > 1', for: '2m', keep_firing_for: '5m', labels: { team: 'web', severity: 'critical' }, annotations: { summary: 'Errors', runbook_url: '/r' } }
  assert.deepEqual(definitionOf(formOf('errors', promql)), promql)
  assert.deepEqual(definitionOf(formOf('s', definitionOf(simple))), definitionOf(simple))
})

test('what is wrong is told by its field', () => {
  assert.deepEqual(problemsOf(simple), {})
  assert.deepEqual(Object.keys(problemsOf({ ...EMPTY, alert: 'a/b', for: '5 minutes', labels: 'x', recovery: '' })).toSorted(), ['alert', 'for', 'labels', 'metric', 'threshold'])
  assert.match(problemsOf({ ...simple, recovery: '600' }).recovery ?? '', /most the threshold/)
  assert.match(problemsOf({ ...simple, operator: 'lt' }).recovery ?? '', /least the threshold/)
  assert.deepEqual([readPairs('a=b=c, d="e f"'), readPairs('=x'), readPairs('')], [{ a: 'b=c', d: 'e f' }, null, {}])
})
