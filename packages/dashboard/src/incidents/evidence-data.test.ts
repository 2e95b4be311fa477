import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PinnedCourses, PinnedSpan, PinnedTrace } from '@andon/model'
import { courseOf, evidenceFacts, traceOf } from './evidence-data.ts'

const span = (name: string, durationMs: number): PinnedSpan => ({ spanId: '1'.repeat(16), parentSpanId: '', name, kind: 'server', service: 'shop', start: 0, durationMs, attributes: {}, events: [], status: 'ok', message: '' })

test('a pinned trace is told by its slowest spans', () => {
  const data: PinnedTrace = { traceId: 'a'.repeat(32), start: 0, durationMs: 1284, rootService: 'shop', rootName: 'GET /', errors: 0, spans: [span('SELECT', 12), span('GET /', 1284)] }
  assert.deepEqual(evidenceFacts({ kind: 'trace', data }), [
    { name: 'shop · GET /', text: '1.28 s' },
    { name: 'shop · SELECT', text: '12 ms' },
  ])
  assert.equal(traceOf({ kind: 'trace', data }), data.traceId)
})

test('pinned courses stand on one list of times', () => {
  const data: PinnedCourses = { expression: 'up', start: 0, end: 30, series: [{ labels: { job: 'a' }, points: [[10, 1], [20, 2]] }, { labels: {}, points: [[20, 3]] }] }
  assert.deepEqual(courseOf(data), { expression: 'up', range: { start: 0, end: 30 }, t: [10, 20], series: [{ label: 'a', values: [1, 2] }, { label: 'value', values: [null, 3] }] })
})

test('old evidence of any shape is no failure', () => {
  for (const data of [null, 'x', 5, [], { spans: [null, 3] }, { series: [{}] }]) for (const kind of ['trace', 'errors', 'statements', 'series'] as const) assert.ok(Array.isArray(evidenceFacts({ kind, data })), JSON.stringify([kind, data]))
})
