import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceRow } from '../api/client.ts'
import { byService, MOST_LINES } from './by-service.ts'

const row = (service: string, rate: number | null, t: number[], values: (number | null)[]): ServiceRow => ({
  service,
  source: 'metrics',
  rate,
  errorRatio: 0,
  p50: 0.01,
  p95: 0.05,
  p99: 0.1,
  spark: { t, rate: values, p95: values },
  lastSeen: 0,
})

test('services with different times share one axis; what was not measured is null', () => {
  const merged = byService([row('a', 1, [0, 10], [1, 2]), row('b', 5, [10, 20], [null, 7])])
  assert.deepEqual(merged.t, [0, 10, 20])
  assert.deepEqual(
    merged.rate.map((series) => [series.label, series.values]),
    [
      ['b', [null, null, 7]],
      ['a', [1, 2, null]],
    ],
  )
})

test('only the busiest are drawn, and nothing is no trouble', () => {
  const many = Array.from({ length: 9 }, (_, index) => row(`s${index}`, index, [0], [index]))
  const merged = byService([row('idle', null, [0], [null]), ...many])
  assert.equal(merged.rate.length, MOST_LINES)
  assert.equal(merged.rate[0]?.label, 's8')
  assert.deepEqual(byService([]).t, [])
})
