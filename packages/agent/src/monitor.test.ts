// The asked-for names and what each is said to do.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { context, propagation, trace } from '@opentelemetry/api'
import type { AlertSignal, ExceptionRecord, ThresholdRule } from '@andon/model'
import { AsyncContextManager } from './context.ts'
import { ApplicationPerformanceMonitor, DistributedTracer, MetricsCollector, PerformanceProfiler, ThresholdAlerts, Timer } from './index.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { recordSpans } from './span-recorder.test.ts'

const RULE: ThresholdRule = { id: 'slow', metric: 'board.load', operator: 'gt', threshold: 500, severity: 'warning', message: 'boards load slowly' }

function setUp(ratio = 1) {
  const { provider, spans } = recordSpans(ratio)
  const exceptions: Omit<ExceptionRecord, 'resource' | 'scope'>[] = []
  const told: AlertSignal[] = []
  const clock = { ms: 1000 }
  const now = (): number => clock.ms
  const tracer = new DistributedTracer(provider.getTracer('test'))
  const meters = new AgentMeterProvider()
  const alerts = new ThresholdAlerts([RULE], (alert) => told.push(alert), now)
  const monitor = new ApplicationPerformanceMonitor({ metrics: new MetricsCollector(meters.getMeter('test')), tracer, alerts, record: (exception) => exceptions.push(exception), now })
  return { monitor, tracer, meters, alerts, spans, exceptions, told, clock }
}

test('Timer: 100 ms read as 100; a second stop gives the first; span and histogram take it', () => {
  const { monitor, spans, clock } = setUp()
  const timer = monitor.startTimer('board.load')
  assert.ok(timer instanceof Timer)
  clock.ms += 40
  assert.equal(timer.getDuration(), 40)
  clock.ms += 60
  assert.equal(timer.stop(), 100)
  clock.ms += 900
  assert.deepEqual([timer.stop(), timer.getDuration()], [100, 100])
  assert.deepEqual(spans.map(({ name, attributes }) => [name, attributes['duration']]), [['board.load', 100n]])
  const [data] = monitor.getMetrics()
  assert.deepEqual([data?.name, data?.type, data?.count, data?.value, data?.tags], ['operation.duration', 'histogram', 1, 100, { operation: 'board.load', status: 'success' }])
})

test('recordMetric: a gauge; a broken limit is told once while it is active, and again after it was kept', () => {
  const { monitor, told, alerts } = setUp()
  const tags = { board: 'a' }
  for (const value of [400, 501, 900, 300]) monitor.recordMetric('board.load', value, tags)
  assert.deepEqual(told, [{ type: 'PERFORMANCE_THRESHOLD_EXCEEDED', metric: 'board.load', value: 501, threshold: 500, severity: 'warning', message: 'boards load slowly', rule: 'slow', tags }])
  assert.deepEqual(alerts.getActiveAlerts(), [])
  monitor.recordMetric('board.load', 700, tags)
  assert.equal(told.length, 2)
  assert.deepEqual(monitor.getMetrics().map(({ name, type, value }) => [name, type, value]), [['board.load', 'gauge', 700]])
})

test('an alert that lasts is told again each minute, and once that it is over', () => {
  const told: string[] = []
  const clock = { ms: 0 }
  const alerts = new ThresholdAlerts([RULE], () => told.push(`${clock.ms} exceeded`), () => clock.ms, ({ value }, course) => told.push(`${clock.ms} ${course} ${value}`))
  for (const [at, value] of [[0, 600], [10_000, 700], [59_999, 700], [60_000, 800], [119_000, 900], [125_000, 901], [130_000, 400], [131_000, 300], [140_000, 501]] as const) {
    clock.ms = at
    alerts.checkMetric('board.load', value)
  }
  assert.deepEqual(told, ['0 exceeded', '60000 lasting 800', '125000 lasting 901', '130000 ended 600', '140000 exceeded'])
  alerts.setServerRules([])
  assert.equal(alerts.getActiveAlerts().length, 1)
  for (let error = 0; error < 11; error += 1) alerts.checkErrorRate(new Error('x'))
  clock.ms += 61_000
  assert.equal(alerts.getActiveAlerts().length, 1)
  assert.equal(told.at(-1), '201000 ended 11')
})

test('recordError: counted by type and allowed keys, sent with its context, secrets at any depth redacted', () => {
  const { monitor, exceptions } = setUp()
  monitor.recordError(new TypeError('no board'), { route: '/api/boards/:id', user: 'u-1', password: 'p4ss', request: { headers: { authorization: 'Bearer abc', accept: 'text/html' } } })
  const [counter] = monitor.getMetrics()
  assert.deepEqual([counter?.name, counter?.value, counter?.tags], ['errors.total', 1, { error_type: 'TypeError', route: '/api/boards/:id' }])
  const [record] = exceptions
  assert.deepEqual([record?.type, record?.message, record?.handled], ['TypeError', 'no board', true])
  assert.equal(record?.attributes['user'], 'u-1')
  const text = JSON.stringify(record.attributes, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  assert.ok(!text.includes('p4ss') && !text.includes('Bearer') && text.includes('text/html'), text)
})

test('recordError: a circular context and a bigint do not throw into the host', () => {
  const { monitor, exceptions } = setUp()
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  monitor.recordError(new Error('x'), { circle, big: 12n })
  assert.equal(exceptions[0]?.attributes['big'], 12n)
})

test('checkErrorRate: more than ten errors within a minute are one alert, which ends by itself', () => {
  const { monitor, told, alerts, clock } = setUp()
  for (let i = 0; i < 10; i += 1) monitor.recordError(new Error('x'))
  assert.deepEqual(told, [])
  for (let i = 0; i < 5; i += 1) monitor.recordError(new Error('x'))
  assert.deepEqual(told.map(({ type }) => type), ['ERROR_RATE_EXCEEDED'])
  assert.equal(alerts.getActiveAlerts().length, 1)
  clock.ms += 60_000
  assert.deepEqual(alerts.getActiveAlerts(), [])
})

test('Span: setTag stores older names under today’s, finish ends once, baggage is carried by the context it gives', () => {
  const { monitor, spans } = setUp()
  const span = monitor.createSpan('call')
  span.setTag('http.method', 'GET').setTag('http.status_code', 200).setTag('http.url', 'http://h/p?token=abc&a=1').setTag('http.user_agent', 'ua')
  const carried = span.setBaggageItem('tenant', 't-1')
  span.finish()
  span.finish()
  span.setTag('late', true)
  assert.equal(propagation.getBaggage(carried)?.getEntry('tenant')?.value, 't-1')
  assert.equal(spans.length, 1)
  const attributes = spans[0]?.attributes ?? {}
  assert.deepEqual([attributes['http.request.method'], attributes['http.response.status_code'], attributes['user_agent.original'], attributes['late']], ['GET', 200n, 'ua', undefined])
  assert.equal(attributes['url.full'], 'http://h/p?token=[redacted]&a=1')
})

test('createSpan: under a span, under ids from elsewhere, or a trace of its own', () => {
  const { monitor, spans } = setUp()
  const parent = monitor.createSpan('parent')
  monitor.createSpan('child', { span: parent }).finish()
  monitor.createSpan('remote', { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }).finish()
  monitor.createSpan('root').finish()
  const [child, remote, root] = spans
  assert.deepEqual([child?.traceId, child?.parentSpanId], [parent.spanContext().traceId, parent.spanContext().spanId])
  assert.deepEqual([remote?.traceId, remote?.parentSpanId], ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'])
  assert.equal(root?.parentSpanId, '')
})

test('createSpan: a trace that is not sampled gives a span of the same interface that is sent nowhere', () => {
  const { monitor, spans } = setUp(0)
  const span = monitor.createSpan('quiet')
  span.setTag('a', 1).finish()
  assert.match(span.spanContext().traceId, /^[\da-f]{32}$/)
  assert.equal(spans.length, 0)
})

class Response extends EventEmitter {
  statusCode = 200
}

test('traceRequest: the span ends with the answer, whose status it has; x-trace-id is its trace', (t) => {
  context.setGlobalContextManager(new AsyncContextManager())
  t.after(() => context.disable())
  const { tracer, spans } = setUp()
  const response = new Response()
  const traceId = '0AF7651916CD43DD8448EB211C80319C'
  let active = ''
  tracer.traceRequest({ method: 'POST', url: '/api/tasks?x=1', headers: { 'x-trace-id': traceId } }, response, () => {
    active = trace.getActiveSpan()?.spanContext().traceId ?? ''
  })
  assert.equal(spans.length, 0)
  response.statusCode = 503
  response.emit('close')
  const [span] = spans
  assert.deepEqual([span?.name, span?.kind, span?.traceId, active], ['http_request', 'server', traceId.toLowerCase(), traceId.toLowerCase()])
  assert.deepEqual([span?.attributes['http.response.status_code'], span?.attributes['url.path'], span?.status.code], [503n, '/api/tasks', 'error'])
})

test('traceRequest: (req, next) without an answer ends after next; another trace id is hashed to one and kept', () => {
  const { tracer, spans } = setUp()
  const request = { method: 'GET', url: '/', headers: { 'x-trace-id': 'order-17' } }
  tracer.traceRequest(request, () => {})
  tracer.traceRequest(request, () => {})
  assert.match(spans[0]?.traceId ?? '', /^[\da-f]{32}$/)
  assert.equal(spans[0]?.traceId, spans[1]?.traceId)
  assert.ok(Object.values(spans[0]?.attributes ?? {}).includes('order-17'))
})

test('traceRequest: next’s value and error pass through, and without an answer the span ends with its promise', async () => {
  const { tracer, spans } = setUp()
  const request = { method: 'GET', url: '/', headers: { 'x-trace-id': '' } }
  assert.equal(tracer.traceRequest(request, () => 7), 7)
  assert.deepEqual([spans[0]?.attributes['user_agent.original'], spans[0]?.attributes['andon.x_trace_id']], [undefined, undefined])
  assert.throws(() => tracer.traceRequest(request, () => assert.fail('now')), /now/)
  const answer = tracer.traceRequest(request, async () => await new Promise((resolve) => setImmediate(() => resolve('later'))))
  assert.equal(spans.length, 2)
  assert.equal(await answer, 'later')
  await assert.rejects(tracer.traceRequest(request, async () => await Promise.reject(new TypeError('then'))), /then/)
  assert.deepEqual(spans.map(({ status }) => [status.code, status.message]), [['unset', ''], ['error', 'now'], ['unset', ''], ['error', 'then']])
  const response = new Response()
  assert.throws(() => tracer.traceRequest(request, response, () => assert.fail('the framework answers')), /framework/)
  assert.equal(spans.length, 4)
  response.statusCode = 500
  // Also an answer that is only said to have finished.
  response.emit('finish')
  response.emit('close')
  assert.deepEqual(spans.slice(4).map(({ attributes, status }) => [attributes['http.response.status_code'], status.code]), [[500n, 'error']])
})

test('MetricsCollector: mean beside count, sum, extremes and quantiles within a bucket’s width; names choose', () => {
  const { meters } = setUp()
  const collector = new MetricsCollector(meters.getMeter('test'))
  for (let value = 1; value <= 1000; value += 1) collector.recordHistogram('load', value)
  collector.incrementCounter('hits', { cache: 'board' })
  collector.incrementCounter('hits', { cache: 'board' })
  collector.recordGauge('queue', 5)
  collector.recordGauge('queue', 3)
  const [load] = collector.getMetrics('load')
  assert.deepEqual([load?.count, load?.sum, load?.min, load?.max, load?.value], [1000, 500_500, 1, 1000, 500.5])
  for (const [got, exact] of [[load?.p50, 500], [load?.p95, 950], [load?.p99, 990]] as const) assert.ok(Math.abs((got ?? 0) / exact - 1) < 0.023, `${got} for ${exact}`)
  assert.deepEqual(collector.getMetrics('hits').map(({ value, tags, type }) => [value, tags, type]), [[2, { cache: 'board' }, 'counter']])
  assert.deepEqual(collector.getMetrics('queue').map(({ value }) => value), [3])
  assert.equal(collector.getMetrics().length, 3)
})

test('MetricsCollector: what is no finite number makes no metric, and changes none', () => {
  const collector = new MetricsCollector()
  for (const value of [Number.NaN, Infinity, -Infinity, '5' as never, null as never]) {
    collector.recordHistogram('load', value)
    collector.recordGauge('queue', value)
  }
  assert.deepEqual(collector.getMetrics(), [])
  collector.recordHistogram('load', 5)
  collector.recordHistogram('load', Number.NaN)
  collector.recordGauge('queue', 3)
  collector.recordGauge('queue', Infinity)
  assert.deepEqual(collector.getMetrics().map(({ name, value, count, min, max }) => [name, value, count, min, max]), [['load', 5, 1, 5, 5], ['queue', 3, undefined, undefined, undefined]])
})

test('flush never rejects, whatever flushes', async () => {
  await new ApplicationPerformanceMonitor({ flush: async () => await Promise.reject(new Error('no server')) }).flush()
})

test('every part has a working default', async () => {
  const monitor = new ApplicationPerformanceMonitor()
  monitor.startTimer('a').stop()
  monitor.recordMetric('b', 1)
  monitor.recordError(new Error('c'))
  monitor.createSpan('d').finish()
  await monitor.flush()
  assert.deepEqual(monitor.getMetrics().map(({ name }) => name), ['operation.duration', 'b', 'errors.total'])
})

function makeParts() {
  const { provider, spans } = recordSpans()
  const told: AlertSignal[] = []
  const profiler = new PerformanceProfiler()
  const metrics = new MetricsCollector(new AgentMeterProvider().getMeter('test'))
  return { metrics, tracer: new DistributedTracer(provider.getTracer('test')), profiler, alerts: new ThresholdAlerts([RULE], (alert) => told.push(alert)), spans, told }
}

test('the four parts are taken in their order, and by their names; what is left out has its default', () => {
  const [listed, named] = [makeParts(), makeParts()]
  const monitors = [new ApplicationPerformanceMonitor(listed.metrics, listed.tracer, listed.profiler, listed.alerts), new ApplicationPerformanceMonitor(named)]
  for (const [index, { metrics, profiler, spans, told }] of [listed, named].entries()) {
    const monitor = monitors[index]
    assert.ok(monitor !== undefined)
    monitor.startTimer('a').stop()
    monitor.recordMetric('board.load', 501)
    assert.deepEqual(monitor.getMetrics(), metrics.getMetrics())
    assert.deepEqual([spans.map(({ name }) => name), told.map(({ rule }) => rule), monitor.profiler === profiler], [['a'], ['slow'], true])
  }
  const alone = makeParts()
  const collects = new ApplicationPerformanceMonitor(alone.metrics)
  collects.recordMetric('b', 1)
  assert.deepEqual(alone.metrics.getMetrics().map(({ name }) => name), ['b'])
  new ApplicationPerformanceMonitor(undefined, undefined, undefined, alone.alerts).recordMetric('board.load', 501)
  assert.equal(alone.told.length, 1)
  // As programs without types leave parts out.
  for (const none of [[null], [null, null, null, null], ['x'], [{}, undefined]] as never[][]) {
    const monitor = new ApplicationPerformanceMonitor(...none)
    monitor.recordMetric('c', 2)
    monitor.createSpan('d').finish()
    assert.deepEqual(monitor.getMetrics().map(({ value }) => value), [2])
  }
})
