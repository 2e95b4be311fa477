// What the series of a service say together: who is woken, and when nobody is.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Chance } from '@andon/bench'
import type { Alert, DetectorState } from '@andon/model'
import { BEGIN, DAY_SLICES } from './fixture.test.ts'
import { SLICE_MS } from './parameters.ts'
import type { SeriesDoc } from './series.ts'
import { publicId, type SliceTable } from './slices.ts'
import type { ServiceFacts } from './shown.ts'
import type { SeriesSlices, SignalName } from './signals.ts'
import { Watch } from './watch.ts'

const SIGNALS = ['errors', 'p50', 'p95', 'throughput', 'cpu', 'event-loop'] as const
const HISTORY = 8 * DAY_SLICES
const kept: { readonly state: DetectorState; readonly doc: SeriesDoc }[] = []

const options = { externalUrl: 'http://andon', maxSeries: 100, facts: (): ServiceFacts => ({ slowLimit: undefined, isFromSpans: false }) }
const at = (slice: number): number => BEGIN + slice * SLICE_MS

/** Slices of one service in which some signals are worse, from one slice to another. */
function table(count: number, start: number, worse: Partial<Record<SignalName, readonly [from: number, to: number]>> = {}): SliceTable {
  const chance = new Chance(start + 1)
  const isWorse = (signal: SignalName, index: number): boolean => index >= (worse[signal]?.[0] ?? Infinity) && index < (worse[signal]?.[1] ?? 0)
  const draw: Readonly<Record<string, (isBad: boolean) => readonly [number, number]>> = {
    errors: (isBad) => [chance.binomial(300, isBad ? 0.1 : 0.001), 300],
    p50: (isBad) => [0.02 * Math.exp(0.05 * chance.normal()) * (isBad ? 3 : 1), 300],
    p95: (isBad) => [0.05 * Math.exp(0.08 * chance.normal()) * (isBad ? 3 : 1), 300],
    throughput: (isBad) => [chance.poisson(isBad ? 60 : 300) / 15, Number.NaN],
    cpu: (isBad) => [(isBad ? 0.8 : 0.2) + 0.01 * chance.normal(), Number.NaN],
    'event-loop': (isBad) => [(isBad ? 0.09 : 0.012) * Math.exp(0.1 * chance.normal()), Number.NaN],
  }
  const series = SIGNALS.map((signal): SeriesSlices => {
    const slices = Array.from({ length: count }, (_, index) => draw[signal]?.(isWorse(signal, index)) ?? [Number.NaN, Number.NaN])
    return { id: { service: 'shop', environment: 'prod', signal, key: '' }, values: Float64Array.from(slices, ([value]) => value), counts: Float64Array.from(slices, ([, of]) => of) }
  })
  return { start: at(start), count, series }
}

/** A service that has learned for eight days. */
function learned(): Watch {
  const watch = new Watch(options)
  for (const { state, doc } of kept) watch.restore(state, doc)
  return watch
}

before(async () => {
  const watch = new Watch(options)
  await watch.take(table(HISTORY, 0))
  for (const series of watch.series) kept.push({ state: series.state, doc: series.doc() })
})

/** Runs some slices; the alerts that began and ended. */
async function run(watch: Watch, worse: Parameters<typeof table>[2], count = 80): Promise<{ readonly open: Alert[]; readonly ended: readonly Alert[] }> {
  const { ended } = await watch.take(table(count, HISTORY, worse))
  return { open: watch.open(), ended }
}

test('after eight days without an alarm every series may page, and says why', () => {
  assert.deepEqual(kept.map(({ doc, state }) => [doc.id.signal, state, doc.because]), SIGNALS.map((signal) => [signal, 'page', 'in its last 7.0 days it would have been wrong never']))
})

test('one series that users do not notice wakes nobody, for as long as it alarms', async () => {
  const watch = learned()
  const { open, ended } = await run(watch, { cpu: [20, 80] })
  assert.deepEqual([open, ended], [[], []])
  assert.deepEqual([...watch.series].filter(({ episode }) => episode !== undefined).map(({ id }) => id.signal), ['cpu'])
})

test('two families that alarm together are two witnesses', async () => {
  const { open } = await run(learned(), { cpu: [20, 80], 'event-loop': [22, 80] })
  assert.deepEqual(open.map(({ labels }) => [labels['alertname'], labels['severity'], labels['service_name'], labels['deployment_environment_name']]), [['ServiceDegraded', 'critical', 'shop', 'prod']])
})

test('two series that alarm more than three minutes apart do not agree', async () => {
  assert.deepEqual((await run(learned(), { cpu: [10, 80], 'event-loop': [40, 80] })).open, [])
})

test('an indicator wakes by itself; the alert tells since when, what and how much, and ends with the last series', async () => {
  const watch = learned()
  const during = await run(watch, { errors: [20, 80], cpu: [30, 80] })
  const [alert] = during.open
  assert.ok(alert)
  assert.equal(alert.labels['signal'], 'errors')
  assert.ok(Math.abs((alert.onsetAt ?? 0) - at(HISTORY + 20)) <= SLICE_MS, `${((alert.onsetAt ?? 0) - at(HISTORY)) / SLICE_MS}`)
  assert.ok(alert.startsAt > (alert.onsetAt ?? 0) && alert.startsAt <= at(HISTORY + 24))
  assert.match(alert.annotations['summary'] ?? '', /^shop: share of failed requests \d.* %, expected 0\.\d+ %$/)
  assert.match(alert.annotations['description'] ?? '', /CPU of the processes/)
  assert.ok((alert.value ?? 0) > 0.05)
  assert.match(alert.expression ?? '', /service_name="shop",deployment_environment_name="prod"/)
  assert.equal(alert.generatorUrl, 'http://andon/service/shop')
  const { ended } = await watch.take(table(40, HISTORY + 80))
  assert.deepEqual(ended.map(({ labels, startsAt }) => [labels, startsAt]), [[alert.labels, alert.startsAt]])
  assert.ok((ended[0]?.endsAt ?? 0) > at(HISTORY + 80))
  assert.deepEqual(watch.open(), [])
})

test('an incident does not hide the next one', async () => {
  const watch = learned()
  for (const round of [0, 1, 2, 3]) {
    const { ended } = await watch.take(table(100, HISTORY + round * 100, { errors: [20, 40], p95: [20, 40], 'event-loop': [20, 40] }))
    assert.equal(ended.length, 1, `round ${round}`)
  }
})

test('series that still learn, and silent ones, tell nobody', async () => {
  const watch = new Watch(options)
  const { ended } = await watch.take(table(1200, 0, { errors: [600, 640], p95: [1000, 1040], 'event-loop': [1000, 1040] }))
  assert.deepEqual([watch.open(), ended], [[], []])
  assert.ok([...watch.series].every(({ state }) => state === 'silent'))
  assert.ok([...watch.series].some(({ episodes }) => episodes.length > 0))
})

test('a series with a history of false alarms may not page, until a person says that they were real', () => {
  const [{ doc } = { doc: undefined }] = kept
  assert.ok(doc)
  const now = doc.until
  const wrong = Array.from({ length: 4 }, (_, index) => ({ start: now - (index + 1) * 3_600_000, end: now - index * 3_600_000 - 1_800_000, onset: 0, peak: 200, isExplained: false }))
  const watch = new Watch(options)
  watch.restore('page', { ...doc, episodes: wrong, judgedAt: 0 })
  const series = watch.find(publicId(doc.id))
  assert.ok(series)
  assert.ok(series.judge(now))
  assert.deepEqual([series.state, series.because], ['silent', 'in its last 7.0 days it would have been wrong 4 times'])
  series.review(now - 86_400_000, now, true)
  series.judge(now)
  assert.equal(series.state, 'page')
})

test('a service beyond the limit of series is refused, and counted', async () => {
  const watch = new Watch({ ...options, maxSeries: 3 })
  await watch.take(table(2, 0))
  assert.deepEqual([watch.size, watch.refused], [3, 3])
})
