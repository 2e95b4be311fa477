// Where raw points have expired, rollups answer what they can; the rest is refused with what could be asked.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AndonError, labelsKey } from '@andon/model'
import { Engine, type QueryResult } from '../query/engine.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestDatabase, openTestStore } from '../store/fixture.test.ts'
import type { Store } from '../store/index.ts'
import { begin, HOUR, HOURS, sendAll } from './rollup-data.test.ts'

const LIMITS = { querySamples: 10_000_000, querySteps: 11_000, queryMs: 60_000 }
const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
const folder = mkdtempSync(join(tmpdir(), 'andon-expiry-'))
const clock = new FakeClock(begin + HOURS * HOUR)
/** The first of two days, which expires. */
const window = { start: begin + 4 * HOUR, end: begin + 12 * HOUR, step: HOUR }
const later = { start: begin + 26 * HOUR, end: begin + 29 * HOUR, step: HOUR }
let store: Store
let engine: Engine
/** What raw points answered before they expired. */
const once = new Map<string, QueryResult>()

async function open(): Promise<void> {
  store = await openTestStore({ dataDir: folder, log: silentLog, clock, retention: forever })
  engine = new Engine(store.metrics, LIMITS, { rateSums: store.metrics, pushDownFrom: 0, rollups: store.rollups, rollUpFrom: Infinity })
}

/** As when the time of a table is over: whole partitions go. */
async function expire(...statements: readonly string[]): Promise<void> {
  await store.close()
  const database = await openTestDatabase(folder)
  for (const statement of statements) await database.command(`ALTER TABLE {db}.${statement}`)
  await database.close()
  await open()
}

const ask = (expression: string, { start, end, step } = window): Promise<QueryResult> => engine.range(expression, start, end, step)

function values(result: QueryResult): Map<string, number> {
  assert.equal(result.type, 'matrix')
  return new Map(result.series.flatMap(({ labels, points }) => points.map(([time, value]) => [`${labelsKey(labels)} ${time}`, value] as const)))
}

const UNALIGNED = { ...window, start: window.start + 61_000, end: window.end + 61_000 }

before(async () => {
  await open()
  await sendAll(store, clock)
  for (const expression of ['rate(deltas_total[1h])', 'temperature']) once.set(expression, await ask(expression))
  once.set('unaligned', await ask('sum(rate(deltas_total[30m]))', UNALIGNED))
  await expire("samples DROP PARTITION '2026-06-01'", "hist DROP PARTITION '2026-06-01'")
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** That every value is near the one that raw points gave. */
function near(answer: QueryResult, before_: QueryResult | undefined, off: (value: number) => number): void {
  assert.ok(before_ !== undefined)
  const [now, then] = [values(answer), values(before_)]
  assert.ok(then.size > 5)
  for (const [key, value] of then) assert.ok(Math.abs((now.get(key) ?? Number.NaN) - value) <= off(value), `${key}: ${now.get(key)} against ${value}`)
}

test('rates of whole buckets are answered, and say that raw points have expired', async () => {
  const answer = await ask('rate(deltas_total[1h])')
  near(answer, once.get('rate(deltas_total[1h])'), (value) => 0.2 * value)
  assert.equal(answer.infos.length, 1)
  assert.match(answer.infos[0] ?? '', /^PromQL info: raw samples before 2026-06-02T00:0\d:\d\d\.\d{3}Z have expired, answered from rollups of 1h \(1:6\)$/)
})

test('other windows are moved to whole buckets', async () => {
  const answer = await ask('sum(rate(deltas_total[30m]))', UNALIGNED)
  near(answer, once.get('unaligned'), (value) => 0.3 * value)
  assert.match(answer.infos.join(), /answered from rollups of 5m in the nearest whole buckets \(1:10\)/)
  assert.match((await ask('max by (job) (increase(requests_total[7m]))')).infos.join(), /rollups of 5m in the nearest whole buckets/)
})

test('gauges are answered with the last value of the bucket before', async () => {
  near(await ask('temperature'), once.get('temperature'), () => 20)
  const averages = await ask('avg by (job) (temperature)')
  assert.equal(values(averages).size, 18)
  assert.match(averages.infos.join(), /rollups of 5m/)
})

test('histograms answer quantiles of rates, and by their classic names', async () => {
  for (const expression of ['histogram_quantile(0.9, sum by (job) (rate(latency[1h])))', 'sum by (job) (rate(latency_count[1h]))', 'histogram_quantile(0.9, sum by (le) (rate(wait_bucket[1h])))']) {
    const answer = await ask(expression)
    assert.ok(values(answer).size >= 9, expression)
    assert.match(answer.infos.join(), /rollups of 1h/)
  }
})

test('what rollups do not hold is refused with what they do', async () => {
  const refused = ['quantile_over_time(0.5, temperature[1h])', 'sum(delta(temperature[1h]))', 'requests_total', 'count(requests_total)', 'rate(requests_total[1m])', 'latency', 'timestamp(temperature)', 'rate(temperature[1h])', 'avg_over_time(queue[1h])']
  for (const expression of refused) {
    await assert.rejects(ask(expression), (error) => {
      assert.ok(error instanceof AndonError)
      assert.equal(error.code, 'query_failed')
      assert.match(error.message, /^raw samples before 2026-06-02T00:0\d:\d\d\.\d{3}Z have expired; this cannot be told of \w+ from rollups$/, expression)
      assert.match(error.hint, /^Rollups answer rate and increase of counters.* over ranges of at least 5m\./)
      return true
    })
  }
  assert.deepEqual((await ask('quantile_over_time(0.5, nothing[1h])')).type, 'matrix', 'of nothing there is nothing to be told')
})

test('what has not expired is answered by raw points', async () => {
  for (const expression of ['temperature', 'quantile_over_time(0.5, temperature[1h])', 'rate(requests_total[5m])']) {
    const answer = await ask(expression, later)
    assert.ok(values(answer).size > 5)
    assert.deepEqual(answer.infos, [])
  }
})

test('where five-minute rollups have expired too, those of an hour answer', async () => {
  await expire("samples_5m DROP PARTITION '2026-06-01'", "samples DROP PARTITION '2026-06-02'")
  near(await ask('rate(deltas_total[1h])'), once.get('rate(deltas_total[1h])'), (value) => 0.2 * value)
  assert.match((await ask('rate(deltas_total[95m])', UNALIGNED)).infos.join(), /rollups of 1h in the nearest whole buckets/)
  assert.equal(values(await ask('temperature')).size, 36)
  await assert.rejects(ask('rate(requests_total[30m])'), (error) => error instanceof AndonError && /over ranges of at least 1h\./.test(error.hint))
})
