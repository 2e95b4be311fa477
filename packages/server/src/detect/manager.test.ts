// The detectors as they run: what is read when, what survives a restart and a crash, and what is told again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chance } from '@andon/bench'
import type { Alert } from '@andon/model'
import type { Evaluator, Grid, GridSeries } from '../query/grid.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { BEGIN, DAY_SLICES } from './fixture.test.ts'
import { type DetectorEntry, DetectManager } from './manager.ts'
import { READ_DELAY_MS, SLICE_MS } from './parameters.ts'
import { readDetect } from './schema.ts'
import { readings } from './signals.ts'

const END_OF_HISTORY = BEGIN + 8 * DAY_SLICES * SLICE_MS
const LABELS = { service_name: 'shop' }
const errors = readings('').find(({ signal }) => signal === 'errors')
const p95 = readings('').find(({ signal }) => signal === 'p95')
assert.ok(errors && p95)

/** The same slice always has the same value, however often it is asked for. */
function valueAt(expression: string, time: number, faults: readonly (readonly [number, number])[]): number | null {
  if (time < BEGIN) return null
  if (expression.startsWith('sum(increase(')) return 1000
  const chance = new Chance(Math.round(time / SLICE_MS) * 7 + expression.length)
  chance.uniform()
  const isBad = faults.some(([from, to]) => time - SLICE_MS >= from && time - SLICE_MS < to)
  if (expression === errors?.value) return chance.binomial(300, isBad ? 0.12 : 0.001)
  if (expression === errors?.count) return 300
  if (expression === p95?.value) return 0.1 * Math.exp(0.1 * chance.normal()) * (isBad ? 2.5 : 1)
  return null
}

/** A world that a test owns. */
class World {
  readonly clock: FakeClock = new FakeClock(END_OF_HISTORY + READ_DELAY_MS)
  readonly log: DetectorEntry[] = []
  readonly told: Alert[][] = []
  readonly faults: [number, number][] = []
  readonly asked: Grid[] = []
  own: OwnMetrics = new OwnMetrics()
  manager: DetectManager | undefined
  isReceiverDown = false
  /** The process that lives; what was killed reaches nothing any more. */
  #process = 0

  readonly evaluator: Evaluator = {
    over: (expression, grid): Promise<readonly GridSeries[]> => {
      if (expression === errors?.count) this.asked.push(grid)
      const values = grid.t.map((time) => valueAt(expression, time, this.faults))
      return Promise.resolve(values.some((value) => value !== null) ? [{ labels: LABELS, values }] : [])
    },
    at: () => Promise.resolve([]),
  }

  async open(more: Readonly<Record<string, unknown>> = {}): Promise<DetectManager> {
    this.own = new OwnMetrics()
    this.#process += 1
    const process = this.#process
    const isDead = (): boolean => process !== this.#process
    this.manager = await DetectManager.open(
      {
        evaluator: this.evaluator,
        log: {
          append: (rows) => (isDead() ? Promise.reject(new Error('killed')) : Promise.resolve(this.log.push(...rows))),
          latest: (_kind, { except }) => Promise.resolve([...new Map(this.log.map((row) => [row.key, row])).values()].filter(({ state }) => !except.includes(state)).map(({ key, state, doc }) => ({ key, state, doc: JSON.parse(JSON.stringify(doc)) as unknown }))),
        },
        receiver: { accept: (alerts) => (this.isReceiverDown || isDead() ? Promise.reject(new Error('down')) : Promise.resolve(void this.told.push([...alerts]))) },
        clock: this.clock,
        logger: silentLog,
        own: this.own,
        externalUrl: '',
      },
      readDetect({ history_days: 8, ...more }),
    )
    this.manager.start()
    return this.manager
  }

  /** Lets slices pass, and what comes of them settle. */
  async pass(slices: number): Promise<void> {
    for (let slice = 0; slice < slices; slice += 1) {
      await this.clock.advance(SLICE_MS)
      await this.settle()
    }
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  async caughtUp(): Promise<void> {
    await this.clock.advance(SLICE_MS)
    for (let turn = 0; turn < 20_000 && this.manager?.progress.isReplaying === true; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    await this.settle()
  }

  states(): unknown[] {
    return [...(this.manager?.watch.series ?? [])].map(({ id, state }) => [id.signal, state])
  }

  lasting(): readonly Alert[] {
    return this.told.at(-1)?.filter(({ endsAt }) => endsAt === undefined) ?? []
  }
}

test('a service with stored history is judged at once; alarms, restarts and a crash between telling and keeping lose and double nothing', { timeout: 120_000 }, async () => {
  const world = new World()
  await world.open()
  await world.caughtUp()
  assert.deepEqual(world.states(), [['errors', 'page'], ['p95', 'page']])
  assert.ok(world.asked.every(({ t }) => t.length <= 240))
  assert.deepEqual(world.told, [])

  const begin = world.clock.now() + 4 * SLICE_MS
  world.faults.push([begin, begin + 60 * SLICE_MS])
  await world.pass(12)
  const [alert] = world.lasting()
  assert.ok(alert, 'nothing was told')
  assert.ok(alert.startsAt - begin <= 60_000, `${alert.startsAt - begin} ms`)
  assert.ok(Math.abs((alert.onsetAt ?? 0) - begin) <= 2 * SLICE_MS)

  // Stopped in order, and started again: the same alert goes on.
  await world.manager?.stop()
  world.told.length = 0
  await world.clock.advance(5 * SLICE_MS)
  await world.open()
  await world.pass(3)
  assert.deepEqual(world.lasting().map(({ labels, startsAt }) => [labels, startsAt]), [[alert.labels, alert.startsAt]])

  // Switched off it is ended, and after that nothing is told; switched on again it fires, because it lasts.
  await world.manager?.stop()
  world.told.length = 0
  const kept = world.log.length
  await world.open({ enabled: false })
  await world.settle()
  assert.deepEqual(world.told.flat().map(({ labels, startsAt, endsAt }) => [labels, startsAt, endsAt]), [[alert.labels, alert.startsAt, world.clock.now()]])
  await world.manager?.stop()
  await world.open({ enabled: false })
  await world.settle()
  assert.equal(world.told.length, 1)
  world.log.length = kept

  // Killed, with what was kept since taken away: slices are read again, and the alert is the same.
  const beforeKill = world.log.findLastIndex(({ key }) => key === 'progress')
  world.log.length = beforeKill + 1
  world.told.length = 0
  world.isReceiverDown = true
  await world.open()
  await world.pass(2)
  world.isReceiverDown = false
  await world.pass(2)
  assert.deepEqual(world.lasting().map(({ labels, startsAt }) => [labels, startsAt]), [[alert.labels, alert.startsAt]])

  await world.pass(60)
  const all: readonly Alert[] = world.told.flat()
  const ended = all.filter(({ endsAt }) => endsAt !== undefined)
  assert.deepEqual(ended.map(({ labels, startsAt }) => [labels, startsAt]), [[alert.labels, alert.startsAt]])
  assert.equal(world.log.findLast(({ key }) => key.startsWith('alert:'))?.state, 'none')
})

test('what began and ended in the history wakes nobody; series know of it', { timeout: 120_000 }, async () => {
  const world = new World()
  const begin = END_OF_HISTORY - 2 * DAY_SLICES * SLICE_MS
  world.faults.push([begin, begin + 40 * SLICE_MS])
  const manager = await world.open()
  await world.caughtUp()
  await world.pass(2)
  assert.deepEqual(world.told.flat().filter(({ endsAt }) => endsAt === undefined), [])
  const episodes = [...manager.watch.series].flatMap(({ episodes: each }) => each)
  assert.ok(episodes.length >= 2 && episodes.every(({ isExplained }) => isExplained))
  assert.deepEqual(world.states(), [['errors', 'page'], ['p95', 'page']])
})

test('the section detect of andon.yaml', () => {
  assert.deepEqual(readDetect(undefined), { enabled: true, historyMs: 8 * 86_400_000, maxSeries: 10_000 })
  assert.deepEqual(readDetect({ enabled: false, history_days: 3, max_series: 50 }), { enabled: false, historyMs: 3 * 86_400_000, maxSeries: 50 })
  for (const [value, message] of [[7, /^detect must hold/], [{ enabled: 'no' }, /detect\.enabled/], [{ history_days: 0 }, /detect\.history_days/], [{ x: 1 }, /detect\.x is not known here/]] as const) {
    assert.throws(() => readDetect(value), { code: 'bad_config', message })
  }
})
