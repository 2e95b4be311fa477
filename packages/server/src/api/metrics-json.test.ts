import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sample } from '../query/engine.ts'
import { resultJson } from './metrics-json.ts'

const histogram: NonNullable<Sample['histogram']> = {
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 6,
  sum: 4.5,
  positive: new Map([[-1, 1], [0, 2]]),
  negative: new Map([[1, 1]]),
  bounds: [],
}

const remarks = { infos: [], warnings: [] }
const expected = {
  count: '6',
  sum: '4.5',
  // Open on the right, closed, open on the left: the rules 1, 3 and 0 of Prometheus.
  buckets: [
    [1, '-4', '-2', '1'],
    [3, '-0.001', '0.001', '2'],
    [0, '0.5', '1', '1'],
    [0, '1', '2', '2'],
  ],
}

test('a native histogram is answered with its buckets and how their ends belong to them', () => {
  const result = resultJson({ type: 'vector', time: 1500, samples: [{ labels: { a: 'b' }, value: Number.NaN, histogram }], ...remarks })
  assert.deepEqual(result, { resultType: 'vector', result: [{ metric: { a: 'b' }, histogram: [1.5, expected] }] })
})

test('a range answers floats under values and native histograms under histograms', () => {
  const result = resultJson({ type: 'matrix', series: [{ labels: {}, points: [[1000, 1e21]], histograms: [[2000, histogram]] }, { labels: {}, points: [[0, 1e-7]] }], ...remarks })
  assert.deepEqual(result, {
    resultType: 'matrix',
    result: [
      { metric: {}, values: [[1, '1000000000000000000000']], histograms: [[2, expected]] },
      { metric: {}, values: [[0, '0.0000001']] },
    ],
  })
})
