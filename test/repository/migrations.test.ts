// What a migration must hold so that it serves a cluster as well.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './root.ts'

const store = join(root, 'packages/server/src/store')
const folder = join(store, 'migrations')

/** Without comments, with where each stands. */
const statements = readdirSync(folder).flatMap((file) =>
  readFileSync(join(folder, file), 'utf8')
    .replaceAll(/--[^\n]*/g, '')
    .split(/;\s*(?:\n|$)/)
    .map((text) => ({ file, text: text.trim() }))
    .filter(({ text }) => text !== ''),
)

test('every statement of a migration names {db} and is run {on_cluster}', () => {
  assert.ok(statements.length > 20)
  const shape = /^(?:CREATE (?:TABLE|MATERIALIZED VIEW) IF NOT EXISTS|ALTER TABLE|DROP (?:TABLE|VIEW) IF EXISTS) \{db\}\.\w+ \{on_cluster\}/
  const others = statements.filter(({ text }) => !shape.test(text)).map(({ file, text }) => `${file}: ${text.slice(0, 80)}`)
  assert.deepEqual(others, [])
})

test('every engine of a migration is a placeholder', () => {
  const engines = statements.flatMap(({ file, text }) => /\bENGINE\s*=\s*(\S+)/.exec(text)?.slice(1).map((engine) => ({ file, engine })) ?? [])
  assert.deepEqual(engines.filter(({ engine }) => !/^(?:\{(?:MergeTree|Aggregating|Summing|Replacing:\w+)\}|Null)$/.test(engine)), [])
})

test('store/sharding.ts says of every table how it is spread over the shards of a cluster', () => {
  const made = statements.flatMap(({ text }) => /^CREATE TABLE IF NOT EXISTS \{db\}\.(\w+)/.exec(text)?.[1] ?? [])
  const source = readFileSync(join(store, 'sharding.ts'), 'utf8')
  const told = [...source.matchAll(/^ {2}(\w+): (?:'|undefined)/gm)].flatMap(([, table]) => (table === undefined || table === 'schema_migrations' ? [] : [table]))
  assert.deepEqual(told.toSorted(), [...new Set(made)].toSorted())
})
