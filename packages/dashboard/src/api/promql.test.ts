import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawnSeries, rangePath, unitOfExpression } from './promql.ts'

const values = (first: string, second: string): readonly (readonly [number, string])[] => [[10, first], [20, second]]

test('series are drawn on one list of times, the largest first, and named by what tells them apart', () => {
  const answer = { data: { result: [{ metric: { service: 'a', route: '/x' }, values: values('1', '2') }, { metric: { service: 'a', route: '/y' }, values: [[20, '9'] as const] }, { metric: { service: 'a', route: '/z' }, values: values('NaN', '0') }] } }
  assert.deepEqual(drawnSeries(answer, 2), {
    t: [10_000, 20_000],
    series: [{ label: '/y', values: [null, 9] }, { label: '/x', values: [1, 2] }],
    more: 1,
  })
})

test('the same minute asks for the same path, so that its answer is shared', () => {
  const hour = 3_600_000
  assert.equal(rangePath('up', 100 * hour, 101 * hour), rangePath('up', 100 * hour + 9000, 101 * hour + 9000))
  assert.match(rangePath('a > 1', 0, hour), /query=a\+%3E\+1&start=0&end=3600&step=30$/)
})

test('the unit of an expression is told by its names', () => {
  const units = ['histogram_quantile(0.95, rate(http_server_request_duration_seconds_bucket[5m]))', 'sum(rate(x{status="500"}[5m])) / sum(rate(x[5m]))', 'nodejs_heap_used_bytes', 'kanban_task_creation_ms', 'up', 'nodejs_eventloop_utilization'].map(unitOfExpression)
  assert.deepEqual(units, ['seconds', 'ratio', 'bytes', 'milliseconds', 'count', 'ratio'])
})
