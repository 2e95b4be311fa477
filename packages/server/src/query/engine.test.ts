// The engine beyond Prometheus' own files: limits, ends, remarks, expressions that would hang others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, type QueryResult } from './engine.ts'
import type { SeriesSource } from './promql/context.ts'
import { MemorySource } from './memory/memory-source.ts'
import { labelsOf } from './memory/notation.ts'
import { commandsOf } from './vectors/script.test.ts'

const LIMITS = { querySamples: 100_000, querySteps: 11_000, queryMs: 30_000 }

function sourceOf(script: string): MemorySource {
  const source = new MemorySource()
  for (const command of commandsOf(script)) if (command.kind === 'load') source.load(command)
  return source
}

function engineOf(script: string): Engine {
  return new Engine(sourceOf(script), LIMITS)
}

/** An instant answer as `{labels}` to the value. */
async function valuesAt(engine: Engine, expression: string, time: number): Promise<Record<string, number>> {
  const result = await engine.instant(expression, time)
  assert.equal(result.type, 'vector')
  return Object.fromEntries(result.samples.map(({ labels, value }) => [JSON.stringify(labels), value]))
}

const HOUR = 3_600_000

test('expressions that take exponential time elsewhere do not here, in matchers and in label_replace', async () => {
  const engine = engineOf(`load 1m\n  x{path="${'a'.repeat(5000)}!"} 1`)
  const started = process.cpuUsage()
  assert.deepEqual(await valuesAt(engine, 'x{path=~"(a+)+b"}', 0), {})
  assert.deepEqual(await valuesAt(engine, 'x{path=~"(a|a)*b"}', 0), {})
  const replaced = await engine.instant('label_replace(x, "to", "$1", "path", "(?i:(A+)+b)")', 0)
  assert.equal(replaced.type === 'vector' && replaced.samples[0]?.labels['to'], undefined)
  const { user } = process.cpuUsage(started)
  assert.ok(user < 10_000_000, `${user} µs`)
})

test('an expression that is not one of RE2 is refused', async () => {
  const engine = engineOf('load 1m\n  x 1')
  await assert.rejects(engine.instant('label_replace(x, "a", "b", "c", "(?<=x)y")', 0), { code: 'query_failed', message: /invalid regular expression/ })
  await assert.rejects(engine.instant('info(x, {__name__=~"(?<=x)y"})', 0), { code: 'bad_query', message: /is not an RE2 expression/ })
})

test('a query that reads too much, has too many steps or whose reader went away is ended', async () => {
  const engine = new Engine(sourceOf('load 1m\n  x 1+1x100'), { ...LIMITS, querySamples: 50, querySteps: 10 })
  await assert.rejects(engine.instant('sum_over_time(x[100m])', 6_000_000), { code: 'query_too_large' })
  await assert.rejects(engine.range('x', 0, 60_000 * 11, 60_000), { code: 'bad_parameter', message: /has 11 steps; 10 are allowed/ })
  // From the first to the last of eleven points there are ten steps: Grafana asks for as much as Prometheus answers.
  const whole = await engine.range('x', 0, 60_000 * 10 + 59_999, 60_000)
  assert.equal(whole.type === 'matrix' && whole.series[0]?.points.length, 11)
  const many = `load 1m\n${Array.from({ length: 60 }, (_, index) => `  x{i="${index}"} 1`).join('\n')}`
  for (const expression of ['max_over_time(x[1000s:1s])', 'max_over_time(rate(x[5m])[1000s:1s])']) {
    await assert.rejects(new Engine(sourceOf(many), { ...LIMITS, querySamples: 5000 }).instant(expression, 1_000_000), { code: 'query_too_large', message: /60 series at 1000 steps/ }, expression)
  }
  const distinct = new Engine(sourceOf('load 1m\n  x 1+1x200'), { ...LIMITS, querySamples: 20_000 })
  await assert.rejects(distinct.range('count_values("v", x)', 0, 12_000_000, 60_000), { code: 'query_too_large', message: /series at 201 steps/ })
  const gone = AbortSignal.abort(new Error('gone'))
  await assert.rejects(engine.instant('x', 0, { signal: gone }), /gone/)
})

test('a query that takes too long is ended between two steps, and says so', async () => {
  const slow: SeriesSource = {
    select: (_matchers, _range, { signal }) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })),
  }
  // The time limit keeps no process alive; a server does.
  const alive = setInterval(() => undefined, 1000)
  await assert.rejects(new Engine(slow, { ...LIMITS, queryMs: 1 }).instant('x', 0), { code: 'query_timeout' }).finally(() => clearInterval(alive))
})

test('a long evaluation lets others have their turn, and ends at its time limit', async () => {
  const engine = new Engine(sourceOf(`load 1m\n${Array.from({ length: 60 }, (_, index) => `  x{i="${index}"} 0+1x2000`).join('\n')}`), { ...LIMITS, querySamples: 10_000_000, queryMs: 20 })
  await assert.rejects(engine.range('sum(quantile_over_time(0.5, x[12h]))', 0, 2_000 * 60_000, 15_000), { code: 'query_timeout' })
  const controller = new AbortController()
  const answer = new Engine(sourceOf('load 1m\n  x 1+1x100'), LIMITS).range('sum(rate(x[5m]))', 0, 6_000_000, 1000, { signal: controller.signal })
  controller.abort(new Error('gone'))
  await assert.rejects(answer, /gone/)
})

test('a range answers floats and native histograms of one series at their times', async () => {
  const result = await engineOf('load 1m\n  x 1 {{schema:0 count:4 sum:5 buckets:[1 2 1]}} 3').range('x', 0, 120_000, 60_000)
  assert.equal(result.type, 'matrix')
  const [series] = result.series
  assert.ok(series)
  assert.deepEqual(series.points, [[0, 1], [120_000, 3]])
  assert.deepEqual((series.histograms ?? []).map(([time, { count, sum }]) => [time, count, sum]), [[60_000, 4, 5]])
})

async function remarks(expression: string): Promise<Pick<QueryResult, 'infos' | 'warnings'>> {
  const { infos, warnings } = await engineOf('load 1m\n  g 1 2 3\n  m 1 {{count:1 sum:1 buckets:[1]}} 3').instant(expression, 120_000)
  return { infos, warnings }
}

test('remarks say where in the expression they belong', async () => {
  assert.deepEqual(await remarks('sum(\n  rate(g[5m]))'), { infos: ['PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "g" (2:8)'], warnings: [] })
  assert.deepEqual(await remarks('quantile(2, g)'), { infos: [], warnings: ['PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)'] })
  assert.deepEqual(await remarks('sum_over_time(m[5m])'), { infos: [], warnings: ['PromQL warning: encountered a mix of histograms and floats for metric name "m" (1:15)'] })
})

test('count_values counts what is equal once the value is a label', async () => {
  const engine = engineOf('load 1m\n  v{job="a", i="0"} 7\n  v{job="a", i="1"} 7\n  v{job="b", i="0"} 8')
  assert.deepEqual(await valuesAt(engine, 'count_values by (job) ("v", v)', 0), { '{"job":"a","v":"7"}': 2, '{"job":"b","v":"8"}': 1 })
  assert.deepEqual(await valuesAt(engine, 'count_values by (job) ("job", v)', 0), { '{"job":"7"}': 2, '{"job":"8"}': 1 })
  assert.deepEqual(await valuesAt(engine, 'count_values without (i) ("job", v)', 0), { '{"job":"7"}': 2, '{"job":"8"}': 1 })
  assert.deepEqual(await valuesAt(engine, 'count_values without (i) ("i", v)', 0), { '{"job":"a"}': 2, '{"job":"b"}': 1 })
})

test('a ratio and its negative share the series between them', async () => {
  const engine = engineOf(`load 1m\n${Array.from({ length: 50 }, (_, index) => `  x{i="${index}"} 1`).join('\n')}`)
  for (const ratio of [0.1, 0.25, 0.5, 0.9]) {
    const [below, above] = [await valuesAt(engine, `limit_ratio(${ratio}, x)`, 0), await valuesAt(engine, `limit_ratio(${ratio - 1}, x)`, 0)]
    assert.equal(Object.keys(below).length + Object.keys(above).length, 50)
    assert.deepEqual(Object.keys(below).filter((key) => key in above), [])
    assert.ok(Object.keys(below).length > 0 && Object.keys(above).length > 0)
  }
})

test('the side that has nothing is not asked whether the other is unique', async () => {
  const engine = engineOf('load 1m\n  x{a="1"} 1\n  x{a="2"} 2')
  assert.deepEqual(await valuesAt(engine, 'nothing * on () x', 0), {})
  await assert.rejects(engine.instant('vector(1) * on () x', 0), { code: 'query_failed', message: /found duplicate series for the match group \{\} on the right hand-side/ })
})

test('sums lose nothing that rounding hides, and means do not overflow', async () => {
  const engine = engineOf('load 1m\n  x{i="1"} 1e100\n  x{i="2"} 1\n  x{i="3"} -1e100\n  y{i="1"} 1.5e308\n  y{i="2"} 1.5e308')
  assert.deepEqual(await valuesAt(engine, 'sum(x)', 0), { '{}': 1 })
  assert.deepEqual(await valuesAt(engine, 'avg(y)', 0), { '{}': 1.5e308 })
  const over = engineOf('load 1m\n  x 1e100 1 -1e100\n  y 1.5e308 1.5e308')
  assert.deepEqual(await valuesAt(over, 'sum_over_time(x[1h])', HOUR / 2), { '{}': 1 })
  assert.deepEqual(await valuesAt(over, 'avg_over_time(y[1h])', HOUR / 2), { '{}': 1.5e308 })
})

test('labels are written and read alike', () => {
  assert.deepEqual(labelsOf('x{a="1", "b.c"="}{"}'), { __name__: 'x', a: '1', 'b.c': '}{' })
})
