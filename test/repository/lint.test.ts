import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './root.ts'

test('the linter finds no error', () => {
  const done = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['--type-aware', '--quiet'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  assert.match(done.stdout, /on [1-9]\d* files/, 'the linter read no file')
  assert.equal(done.status, 0, done.stdout)
})
