import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AndonError, type BacktestEpisode, type BacktestResult, type Labels, labelsKey, type Milliseconds } from '@andon/model'
import { Engine } from '../query/engine.ts'
import { MemorySource } from '../query/memory/memory-source.ts'
import { FakeClock } from '../runtime/clock.ts'
import type { ActiveAlert, Transition } from './alerting.ts'
import { backtest } from './backtest.ts'
import { Backtests } from './backtests.ts'
import { elementsOf, type RangeEngine } from './chunked-query.ts'
import type { AlertRule, RuleGroup } from './definition.ts'
import { GroupEvaluator, type RuleWorld } from './group.ts'
import { readRules } from './schema.ts'

const START = Date.UTC(2026, 0, 1)
const STEP = 15_000
const MINUTE = 60_000
const LIMITS = { querySamples: 1_000_000, querySteps: 11_000, queryMs: 60_000 }

function ruleOf(text: string): { rule: AlertRule; group: RuleGroup } {
  const [group] = readRules(text, 'f.yaml')
  const rule = group?.rules[0]
  assert.ok(group !== undefined && rule?.kind === 'alert')
  return { rule, group }
}

const prometheusRule = (expr: string, more = ''): { rule: AlertRule; group: RuleGroup } => ruleOf(`groups: [{ name: g, rules: [{ alert: A, expr: ${JSON.stringify(expr)}${more} }] }]`)
const eachMinute = (expr: string, more = ''): { rule: AlertRule; group: RuleGroup } => ruleOf(`groups: [{ name: g, interval: 1m, rules: [{ alert: A, expr: ${expr}${more} }] }]`)

function run(source: MemorySource, { rule, group }: { rule: AlertRule; group: RuleGroup }, to: Milliseconds, chunkSteps = 500, engine: RangeEngine = new Engine(source, LIMITS)): Promise<BacktestResult> {
  return backtest(rule, group, engine, { from: START, to, intervalMs: STEP, queryOffsetMs: 0, externalLabels: {}, signal: new AbortController().signal, chunkSteps })
}

/** The live evaluation, one instant query after the other, and the times in which its alerts fired. */
async function live(source: MemorySource, { group }: { group: RuleGroup }, to: Milliseconds): Promise<BacktestEpisode[]> {
  const engine = new Engine(source, LIMITS)
  const open = new Map<string, BacktestEpisode>()
  const episodes: BacktestEpisode[] = []
  let now = START
  const noted = ({ from, to: state, alert }: Transition): void => {
    const key = labelsKey(alert.labels)
    if (state === 'firing') open.set(key, { labels: alert.labels, activeAt: alert.activeAt, start: now, end: null, peak: alert.value })
    const held = open.get(key)
    if (from === 'firing' && held !== undefined) {
      episodes.push({ ...held, end: now })
      open.delete(key)
    }
  }
  const told = (alerts: readonly ActiveAlert[]): void => {
    for (const { labels, state, value } of alerts) {
      const held = open.get(labelsKey(labels))
      if (state === 'firing' && held !== undefined) open.set(labelsKey(labels), { ...held, peak: Math.max(held.peak, value) })
    }
  }
  const world: RuleWorld = {
    query: async (expression, time) => elementsOf(await engine.instant(expression, time)),
    write: () => Promise.resolve(),
    keep: (transitions) => Promise.resolve(transitions.forEach(noted)),
    told: (alerts) => Promise.resolve(told(alerts)),
    now: () => now,
    externalUrl: '',
    externalLabels: {},
  }
  const evaluator = new GroupEvaluator(group, world, { intervalMs: STEP, queryOffsetMs: 0 })
  for (now = Math.ceil((START - evaluator.slotMs) / STEP) * STEP + evaluator.slotMs; now <= to; now += STEP) {
    await evaluator.evaluate(now)
    assert.equal(evaluator.health[0]?.lastError, '')
  }
  return [...episodes, ...open.values()]
}

const byStart = (episodes: readonly BacktestEpisode[]): unknown[] =>
  episodes.map(({ labels, activeAt, start, end, peak }) => [start, labelsKey(labels), activeAt, end, peak]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

const RULES: readonly string[] = [
  'groups: [{ name: g, rules: [{ alert: A, expr: x > 5 MORE }] }]',
  'groups: [{ name: g, query_offset: 30s, rules: [{ alert: A, expr: "sum by (b) (avg_over_time(x[1m])) > 5" MORE }] }]',
  'groups: [{ name: g, rules: [{ alert: A, expr: "x > 5 unless x{a=\'1\'} > 8" MORE }] }]',
  'groups: [{ name: g, rules: [{ alert: A, expr: "absent(x{a=\'1\'})" MORE }] }]',
  'simple: [{ id: A, metric: x, operator: gt, threshold: 6, recovery: 3 MORE }]',
  'simple: [{ id: A, metric: x, operator: gte, threshold: 7, recovery: 5, aggregation: max, window: 45s, by: [b] MORE }]',
]

/** What a series does for some steps: values, silence, or its end. */
type Piece = { readonly steps: number; readonly what: number | 'silent' | 'ended' }

function load(source: MemorySource, labels: Labels, pieces: readonly Piece[]): void {
  let time = START
  for (const { steps, what } of pieces) {
    for (let index = 0; index < steps; index += 1, time += STEP) {
      if (typeof what === 'number') source.add(labels, time, what)
      else if (what === 'ended' && index === 0) source.add(labels, time, 'stale')
    }
  }
}

test('a backtest is what the live evaluation would have told, whatever the data, the rule and the chunks', { timeout: 120_000 }, async () => {
  const piece = fc.record({ steps: fc.integer({ min: 1, max: 40 }), what: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 10 }) }, { weight: 1, arbitrary: fc.constant('silent' as const) }, { weight: 1, arbitrary: fc.constant('ended' as const) }) })
  const pieces = fc.array(piece, { minLength: 1, maxLength: 12 })
  let fired = 0
  await fc.assert(
    fc.asyncProperty(pieces, pieces, fc.constantFrom(...RULES), fc.constantFrom('', ', for: 30s', ', keep_firing_for: 45s', ', for: 1m, keep_firing_for: 1m'), fc.constantFrom(7, 50, 500), async (a, b, text, more, chunk) => {
      const source = new MemorySource()
      load(source, { __name__: 'x', a: '1', b: '1' }, a)
      load(source, { __name__: 'x', a: '2', b: '1' }, b)
      const given = ruleOf(text.replace(' MORE', more))
      const to = START + 120 * STEP
      const [expected, found] = [await live(source, given, to), await run(source, given, to, chunk)]
      assert.deepEqual(byStart(found.episodes), byStart(expected))
      assert.equal(found.count, expected.length)
      fired += expected.length
    }),
    { numRuns: 25, seed: 11 },
  )
  assert.ok(fired > 25, `only ${fired} alerts fired`)
})

test('it says how often, how long, and since when there are data', async () => {
  const source = new MemorySource()
  const days = 14
  const to = START + days * 86_400_000
  // Data of the last seven days alone; each day from noon on an hour above the limit.
  for (let time = START + 7 * 86_400_000; time <= to; time += MINUTE) source.add({ __name__: 'x' }, time, new Date(time).getUTCHours() === 12 ? 9 : 1)
    const result = await run(source, eachMinute('x > 5', ', for: 5m'), to)
  assert.deepEqual([result.count, result.isShorter, result.episodes.length, result.episodes[0]?.peak], [7, true, 7, 9])
  assert.ok(Math.abs((result.dataFrom ?? 0) - (START + 7 * 86_400_000)) <= 3_600_000)
  assert.ok(Math.abs((result.perWeek ?? 0) - 7) < 0.1)
  const share = ((60 - 5 + 0) * 7) / (7 * 24 * 60)
  assert.ok(Math.abs((result.firingShare ?? 0) - share) < share * 0.05, String(result.firingShare))
  const none = await run(source, eachMinute('nothing > 5'), to)
  assert.deepEqual([none.dataFrom, none.isShorter, none.count, none.perWeek], [null, true, 0, null])
  const low = await run(source, eachMinute('x < 2'), START + 8 * 86_400_000)
  assert.deepEqual([low.episodes[0]?.peak, low.episodes.at(-1)?.end], [1, null])
})

test('what is too much for one query is read in halves, and what nobody waits for is given up', async () => {
  const source = new MemorySource()
  for (let index = 0; index < 400; index += 1) source.add({ __name__: 'x' }, START + index * STEP, index % 40 === 0 ? 9 : 1)
  const engine = new Engine(source, LIMITS)
  let refused = 0
  const narrow: RangeEngine = {
    instant: (...given) => engine.instant(...given),
    range: (expression, start, end, step, options) => {
      if ((end - start) / step <= 30) return engine.range(expression, start, end, step, options)
      refused += 1
      return Promise.reject(new AndonError('query_too_large', 'too much'))
    },
  }
  const to = START + 400 * STEP
  const rule = prometheusRule('x > 5')
  assert.deepEqual((await run(source, rule, to, 500, narrow)).episodes, (await run(source, rule, to)).episodes)
  assert.ok(refused > 3)
  const gone = new AbortController()
  const leaving: RangeEngine = {
    ...narrow,
    range: (...given) => {
      gone.abort(new Error('the client went away'))
      return engine.range(...given)
    },
  }
  const backtests = new Backtests({ engine: leaving, clock: new FakeClock(to), intervalMs: STEP, queryOffsetMs: 0, externalLabels: {} })
  await assert.rejects(backtests.ofRule(rule.rule, { days: 1, signal: gone.signal }), /went away/)
})

test('a rule that would fail, or asks for too much, is told as such', async () => {
  const source = new MemorySource()
  for (const a of ['1', '2']) source.add({ __name__: 'x', a }, START + MINUTE, 9)
  await assert.rejects(run(source, prometheusRule('x > 5', ', labels: { a: same }'), START + 5 * MINUTE), { code: 'bad_rules', message: /same labels/ })
  await assert.rejects(run(source, prometheusRule('x > 5'), START + 250_001 * STEP), { code: 'query_too_large', message: /evaluations/ })
})

test('a few at a time, each of the rules of a file', async () => {
  const source = new MemorySource()
  const to = START + 86_400_000
  source.add({ __name__: 'x' }, to - MINUTE, 9)
  const backtests = new Backtests({ engine: new Engine(source, LIMITS), clock: new FakeClock(to), intervalMs: STEP, queryOffsetMs: 0, externalLabels: {} })
  const groups = readRules('groups: [{ name: g, rules: [{ alert: A, expr: x > 5 }, { record: r, expr: x }, { alert: B, expr: x > 10 }] }]', 'f')
  const three = [1, 2, 3].map(() => backtests.ofGroups(groups, { days: 1 }))
  const settled = await Promise.allSettled(three)
  assert.deepEqual(settled.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected'])
  const [first] = settled
  assert.ok(first?.status === 'fulfilled')
  assert.deepEqual(first.value.map(({ alert, count }) => [alert, count]), [['A', 1], ['B', 0]])
})
