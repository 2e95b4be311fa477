import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jumpTargets } from './jump-targets.ts'

const services = [
  { name: 'kanban', operations: ['GET /api/boards/:id', 'POST /api/tasks'] },
  { name: 'tasks worker', operations: [] },
]

test('a trace id goes to its trace, with or without dashes', () => {
  const id = '0af7651916cd43dd8448eb211c80319c'
  assert.deepEqual(jumpTargets(` ${id.toUpperCase()} `, services), [{ kind: 'trace', label: id, to: `/trace/${id}` }])
  assert.equal(jumpTargets('0af76519-16cd-43dd-8448-eb211c80319c', services)[0]?.kind, 'trace')
})

test('what starts with the text comes before what contains it', () => {
  assert.deepEqual(
    jumpTargets('tas', services).map((target) => target.label),
    ['tasks worker', 'POST /api/tasks · kanban'],
  )
  assert.equal(jumpTargets('tasks w', services)[0]?.to, '/service/tasks%20worker')
  assert.deepEqual(jumpTargets('boards', services)[0]?.search, { service: 'kanban', operation: 'GET /api/boards/:id' })
})

test('nothing typed lists services and pages', () => {
  assert.deepEqual(
    jumpTargets('', services).map((target) => target.kind),
    ['service', 'service', ...Array.from({ length: 15 }, () => 'page')],
  )
  assert.deepEqual(jumpTargets('zzz', services), [])
})
