import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api'
import { NO_CONTEXT, withSpan } from './context.ts'
import { recordSpans } from './span-recorder.test.ts'

test('a span under another has its trace and parent; a trace goes on from another process with its state and flags', () => {
  const { provider, spans } = recordSpans()
  const tracer = provider.getTracer('t')
  const remote = trace.setSpanContext(NO_CONTEXT, { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED, isRemote: true })
  const root = tracer.begin('root', 2, remote)
  const child = tracer.begin('child', 3, withSpan(NO_CONTEXT, root))
  child.end()
  root.end()
  root.end()
  root.setAttribute('late', 1)
  const [c, r] = spans
  assert.deepEqual([r?.traceId, r?.parentSpanId, r?.flags, r?.kind, r?.attributes], ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', 0x301, 'server', Object.create(null)])
  assert.deepEqual([c?.traceId, c?.parentSpanId, c?.flags, c?.kind], [r?.traceId, r?.spanId, 0x101, 'client'])
  assert.equal(spans.length, 2)
  assert.equal(root.spanContext().spanId, r?.spanId)
})

test('2,000 equal spans of one request: some by themselves, the rest folded; calls and time add up', () => {
  const { provider, spans } = recordSpans()
  const tracer = provider.getTracer('t')
  const root = tracer.begin('root', 2, NO_CONTEXT, 0)
  const context = withSpan(NO_CONTEXT, root)
  for (let i = 0; i < 2000; i += 1) tracer.begin('SELECT labels', 3, context, i).endAt(i + 0.5)
  const failed = tracer.begin('SELECT labels', 3, context, 2000)
  failed.setStatus({ code: SpanStatusCode.ERROR })
  failed.endAt(2001)
  root.endAt(2002)
  const equal = spans.filter(({ name, status }) => name === 'SELECT labels' && status.code === 'unset')
  assert.ok(equal.length < 100, `${equal.length} were sent`)
  const calls = equal.reduce((sum, { attributes }) => sum + Number(attributes['andon.repeat'] ?? 1), 0)
  const nanoseconds = equal.reduce((sum, { start, end }) => sum + Number(end - start), 0)
  assert.equal(calls, 2000)
  assert.ok(Math.abs(nanoseconds - 1e9) < 1e5, String(nanoseconds))
  assert.equal(spans.filter(({ status }) => status.code === 'error').length, 1)
})

test('a share of traces: kept ones stand for the others, and all that are slow, failed or rare stand for themselves', () => {
  const clock = { ms: 0 }
  const { provider, spans } = recordSpans(0.1, () => clock.ms)
  const tracer = provider.getTracer('t')
  const count = 20_000
  for (let i = 0; i < count; i += 1) {
    clock.ms += 10
    const span = tracer.begin('GET /boards', 2, NO_CONTEXT, clock.ms)
    const child = tracer.begin('SELECT', 3, withSpan(NO_CONTEXT, span), clock.ms)
    if (i % 1000 === 500) child.setStatus({ code: SpanStatusCode.ERROR })
    child.endAt(clock.ms + 1)
    // One in a thousand is slow.
    span.endAt(clock.ms + (i % 1000 === 700 ? 900 : 5 + (i % 7)))
  }
  const roots = spans.filter(({ kind }) => kind === 'server')
  const represented = roots.reduce((sum, { attributes }) => sum + Number(attributes['andon.weight'] ?? 1), 0)
  assert.ok(Math.abs(represented - count) / count < 0.1, String(represented))
  assert.ok(roots.length < count * 0.2, String(roots.length))
  assert.equal(roots.filter(({ start, end }) => end - start > 800_000_000n).length, 20)
  assert.equal(spans.filter(({ status }) => status.code === 'error').length, 20)
  assert.equal(spans.length, roots.length * 2)
})

test('nothing is recorded below a parent that was not chosen, nor at a share of 0, and the decision travels on', () => {
  const { provider, spans } = recordSpans(0)
  const span = provider.getTracer('t').begin('a', 1, NO_CONTEXT)
  assert.equal(span.isRecording(), false)
  assert.equal(span.spanContext().traceFlags, 0)
  span.end()
  assert.equal(spans.length, 0)
})
