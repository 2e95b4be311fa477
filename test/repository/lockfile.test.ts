import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './root.ts'

interface Entry {
  readonly resolved?: string
  readonly optionalDependencies?: Record<string, string>
}
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Entry> }

test('the lockfile names the packages of every platform, so that npm ci works on all of them', () => {
  const missing: string[] = []
  for (const [place, entry] of Object.entries(lock.packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (lock.packages[`node_modules/${name}`] === undefined && lock.packages[`${place}/node_modules/${name}`] === undefined) missing.push(name)
    }
  }
  assert.deepEqual(missing, [], 'run `npm run lock`')
})

test('the lockfile names no download address', () => {
  const addressed = Object.entries(lock.packages).filter(([, entry]) => entry.resolved?.startsWith('http') === true)
  assert.deepEqual(addressed.map(([place]) => place), [])
})
