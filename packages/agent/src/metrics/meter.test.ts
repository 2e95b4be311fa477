import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diag } from '@opentelemetry/api'
import type { MetricRecord } from '@andon/model'
import { AgentMeterProvider } from './meter.ts'

const resource = { attributes: {}, droppedAttributes: 0, schemaUrl: '' }

function take(provider: AgentMeterProvider, start = 1n, time = 2n): Record<string, MetricRecord['data']> {
  return Object.fromEntries(provider.collect(resource, { start, time }).map(({ name, data }) => [name, data]))
}

test('counters and histograms are sent as what came since the last collection, and nothing when nothing came', () => {
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  const counter = meter.createCounter('c')
  const histogram = meter.createHistogram('h', { unit: 's' })
  counter.add(2, { a: 'x', b: 1 })
  counter.add(3, { b: 1, a: 'x' })
  histogram.record(0.25)
  const { c, h } = take(provider, 10n, 20n)
  assert.ok(c?.type === 'sum' && h?.type === 'exponentialHistogram')
  assert.deepEqual([c.monotonic, c.temporality, c.points.map(({ value, start, time }) => [value, start, time])], [true, 'delta', [[5, 10n, 20n]]])
  assert.deepEqual([h.temporality, h.points[0]?.count, h.points[0]?.sum, h.points[0]?.scale], ['delta', 1, 0.25, 5])
  assert.deepEqual(take(provider), {})
  counter.add(1)
  assert.deepEqual(Object.keys(take(provider)), ['c'])
})

test('an up-down counter is sent whole, a gauge with its last value', () => {
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  const open = meter.createUpDownCounter('open')
  meter.createGauge('g').record(7)
  open.add(3)
  take(provider)
  open.add(-1)
  const { open: data, g } = take(provider)
  assert.ok(data?.type === 'sum' && g?.type === 'gauge')
  assert.deepEqual([data.monotonic, data.temporality, data.points[0]?.value, g.points[0]?.value], [false, 'cumulative', 2, 7])
})

test('past 2,000 attribute sets increments go to one that says so: no count is lost', () => {
  const provider = new AgentMeterProvider()
  const counter = provider.getMeter('test').createCounter('c')
  for (let i = 0; i < 5000; i += 1) counter.add(1, { id: `n${i}` })
  const { c } = take(provider)
  assert.ok(c?.type === 'sum')
  assert.ok(c.points.length <= 2001)
  const overflow = c.points.find(({ attributes }) => attributes['otel.metric.overflow'] === true)
  assert.equal(overflow?.value, 3000)
  assert.equal(c.points.reduce((sum, { value }) => sum + value, 0), 5000)
})

test('observable instruments: counters tell totals and are sent as differences; a set that is told no more is gone', () => {
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  let total = 10
  let kinds = ['a', 'b']
  meter.createObservableCounter('c').addCallback((result) => result.observe(total))
  meter.createObservableGauge('g').addCallback((result) => kinds.forEach((kind) => result.observe(1, { kind })))
  meter.createObservableGauge('broken').addCallback(() => {
    throw new Error('broken')
  })
  const first = take(provider)
  assert.ok(first['c']?.type === 'sum' && first['g']?.type === 'gauge')
  assert.deepEqual([first['c'].points[0]?.value, first['g'].points.length], [10, 2])
  total = 14
  kinds = ['b']
  const second = take(provider)
  assert.ok(second['c']?.type === 'sum' && second['g']?.type === 'gauge')
  assert.deepEqual([second['c'].points[0]?.value, second['g'].points.map(({ attributes, flags }) => [attributes['kind'], flags])], [4, [['b', 0], ['a', 1]]])
  total = 1
  const third = take(provider)
  assert.ok(third['c']?.type === 'sum' && third['g']?.type === 'gauge')
  assert.equal(third['c'].points[0]?.value, 1)
  // Its end was told once.
  assert.deepEqual(third['g'].points.map(({ attributes }) => attributes['kind']), ['b'])
})

test('at the end of a process its gauges and up-down counters end after their last values; counters and histograms just stop', () => {
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  meter.createGauge('g').record(7, { a: 1 })
  meter.createUpDownCounter('open').add(3)
  meter.createObservableGauge('o').addCallback((result) => result.observe(5))
  meter.createCounter('c').add(1)
  meter.createHistogram('h').record(1)
  const last = Object.fromEntries(provider.collect(resource, { start: 1_000_000n, time: 5_000_000n, isEnd: true }).map(({ name, data }) => [name, data]))
  assert.deepEqual(Object.keys(last).toSorted(), ['c', 'g', 'h', 'o', 'open'])
  for (const [name, value] of [['g', 7], ['open', 3], ['o', 5]] as const) {
    const data = last[name]
    assert.ok(data?.type === 'gauge' || data?.type === 'sum')
    assert.deepEqual(data.points.map(({ flags, time, value: each, attributes }) => [flags, time, flags === 0 ? each : 0, attributes]), [[0, 5_000_000n, value, data.points[0]?.attributes], [1, 6_000_000n, 0, data.points[0]?.attributes]])
  }
  for (const name of ['c', 'h']) {
    const data = last[name]
    assert.ok(data !== undefined && 'points' in data)
    assert.deepEqual(data.points.map(({ flags }) => flags), [0])
  }
})

test('what is no number, and a counter’s decrease, is ignored', () => {
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  meter.createCounter('c').add(-1)
  meter.createHistogram('h').record(Number.NaN)
  meter.createGauge('g').record(Infinity)
  assert.deepEqual(take(provider), {})
})

/** What a counter's series received over several collections, those of the overflow under 'others'. */
function addUp(sums: Map<string, number>, { c }: Record<string, MetricRecord['data']>): Map<string, number> {
  assert.ok(c?.type === 'sum')
  for (const { attributes, value } of c.points) {
    assert.ok(value >= 0)
    assert.ok('id' in attributes || attributes['otel.metric.overflow'] === true)
    const { id } = attributes
    const key = typeof id === 'string' ? id : 'others'
    sums.set(key, (sums.get(key) ?? 0) + value)
  }
  return sums
}

test('an observable counter of more than 2,000 sets: the series of the others is the exact sum of their totals', () => {
  const provider = new AgentMeterProvider()
  let round = 1
  provider.getMeter('test').createObservableCounter('c').addCallback((result) => {
    for (let id = 0; id < 2500; id += 1) result.observe(id === 2400 && round === 3 ? 7 : 10 * round, { id: `n${id}` })
  })
  const sums = new Map<string, number>()
  for (round of [1, 2]) addUp(sums, take(provider))
  assert.deepEqual([sums.size, sums.get('n0'), sums.get('others')], [2001, 20, 500 * 20])
  round = 3
  // One of the others was started anew and stands at 7.
  addUp(sums, take(provider))
  assert.deepEqual([sums.get('n0'), sums.get('others')], [30, 499 * 30 + 27])
})

test('an observable counter whose sets come and go over days counts each total once', () => {
  const provider = new AgentMeterProvider()
  let round = 0
  provider.getMeter('test').createObservableCounter('c').addCallback((result) => {
    // 1,000 sets live for 65 rounds, then others: 4,000 in all.
    const from = Math.floor(round / 65) * 1000
    for (let id = from; id < from + 1000; id += 1) result.observe((round % 65) + 1, { id: `n${id}` })
  })
  const sums = new Map<string, number>()
  for (; round < 4 * 65; round += 1) addUp(sums, take(provider))
  assert.equal([...sums.values()].reduce((sum, value) => sum + value, 0), 4000 * 65)
  assert.equal(provider.dropped, 0)
})

test('an observable counter takes no harm from what is no total; past 20,000 sets values are dropped and counted', () => {
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  let totals: readonly number[] = []
  const counter = meter.createObservableCounter('c')
  counter.addCallback((result) => totals.forEach((total) => result.observe(total, { id: 'a' })))
  meter.createObservableGauge('g').addCallback((result) => result.observe(Number.NaN))
  const sums = new Map<string, number>()
  for (totals of [[10], [Number.NaN], [-3, Infinity, '9' as never], [14], [15, 12]]) {
    const taken = take(provider)
    assert.equal(taken['g'], undefined)
    if (taken['c'] !== undefined) addUp(sums, taken)
  }
  assert.deepEqual([...sums], [['a', 15]])
  counter.addCallback((result) => {
    for (let id = 0; id < 20_009; id += 1) result.observe(1, { id: `n${id}` })
  })
  totals = [16]
  for (let round = 0; round < 2; round += 1) addUp(sums, take(provider))
  assert.deepEqual([sums.get('a'), [...sums.values()].reduce((sum, value) => sum + value, 0), provider.dropped], [16, 16 + 19_999, 20])
})

test('instruments of one name and different kinds or units are exported apart from each other, and named once', (t) => {
  const said: string[] = []
  const say = (message: string): void => void said.push(message)
  diag.setLogger({ error: say, warn: say, info: say, debug: say, verbose: say }, { suppressOverrideMessage: true })
  t.after(() => diag.disable())
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  for (let round = 0; round < 2; round += 1) {
    meter.createGauge('x').record(5)
    meter.createCounter('x').add(1)
    meter.createHistogram('x', { unit: 'ms' }).record(7)
    meter.createHistogram('x', { unit: 's' }).record(0.007)
    meter.createCounter('x', { description: 'other words are no other instrument' }).add(2)
  }
  meter.createObservableCounter('x').addCallback((result) => result.observe(100))
  meter.createGauge('y').record(1)
  provider.getMeter('other').createCounter('y').add(1)
  const points = provider.collect(resource, { start: 1n, time: 2n }).map(({ name, unit, data }) => [name, unit, data.type, 'points' in data && data.points.map((point) => ('value' in point ? point.value : [point.count, point.sum]))])
  assert.deepEqual(points, [
    ['x', '', 'gauge', [5]],
    ['x', '', 'sum', [6]],
    ['x', 'ms', 'exponentialHistogram', [[2, 14]]],
    ['x', 's', 'exponentialHistogram', [[2, 0.014]]],
    ['x', '', 'sum', [100]],
    ['y', '', 'gauge', [1]],
    ['y', '', 'sum', [1]],
  ])
  assert.deepEqual(said, ['a counter', 'a histogram in ms', 'a histogram in s', 'an observable counter'].map((other) => `andon: "x" of "test" is a gauge and ${other}, too: they are exported apart from each other, under one name; give one of them another`))
})
