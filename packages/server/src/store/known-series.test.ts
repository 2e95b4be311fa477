import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LabelMatcher } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import type { Database } from './database.ts'
import { openTestDatabase } from './fixture.test.ts'
import { storeOver } from './index.ts'
import { SeriesIndex } from './known-series.ts'
import { EMBEDDED, type Layout } from './layout.ts'
import { SERIES_COLUMNS, seriesTsv } from './metric-write.ts'

const START = Date.UTC(2026, 5, 1)
const HOUR = 3_600_000
const matcher = (value: string): LabelMatcher => ({ name: '__name__', operator: '=', value })
const RANGE = { start: START - HOUR, end: START }

/** A table of series of which only the number of lookups matters; one may be held back. */
class Table {
  lookups = 0
  series = ['1']
  hold: Promise<void> = Promise.resolve()

  database(layout: Layout = EMBEDDED): Pick<Database, 'query' | 'layout'> {
    return {
      layout,
      query: async <T>(_statement: unknown, columns: (row: readonly unknown[]) => T): Promise<T[]> => {
        this.lookups += 1
        const found = this.series.map((id) => columns([id, 'x', 'gauge', [[], []]]))
        await this.hold
        return found
      },
    }
  }
}

function indexOf(table: Table, clock: FakeClock, layout?: Layout): SeriesIndex {
  return new SeriesIndex(table.database(layout) as Database, clock)
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  const found: { resolve?: () => void } = {}
  const promise = new Promise<void>((resolve) => (found.resolve = resolve))
  return { promise, resolve: () => found.resolve?.() }
}

test('the same is looked up once, until a series is written or ten minutes are over', async () => {
  const [table, clock] = [new Table(), new FakeClock(START)]
  const index = indexOf(table, clock)
  for (let time = 0; time < 55_000; time += 5000) {
    await index.find([matcher('x')], { start: RANGE.start + time, end: RANGE.end + time })
    await clock.advance(5000)
  }
  assert.equal(table.lookups, 1)
  await index.find([matcher('y')], RANGE)
  assert.equal(table.lookups, 2)
  index.forget()
  table.series = ['1', '2']
  assert.equal((await index.find([matcher('x')], RANGE)).length, 2)
  assert.equal(table.lookups, 3)
  await clock.advance(600_000)
  await index.find([matcher('x')], RANGE)
  assert.equal(table.lookups, 4)
})

test('an answer from before a write is not remembered', async () => {
  const [table, clock] = [new Table(), new FakeClock(START)]
  const index = indexOf(table, clock)
  const { promise, resolve: release } = deferred()
  table.hold = promise
  const before = index.find([matcher('x')], RANGE)
  index.forget()
  table.series = ['1', '2']
  release()
  assert.equal((await before).length, 1)
  assert.equal((await index.find([matcher('x')], RANGE)).length, 2)
})

test('where others may write too, an answer is old after five seconds', async () => {
  const [table, clock] = [new Table(), new FakeClock(START)]
  const index = indexOf(table, clock, { ...EMBEDDED })
  await index.find([matcher('x')], RANGE)
  await clock.advance(4999)
  await index.find([matcher('x')], RANGE)
  assert.equal(table.lookups, 1)
  await clock.advance(1)
  await index.find([matcher('x')], RANGE)
  assert.equal(table.lookups, 2)
})

test('ever new selectors are forgotten, the oldest first', async () => {
  const [table, clock] = [new Table(), new FakeClock(START)]
  const index = indexOf(table, clock)
  for (let number = 0; number < 1001; number += 1) await index.find([matcher(`x${number}`)], RANGE)
  await index.find([matcher('x1000')], RANGE)
  assert.equal(table.lookups, 1001)
  await index.find([matcher('x0')], RANGE)
  assert.equal(table.lookups, 1002)
})

test('names, values and some of the series are told of more series than can be loaded at once', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-series-'))
  const [database, clock] = [await openTestDatabase(folder), new FakeClock(START)]
  const store = await storeOver(database, { log: silentLog, clock })
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const many = Array.from({ length: 120_000 }, (_, index) => ({ id: BigInt(index), type: 'gauge' as const, labels: { __name__: index % 2 === 0 ? 'even' : 'odd', pod: `pod-${String(index % 300).padStart(3, '0')}`, nr: String(index), ...(index === 7 && { rare: 'yes' }) } }))
  const old = [{ id: 1_000_000n, type: 'gauge' as const, labels: { __name__: 'even', gone: 'yes', pod: 'old' } }]
  await database.insert('series', SERIES_COLUMNS, seriesTsv(many, START / 1000))
  await database.insert('series', SERIES_COLUMNS, seriesTsv(old, START / 1000 - 86_400))

  const index = new SeriesIndex(database, clock)
  await assert.rejects(index.find([], RANGE), { code: 'query_too_large' })
  assert.deepEqual(await index.labelNames([], RANGE, 100), ['__name__', 'nr', 'pod', 'rare'])
  assert.deepEqual(await index.labelNames([matcher('even')], RANGE, 100), ['__name__', 'nr', 'pod'], 'none of what ended before the range')
  assert.deepEqual(await index.labelNames([matcher('even')], { start: 0, end: START }, 2), ['__name__', 'gone'])
  assert.deepEqual(await index.labelNames([matcher('absent')], RANGE, 100), [])
  assert.deepEqual(await index.labelValues('__name__', [], RANGE, 100), ['even', 'odd'])
  assert.deepEqual(await index.labelValues('rare', [], RANGE, 100), ['yes'], 'not the empty value of those without')
  assert.deepEqual(await index.labelValues('pod', [{ name: 'pod', operator: '=~', value: 'pod-0.*' }], RANGE, 3), ['pod-000', 'pod-001', 'pod-002'])
  assert.equal((await index.labelValues('nr', [], RANGE, 200_000)).length, 120_000)
  // As the routes ask it.
  assert.deepEqual(await store.metrics.labelNames([], RANGE, 100), ['__name__', 'nr', 'pod', 'rare'])
  assert.deepEqual(await store.metrics.labelValues('__name__', [], RANGE, 100), ['even', 'odd'])
  assert.equal((await store.metrics.seriesOf([], RANGE, 1000)).length, 1000)
  await assert.rejects(store.metrics.seriesOf([], RANGE), { code: 'query_too_large' }, 'all of them')
  assert.deepEqual(await index.labels([matcher('odd')], RANGE, 2), [{ __name__: 'odd', nr: '1', pod: 'pod-001' }, { __name__: 'odd', nr: '3', pod: 'pod-003' }])
})

test('who asks the same meanwhile waits for the same answer, and may leave before it', async () => {
  const [table, clock] = [new Table(), new FakeClock(START)]
  const index = indexOf(table, clock)
  const { promise, resolve: release } = deferred()
  table.hold = promise
  const gone = new AbortController()
  const asked = [index.find([matcher('x')], RANGE), index.find([matcher('x')], RANGE, gone.signal), index.find([matcher('x')], RANGE)]
  const leaves = assert.rejects(asked[1] ?? Promise.resolve(), /gone/)
  gone.abort(new Error('gone'))
  await leaves
  // What is written meanwhile, only those see that ask after it.
  index.forget()
  table.series = ['1', '2']
  const after = index.find([matcher('x')], RANGE)
  release()
  assert.deepEqual([(await asked[0])?.length, (await asked[2])?.length, (await after).length], [1, 1, 2])
  assert.equal(table.lookups, 2)
})

test('a lookup that fails is asked anew', async () => {
  let left = 1
  const query = async (): Promise<never[]> => {
    left -= 1
    if (left >= 0) throw new Error('away')
    return await Promise.resolve([])
  }
  const index = new SeriesIndex({ layout: EMBEDDED, query } as unknown as Database, new FakeClock(START))
  await assert.rejects(index.find([matcher('x')], RANGE), /away/)
  assert.deepEqual(await index.find([matcher('x')], RANGE), [])
})
