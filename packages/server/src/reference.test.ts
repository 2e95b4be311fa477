// What docs/reference says is compared with the code, so that neither can change alone.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { ERROR_CATALOGUE } from '@andon/model'
import { createFixture } from './api/fixture.test.ts'
import { ROLES } from './api/guard.ts'
import { LIVE_LIMITS } from './api/live.ts'
import { defaultLimits } from './runtime/limits.ts'

const folder = resolve(import.meta.dirname, '../../../docs/reference')

/** The first cells of the rows of a page's tables, without their backquotes. */
function rows(page: string, cells: number): string[][] {
  return readFileSync(join(folder, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, cells + 1).map((cell) => cell.trim().replaceAll('`', '')))
}

test('http.md lists every route with its role and whether it can be followed live', async () => {
  const { guard } = await createFixture()
  const served = guard.routes.map(({ method, path, role, live }) => [method, path, role, live ? 'yes' : ''].join(' '))
  assert.ok(served.length > 20)
  // Prometheus' API has routes of its own and a test beside them.
  const told = rows('http.md', 4).filter(([method, path = '']) => method === 'POST' || !path.startsWith('/api/v1/'))
  assert.deepEqual(told.map((row) => row.join(' ')).toSorted(), served.toSorted())
})

test('errors.md lists every error with its status and hint', () => {
  assert.deepEqual(rows('errors.md', 3), Object.entries(ERROR_CATALOGUE).map(([code, { status, hint }]) => [code, String(status), hint]))
})

test('limits.md lists every limit with its default', () => {
  const options = Object.entries(defaultLimits).map(([key, value]) => [`limits.${key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, String(value)])
  const live = Object.entries(LIVE_LIMITS).map(([key, value]) => [key, String(value)])
  assert.deepEqual(rows('limits.md', 2), [...options, ...live])
})

test('ingest.md says how long and how much is gathered, and from when a point lies too far in the future', () => {
  const page = readFileSync(join(folder, 'ingest.md'), 'utf8')
  const { gatherMs, gatherBytes, futureMs } = defaultLimits
  for (const words of [`gathered for at most ${gatherMs} ms or ${gatherBytes / 1024 ** 2} MiB`, `more than ${futureMs / 60_000} minutes in the future`]) assert.ok(page.includes(words), words)
})

test('security.md names every role', () => {
  assert.deepEqual(rows('security.md', 1).flat(), [...ROLES])
})
