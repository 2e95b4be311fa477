import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { filesOf } from './file-pattern.ts'

const refuse = (problem: string): Error => new RangeError(problem)

test('files are found by the pattern of their last part, in order and each once', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-pattern-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of ['b.yml', 'a.yml', 'a.yaml', 'a-yml', 'c+1.yml']) writeFileSync(join(folder, name), '')
  const found = (...paths: string[]): string[] => filesOf(paths.map((path) => join(folder, path)), refuse).map((path) => path.slice(folder.length + 1))
  assert.deepEqual(found('*.yml'), ['a.yml', 'b.yml', 'c+1.yml'])
  assert.deepEqual(found('c+*'), ['c+1.yml'])
  assert.deepEqual(found('b.yml', '*.yml'), ['b.yml', 'a.yml', 'c+1.yml'])
  assert.deepEqual(found('*.txt'), [])
  assert.deepEqual(found('none.yml'), ['none.yml'])
})

test('a folder that is not there is refused as its caller says', () => {
  assert.throws(() => filesOf(['/nowhere/at/all/*.yml'], refuse), { name: 'RangeError', message: /^\/nowhere\/at\/all cannot be read: / })
})
