import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createNoopMeter, diag, DiagLogLevel, type Meter } from '@opentelemetry/api'
import { ADAPTED_EVENT, type Adaptation, readAdaptation } from '@andon/model'
import { decodeExceptions, type LogEvent } from '@andon/wire'
import { OwnWork } from '../export/own-work.ts'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { Sampler, type SamplingLimit } from '../sampler.ts'
import { observeSelf } from '../self.ts'
import { Governor, type GovernorParts } from './governor.ts'
import { FLOOR } from './level.ts'

const ignore = (): void => undefined

interface Bench {
  readonly governor: Governor
  readonly limits: SamplingLimit[]
  readonly factors: number[]
  readonly events: { readonly name: string; readonly attributes: Parameters<GovernorParts['record']>[1] }[]
  readonly said: string[]
  /** Five seconds with so many requests of ten spans each. */
  readonly pass: (requests: number) => void
}

function bench(t: TestContext, budget: number, isBooted = true): Bench {
  const said: string[] = []
  const log = (message: string): void => void said.push(message)
  diag.setLogger({ error: log, warn: log, info: log, debug: ignore, verbose: ignore }, { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true })
  t.after(() => diag.disable())
  const sampler = new Sampler({ parentBased: true, ratio: 1 })
  const spans = { written: 0 }
  const meters = { recorded: 0 }
  const limits: SamplingLimit[] = []
  const factors: number[] = []
  const events: Bench['events'] = []
  let now = 0
  const work = new OwnWork()
  const governor = new Governor({
    budget,
    metricIntervalMs: 10_000,
    sampler,
    sampling: { limit: (limit) => void limits.push(limit), ratio: 1 },
    profiles: { limit: (factor) => void factors.push(factor), wantedRate: 50, rate: 50, uploadShare: 0.0002 },
    exporter: { spans, work },
    meters,
    record: (name, attributes) => void events.push({ name, attributes }),
    now: () => now,
    calibration: { isDone: true, round: ignore, slowness: 1 },
  })
  const pass = (requests: number): void => {
    now += 5000
    const { keep, watch } = limits.at(-1) ?? { keep: 1, watch: 1 }
    sampler.traces += requests
    sampler.recorded += requests * watch
    sampler.children += requests * 9
    spans.written += requests * 10 * keep
    meters.recorded += requests
    governor.look()
  }
  if (isBooted) pass(0)
  return { governor, limits, factors, events, said, pass }
}

function adaptations(events: Bench['events']): Adaptation[] {
  return events.flatMap(({ name, attributes }) => (name === ADAPTED_EVENT ? (readAdaptation(attributes) ?? []) : []))
}

test('over the budget: sampling is lowered, and an event, a line and the status say so with the reason', (t) => {
  const { governor, limits, factors, events, said, pass } = bench(t, 0.05)
  pass(1000)
  assert.deepEqual([limits, events, said], [[], [], []])
  for (let reading = 0; reading < 14; reading += 1) pass(2500)
  const [limit, ...more] = limits
  assert.ok(limit !== undefined && limit.keep < 1)
  assert.deepEqual([more, factors], [[], [1]])
  const [adaptation, ...others] = adaptations(events)
  assert.ok(adaptation !== undefined && adaptation.share > 0.05)
  assert.deepEqual([adaptation, others], [{ reason: 'over_budget', share: adaptation.share, budget: 0.05, sampling: limit.keep, profile: 1 }, []])
  assert.match(said.join('\n'), /^andon: the agent costs [\d.]+ % of a core, its budget is 5 %: [\d.]+ % of the wanted traces are kept, the profile's rate is 100 % of what is wanted$/)
  const { level, changes, share, cost } = governor.status()
  assert.equal(2 ** -level.sampling, limit.keep)
  assert.ok(share < 0.05 && Math.min(cost.requests, cost.spans, cost.metrics, cost.profile, cost.runtime) > 0)
  assert.deepEqual(changes, { over_budget: 1, load_fell: 0 })
})

test('when the load has fallen everything is given back step by step, and said', (t) => {
  const { governor, limits, factors, events, pass } = bench(t, 0.05)
  for (let reading = 0; reading < 14; reading += 1) pass(2500)
  for (let reading = 0; reading < 200; reading += 1) pass(10)
  assert.deepEqual([limits.at(-1), factors.at(-1), governor.status().level], [{ keep: 1, watch: 1 }, 1, { sampling: 0, profile: 0 }])
  const [, ...given] = adaptations(events)
  assert.ok(given.length > 0 && given.every(({ reason, share }) => reason === 'load_fell' && share < 0.05))
  assert.deepEqual(governor.status().changes, { over_budget: 1, load_fell: given.length })
})

test('in the first ten seconds it measures, and changes nothing', (t) => {
  const { governor, limits, pass } = bench(t, 0.001)
  assert.equal(governor.status().cost.requests, 0)
  const early = bench(t, 0.001, false)
  for (let reading = 0; reading < 12; reading += 1) early.pass(2500)
  assert.ok(early.governor.status().share > 0.001 && early.limits.length === 0)
  for (let reading = 0; reading < 12; reading += 1) pass(2500)
  assert.equal(limits.length, 1)
})

test('when nothing is left to take back it is said once', (t) => {
  const { governor, said, pass } = bench(t, 0.001)
  for (let reading = 0; reading < 40; reading += 1) pass(2500)
  assert.deepEqual(governor.status().level, FLOOR)
  assert.equal(said.filter((line) => line.includes('nothing is left')).length, 1)
})

test('switched off it measures, and changes nothing', (t) => {
  const { governor, limits, factors, events, pass } = bench(t, 0)
  for (let reading = 0; reading < 5; reading += 1) pass(100_000)
  assert.deepEqual([limits, factors, events], [[], [], []])
  assert.ok(governor.status().share > 0.2)
})

/** Serves and asks until the receiver has enough. */
const PROGRAM = `
const http = require('http')
const agent = new http.Agent({ keepAlive: true })
const ask = (url) => new Promise((resolve, reject) => http.get(url, { agent }, (answer) => { let text = ''; answer.on('data', (chunk) => (text += chunk)); answer.on('end', () => resolve(text)) }).on('error', reject))
const server = http.createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port + '/boards'
  let count = 0
  do {
    await Promise.all(Array.from({ length: 8 }, async () => { for (let i = 0; i < 20; i += 1) await ask(url) }))
    count += 160
  } while (await ask(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/enough') !== 'yes')
  console.log(count)
  agent.destroy()
  server.close()
})
`

/** OTLP's NO_RECORDED_VALUE, by which a process ends its gauges at its exit. */
const NO_VALUE = 1

test('a process under load with a tiny budget: the collector is told of lower sampling, fewer spans come, and every request is counted', { timeout: 90_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const limit = (): number => Math.min(1, ...receiver.metrics.flatMap(({ name, data }) => (name === 'andon.agent.sampling.limit' && data.type === 'gauge' ? data.points.filter(({ flags }) => (flags & NO_VALUE) === 0).map(({ value }) => value) : [])))
  let lowered = 0
  receiver.answer = ({ path }, response) => {
    if (path !== '/enough') return response.writeHead(200).end()
    // A while longer under the lower level.
    if (limit() < 1) lowered += 1
    return response.writeHead(200).end(lowered > 10 ? 'yes' : 'no')
  }
  const { code, stdout, stderr } = await runProgram(t, 'commonjs', PROGRAM, receiver.url, { ANDON_BUDGET: '0.0001', ANDON_PROFILE: 'off', OTEL_METRIC_EXPORT_INTERVAL: '300', OTEL_LOG_LEVEL: 'warn' })
  assert.equal(code, 0, stderr)
  assert.ok(limit() <= 0.25, String(limit()))
  const count = Number(stdout)

  const served = receiver.metrics.flatMap(({ name, data }) => (name === 'http.server.request.duration' && data.type === 'exponentialHistogram' ? data.points : []))
  assert.equal(served.reduce((sum, point) => sum + point.count, 0), count)
  const servers = receiver.spans.filter(({ kind }) => kind === 'server').length
  // Ten rounds of 160 came after it.
  assert.ok(receiver.spans.length > 0 && servers < count - 1000, `${servers} of ${count}`)
  const sums = (name: string): number => receiver.metrics.flatMap((metric) => (metric.name === name && metric.data.type === 'sum' ? metric.data.points : [])).reduce((sum, { value }) => sum + value, 0)
  assert.ok(sums('andon.agent.cpu.time') > 0)

  const events: LogEvent[] = receiver.of('/v1/logs').flatMap(({ body }) => decodeExceptions(body).events)
  const told = adaptations(events)
  assert.ok(told.length > 0 && told.every(({ reason, budget, share }) => reason === 'over_budget' && budget === 0.0001 && share > budget))
  assert.deepEqual([told.at(-1)?.sampling, sums('andon.agent.adaptations')], [limit(), told.length])
  assert.match(stderr, /the agent costs [\d.]+ % of a core, its budget is 0\.01 %/)
})

/** Type, unit and description of every instrument of the agent itself. */
function instruments(): string[] {
  const made: string[] = []
  const noop = createNoopMeter()
  const meter: Meter = Object.create(noop)
  for (const method of ['createObservableGauge', 'createObservableCounter', 'createObservableUpDownCounter'] as const) {
    Object.defineProperty(meter, method, {
      value: (name: string, { unit = '', description = '' }: { unit?: string; description?: string } = {}) => {
        made.push([name, method.replace('createObservable', '').toLowerCase(), unit, description].join(' | '))
        return noop[method](name)
      },
    })
  }
  const status = { queueBytes: 0, droppedSpans: 0, earlySpans: 0, droppedExceptions: 0, droppedEvents: 0, refused: 0, failures: 0 }
  const cost = { requests: 0, spans: 0, metrics: 0, export: 0, profile: 0, runtime: 0 }
  const governor = { status: () => ({ cost, share: 0, budget: 0, level: FLOOR, ratio: 1, rate: 0, changes: { over_budget: 0, load_fell: 0 } }) }
  observeSelf(meter, { exporter: { status: () => status }, meters: { dropped: 0, bytes: 0 }, profiles: { dropped: 0, queueBytes: 0 }, governor })
  return made
}

test('docs/reference/metrics.md lists every metric of the agent itself', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/reference/metrics.md'), 'utf8')
  const told = page.split('\n').flatMap((line) => /^\| (andon\.agent\.[\w.]+) (\|.*) \|$/.exec(line.replaceAll('`', ''))?.slice(1, 3).join(' ') ?? [])
  assert.deepEqual(told.toSorted(), instruments().toSorted())
})
