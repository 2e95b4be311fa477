import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './root.ts'

interface Cruise {
  readonly summary: {
    readonly totalCruised: number
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string; readonly severity: string } }[]
  }
}

test('the import law holds', () => {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const sources = ['packages/*/src', 'apps/*/src', 'apps/kanban/web']
  const done = spawnSync(process.execPath, [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...sources], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  const { summary } = JSON.parse(done.stdout) as Cruise
  // Without its parser the tool cruises nothing and finds nothing wrong.
  assert.ok(summary.totalCruised > 50, `only ${summary.totalCruised} modules were read: ${done.stderr}`)
  const broken = summary.violations.filter(({ rule }) => rule.severity === 'error').map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
  assert.deepEqual(broken, [])
})
