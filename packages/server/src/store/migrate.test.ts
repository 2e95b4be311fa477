import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { AndonError } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { createLog, silentLog } from '../runtime/log.ts'
import { stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { EmbeddedDatabase } from './engine-embedded.ts'
import { openStore } from './index.ts'
import { EMBEDDED } from './layout.ts'
import { migrate } from './migrate.ts'
import { defaultRetention } from './retention.ts'
import { sql, text } from './sql.ts'

const clock = new FakeClock()

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'andon-migrate-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Every table and view as the database would make it again, without the ids that it gives. */
async function schema(database: Database): Promise<string[]> {
  const made = await database.query(sql`SELECT name, create_table_query FROM system.tables WHERE database = ${text('andon')} ORDER BY name`, ([name, query]) => `${stringOf(name)}: ${stringOf(query)}`)
  return made.map((each) => each.replaceAll(/UUID '[^']*'/g, 'UUID'))
}

test('a migration that ends in the middle is repeated, wherever it ended, and the tables are the same', { timeout: 120_000 }, async (t) => {
  const applied: unknown[] = []
  const log = createLog('info', () => 0, (line) => applied.push(Reflect.get(JSON.parse(line) as object, 'file')))
  const whole = await EmbeddedDatabase.open(folder(t), silentLog)
  await migrate(whole, defaultRetention, clock, log)
  const wanted = await schema(whole)
  // One directory at a time is all that the engine takes.
  await whole.close()
  const files = [...applied]
  assert.ok(files.length >= 7)

  const broken = await EmbeddedDatabase.open(folder(t), silentLog)
  t.after(() => broken.close())
  applied.length = 0
  let ends = 0
  for (let left = 1; ; left += 1) {
    let room = left
    /** Ends after some statements more each time: the next run begins again with the file that was not recorded. */
    const ending: Pick<Database, 'command' | 'query' | 'layout'> = {
      layout: EMBEDDED,
      query: (statement, columns) => broken.query(statement, columns),
      command: async (statement, values) => {
        if (room === 0) throw new Error('killed')
        room -= 1
        await broken.command(statement, values)
      },
    }
    try {
      await migrate(ending, defaultRetention, clock, log)
      break
    } catch (error) {
      assert.match(String(error), /killed/)
      ends += 1
    }
  }
  assert.ok(ends > 10, `it ended ${ends} times`)
  assert.deepEqual(applied, files, 'each file is recorded once')
  assert.deepEqual(await schema(broken), wanted)
  await migrate(broken, defaultRetention, clock, log)
  assert.equal(applied.length, files.length, 'nothing is left to do')
})

test('data that a newer version has written are refused, and the directory is given free', { timeout: 60_000 }, async (t) => {
  const dataDir = folder(t)
  const store = await openStore({ dataDir, log: silentLog, clock })
  await store.close()
  const newer = await EmbeddedDatabase.open(dataDir, silentLog)
  await newer.command("INSERT INTO {db}.schema_migrations VALUES (9999, '9999_of_tomorrow.sql', now64(3))")
  await newer.close()
  for (let time = 0; time < 2; time += 1) {
    await assert.rejects(openStore({ dataDir, log: silentLog, clock }), (error) => error instanceof AndonError && error.code === 'bad_config' && /newer Andon.*9999_of_tomorrow/.test(error.message))
  }
})

/** A database that has these migrations and takes no change. */
function unchangeable(applied: readonly string[]): Pick<Database, 'command' | 'query' | 'layout'> {
  return {
    layout: EMBEDDED,
    query: (_statement, columns) => Promise.resolve(applied.map((file) => columns([file]))),
    command: (ddl) => (ddl.startsWith('CREATE TABLE IF NOT EXISTS {db}.schema_migrations') ? Promise.resolve() : Promise.reject(new Error(`changed: ${ddl}`))),
  }
}

test('without room on the disk nothing is changed, and only what needs no change is opened', async () => {
  const done = readdirSync(join(import.meta.dirname, '../../src/store/migrations'))
  await migrate(unchangeable(done), defaultRetention, clock, silentLog, false)
  await assert.rejects(migrate(unchangeable(done.slice(0, -1)), defaultRetention, clock, silentLog, false), (error) => error instanceof AndonError && error.code === 'disk_full' && error.message.includes(done.at(-1) ?? '?'))
})
