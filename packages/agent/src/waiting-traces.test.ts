// Long requests of which a share is kept: what waits for the end with the decision.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SpanStatusCode } from '@opentelemetry/api'
import { decodeSpans } from '@andon/wire'
import type { SpanRecord } from '@andon/model'
import { NO_CONTEXT, withSpan } from './context.ts'
import { Exporter } from './exporter.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { readOptions } from './options.ts'
import { Sampler } from './sampler.ts'
import type { Span } from './span.ts'
import { AgentTracerProvider, type AgentTracer } from './tracer.ts'

const resource = { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }
const MAX = 2_000_000

interface Recording {
  readonly exporter: Exporter
  readonly sampler: Sampler
  readonly tracer: AgentTracer
  /** All spans that are to be sent, taken out before the sender does. */
  readonly sent: () => SpanRecord[]
}

function record(t: TestContext, ratio: number, maxQueueBytes: number = MAX): Recording {
  const exporter = new Exporter(readOptions({ endpoint: 'http://127.0.0.1:9', maxQueueBytes }, {}), resource, new AgentMeterProvider())
  t.after(() => exporter.stop())
  const { spans } = exporter
  const batches: Uint8Array[] = []
  const sampler = new Sampler({ parentBased: true, ratio }, undefined, spans.waiting)
  const tracer = new AgentTracerProvider(sampler, (scope) => spans.sinkOf(scope)).getTracer('test')
  const sent = (): SpanRecord[] => {
    spans.seal()
    for (let batch = spans.take(); batch !== undefined; batch = spans.take()) batches.push(batch.body)
    return batches.flatMap((body) => decodeSpans(body))
  }
  return { exporter, sampler, tracer, sent }
}

function child(tracer: AgentTracer, root: Span, text: string, hasFailed = false): void {
  const span = tracer.begin('SELECT', 3, withSpan(NO_CONTEXT, root))
  span.append('text', text)
  if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}

test('many long requests under sampling: all that waits stays within the bound, with what waits to be sent', (t) => {
  const { exporter, tracer } = record(t, 0.5)
  const roots = Array.from({ length: 300 }, () => tracer.begin('GET /export', 2, NO_CONTEXT))
  let most = 0
  for (let i = 0; i < 100; i += 1) {
    for (const root of roots) child(tracer, root, 'x'.repeat(200))
    most = Math.max(most, exporter.status().queueBytes)
  }
  assert.ok(most > MAX / 2 && most <= MAX, String(most))
  const { earlySpans, droppedSpans } = exporter.status()
  assert.ok(earlySpans > 0 && droppedSpans > 0, `${earlySpans} ${droppedSpans}`)
})

test('what waits is told as memory of the queue, and is not there any more when its trace has been decided', (t) => {
  const { exporter, tracer } = record(t, 0.5)
  const root = tracer.begin('GET /', 2, NO_CONTEXT)
  child(tracer, root, 'x'.repeat(5000))
  assert.ok(exporter.status().queueBytes > 10_000)
  root.end()
  assert.deepEqual([exporter.spans.waiting.bytes, exporter.spans.waiting.size], [0, 0])
})

test('past the bound the oldest trace is decided early by what is known: kept ones are whole and stand for the others, none is half', (t) => {
  const { exporter, tracer, sent } = record(t, 0.25, 4_000_000)
  const count = 4000
  const open: Span[] = []
  for (let i = 0; i < count; i += 1) {
    const root = tracer.begin('GET /export', 2, NO_CONTEXT)
    open.push(root)
    child(tracer, root, 'x'.repeat(1000))
    sent()
  }
  const early = exporter.spans.waiting.givenUp
  assert.ok(early > count / 4, `${early} were given up early`)
  for (const root of open) {
    child(tracer, root, 'late')
    root.end()
    sent()
  }
  const spans = sent()
  const roots = spans.filter(({ kind }) => kind === 'server')
  const represented = roots.reduce((sum, { attributes }) => sum + Number(attributes['andon.weight'] ?? 1), 0)
  assert.ok(Math.abs(represented - count) / count < 0.12, String(represented))
  assert.equal(spans.length, roots.length * 3)
  assert.equal(exporter.status().droppedSpans, 0)
})

test('a trace that has failed or is slow already when it is decided early is kept, and stands for itself', (t) => {
  const clock = { ms: 0 }
  const { exporter } = record(t, 0.0001, 100_000)
  const sampler = new Sampler({ parentBased: true, ratio: 0.0001 }, () => clock.ms, exporter.spans.waiting)
  const tracer = new AgentTracerProvider(sampler, (scope) => exporter.spans.sinkOf(scope)).getTracer('test')
  // It learns how long they take; the first is kept because it is rare.
  for (let i = 0; i < 100; i += 1) tracer.begin('GET /', 2, NO_CONTEXT, clock.ms).endAt(clock.ms + 5 + (i % 7))
  const written = exporter.spans.written
  const failed = tracer.begin('GET /', 2, NO_CONTEXT, clock.ms + 999)
  const slow = tracer.begin('GET /', 2, NO_CONTEXT, clock.ms)
  const usual = tracer.begin('GET /', 2, NO_CONTEXT, clock.ms + 999)
  clock.ms += 1000
  child(tracer, failed, '', true)
  child(tracer, slow, '')
  child(tracer, usual, '')
  const last = tracer.begin('GET /', 2, NO_CONTEXT, clock.ms)
  child(tracer, last, 'x'.repeat(20_000))
  assert.equal(exporter.spans.waiting.size, 0)
  for (const root of [failed, slow, usual, last]) root.endAt(clock.ms + 1)
  assert.equal(exporter.spans.written - written, 4)
  assert.equal(exporter.status().earlySpans, 2)
})
