import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const source = ['app', 'routes-people', 'routes-boards', 'routes-tasks', 'routes-faults'].map((file) => readFileSync(join(import.meta.dirname, `../src/${file}.ts`), 'utf8')).join('\n')
const reference = readFileSync(join(import.meta.dirname, '../../../docs/reference/kanban-api.md'), 'utf8')

test('the reference names every route of the kanban, and no other', () => {
  const routes = [...source.matchAll(/app\.(get|post|put|patch|delete)(?:<[^(]*>)?\('([^']+)'/g)].map(([, method = '', path = '']) => `${method.toUpperCase()} ${path}`)
  const named = [...reference.matchAll(/(GET|POST|PUT|PATCH|DELETE) (\/[\w/:]+)/g)].map(([, method = '', path = '']) => `${method} ${path}`)
  assert.ok(routes.length > 20)
  assert.deepEqual([...new Set(named)].toSorted(), [...new Set(routes)].toSorted())
})
