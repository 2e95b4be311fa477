import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from './documents.ts'

test('a value of a file is refused with file, line and path; what is missing with the line of what it is missing in', () => {
  const [first, second, ...more] = readDocuments('a:\n  - b: 1\n  - c: 2\n---\n---\nd: x\n', 'f.yaml', 'see g.md')
  assert.equal(more.length, 0)
  assert.throws(() => first?.at('a').list()[1]?.at('c').text(), { code: 'bad_config', message: 'f.yaml:3: a[1].c must be a text', hint: 'see g.md' })
  assert.throws(() => first?.at('a').list()[1]?.at('e').text(), { message: 'f.yaml:3: a[1].e must be a text' })
  assert.throws(() => second?.at('d').flag(true), { message: 'f.yaml:6: d must be true or false' })
  assert.throws(() => second?.list(), { message: 'f.yaml:6: must be a list' })
})

test('what is no YAML is refused with its line', () => {
  assert.throws(() => readDocuments('a: 1\nb: [', 'f.yaml', 'see g.md'), { code: 'bad_config', message: /^f\.yaml:2: /, hint: 'see g.md' })
  assert.deepEqual(readDocuments('', 'f.yaml', ''), [])
})
