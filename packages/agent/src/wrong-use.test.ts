// Values that the types forbid, as programs without a compiler give them: nothing is thrown, hangs, or spoils what is right.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { diag, DiagLogLevel, metrics, trace } from '@opentelemetry/api'
import { registerInventory } from './inventory.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { MetricsCollector } from './metrics/collector.ts'
import { ApplicationPerformanceMonitor, type MonitorParts } from './monitor.ts'
import { runProgram, startReceiver } from './otlp-receiver.test.ts'
import { recordSpans } from './span-recorder.test.ts'
import { ThresholdAlerts } from './thresholds.ts'
import { DistributedTracer } from './tracer.ts'

const circular: Record<string, unknown> = {}
circular['itself'] = circular
const throwing = { get a(): never { throw new Error('a getter') } }
/** Each as whatever the place wants: that is the point. */
const ODD: readonly never[] = ([undefined, null, Number.NaN, Infinity, -1, 0, '', 7n, true, {}, [], [1n], () => undefined, Symbol('odd'), new Date('never'), Object.create(null), circular, throwing] as unknown[]) as never[]

function warnings(t: TestContext): string[] {
  const said: string[] = []
  const say = (message: string): void => void said.push(message)
  diag.setLogger({ error: say, warn: say, info: () => undefined, debug: () => undefined, verbose: () => undefined }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.after(() => diag.disable())
  return said
}

test('spans take whatever they are given; each arrives once, whole, and what was right about it is right', (t) => {
  const said = warnings(t)
  const { provider, spans, buffer } = recordSpans()
  const tracer = provider.getTracer('t')
  let begun = 0
  const span = (): ReturnType<DistributedTracer['startSpan']> => {
    begun += 1
    return new DistributedTracer(tracer).startSpan('right').setTag('kept', 'yes')
  }
  for (const a of ODD) {
    begun += 1
    tracer.startSpan(a, { kind: a, startTime: a, attributes: a, links: a }).end(a)
    for (const b of ODD) {
      const one = span()
      one.setAttribute(a, b).setAttributes(b).setTag(a, b).setAttribute('list', [a, b] as never).addEvent(a, b).addEvent('e', { a, b }, a).setStatus(a).setStatus({ code: a, message: b })
      one.addLink(a).addLink({ context: a, attributes: b }).addLinks(a).recordException(a, b)
      one.updateName(a).setBaggageItem(a, b)
      one.end(a)
      one.end(b)
      one.setAttribute('late', 1).finish()
    }
  }
  // A value that cannot be read costs its own span, no other.
  const unreadable = span()
  unreadable.setAttribute('value', throwing).end()
  const twice = span()
  twice.end()
  twice.end()
  assert.equal(spans.length + buffer.dropped, begun)
  assert.ok(buffer.dropped < begun / 4, `${buffer.dropped} of ${begun} were lost`)
  const right = spans.filter(({ attributes }) => attributes['kept'] === 'yes')
  assert.ok(right.length > begun * 0.7)
  assert.ok(right.every(({ attributes, start, end, name }) => attributes['late'] === undefined && end >= start && typeof name === 'string'))
  assert.equal(spans.at(-1)?.name, 'right')
  assert.ok(said.length > 0 && said.length <= 100 && new Set(said).size === said.length, 'each kind once')
})

test('counters, gauges and histograms take finite numbers only; attributes of any kind tell sets apart', (t) => {
  const said = warnings(t)
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('t')
  const [counter, histogram, gauge] = [meter.createCounter('c'), meter.createHistogram('h'), meter.createGauge('g')]
  for (const a of ODD) for (const b of ODD) for (const record of [() => counter.add(a, b), () => histogram.record(a, b), () => gauge.record(a, b), () => counter.add(0, { a }), () => histogram.record(a, { b })]) record()
  counter.add(1, { big: 7n })
  counter.add(2, { big: 7n })
  counter.add(4, { big: 8n })
  const resource = { attributes: {}, droppedAttributes: 0, schemaUrl: '' }
  const collected = provider.collect(resource, { start: 0n, time: 1n })
  const sums = collected.find(({ name }) => name === 'c')?.data
  assert.ok(sums?.type === 'sum')
  assert.deepEqual(sums.points.filter(({ attributes }) => 'big' in attributes).map(({ value, attributes }) => [value, attributes['big']]), [[3, 7n], [4, 8n]])
  for (const { data } of collected) if (data.type === 'sum' || data.type === 'gauge') assert.ok(data.points.every(({ value }) => Number.isFinite(value)))
  assert.ok(said.some((line) => line.includes('c takes finite numbers that are not negative, not undefined')))
})

test('the first wrong value of an instrument may be whatever it is', (t) => {
  const said = warnings(t)
  for (const odd of ODD) {
    const meter = new AgentMeterProvider().getMeter('t')
    meter.createCounter('first').add(odd)
    meter.createHistogram('first of all').record(odd)
  }
  assert.ok(said.includes('andon: first takes finite numbers that are not negative, not object; such values are ignored'))
})

test('the asked-for interface takes whatever it is given, and an error that is none is recorded as what it says', (t) => {
  warnings(t)
  const { provider } = recordSpans()
  trace.setGlobalTracerProvider(provider)
  metrics.setGlobalMeterProvider(new AgentMeterProvider())
  t.after(() => [trace, metrics].forEach((api) => api.disable()))
  const recorded: string[] = []
  const parts: MonitorParts = { metrics: new MetricsCollector(), alerts: new ThresholdAlerts(), record: ({ type, message }) => recorded.push(`${type}: ${message}`) }
  const monitor = new ApplicationPerformanceMonitor(parts)
  const alerts = new ThresholdAlerts()
  for (const a of ODD) {
    const timer = monitor.startTimer(a)
    assert.equal(timer.stop(), timer.stop())
    monitor.createSpan('under', a).finish()
    new DistributedTracer().traceRequest(a, () => undefined)
    new DistributedTracer().traceRequest({ headers: a }, a, () => undefined)
    monitor.createSpan(a, { span: undefined as never, traceId: a, spanId: a }).finish()
    monitor.recordError(new Error('with a context'), a)
    monitor.recordError(new Error('with a value'), { a, operation: a })
    registerInventory(a)
    registerInventory({ kind: a, name: a })
    alerts.addRule(a)
    alerts.addRule({ id: 'r', metric: 'm', operator: a, threshold: a, severity: a, message: a })
    alerts.triggerAlert(a)
    alerts.checkErrorRate(a)
    monitor.profiler.startProfiling('p', a)
    monitor.profiler.stopProfiling('p')
    new DistributedTracer().traceRequest({ headers: { 'x-trace-id': a }, method: a, url: a }, () => undefined)
    for (const b of ODD) {
      monitor.recordMetric(a, b, b)
      monitor.recordMetric('x', a, { b })
      alerts.checkMetric('m', a, {})
    }
  }
  monitor.recordMetric('x', 5, { board: '7' })
  assert.deepEqual(monitor.getMetrics().find(({ name, tags }) => name === 'x' && tags['board'] === '7')?.value, 5)
  assert.ok(monitor.getMetrics().every(({ value }) => Number.isFinite(value)))
  recorded.length = 0
  const foreign = { name: 'RangeError', message: 'of another realm', stack: 'at x' }
  for (const thrown of ['a text', undefined, 404, foreign]) monitor.recordError(thrown as never)
  assert.deepEqual(recorded, ['Error: a text', 'Error: undefined', 'Error: 404', 'RangeError: of another realm'])
})

test('a program that misuses the agent ends as it would without it', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `
    import { getMonitor } from '@andon/agent'
    import { trace, metrics, SpanStatusCode } from '@opentelemetry/api'
    const span = trace.getTracer('t').startSpan(undefined, { kind: Infinity })
    span.setStatus({ code: Infinity, message: 5 }); span.setAttribute('self', span); span.end(NaN); span.end()
    metrics.getMeter('m').createCounter(undefined).add('7', null)
    getMonitor().recordError(null); getMonitor().recordMetric(null, NaN, null)
    trace.getTracer('t').startSpan('last').end()
    console.log('done')`
  const { code, stdout, stderr } = await runProgram(t, 'module', text, receiver.url)
  assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])
  assert.ok(receiver.spans.some(({ name }) => name === 'last'))
})
