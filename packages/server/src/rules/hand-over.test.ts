import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Alert } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { watchedExpression } from './hand-over.ts'
import { type AlertEntry, RuleManager } from './manager.ts'
import type { Element } from './missing.ts'
import { readRules } from './schema.ts'

const START = Date.UTC(2026, 0, 1)
const STEP = 15_000
const FILE = 'groups: [{ name: g, rules: [{ alert: High, expr: depth > 5, for: 15s, annotations: { summary: "{{ $value }}" } }] }]'

/** What is stored and what is handed over, in the order in which it was done. */
class World {
  readonly clock: FakeClock = new FakeClock(START)
  readonly own: OwnMetrics = new OwnMetrics()
  elements: readonly Element[] = []
  log: AlertEntry[] = []
  readonly events: string[] = []
  readonly handed: Alert[] = []
  isReceiverBroken = false
  isLogBroken = false
  manager: RuleManager | undefined

  async open(text = FILE): Promise<RuleManager> {
    this.manager = await RuleManager.open(
      readRules(text, 'f.yaml'),
      {
        query: (expression) => Promise.resolve(expression === 'depth > 5' ? this.elements : []),
        write: () => Promise.resolve(),
        log: {
          append: (rows) => {
            if (this.isLogBroken) return Promise.reject(new Error('the disk is full'))
            this.events.push(...rows.map(({ state }) => `stored ${state}`))
            return Promise.resolve(this.log.push(...rows.map((row) => structuredClone(row))))
          },
          latest: () => Promise.resolve([...new Map(this.log.map((row) => [row.key, row])).values()]),
        },
        clock: this.clock,
        logger: silentLog,
        own: this.own,
        receiver: {
          accept: (alerts) => {
            if (this.isReceiverBroken) return Promise.reject(new Error('not now'))
            this.handed.push(...alerts)
            this.events.push(...alerts.map(({ endsAt }) => `told ${endsAt === undefined ? 'firing' : 'resolved'}`))
            return Promise.resolve()
          },
        },
      },
      { intervalMs: STEP, queryOffsetMs: 0, externalUrl: 'http://andon', externalLabels: { cluster: 'eu' } },
    )
    this.manager.start()
    await this.settle()
    return this.manager
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  async next(times = 1): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await this.clock.advance(STEP)
      await this.settle()
    }
  }

  /** What happened since the last time. */
  since(): string[] {
    return this.events.splice(0)
  }
}

const one: readonly Element[] = [{ labels: { queue: 'a' }, value: 9 }]

test('what a rule watches is its expression without the comparison', () => {
  const cases: Readonly<Record<string, string>> = {
    'sum(rate(x[5m])) > 5': 'sum(rate(x[5m]))',
    '5 < x': 'x',
    '(a / b) > 0.1 and c > 5': 'a / b',
    'x > 1 unless y': 'x',
    'a > 1 or b > 2': 'a > 1 or b > 2',
    'absent(x)': 'absent(x)',
    'x > bool 1': 'x > bool 1',
    '((x >= 2))': 'x',
  }
  for (const [expression, watched] of Object.entries(cases)) assert.equal(watchedExpression(expression), watched, expression)
})

test('what fires is handed over at every evaluation, after it is stored; what was resolved for fifteen minutes', async () => {
  const world = new World()
  world.elements = one
  await world.open()
  await world.next()
  assert.deepEqual(world.since(), ['stored pending'])
  await world.next()
  assert.deepEqual(world.since(), ['stored firing', 'told firing'])
  const [alert] = world.handed
  assert.ok(alert)
  const { startsAt, onsetAt, ...rest } = alert
  assert.equal(startsAt - (onsetAt ?? 0), STEP)
  assert.deepEqual(rest, { labels: { alertname: 'High', queue: 'a', cluster: 'eu' }, annotations: { summary: '9' }, source: 'rule', endsAt: undefined, generatorUrl: 'http://andon/graph?g0.expr=depth+%3E+5&g0.tab=1', value: 9, expression: 'depth' })
  await world.next(2)
  assert.deepEqual(world.since(), ['told firing', 'told firing'])
  world.elements = []
  await world.next()
  assert.deepEqual(world.since(), ['stored inactive', 'told resolved'])
  await world.next(60)
  const told = world.since()
  assert.deepEqual([told.filter((event) => event === 'told resolved').length, told.at(-1)], [60, 'told resolved'])
  await world.next(2)
  assert.deepEqual(world.since(), ['stored none'])
})

test('nothing is handed over that could not be stored; a receiver that fails is told again, and no rule is worse for it', async () => {
  const world = new World()
  world.elements = one
  await world.open(FILE.replace(', for: 15s', ''))
  world.isLogBroken = true
  await world.next(2)
  assert.deepEqual(world.since(), [])
  world.isLogBroken = false
  world.isReceiverBroken = true
  await world.next()
  assert.deepEqual([world.since(), world.manager?.groups[0]?.health[0]?.health], [['stored firing'], 'ok'])
  world.isReceiverBroken = false
  await world.next()
  assert.deepEqual(world.since(), ['told firing'])
})

test('after a restart what fires is handed over again, with the same beginning, before anything is evaluated', async () => {
  const world = new World()
  world.elements = one
  await world.open()
  await world.next(3)
  await world.manager?.stop()
  const startsAt = world.handed[0]?.startsAt
  world.handed.length = 0
  await world.clock.advance(7_200_000)
  await world.open()
  assert.deepEqual(world.handed.map((alert) => [alert.startsAt, alert.endsAt]), [[startsAt, undefined]])
})

test('alerts of a rule that is gone are over: after a reload, and after a restart without it; told until taken', async () => {
  const world = new World()
  world.elements = one
  const manager = await world.open()
  await world.next(2)
  world.since()
  world.isReceiverBroken = true
  await manager.reload([])
  await world.settle()
  assert.deepEqual(world.since(), ['stored inactive'])
  world.isReceiverBroken = false
  await world.next()
  assert.deepEqual(world.since(), ['told resolved', 'stored none'])
  await world.next(10)
  assert.deepEqual(world.since(), [])

  await manager.reload(readRules(FILE, 'f.yaml'))
  await world.next(3)
  assert.equal(world.since().at(-1), 'told firing')
  await manager.stop()
  const next = await world.open('groups: []')
  assert.deepEqual(world.since(), ['stored inactive', 'told resolved', 'stored none'])
  await next.stop()
  await world.open('groups: []')
  assert.deepEqual(world.since(), [])
})

test('each origin is reloaded by itself', async () => {
  const world = new World()
  world.elements = one
  const manager = await world.open()
  await world.next(2)
  world.since()
  const own = readRules(FILE.replace('name: g', 'name: own').replaceAll('High', 'Mine'), 'api')
  await Promise.all([manager.reload(own, 'own'), manager.reload([], 'own'), manager.reload(own, 'own')])
  assert.deepEqual(manager.groups.map(({ group }) => group.name), ['g', 'own'])
  await world.next(3)
  assert.deepEqual(new Set(manager.active().map(({ alert }) => alert.labels['alertname'])), new Set(['High', 'Mine']))
  assert.ok(!world.since().includes('told resolved'))
})
