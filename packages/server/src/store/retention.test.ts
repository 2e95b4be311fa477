import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { seriesId, type SpanRecord } from '@andon/model'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { createLog, type Log, silentLog } from '../runtime/log.ts'
import { number, stringOf } from './cells.ts'
import { EmbeddedDatabase } from './engine-embedded.ts'
import { openStore, type Store } from './index.ts'
import { EMBEDDED } from './layout.ts'
import { applyRetention, daysOf, defaultRetention, LIFETIMES, readLifetimes, type Retention, RETENTION_KEYS, retentionFault, wholeRetention } from './retention.ts'
import { type Sql, sql, text } from './sql.ts'

const DAY = 86_400_000
/** The real time: the engine drops by its own clock what has expired. */
const NOW = Math.floor(Date.now() / 1000) * 1000
const folders: string[] = []
after(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true })
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'andon-retention-'))
  folders.push(made)
  return made
}

async function open(t: TestContext, dataDir: string, retention: Retention, { clock = new FakeClock(NOW), log = silentLog }: { clock?: FakeClock; log?: Log } = {}): Promise<Store> {
  const store = await openStore({ dataDir, log, clock, retention })
  t.after(() => store.close())
  return store
}

const resource = { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

function span(daysAgo: number): SpanRecord {
  const start = BigInt(NOW - daysAgo * DAY) * 1_000_000n
  return { traceId: 'a'.repeat(32), spanId: String(daysAgo % 10).repeat(16), parentSpanId: '', traceState: '', flags: 1, name: `${daysAgo} days ago`, kind: 'server', start, end: start + 1n, attributes: {}, droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' }, resource, scope }
}

/** One row of each signal, so many days ago. */
async function write(store: Store, daysAgo: number): Promise<void> {
  const ts = NOW - daysAgo * DAY
  const time = BigInt(ts) * 1_000_000n
  const labels = { __name__: 'hits_total', job: 'shop' }
  const id = seriesId(labels)
  await store.spans.write([span(daysAgo)])
  await store.exceptions.write([{ time, type: 'Error', message: 'no', stack: '', handled: true, traceId: '', spanId: '', attributes: {}, resource, scope }])
  await store.profiles.write([{ service: 'shop', env: '', version: '', instance: '', types: ['cpu'], record: { valueTypes: [{ type: 'cpu', unit: 'nanoseconds' }], start: time, duration: 1n, period: 1, periodType: { type: 'cpu', unit: 'nanoseconds' }, samples: [{ stack: [{ name: 'f', file: '', line: 1 }], values: [1], time: 0n, labels: {} }] } }])
  await store.metrics.write({ series: [{ id, type: 'counter', labels }], metadata: [], samples: [{ id, ts, start: 0, value: 1, stale: false, delta: true, increase: 1 }], histograms: [], exemplars: [] })
}

/** Days ago of the rows that a table still holds. */
async function held(store: Store): Promise<Record<string, number[]>> {
  const partitions = await store.disk.partitions()
  const of = (table: string): number[] => partitions.filter((each) => each.table === table).map(({ newest }) => Math.round((NOW - newest) / DAY)).toSorted((a, b) => a - b)
  return { spans: of('spans'), errors: of('errors'), profile_samples: of('profile_samples'), samples: of('samples') }
}

/** What tells the time is the engine's own background work: it is asked until it is so, at most ten seconds. */
async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await isSo()) return
    await wait(50)
  }
  assert.fail(what)
}

test('errors and profiles are kept as long as spans unless they are named; lookup tables as long as what refers to them (property)', () => {
  assert.deepEqual(wholeRetention({ ...defaultRetention, spansDays: 30 }), { rawDays: 15, spansDays: 30, errorsDays: 30, profilesDays: 30, rollupDays: 90, longDays: 400 })
  const days = fc.integer({ min: 1, max: 3650 })
  fc.assert(
    fc.property(fc.record({ rawDays: days, spansDays: days, errorsDays: days, profilesDays: days, rollupDays: days, longDays: days }), (retention) => {
      const of = (table: string): number => daysOf(LIFETIMES.find((each) => each.table === table) ?? { days: [] }, retention)
      assert.deepEqual([of('samples'), of('spans'), of('errors'), of('profile_samples'), of('samples_5m'), of('hist_1h')], RETENTION_KEYS.map((key) => retention[key]))
      for (const [lookup, referring] of [['series', ['samples', 'hist', 'samples_5m', 'hist_1h']], ['resources', ['spans']], ['stacks', ['profile_samples', 'profile_5m']]] as const) {
        for (const table of referring) assert.ok(of(lookup) >= of(table))
      }
      const fault = retentionFault(retention)
      if (fault === undefined) assert.ok(retention.rollupDays >= retention.rawDays && retention.longDays >= retention.rollupDays && retention.longDays >= retention.errorsDays)
      else assert.ok(retention[fault.longer] < retention[fault.shorter])
    }),
  )
})

test('every table whose rows expire is in the list, and every table of the list is there, and partitioned unless it is looked up', { timeout: 60_000 }, async (t) => {
  const dataDir = folder()
  const store = await openStore({ dataDir, log: silentLog, clock: new FakeClock(NOW) })
  await store.close()
  const database = await EmbeddedDatabase.open(dataDir, silentLog)
  t.after(() => database.close())
  const said = await readLifetimes(database)
  // What says nothing of a lifetime is kept for ever, or dropped by the server alone.
  assert.deepEqual([...said].filter(([, days]) => days === null).map(([table]) => table), ['schema_migrations', 'state_log'])
  for (const table of ['schema_migrations', 'state_log']) said.delete(table)
  const byEngine = LIFETIMES.filter(({ kind }) => kind !== 'state')
  assert.deepEqual(Object.fromEntries(said), Object.fromEntries(byEngine.map((lifetime) => [lifetime.table, daysOf(lifetime, defaultRetention)])))
  const keys = await database.query(sql`SELECT name, partition_key FROM system.tables WHERE database = ${text('andon')} AND engine LIKE ${text('%MergeTree')}`, ([table, key]) => [stringOf(table), stringOf(key) !== ''] as const)
  const partitioned = new Map(keys)
  for (const { table, kind } of LIFETIMES) assert.equal(partitioned.get(table), kind !== 'lookup', table)
})

test('a shorter retention takes effect when the server starts, signal by signal, and is read back', { timeout: 60_000 }, async (t) => {
  const dataDir = folder()
  const wide = { rawDays: 15, spansDays: 14, errorsDays: 14, profilesDays: 14, rollupDays: 90, longDays: 400 }
  const first = await open(t, dataDir, wide)
  for (const daysAgo of [0, 2, 5, 9]) await write(first, daysAgo)
  const all = [0, 2, 5, 9]
  assert.deepEqual(await held(first), { spans: all, errors: all, profile_samples: all, samples: all })
  await first.close()

  const lines: { message: string; table?: string; days?: number; before?: number }[] = []
  const log = createLog('info', () => 0, (line) => lines.push(JSON.parse(line) as (typeof lines)[number]))
  const clock = new FakeClock(NOW)
  const second = await open(t, dataDir, { ...wide, spansDays: 3, errorsDays: 7, profilesDays: 1 }, { clock, log })
  assert.deepEqual(await held(second), { spans: [0, 2], errors: [0, 2, 5], profile_samples: [0], samples: all })
  const changed = lines.filter(({ message }) => message === 'retention changed').map(({ table, days, before }) => [table, days, before])
  assert.deepEqual(changed, [['exemplars', 3, 14], ['spans', 3, 14], ['profile_samples', 1, 14], ['errors', 7, 14], ['stalls', 3, 14]])
  const { retention } = await second.status()
  const said = (name: string): unknown[] => retention.filter((each) => each.name === name).map(({ signal, configuredDays, days, oldest }) => [signal, configuredDays, days, oldest === null ? null : Math.round((NOW - oldest) / DAY)])
  assert.deepEqual(['spans', 'errors', 'samples', 'series'].map(said), [[['spansDays', 3, 3, 2]], [['errorsDays', 7, 7, 5]], [['rawDays', 15, 15, 9]], [['rawDays', 400, 400, null]]])

  // By the clock of the server, without waiting for the engine's.
  await clock.advance(2 * DAY)
  const dropped = await second.disk.dropExpired(clock.now())
  assert.deepEqual(dropped.map(({ table }) => table).toSorted(), ['profile_samples', 'spans'])
  assert.deepEqual(await held(second), { spans: [0], errors: [0, 2, 5], profile_samples: [], samples: all })
  await clock.advance(400 * DAY)
  await second.disk.dropExpired(clock.now())
  assert.deepEqual(await second.disk.partitions(), [])
})

test('a longer retention holds for the data that are there; rows of lookup tables expire by when they were last seen', { timeout: 60_000 }, async (t) => {
  const dataDir = folder()
  const first = await open(t, dataDir, { ...defaultRetention, rollupDays: 300 }, { clock: new FakeClock(NOW - 100 * DAY) })
  // The row of its resource was last seen a hundred days ago.
  await first.spans.write([span(1)])
  await first.close()
  const second = await open(t, dataDir, { ...defaultRetention, spansDays: 30, rollupDays: 60 })
  await second.close()
  const database = await EmbeddedDatabase.open(dataDir, silentLog)
  t.after(() => database.close())
  await eventually('the parts say when they expire', async () => {
    const [until = 0] = await database.query(sql`SELECT toUnixTimestamp(max(delete_ttl_info_max)) FROM system.parts WHERE database = ${text('andon')} AND table = ${text('spans')} AND active`, ([time]) => number(time))
    return until * 1000 === NOW + 29 * DAY
  })
  await eventually('the row is gone', async () => {
    const [rows = 1] = await database.query(sql`SELECT count() FROM andon.resources`, ([count]) => number(count))
    return rows === 0
  })
})

test('a lifetime that was taken away by hand is set again', { timeout: 60_000 }, async (t) => {
  const dataDir = folder()
  const first = await open(t, dataDir, defaultRetention)
  await first.close()
  const database = await EmbeddedDatabase.open(dataDir, silentLog)
  await database.command('ALTER TABLE {db}.stalls REMOVE TTL')
  await database.close()
  const second = await open(t, dataDir, defaultRetention)
  const { retention } = await second.status()
  assert.equal(retention.find(({ name }) => name === 'stalls')?.days, 7)
})

test('a lifetime of small state that an earlier version has set is taken away, and it is told as configured', { timeout: 60_000 }, async (t) => {
  const dataDir = folder()
  const first = await open(t, dataDir, defaultRetention)
  await first.close()
  const database = await EmbeddedDatabase.open(dataDir, silentLog)
  await database.command('ALTER TABLE {db}.state_log MODIFY TTL toDateTime(written) + INTERVAL 400 DAY')
  await database.close()
  const second = await open(t, dataDir, { ...defaultRetention, longDays: 500 })
  const { retention } = await second.status()
  assert.deepEqual(retention.filter(({ name }) => name === 'state_log').map(({ configuredDays, days }) => [configuredDays, days]), [[500, 500]])
  await second.close()
  const reopened = await EmbeddedDatabase.open(dataDir, silentLog)
  t.after(() => reopened.close())
  assert.equal((await readLifetimes(reopened)).get('state_log'), null)
})

test('what the database does not do is told, and the others are done all the same', async () => {
  const lines: string[] = []
  const log = createLog('info', () => 0, (line) => {
    const { level, message, table, tables } = JSON.parse(line) as { level: string; message: string; table?: string; tables?: string[] }
    lines.push(`${level}: ${message} ${table ?? tables?.join(' ') ?? ''}`)
  })
  const days = new Map(LIFETIMES.map((lifetime) => [lifetime.table, daysOf(lifetime, defaultRetention)]))
  for (const table of ['spans', 'errors', 'stalls']) days.set(table, 1)
  days.delete('state_log')
  const database = {
    layout: EMBEDDED,
    query: <T>(statement: Sql, columns: (row: readonly unknown[]) => T): Promise<T[]> => Promise.resolve(statement.text.includes('old_parts_lifetime') ? [] : [...days].map(([table, each]) => columns([table, String(each)]))),
    command: (ddl: string): Promise<void> => {
      if (ddl.includes('.spans ')) return Promise.reject(new Error('No space left on device'))
      // Of errors it says that it has done it.
      if (ddl.includes('.stalls ')) days.set('stalls', 7)
      return Promise.resolve()
    },
  }
  await applyRetention(database, defaultRetention, log)
  assert.deepEqual(lines, [
    'error: the retention could not be changed spans',
    'info: retention changed errors',
    'info: retention changed stalls',
    'error: the database does not keep these tables as long as is configured spans errors',
  ])
})
