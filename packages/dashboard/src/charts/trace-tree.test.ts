import assert from 'node:assert/strict'
import { test } from 'node:test'
import { barPlace, buildTree, rulerMarks, traceExtent, type TreeSpan, visibleRows } from './trace-tree.ts'

const span = (id: string, parent: string | null, startOffsetUs: number, durationUs = 10, status = 'unset'): TreeSpan => ({
  id,
  parent,
  service: 'kanban',
  name: id,
  startOffsetUs,
  durationUs,
  status,
})
const ids = (rows: readonly { span: TreeSpan }[]): string => rows.map((row) => row.span.id).join(' ')

test('parents come before their children, siblings by start, whatever the order of arrival', () => {
  const rows = buildTree([span('c', 'a', 30), span('d', 'b', 12), span('b', 'a', 10), span('a', null, 0, 100)])
  assert.equal(ids(rows), 'a b d c')
  assert.deepEqual(
    rows.map((row) => [row.depth, row.descendants, row.position, row.siblings]),
    [
      [0, 3, 1, 1],
      [1, 1, 1, 2],
      [2, 0, 1, 1],
      [1, 0, 2, 2],
    ],
  )
})

test('failures are counted into every row above', () => {
  const rows = buildTree([span('a', null, 0), span('b', 'a', 1), span('c', 'b', 2, 1, 'error'), span('d', 'a', 3, 1, 'error')])
  assert.deepEqual(
    rows.map((row) => [row.span.id, row.failedBelow]),
    [
      ['a', 2],
      ['b', 1],
      ['c', 0],
      ['d', 0],
    ],
  )
})

test('a missing parent makes an orphan root; spans in a circle are shown once', () => {
  const rows = buildTree([span('a', null, 0), span('lost', 'gone', 5), span('x', 'y', 1), span('y', 'x', 2), span('self', 'self', 9)])
  assert.equal(rows.length, 5)
  assert.equal(new Set(rows.map((row) => row.span.id)).size, 5)
  const orphan = (id: string): boolean | undefined => rows.find((row) => row.span.id === id)?.orphan
  assert.equal(orphan('a'), false)
  assert.equal(orphan('lost'), true)
  assert.equal(orphan('x'), true)
  assert.equal(orphan('self'), true)
})

test('two spans with one id both appear', () => {
  assert.equal(buildTree([span('a', null, 0), span('a', null, 5), span('b', 'a', 6)]).length, 3)
})

test('collapsing hides all levels below and nothing else', () => {
  const rows = buildTree([span('a', null, 0), span('b', 'a', 1), span('c', 'b', 2), span('d', 'a', 3), span('e', 'd', 4)])
  assert.equal(ids(visibleRows(rows, new Set(['b']))), 'a b d e')
  assert.equal(ids(visibleRows(rows, new Set(['a']))), 'a')
  assert.equal(ids(visibleRows(rows, new Set())), 'a b c d e')
})

test('20,000 spans, among them a chain of 10,000, are laid out without deep recursion', () => {
  const spans: TreeSpan[] = [span('root', null, 0, 1e6)]
  for (let i = 0; i < 10_000; i += 1) spans.push(span(`deep${i}`, i === 0 ? 'root' : `deep${i - 1}`, i))
  for (let i = 0; i < 9999; i += 1) spans.push(span(`flat${i}`, 'root', i, 5, i % 100 === 0 ? 'error' : 'ok'))
  const started = performance.now()
  const rows = buildTree(spans.toReversed())
  const took = performance.now() - started
  assert.equal(rows.length, 20_000)
  assert.equal(rows[0]?.descendants, 19_999)
  assert.equal(rows[0].failedBelow, 100)
  assert.equal(Math.max(...rows.map((row) => row.depth)), 10_000)
  assert.equal(visibleRows(rows, new Set(['deep0'])).length, 10_001)
  assert.ok(took < 2000, `took ${took} ms`)
})

test('extent, bars and ruler', () => {
  const spans = [span('a', null, 0, 100), span('b', 'a', -5, 10), span('c', 'a', 90, 60)]
  assert.deepEqual(traceExtent(spans), { start: -5, end: 150 })
  assert.deepEqual(traceExtent([]), { start: 0, end: 1 })
  const window = { start: 0, end: 100 }
  assert.deepEqual(barPlace(span('a', null, 25, 50), window), { left: 0.25, width: 0.5 })
  assert.deepEqual(barPlace(span('a', null, -50, 100), window), { left: 0, width: 0.5 })
  assert.equal(barPlace(span('a', null, 200, 10), window), null)
  assert.deepEqual(rulerMarks({ start: 0, end: 100 }, 5), [0, 20, 40, 60, 80, 100])
  assert.ok(rulerMarks({ start: 3, end: 1234 }, 6).length <= 7)
})
