import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Alert, Labels, Milliseconds } from '@andon/model'
import { Engine } from '../query/engine.ts'
import { MemorySource } from '../query/memory/memory-source.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { elementsOf } from './chunked-query.ts'
import { type AlertEntry, RuleManager } from './manager.ts'
import { defaultTelemetry, readTelemetryOptions, type TelemetryOptions, TelemetryWatch } from './telemetry.ts'

const START = Date.UTC(2026, 0, 1)
const STEP = 15_000
const MINUTE = 60_000

interface Process {
  readonly service: string
  readonly instance: string
  readonly every?: Milliseconds
}

/** Services that report, and the server that listens to them. */
class World {
  readonly clock: FakeClock = new FakeClock(START)
  readonly source: MemorySource = new MemorySource()
  readonly alerts = new Map<string, Alert>()
  readonly log: AlertEntry[] = []
  manager: RuleManager | undefined

  async open(options: Partial<TelemetryOptions> = {}): Promise<void> {
    const engine = new Engine(this.source, { querySamples: 1_000_000, querySteps: 11_000, queryMs: 60_000 })
    const query = async (expression: string, time: Milliseconds): Promise<ReturnType<typeof elementsOf>> => elementsOf(await engine.instant(expression, time))
    const watch = new TelemetryWatch({ ...defaultTelemetry, ...options }, { query, now: () => this.clock.now(), own: new OwnMetrics() })
    this.manager = await RuleManager.open(
      [],
      {
        query,
        write: () => Promise.resolve(),
        log: { append: (rows) => Promise.resolve(this.log.push(...rows)), latest: () => Promise.resolve([...new Map(this.log.map((row) => [row.key, row])).values()]) },
        clock: this.clock,
        logger: silentLog,
        own: new OwnMetrics(),
        receiver: { accept: (alerts) => Promise.resolve(alerts.forEach((alert) => this.alerts.set(JSON.stringify(alert.labels), alert))) },
      },
      { intervalMs: STEP, queryOffsetMs: 0, externalUrl: '', externalLabels: {} },
      { telemetry: watch.groups() },
    )
    this.manager.start()
  }

  #labels({ service, instance }: Process, name: string): Labels {
    return { __name__: name, job: service, service_name: service, instance }
  }

  report(process: Process, time: Milliseconds = this.clock.now()): void {
    this.source.add(this.#labels(process, 'target_info'), time, 1)
    this.source.add(this.#labels(process, 'process_memory_usage_bytes'), time, 5)
    this.source.add(this.#labels(process, 'requests_total'), time, 5)
    this.source.add({ ...this.#labels(process, 'handles'), kind: 'socket' }, time, 1)
  }

  /** As our agent does when its process ends in order: all gauges are ended a little later than their last value. */
  end(process: Process): void {
    this.report(process)
    const time = this.clock.now() + 1
    this.source.add(this.#labels(process, 'target_info'), time, 1)
    this.source.add(this.#labels(process, 'process_memory_usage_bytes'), time, 'stale')
    this.source.add({ ...this.#labels(process, 'handles'), kind: 'socket' }, time, 'stale')
  }

  /** Lets time pass in which these processes report, every 15 seconds where they do not say otherwise. */
  async pass(ms: Milliseconds, ...processes: readonly Process[]): Promise<void> {
    for (const end = this.clock.now() + ms; this.clock.now() < end; ) {
      for (const process of processes) if ((this.clock.now() - START) % (process.every ?? STEP) === 0) this.report(process)
      await this.clock.advance(STEP)
      for (let turn = 0; turn < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  firing(): string[] {
    return (this.manager?.active() ?? []).map(({ alert: { labels } }) => `${labels['service_name'] ?? labels['job']}${labels['instance'] === undefined ? '' : `/${labels['instance']}`}`)
  }
}

const shop: Process = { service: 'shop', instance: 'a' }
const shop2: Process = { service: 'shop', instance: 'b' }
const bank: Process = { service: 'bank', instance: 'c' }

test('a service that falls silent has one alert, which ends when it reports again', async () => {
  const world = new World()
  await world.open()
  await world.pass(3 * MINUTE, shop, shop2, bank)
  assert.deepEqual(world.firing(), [])
  const lastSeen = world.clock.now() - STEP
  await world.pass(MINUTE + 30_000, bank)
  assert.deepEqual(world.firing(), [])
  await world.pass(MINUTE, bank)
  assert.deepEqual(world.firing(), ['shop'])
  const [alert] = world.alerts.values()
  assert.equal(alert?.annotations['runbook'], 'telemetry-missing')
  assert.deepEqual([alert.labels, alert.source, alert.endsAt, alert.onsetAt], [{ alertname: 'TelemetryMissing', job: 'shop', service_name: 'shop', severity: 'warning' }, 'telemetry', undefined, lastSeen])
  assert.match(alert.annotations['summary'] ?? '', /^shop has told nothing for \d+m/)
  await world.pass(20 * MINUTE, bank)
  assert.deepEqual(world.firing(), ['shop'])
  await world.pass(MINUTE, bank, shop)
  assert.deepEqual(world.firing(), [])
  assert.notEqual([...world.alerts.values()][0]?.endsAt, undefined)
})

test('a clock that is wrong is not silence', async () => {
  const world = new World()
  await world.open()
  for (let report = 0; report < 40; report += 1) {
    world.report(shop, world.clock.now() - 4 * MINUTE)
    await world.pass(STEP)
    assert.deepEqual(world.firing(), [])
  }
  await world.pass(3 * MINUTE)
  assert.deepEqual(world.firing(), ['shop'])
})

test('an instance that goes away while others of its service report is no matter; asked for, it is', async () => {
  for (const [per, expected] of [['service', []], ['instance', ['shop/b']]] as const) {
    const world = new World()
    await world.open({ per })
    await world.pass(3 * MINUTE, shop, shop2)
    await world.pass(5 * MINUTE, shop)
    assert.deepEqual(world.firing(), expected)
  }
})

test('a process that ended in order is not missed; one that ends things while it runs is, when it is killed', async () => {
  const world = new World()
  await world.open()
  await world.pass(3 * MINUTE, shop, bank)
  world.end(shop)
  world.report(bank)
  world.source.add({ __name__: 'handles', job: 'bank', service_name: 'bank', instance: 'c', kind: 'socket' }, world.clock.now() + 1, 'stale')
  await world.pass(10 * MINUTE)
  assert.deepEqual(world.firing(), ['bank'])
})

test('who reports seldom is given time; who is silent for too long is given up', async () => {
  const world = new World()
  await world.open({ resolveAfterMs: 60 * MINUTE })
  const slow = { ...shop, every: 2 * MINUTE }
  await world.pass(10 * MINUTE, slow)
  assert.deepEqual(world.firing(), [])
  await world.pass(3 * MINUTE)
  assert.deepEqual(world.firing(), [])
  await world.pass(3 * MINUTE)
  assert.deepEqual(world.firing(), ['shop'])
  await world.pass(60 * MINUTE)
  assert.deepEqual(world.firing(), [])
})

test('a restart forgets no alert, and takes its own absence for nobody else’s', async () => {
  const world = new World()
  await world.open()
  await world.pass(3 * MINUTE, shop, bank)
  await world.pass(4 * MINUTE, bank)
  assert.deepEqual(world.firing(), ['shop'])
  const beginning = world.manager?.active()[0]?.alert.firedAt
  await world.manager?.stop()
  await world.clock.advance(30 * MINUTE)
  await world.open()
  await world.pass(MINUTE, bank)
  assert.deepEqual([world.firing(), world.manager?.active()[0]?.alert.firedAt], [['shop'], beginning])
  await world.pass(5 * MINUTE, bank)
  assert.deepEqual(world.firing(), ['shop'])
})

test('a target that does not answer is missed by itself; one whose end was told is not', async () => {
  const world = new World()
  await world.open()
  const up = (instance: string, value: number | 'stale'): void => world.source.add({ __name__: 'up', job: 'node', service_name: 'node', instance }, world.clock.now(), value)
  for (let minute = 0; minute < 8; minute += 1) {
    up('one', 1)
    up('two', minute < 3 ? 1 : 0)
    up('never', 0)
    if (minute < 4) up('gone', minute < 3 ? 1 : 'stale')
    await world.pass(MINUTE)
  }
  assert.deepEqual(world.firing().toSorted(), ['node/never', 'node/two'])
})

test('options are read, and what is wrong is named by its path', () => {
  assert.deepEqual(readTelemetryOptions(undefined), defaultTelemetry)
  assert.deepEqual(readTelemetryOptions({ enabled: false, for: '5m', resolve_after: '2h', per: 'instance', severity: 'critical', ignore: ['batch'] }), { isOn: false, forMs: 300_000, resolveAfterMs: 7_200_000, per: 'instance', severity: 'critical', ignore: ['batch'] })
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ for: '1s' }, /rules\.telemetry_missing\.for must be a duration of 10s/],
    [{ per: 'host' }, /\.per must be one of service, instance/],
    [{ severity: 'page' }, /\.severity/],
    [{ enabled: 'no' }, /\.enabled/],
    [{ after: '1m' }, /rules\.telemetry_missing\.after is not known here/],
    [{ ignore: 'x' }, /\.ignore must be a list/],
  ]
  for (const [given, reason] of cases) assert.throws(() => readTelemetryOptions(given), { code: 'bad_config', message: reason })
})
