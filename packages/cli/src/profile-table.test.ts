import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amountText, type FlameNode, renderTop, topFunctions } from './profile-table.ts'

const node = (name: string, self: number, children: readonly FlameNode[] = [], file = `/app/${name}.ts`): FlameNode => ({ name, file, line: 7, self, total: self + children.reduce((sum, { total }) => sum + total, 0), children })

test('a function has what it took itself, and with its callees once, however often it calls itself', () => {
  const tree = node('', 0, [node('main', 1e6, [node('walk', 2e6, [node('walk', 3e6, [node('read', 4e6)])])]), node('read', 5e6)])
  assert.deepEqual(topFunctions(tree).map(({ name, self, total }) => [name, self / 1e6, total / 1e6]), [
    ['read', 9, 9],
    ['walk', 5, 9],
    ['main', 1, 10],
  ])
})

test('the table: units in its head, paths from the working folder, nothing that steers a terminal', () => {
  const tree = node('', 0, [node('here\u001B[31m', 3e6), node('elsewhere', 1e6, [], '/lib/x.js'), node('native', 0, [], ''), node('core', 0, [], 'node:fs')])
  assert.equal(
    renderTop(topFunctions(tree), 4e6, 'nanoseconds', '/app').replaceAll(/ +/g, ' '),
    ['self ms self % total ms total % function file:line', '─────── ────── ──────── ─────── ───────── ──────────────', ' 3.0 75.0 3.0 75.0 here�[31m here�[31m.ts:7', ' 1.0 25.0 1.0 25.0 elsewhere /lib/x.js:7', ' 0.0 0.0 0.0 0.0 native', ' 0.0 0.0 0.0 0.0 core node:fs:7'].join('\n'),
  )
  assert.equal(amountText(3 * 1024 * 1024, 'bytes'), '3.0 MiB')
  assert.match(renderTop([], 0, 'bytes', '/'), /^self MiB {2}self %/)
})
