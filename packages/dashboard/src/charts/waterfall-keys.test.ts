import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTree, visibleRows } from './trace-tree.ts'
import { moveSelection } from './waterfall-keys.ts'

const make = (id: string, parent: string | null, startOffsetUs: number): { id: string; parent: string | null; service: string; name: string; startOffsetUs: number; durationUs: number; status: string } => ({
  id,
  parent,
  service: 's',
  name: id,
  startOffsetUs,
  durationUs: 1,
  status: 'ok',
})
// a(b(c), d)
const nodes = buildTree([make('a', null, 0), make('b', 'a', 1), make('c', 'b', 2), make('d', 'a', 3)])
const none: ReadonlySet<string> = new Set()

test('up and down stop at the ends', () => {
  assert.equal(moveSelection(nodes, none, 'a', { kind: 'by', rows: 1 }).index, 1)
  assert.equal(moveSelection(nodes, none, 'a', { kind: 'by', rows: -1 }).index, 0)
  assert.equal(moveSelection(nodes, none, 'a', { kind: 'by', rows: Infinity }).index, 3)
  assert.equal(moveSelection(nodes, none, null, { kind: 'by', rows: 1 }).index, 0)
  assert.equal(moveSelection([], none, null, { kind: 'by', rows: 1 }).index, null)
})

test('right opens, then goes in; left closes, then goes out', () => {
  const shut = new Set(['b'])
  const rows = visibleRows(nodes, shut)
  assert.deepEqual(moveSelection(rows, shut, 'b', { kind: 'in' }), { index: null, toggle: 'b' })
  assert.deepEqual(moveSelection(nodes, none, 'b', { kind: 'in' }), { index: 2, toggle: null })
  assert.deepEqual(moveSelection(nodes, none, 'c', { kind: 'in' }), { index: null, toggle: null })
  assert.deepEqual(moveSelection(nodes, none, 'b', { kind: 'out' }), { index: null, toggle: 'b' })
  assert.deepEqual(moveSelection(rows, shut, 'b', { kind: 'out' }), { index: 0, toggle: null })
  assert.deepEqual(moveSelection(nodes, none, 'd', { kind: 'out' }), { index: 0, toggle: null })
})
