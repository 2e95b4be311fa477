// Export against a receiver of OTLP: what is repeated, what is added up, what is dropped.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ExceptionRecord, Scope } from '@andon/model'
import { decodeMetrics, decodeSpans } from '@andon/wire'
import { diag, DiagLogLevel } from '@opentelemetry/api'
import { Exporter } from './exporter.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { type AgentOptions, readOptions } from './options.ts'
import { startReceiver } from './otlp-receiver.test.ts'
import { Sampler } from './sampler.ts'
import { AgentTracerProvider } from './tracer.ts'

const resource = { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }
const scope: Scope = { name: 'test', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

function recordSpan(exporter: Exporter, ...names: readonly string[]): void {
  const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (each) => exporter.spans.sinkOf(each)).getTracer('test')
  for (const name of names) tracer.startSpan(name).end()
}

function exporterTo(t: TestContext, endpoint: string, given: Partial<AgentOptions> = {}): { exporter: Exporter; meters: AgentMeterProvider } {
  const meters = new AgentMeterProvider()
  const exporter = new Exporter(readOptions({ endpoint, ...given }, {}), resource, meters)
  t.after(() => exporter.stop())
  return { exporter, meters }
}

/** Names that make spans of about 300 bytes. */
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `span ${i} ${'x'.repeat(200)}`)

/** What the counter `c` was told in all, each batch once. */
function countOf(requests: readonly { readonly batch: string; readonly body: Buffer }[]): number {
  const once = new Map(requests.map(({ batch, body }) => [batch, body]))
  let sum = 0
  for (const body of once.values()) {
    for (const { name, data } of decodeMetrics(body)) if (name === 'c' && data.type === 'sum') for (const { value } of data.points) sum += value
  }
  return sum
}

test('an unanswered batch is sent again unchanged under its number; what came meanwhile is in the next: no count is lost or doubled', { timeout: 30_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { exporter, meters } = exporterTo(t, receiver.url)
  const counter = meters.getMeter('test').createCounter('c')
  let refusals = 2
  receiver.answer = (_request, response) => {
    refusals -= 1
    if (refusals < 0) response.writeHead(200).end()
    else response.destroy()
  }
  counter.add(5)
  const flushed = exporter.flush(20_000)
  await receiver.until(() => receiver.requests.length >= 1)
  counter.add(7)
  await receiver.until(() => receiver.requests.length >= 3)
  await flushed
  await exporter.flush(20_000)
  const [first, second, third, ...later] = receiver.of('/v1/metrics')
  assert.match(first?.batch ?? '', /^[\da-f]{32}\/\d+$/)
  assert.deepEqual([second?.batch, third?.batch], [first?.batch, first?.batch])
  assert.ok(first !== undefined && second?.body.equals(first.body) && third?.body.equals(first.body))
  assert.ok(later.every(({ batch }) => batch !== first.batch))
  assert.equal(countOf(receiver.of('/v1/metrics')), 12)
  assert.equal(exporter.status().failures, 2)
})

test('a server that does not answer is named once, with the reason, and again when it answers', { timeout: 30_000 }, async (t) => {
  const said: string[] = []
  const say = (message: string): void => void said.push(message)
  diag.setLogger({ error: say, warn: say, info: say, debug: () => undefined, verbose: () => undefined }, { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true })
  t.after(() => diag.disable())
  const receiver = await startReceiver(t)
  const { exporter } = exporterTo(t, receiver.url)
  const answers = [503, 503, 503, 200]
  receiver.answer = (_request, response) => response.writeHead(answers.shift() ?? 200, { 'retry-after': '0' }).end()
  recordSpan(exporter, 'a')
  await exporter.flush(10_000)
  recordSpan(exporter, 'b')
  await exporter.flush(10_000)
  assert.deepEqual(said.filter((line) => line.includes('/v1/traces')), ['andon: /v1/traces is not answered (503); what is recorded waits, and is sent again', 'andon: /v1/traces is answered again'])
})

test('Retry-After is waited for; a refusal for good is not repeated, and counted', { timeout: 30_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { exporter } = exporterTo(t, receiver.url)
  const answers = [429, 200, 400]
  receiver.answer = (_request, response) => {
    const status = answers.shift() ?? 200
    response.writeHead(status, status === 429 ? { 'retry-after': '0' } : {}).end()
  }
  recordSpan(exporter, 'a')
  await exporter.flush(10_000)
  assert.equal(receiver.of('/v1/traces').length, 2)
  recordSpan(exporter, 'b', 'c')
  await exporter.flush(10_000)
  assert.equal(receiver.of('/v1/traces').length, 3)
  assert.equal(exporter.status().refused, 2)
})

test('without a server memory stays within its bound, the oldest gives way and is counted', { timeout: 30_000 }, async (t) => {
  const { exporter } = exporterTo(t, 'http://127.0.0.1:9', { maxQueueBytes: 1_000_000 })
  recordSpan(exporter, ...names(20_000))
  const { queueBytes, droppedSpans } = exporter.status()
  assert.ok(queueBytes <= 1_000_000)
  assert.ok(droppedSpans > 15_000)
  // It gives up at its deadline, and rejects nothing.
  await exporter.flush(50)
})

test('flushes at a server that is away make no batches of a few spans, and what they hold is bounded and counted', { timeout: 30_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { exporter } = exporterTo(t, receiver.url, { maxQueueBytes: 100_000 })
  let isAway = true
  receiver.answer = ({ path }, response) => void (isAway && path === '/v1/traces' ? response.destroy() : response.writeHead(200).end())
  recordSpan(exporter, 'first')
  const flushes = [exporter.flush(100)]
  await receiver.until(() => receiver.of('/v1/traces').length > 0)
  let most = 0
  for (let i = 0; i < 400; i += 1) {
    recordSpan(exporter, ...names(4))
    flushes.push(exporter.flush(10))
    most = Math.max(most, exporter.status().queueBytes)
  }
  await Promise.all(flushes)
  assert.ok(most <= 100_000, String(most))
  const { droppedSpans } = exporter.status()
  isAway = false
  await exporter.flush(20_000)
  const taken = new Map(receiver.of('/v1/traces').map(({ batch, body }) => [batch, decodeSpans(body).length]))
  assert.equal([...taken.values()].reduce((sum, each) => sum + each, 0) + droppedSpans, 1601)
  assert.ok(taken.size < 10, `${taken.size} batches`)
})

test('flush settles when spans, metrics and errors recorded before have been answered', { timeout: 30_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { exporter, meters } = exporterTo(t, receiver.url)
  receiver.answer = (_request, response) => void setImmediate(() => response.writeHead(200).end())
  meters.getMeter('test').createCounter('c').add(1)
  recordSpan(exporter, ...Array.from({ length: 3000 }, () => 's'))
  const error: ExceptionRecord = { time: 1n, type: 'Error', message: 'm', stack: '', handled: true, traceId: '', spanId: '', attributes: {}, resource, scope }
  exporter.recordException(error)
  await exporter.flush(20_000)
  assert.deepEqual([receiver.spans.length, receiver.exceptions.length, countOf(receiver.of('/v1/metrics'))], [3000, 1, 1])
})

test('while a batch is under way the next one grows: a busy service does not send a few spans at a time', { timeout: 30_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { exporter } = exporterTo(t, receiver.url)
  const held: (() => void)[] = []
  receiver.answer = (_request, response) => void held.push(() => response.writeHead(200).end())
  // Enough for one full batch and a little.
  recordSpan(exporter, ...names(2000))
  await receiver.until(() => receiver.requests.length >= 1)
  recordSpan(exporter, ...names(10))
  held.shift()?.()
  recordSpan(exporter, ...names(10))
  const flushed = exporter.flush(10_000)
  await receiver.until(() => receiver.requests.length >= 2)
  receiver.answer = undefined
  while (held.length > 0) held.shift()?.()
  await flushed
  assert.equal(receiver.spans.length, 2020)
  assert.equal(receiver.of('/v1/traces').length, 2)
})
