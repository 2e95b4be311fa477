import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './root.ts'

test('no file, export or dependency is unused or undeclared', () => {
  const done = spawnSync(process.execPath, [join(root, 'node_modules/knip/bin/knip.js'), '--no-progress'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`)
})
