import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { root } from './root.ts'

const server = join(root, 'packages/server/src')

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((entry) => /\.tsx?$/.test(entry) && !/\.test\.tsx?$/.test(entry))
    .map((entry) => join(folder, entry))
}

test('SQL stands only in the store', () => {
  const statement = /\b(?:SELECT\s[^'"]*\sFROM|INSERT\s+INTO|CREATE\s+(?:TABLE|MATERIALIZED)|ALTER\s+TABLE)\b/
  const files = sources(server)
  assert.ok(files.some((file) => relative(server, file).startsWith('store/') && statement.test(readFileSync(file, 'utf8'))), 'the pattern finds no SQL at all')
  const elsewhere = files.filter((file) => !relative(server, file).startsWith('store/') && statement.test(readFileSync(file, 'utf8')))
  assert.deepEqual(elsewhere.map((file) => relative(root, file)), [])
})

test('no clock outside runtime/clock.ts in the server', () => {
  const clock = /\bDate\.now\(|\bnew Date\(\)|\bsetInterval\(|\bsetTimeout\(|performance\.now\(/
  const found = sources(server).filter((file) => relative(server, file) !== join('runtime', 'clock.ts') && clock.test(readFileSync(file, 'utf8')))
  assert.deepEqual(found.map((file) => relative(root, file)), [])
})

test('each datum has its file of the same name at every station', () => {
  const matrix: Record<string, readonly string[]> = {
    spans: ['wire/src/otlp', 'server/src/ingest', 'server/src/store', 'server/src/query', 'server/src/api'],
    metrics: ['wire/src/otlp', 'server/src/ingest', 'server/src/store', 'server/src/api'],
    exceptions: ['wire/src/otlp', 'server/src/ingest', 'server/src/store', 'server/src/query', 'server/src/api'],
    edges: ['server/src/ingest', 'server/src/store', 'server/src/query', 'server/src/api'],
    statements: ['server/src/ingest', 'server/src/store', 'server/src/query', 'server/src/api'],
    profiles: ['server/src/ingest', 'server/src/store', 'server/src/query', 'server/src/api'],
  }
  const missing = Object.entries(matrix).flatMap(([datum, folders]) =>
    folders.map((folder) => join('packages', folder, `${datum}.ts`)).filter((file) => !existsSync(join(root, file))),
  )
  assert.deepEqual(missing, [])
})
