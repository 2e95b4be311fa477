// Markers of releases, and what a release has changed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chance } from '@andon/bench'
import type { Alert, ReleaseComparison, TimeRange } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { DeployBook, type DeployEntry } from './deploy-book.ts'
import { BEGIN } from './fixture.test.ts'
import { SLICE_MS } from './parameters.ts'
import { compareRelease } from './regression.ts'
import { ReleaseWatch } from './release-watch.ts'
import type { SliceTable } from './slices.ts'

const MINUTE = 60_000
const NOON = BEGIN + 12 * 3_600_000

function bookOver(log: DeployEntry[], now = NOON): Promise<DeployBook> {
  return DeployBook.open({ append: (rows) => Promise.resolve(log.push(...rows)), latest: () => Promise.resolve(log.map(({ state, doc }) => ({ state, doc: JSON.parse(JSON.stringify(doc)) as unknown }))) }, now)
}

const seen = (version: string, at: number): { service: string; environment: string; version: string; at: number } => ({ service: 'shop', environment: 'prod', version, at })

test('a new version is a release; the first one, two side by side, a restart and one that was told are none; a return to an older one is', async () => {
  const log: DeployEntry[] = []
  const book = await bookOver(log)
  const see = async (at: number, ...versions: string[]): Promise<string[]> => (await book.see(versions.map((version) => seen(version, NOON + at * MINUTE)))).map(({ version }) => version)
  assert.deepEqual(await see(0, '1.0'), [])
  assert.deepEqual(await see(1, '1.0', '1.1'), ['1.1'])
  assert.deepEqual(await see(5, '1.0', '1.1'), [])
  assert.deepEqual(await see(30, '1.1'), [])
  assert.deepEqual(await see(90, '1.1'), [], 'an hour of silence is a restart')
  assert.deepEqual(await see(95, '1.0'), ['1.0'], 'a roll-back')
  await book.tell({ ...seen('2.0', NOON + 99 * MINUTE), note: '' }, 'ci')
  assert.deepEqual(await see(100, '2.0'), [])
  // After a restart the versions that run are no releases.
  const again = await bookOver(log, NOON + 300 * MINUTE)
  assert.deepEqual(await again.see([seen('2.0', NOON + 301 * MINUTE), seen('1.1', NOON + 301 * MINUTE)]), [])
  assert.deepEqual(again.list({ service: 'shop', start: 0, end: Infinity, limit: 10 }).map(({ version, source }) => [version, source]), [['2.0', 'told'], ['1.0', 'seen'], ['1.1', 'seen']])
})

test('the same release told twice is one', async () => {
  const log: DeployEntry[] = []
  const book = await bookOver(log)
  const deploy = { ...seen('3', NOON), note: 'a1b2c3' }
  const first = await book.tell(deploy, 'ci')
  assert.deepEqual(await book.tell(deploy, 'ci'), first)
  assert.equal(log.length, 1)
  assert.throws(() => book.find('x'), { code: 'not_found' })
})

/** An hour before and half an hour after noon, in which latency and errors change at noon. */
function slices({ latency = 1, failed = 0.001, noise = 0.1, seed = 1 }: { readonly latency?: number; readonly failed?: number; readonly noise?: number; readonly seed?: number }, range: TimeRange = { start: NOON - 60 * MINUTE, end: NOON + 32 * MINUTE }): SliceTable {
  const chance = new Chance(seed)
  const count = (range.end - range.start) / SLICE_MS
  const isAfter = (index: number): boolean => range.start + index * SLICE_MS >= NOON
  const of = { service: 'shop', environment: 'prod', key: '' }
  return {
    start: range.start,
    count,
    series: [
      { id: { ...of, signal: 'p95' }, values: Float64Array.from({ length: count }, (_, index) => 0.1 * (isAfter(index) ? latency : 1) * Math.exp(noise * chance.normal())), counts: new Float64Array(count).fill(300) },
      { id: { ...of, signal: 'errors' }, values: Float64Array.from({ length: count }, (_, index) => chance.binomial(300, isAfter(index) ? failed : 0.001)), counts: new Float64Array(count).fill(300) },
      { id: { ...of, service: 'other', signal: 'p95' }, values: new Float64Array(count).fill(1), counts: new Float64Array(count).fill(300) },
    ],
  }
}

const marker = { id: 'm', service: 'shop', environment: 'prod', version: '2', at: NOON, source: 'told', actor: '', note: '' } as const
const verdicts = ({ series }: ReleaseComparison): unknown[] => series.map(({ id, verdict }) => [id.signal, verdict])

test('what is worse beyond what matters is told apart from what has changed a little, and from nothing', () => {
  const late = NOON + 60 * MINUTE
  const worse = compareRelease(marker, slices({ latency: 1.8, failed: 0.05 }), late)
  assert.deepEqual(verdicts(worse), [['errors', 'worse'], ['p95', 'worse']])
  const [errors, p95] = worse.series
  assert.ok(p95 && Math.abs((p95.change ?? 0) - 0.8) < 0.1 && (p95.low ?? 0) > 0.5 && (p95.high ?? 9) < 1.1, JSON.stringify(p95))
  assert.ok(errors && Math.abs((errors.change ?? 0) - 0.049) < 0.01)
  assert.deepEqual(verdicts(compareRelease(marker, slices({ latency: 1.2 }), late))[0], ['p95', 'changed a little'])
  assert.deepEqual(verdicts(compareRelease(marker, slices({ latency: 0.5 }), late))[0], ['p95', 'better'])
  const preliminary = compareRelease(marker, slices({}), NOON + 4 * MINUTE)
  assert.deepEqual([preliminary.isPreliminary, preliminary.series[0]?.verdict], [true, 'too few data'])
})

test('a release that changes nothing is called worse in none of two hundred cases, however noisy', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const compared = compareRelease(marker, slices({ seed, noise: 0.4 }), NOON + 60 * MINUTE)
    assert.ok(compared.series.every(({ verdict }) => verdict !== 'worse'), `seed ${seed}: ${JSON.stringify(compared.series)}`)
  }
})

test('a regression is told after twelve minutes, again every minute, the same after a restart, and ended by the next release', async () => {
  const log: DeployEntry[] = []
  const clock = new FakeClock(NOON - 5 * MINUTE)
  const told: Alert[][] = []
  let version = '1'
  const open = async (): Promise<{ watch: ReleaseWatch; book: DeployBook }> => {
    const book = await bookOver(log, clock.now())
    const watch = new ReleaseWatch({
      book,
      evaluator: { at: (_expression, time) => Promise.resolve([{ labels: { service_name: 'shop', deployment_environment_name: 'prod', service_version: version }, value: time / 1000 }]) },
      read: (range) => Promise.resolve(slices({ latency: 2 }, range)),
      receiver: { accept: (alerts) => Promise.resolve(void told.push([...alerts])) },
      clock,
      logger: silentLog,
      externalUrl: '',
    })
    watch.start()
    return { watch, book }
  }
  const pass = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await clock.advance(MINUTE)
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const first = await open()
  await pass(4)
  version = '2'
  await pass(11)
  assert.equal(told.length, 0)
  await pass(4)
  const [alert] = told.at(-1) ?? []
  assert.ok(alert, 'nothing was told')
  assert.deepEqual({ ...alert.labels }, { alertname: 'ReleaseRegression', service_name: 'shop', deployment_environment_name: 'prod', service_version: '2', severity: 'warning' })
  assert.match(alert.annotations['description'] ?? '', /95th percentile of latency \d+ ms before, 20\d ms after/)
  await first.watch.stop()
  told.length = 0
  const second = await open()
  await pass(2)
  assert.deepEqual(told.at(-1)?.map(({ labels, startsAt }) => [labels, startsAt]), [[alert.labels, alert.startsAt]])
  version = '3'
  await pass(2)
  const ended = told.flat().find(({ endsAt = Infinity }) => endsAt <= clock.now())
  assert.deepEqual(ended?.labels, alert.labels)
  await second.watch.stop()
})
