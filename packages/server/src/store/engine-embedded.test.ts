import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../runtime/log.ts'
import { number, stringOf } from './cells.ts'
import { EmbeddedDatabase, ENGINE_LIMITS } from './engine-embedded.ts'
import { Param, sql } from './sql.ts'

test('the embedded engine keeps as much in memory as it is told to, also when it is opened again', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-engine-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  for (let life = 0; life < 2; life += 1) {
    const database = await EmbeddedDatabase.open(dataDir, silentLog)
    const found = await database.query(sql`SELECT name, toFloat64(value) FROM system.server_settings WHERE name IN ${new Param('Array(String)', Object.keys(ENGINE_LIMITS))}`, ([name, value]) => [stringOf(name), number(value)] as const)
    assert.deepEqual(Object.fromEntries(found), ENGINE_LIMITS)
    await database.close()
  }
})
