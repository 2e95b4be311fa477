import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Labels } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { RulePoint } from './group.ts'
import { type AlertEntry, RuleManager } from './manager.ts'
import { readRules } from './schema.ts'

const START = Date.UTC(2026, 0, 1)
const FILE = `groups:
  - name: g
    rules:
      - record: double
        expr: base
        labels: { tier: web }
      - alert: High
        expr: high
        for: 30s
        labels: { severity: page, where: "{{ $labels.instance }}" }
        annotations: { summary: "{{ $labels.instance }} is at {{ $value }} of {{ with query \\"base\\" }}{{ . | first | value }}{{ end }}" }
`

type Samples = readonly { readonly labels: Labels; readonly value: number }[]

/** A world that a test owns: what queries answer, what was written, what the log holds. */
class World {
  readonly clock: FakeClock = new FakeClock(START)
  readonly own: OwnMetrics = new OwnMetrics()
  readonly answers: Map<string, Samples> = new Map()
  readonly points: RulePoint[] = []
  readonly log: AlertEntry[] = []
  isLogBroken = false
  hold: Promise<void> | undefined
  manager: RuleManager | undefined

  async open(text = FILE): Promise<RuleManager> {
    this.manager = await RuleManager.open(
      readRules(text, 'f.yaml'),
      {
        query: async (expression) => {
          await this.hold
          return this.answers.get(expression) ?? []
        },
        write: (points) => Promise.resolve(void this.points.push(...points)),
        log: {
          append: (rows) => (this.isLogBroken ? Promise.reject(new Error('the disk is full')) : Promise.resolve(this.log.push(...rows))),
          latest: () => Promise.resolve([...new Map(this.log.map((row) => [row.key, row])).values()].map(({ state, doc }) => ({ state, doc: JSON.parse(JSON.stringify(doc)) as unknown }))),
        },
        clock: this.clock,
        logger: silentLog,
        own: this.own,
      },
      { intervalMs: 15_000, queryOffsetMs: 0, externalUrl: 'http://andon', externalLabels: {} },
    )
    this.manager.start()
    return this.manager
  }

  /** Lets the next evaluation come, and what it does settle. */
  async next(): Promise<void> {
    await this.clock.advance(15_000)
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  states(): string[] {
    return (this.manager?.active() ?? []).map(({ alert }) => `${alert.labels['instance']}:${alert.state}`)
  }

  metric(name: string): number {
    return this.own.render().find((family) => family.name === name)?.samples[0]?.value ?? 0
  }
}

const element = (instance: string, value: number): { labels: Labels; value: number } => ({ labels: { instance }, value })

test('rules are evaluated in order, on their slot; series are written, and ended when they are gone', async () => {
  const world = new World()
  world.answers.set('base', [element('a', 2), element('b', 3)])
  const manager = await world.open()
  await world.next()
  const [first] = world.points
  assert.deepEqual([first?.labels, first?.value, first?.isStale], [{ __name__: 'double', instance: 'a', tier: 'web' }, 2, false])
  const [group] = manager.groups
  assert.equal(((first?.time ?? 0) - (group?.slotMs ?? 0)) % 15_000, START % 15_000)
  world.answers.set('base', [element('a', 2)])
  world.points.length = 0
  await world.next()
  assert.deepEqual(world.points.map(({ labels, isStale }) => [labels['instance'], isStale]), [['a', false], ['b', true]])
})

test('an alert is pending, fires with its texts filled in, and is seen as a series', async () => {
  const world = new World()
  world.answers.set('base', [element('a', 2)])
  world.answers.set('high', [element('web-1', 9.5)])
  await world.open()
  await world.next()
  assert.deepEqual(world.states(), ['web-1:pending'])
  await world.next()
  await world.next()
  assert.deepEqual(world.states(), ['web-1:firing'])
  const [active] = world.manager?.active() ?? []
  assert.deepEqual(active?.alert.labels, { instance: 'web-1', severity: 'page', where: 'web-1', alertname: 'High' })
  assert.deepEqual(active.alert.annotations, { summary: 'web-1 is at 9.5 of 2' })
  const alerts = world.points.filter(({ labels }) => labels['__name__'] === 'ALERTS')
  assert.deepEqual(alerts.map(({ labels, isStale }) => [labels['alertstate'], isStale]), [['pending', false], ['pending', false], ['firing', false], ['pending', true]])
  assert.deepEqual(world.log.map(({ state, severity }) => [state, severity]), [['pending', 'page'], ['firing', 'page']])
})

test('after a restart what fired still does, and what was pending goes on without the time in between', async () => {
  const world = new World()
  world.answers.set('high', [element('a', 9)])
  await world.open()
  for (let turn = 0; turn < 3; turn += 1) await world.next()
  world.answers.set('high', [element('a', 9), element('b', 9)])
  await world.next()
  assert.deepEqual(world.states(), ['a:firing', 'b:pending'])
  const firedAt = world.manager?.active()[0]?.alert.firedAt
  await world.manager?.stop()
  const stoppedAt = world.clock.now()
  await world.clock.advance(600_000)
  world.answers.set('max(max_over_time(timestamp(ALERTS_FOR_STATE)[1h:1m]))', [{ labels: {}, value: stoppedAt / 1000 }])
  await world.open()
  assert.deepEqual(world.states(), ['a:firing', 'b:pending'])
  assert.equal(world.manager?.active()[0]?.alert.firedAt, firedAt)
  await world.next()
  assert.deepEqual(world.states(), ['a:firing', 'b:pending'])
  await world.next()
  assert.deepEqual(world.states(), ['a:firing', 'b:firing'])
})

test('nothing changes that could not be stored, and it is tried again', async () => {
  const world = new World()
  world.answers.set('high', [element('a', 9)])
  await world.open()
  world.isLogBroken = true
  await world.next()
  assert.deepEqual([world.states(), world.manager?.groups[0]?.health[1]?.lastError], [[], 'the disk is full'])
  assert.equal(world.metric('andon_rules_failures_total'), 1)
  world.isLogBroken = false
  await world.next()
  assert.deepEqual([world.states(), world.manager?.groups[0]?.health[1]?.health], [['a:pending'], 'ok'])
})

test('a reload keeps the state of rules that stay, and ends the series of those that go', async () => {
  const world = new World()
  world.answers.set('base', [element('a', 2)])
  world.answers.set('high', [element('a', 9)])
  const manager = await world.open()
  for (let turn = 0; turn < 3; turn += 1) await world.next()
  world.points.length = 0
  await manager.reload(readRules(FILE.replace(/ {6}- record: double[\s\S]*?(?= {6}- alert)/, '').replace('for: 30s', 'for: 10m'), 'f.yaml'))
  assert.deepEqual(world.states(), ['a:firing'])
  assert.deepEqual(world.points.map(({ labels, isStale }) => [labels['__name__'], isStale]), [['double', true]])
  await world.next()
  assert.deepEqual(world.states(), ['a:firing'])
})

test('an evaluation that is still under way is not begun twice, and a stop waits for it', async () => {
  const world = new World()
  const releases: (() => void)[] = []
  world.hold = new Promise((resolve) => void releases.push(resolve))
  const manager = await world.open()
  for (let turn = 0; turn < 3; turn += 1) await world.next()
  assert.equal(world.metric('andon_rules_missed_total'), 2)
  let stopped = false
  const stop = manager.stop().then(() => (stopped = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(stopped, false)
  for (const release of releases) release()
  await stop
})

test('a source that falls silent freezes its alert; one that ended does not', async () => {
  const world = new World()
  const text = 'groups: [{ name: g, rules: [{ alert: A, expr: "sum by (instance) (rate(x[1m])) > 1" }] }]'
  world.answers.set('sum by (instance) (rate(x[1m])) > 1', [element('a', 9)])
  const one: Samples = [{ labels: {}, value: 1 }]
  const read = 'count(count_over_time(x{instance="a"}[1m]))'
  world.answers.set(read, one)
  await world.open(text)
  await world.next()
  assert.deepEqual(world.states(), ['a:firing'])
  const before = world.clock.now()
  world.answers.set('sum by (instance) (rate(x[1m])) > 1', [])
  // Nothing now, something when it was last seen.
  const manager = await RuleManager.open(
    readRules(text, 'f.yaml'),
    {
      query: (expression, time) => Promise.resolve(expression === read ? (time > before ? [] : one) : expression.startsWith('count(last_over_time') || expression === 'count(x{instance="a"})' ? [] : (world.answers.get(expression) ?? [])),
      write: () => Promise.resolve(),
      log: { append: () => Promise.resolve(), latest: () => Promise.resolve(world.log.map(({ state, doc }) => ({ state, doc }))) },
      clock: world.clock,
      logger: silentLog,
      own: new OwnMetrics(),
    },
    { intervalMs: 15_000, queryOffsetMs: 0, externalUrl: '', externalLabels: {} },
  )
  await world.manager?.stop()
  manager.start()
  world.manager = manager
  await world.next()
  assert.deepEqual(manager.active().map(({ alert }) => [alert.state, alert.noDataSince !== undefined]), [['firing', true]])
  await manager.stop()
})
