import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderFlame } from './profile-flame.ts'
import type { FlameNode } from './profile-table.ts'

const node = (name: string, self: number, children: readonly FlameNode[] = []): FlameNode => ({ name, file: `/app/${name}.ts`, line: 7, self, total: self + children.reduce((sum, { total }) => sum + total, 0), children })
const shown = (root: FlameNode): readonly string[] => renderFlame(root, 'nanoseconds', '/app').split('\n').slice(2)

/** A tree of calls of which each makes the next one; the last takes a second. */
const deep = (names: readonly string[]): FlameNode => names.toReversed().reduce<FlameNode | undefined>((below, name) => node(name, below === undefined ? 1e9 : 0, below === undefined ? [] : [below]), undefined) ?? node('', 0)

test('callees stand below their caller, the heaviest first, with their share; what is light is left out', () => {
  const tree = node('', 0, [node('light', 1e6), node('main', 10e6, [node('read', 19e6), node('parse', 30e6, [node('walk', 40e6)])])])
  assert.deepEqual(shown(tree), [
    '    99.0     99.0  ████████████████████  main      main.ts:7',
    '    70.0     70.0  ██████████████          parse   parse.ts:7',
    '    40.0     40.0  ████████                  walk  walk.ts:7',
    '    19.0     19.0  ████                    read    read.ts:7',
  ])
})

test('calls that only call on are one line, which stands where the last of them does; of a long run the ends are told', () => {
  assert.deepEqual(shown(deep(['', 'a', 'b', 'c'])), ['  1000.0    100.0  ████████████████████  a › b › c  c.ts:7'])
  const [line = ''] = shown(deep(['', 'first', ...Array.from({ length: 38 }, (_, index) => `middle${index}`), 'last']))
  assert.match(line, / first › … 38 … › last +last\.ts:7$/)
})

test('forty calls at most, which hang together; nothing that steers a terminal; no calls, no text', () => {
  const wide = node('', 0, Array.from({ length: 30 }, (_, index) => node(`caller${index}`, 1e6, [node(`callee${index}\u001B[31m`, 2e6 + index)])))
  const lines = shown(wide)
  assert.equal(lines.length, 40)
  assert.ok(!lines.join('').includes('\u001B'))
  const [first = '', second = ''] = lines
  assert.match(first, / caller29 /)
  assert.match(second, / {3}callee29/)
  assert.equal(renderFlame(node('', 0), 'bytes', '/'), '')
})
