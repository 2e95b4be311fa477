// A kill between the engine's record of an insert and the name of its part is made on the disk: the record is there, the part is not.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../runtime/log.ts'
import { number } from './cells.ts'
import { EmbeddedDatabase } from './engine-embedded.ts'
import { mendRepetitionLogs } from './repetition-log.ts'
import { sql } from './sql.ts'
import { TsvRows } from './tsv.ts'

/** A table of days and numbers whose hours are counted by a view, as the tables of metrics are. */
const DDL = [
  'CREATE TABLE IF NOT EXISTS {db}.raw (d Date, v UInt32) ENGINE = {MergeTree} PARTITION BY d ORDER BY v SETTINGS {dedup}',
  'CREATE TABLE IF NOT EXISTS {db}.sums (d Date, v UInt64) ENGINE = {Summing} PARTITION BY d ORDER BY d SETTINGS {dedup}',
  'CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.sums_mv TO {db}.sums AS SELECT d, sum(v) AS v FROM {db}.raw GROUP BY d',
]

interface Setting {
  readonly dataDir: string
  /** Opens it again, as a new process would, gives it to `work`, and closes it. */
  readonly life: (work: (database: EmbeddedDatabase) => Promise<void>) => Promise<void>
  /** The directory of a table, and its parts, the newest last. */
  readonly parts: (table: string) => Promise<{ directory: string; names: string[] }>
}

function setting(t: TestContext): Setting {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-repetition-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const life: Setting['life'] = async (work) => {
    const database = await EmbeddedDatabase.open(dataDir, silentLog)
    try {
      for (const ddl of DDL) await database.command(ddl)
      await work(database)
    } finally {
      await database.close()
    }
  }
  return {
    dataDir,
    life,
    parts: async (table) => {
      let directory = ''
      await life(async (database) => {
        const [uuid = ''] = await database.query(sql`SELECT toString(uuid) FROM system.tables WHERE database = 'andon' AND name = ${table === 'raw' ? sql`'raw'` : sql`'sums'`}`, ([cell]) => String(cell))
        directory = join(dataDir, 'clickhouse', 'store', uuid.slice(0, 3), uuid)
      })
      const names = readdirSync(directory).filter((name) => /^\d{8}_/.test(name))
      return { directory, names: names.toSorted((a, b) => Number(a.split('_')[1]) - Number(b.split('_')[1])) }
    },
  }
}

async function insert(database: EmbeddedDatabase, batch: string, ...rows: readonly (readonly [string, number])[]): Promise<void> {
  const tsv = new TsvRows()
  for (const [day, value] of rows) tsv.text(day).number(value).end()
  await database.insert('raw', ['d', 'v'], tsv, batch)
}

async function counted(database: EmbeddedDatabase): Promise<{ rows: number; sum: number; rolled: number }> {
  const [found] = await database.query(sql`SELECT count(), sum(v), (SELECT sum(v) FROM andon.sums) FROM andon.raw`, ([rows, sum, rolled]) => ({ rows: number(rows), sum: number(sum), rolled: number(rolled) }))
  assert.ok(found)
  return found
}

const TODAY = '2026-01-02'
const BEFORE = '2026-01-01'

test('a batch whose part was recorded and never named is stored when it is sent again, in the table and in its rollup', async (t) => {
  for (const lost of ['raw', 'sums']) {
    const { life, parts, dataDir } = setting(t)
    await life(async (database) => {
      await insert(database, 'p/1', [TODAY, 1])
      await insert(database, 'p/2', [TODAY, 2])
    })
    const { directory, names } = await parts(lost)
    rmSync(join(directory, names.at(-1) ?? ''), { recursive: true })
    // What the view gave on had not come to its table either, as after a kill within the first one.
    if (lost === 'raw') {
      const sums = await parts('sums')
      rmSync(join(sums.directory, sums.names.at(-1) ?? ''), { recursive: true })
    }
    await life(async (database) => {
      await insert(database, 'p/1', [TODAY, 1])
      await insert(database, 'p/2', [TODAY, 2])
      assert.deepEqual(await counted(database), { rows: 2, sum: 3, rolled: 3 }, lost)
    })
    await life(async (database) => {
      await insert(database, 'p/2', [TODAY, 2])
      assert.deepEqual(await counted(database), { rows: 2, sum: 3, rolled: 3 }, `${lost}, once more`)
    })
    assert.equal(mendRepetitionLogs(join(dataDir, 'clickhouse')), 0)
  }
})

test('of a batch of two days only the day that is not there is stored again', async (t) => {
  const { life, parts } = setting(t)
  await life(async (database) => await insert(database, 'p/1', [BEFORE, 1], [TODAY, 2]))
  const { directory, names } = await parts('raw')
  assert.equal(names.length, 2)
  const last = names.toSorted((a, b) => Number(a.split('_')[1]) - Number(b.split('_')[1])).at(-1) ?? ''
  rmSync(join(directory, last), { recursive: true })
  await life(async (database) => {
    assert.equal((await counted(database)).rows, 1)
    await insert(database, 'p/1', [BEFORE, 1], [TODAY, 2])
    assert.deepEqual(await counted(database), { rows: 2, sum: 3, rolled: 3 })
  })
})

test('a batch that has become part of a greater part, or of a changed one, is known', async (t) => {
  const { life, parts } = setting(t)
  await life(async (database) => {
    for (const value of [1, 2, 3]) await insert(database, `p/${value}`, [TODAY, value])
    await database.command('OPTIMIZE TABLE {db}.raw FINAL')
    await database.command('ALTER TABLE {db}.raw DELETE WHERE v = 1 SETTINGS mutations_sync = 2')
  })
  const { directory, names } = await parts('raw')
  // Those that it was made of are removed some time later.
  const [whole, ...outdated] = names.toSorted((a, b) => Number(/_1_3_1_\d+$/.test(b)) - Number(/_1_3_1_\d+$/.test(a)))
  assert.match(whole ?? '', /_1_3_1_\d+$/)
  for (const each of outdated) rmSync(join(directory, each), { recursive: true })
  await life(async (database) => {
    await insert(database, 'p/3', [TODAY, 3])
    assert.deepEqual(await counted(database), { rows: 2, sum: 5, rolled: 6 })
  })
})

test('a record that was not written to its end is left out, and the ones after it are read', async (t) => {
  const { life, parts } = setting(t)
  await life(async (database) => await insert(database, 'p/1', [TODAY, 1]))
  const { directory } = await parts('raw')
  const log = join(directory, 'deduplication_logs', 'deduplication_log_1.txt')
  const whole = readFileSync(log, 'utf8')
  appendFileSync(log, '1\t20260102_2')
  await life(async (database) => await insert(database, 'p/2', [TODAY, 2]))
  assert.ok(readFileSync(log, 'utf8').startsWith(whole))
  await life(async (database) => {
    for (const value of [1, 2]) await insert(database, `p/${value}`, [TODAY, value])
    assert.deepEqual(await counted(database), { rows: 2, sum: 3, rolled: 3 })
  })
})

test('where the next log was begun the last record is that of the one before', async (t) => {
  const { life, parts, dataDir } = setting(t)
  await life(async (database) => {
    for (const value of [1, 2]) await insert(database, `p/${value}`, [TODAY, value])
  })
  const { directory, names } = await parts('raw')
  const logs = join(directory, 'deduplication_logs')
  writeFileSync(join(logs, 'deduplication_log_2.txt'), '')
  assert.equal(mendRepetitionLogs(join(dataDir, 'clickhouse')), 0)
  rmSync(join(directory, names.at(-1) ?? ''), { recursive: true })
  assert.equal(mendRepetitionLogs(join(dataDir, 'clickhouse')), 1)
  assert.equal(readFileSync(join(logs, 'deduplication_log_1.txt'), 'utf8').split('\n').length, 2)
  assert.equal(mendRepetitionLogs(join(dataDir, 'nowhere')), 0)
})
