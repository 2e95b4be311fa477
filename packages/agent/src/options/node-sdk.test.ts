// Variables on which users of OpenTelemetry's Node SDK rely, beside those of endpoints, sampling and propagation.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { diag, DiagLogLevel, ROOT_CONTEXT } from '@opentelemetry/api'
import { decodeMetrics } from '@andon/wire'
import { redactionOf } from '../attributes.ts'
import { Exporter } from '../exporter.ts'
import { INSTRUMENTATIONS } from '../instrument/index.ts'
import { cutting, DEFAULT_LIMITS, limits } from '../limits.ts'
import { AgentMeterProvider } from '../metrics/meter.ts'
import { DETECTORS, readOptions } from '../options.ts'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { detectResource } from '../resource.ts'
import { recordSpans } from '../span-recorder.test.ts'
import { isSwitchedOn } from './instrumentations.ts'
import { UNUSED, warnUnused } from './unused.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/reference/agent.md'), 'utf8')
const ignore = (): void => undefined

function warnings(t: TestContext): string[] {
  const said: string[] = []
  diag.setLogger({ error: ignore, warn: (message) => void said.push(message), info: ignore, debug: ignore, verbose: ignore }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.after(() => diag.disable())
  return said
}

test('limits: those of spans win over the general ones; 0 is a limit; what is no whole number is named', (t) => {
  const said = warnings(t)
  const read = readOptions({}, { OTEL_ATTRIBUTE_COUNT_LIMIT: '10', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '5', OTEL_SPAN_EVENT_COUNT_LIMIT: '0', OTEL_SPAN_LINK_COUNT_LIMIT: '-1', OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '20', OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '3' }).limits
  assert.deepEqual(read, { attributes: 5, events: 0, links: 128, attributesPerEvent: 10, attributesPerLink: 3, valueLength: 20 })
  assert.deepEqual(said, ['andon: OTEL_SPAN_LINK_COUNT_LIMIT must be a whole number, not "-1"; 128 is used'])
  assert.deepEqual(readOptions({}, {}).limits, DEFAULT_LIMITS)
})

test('a span holds no more than its limits, counts what it does not hold, and its texts are cut', (t) => {
  limits.span = { attributes: 2, events: 1, links: 1, attributesPerEvent: 1, attributesPerLink: 1, valueLength: 5 }
  t.after(() => (limits.span = DEFAULT_LIMITS))
  const { provider, spans } = recordSpans(1, undefined, cutting(redactionOf, 5))
  const span = provider.getTracer('t').startSpan('s', { attributes: { a: 'x'.repeat(9), b: ['y'.repeat(9), 'z'], c: 1 } })
  const link = { context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }, attributes: { l: 'long text', m: 1 } }
  span.setAttribute('a', 'password and more').addEvent('first', { e: 'long text', f: 1, g: 2 }).addEvent('second').addLink(link).addLink(link)
  span.end()
  const [recorded] = spans
  assert.deepEqual({ ...recorded?.attributes }, { a: 'passw', b: ['yyyyy', 'z'] })
  assert.equal(recorded?.droppedAttributes, 1)
  assert.deepEqual(recorded.events.map(({ name, attributes, droppedAttributes }) => [name, { ...attributes }, droppedAttributes]), [['first', { e: 'long ' }, 2]])
  assert.equal(recorded.droppedEvents, 1)
  assert.deepEqual(recorded.links.map(({ attributes, droppedAttributes }) => [{ ...attributes }, droppedAttributes]), [[{ l: 'long ' }, 1]])
})

test('instrumentations: both lists, by short or whole names; what is enabled and not known is named', () => {
  const { instrumentations } = readOptions({}, { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http, @opentelemetry/instrumentation-pg,express', OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express' })
  assert.deepEqual(['http', 'pg', 'express', 'koa'].map((name) => isSwitchedOn(instrumentations, name)), [true, true, false, false])
  assert.ok(INSTRUMENTATIONS.every((name) => isSwitchedOn(readOptions({}, {}).instrumentations, name)))
})

const PROGRAM = `
import express from 'express'
import pool from 'generic-pool'
import { start } from '@andon/agent'
const app = express()
app.get('/items/:id', (request, response) => response.json({}))
const server = app.listen(0, '127.0.0.1', async () => {
  await (await fetch('http://127.0.0.1:' + server.address().port + '/items/7')).text()
  console.log(JSON.stringify(start().instrumented().map(({ name }) => name).toSorted()))
  server.close()
})`

for (const [env, listed, spans] of [
  [{}, ['express', 'generic-pool', 'http', 'router', 'undici'], ['client GET', 'server GET /items/:id']],
  [{ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express,generic-pool' }, ['http', 'undici'], ['client GET', 'server GET']],
  [{ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'undici,runtime-node' }, ['express', 'generic-pool', 'http', 'router'], ['server GET /items/:id']],
  [{ OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'undici' }, ['undici'], ['client GET']],
] as const) {
  test(`a program under ${JSON.stringify(env)} has the spans of what is on`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const { stdout, stderr } = await runProgram(t, 'module', PROGRAM, receiver.url, env)
    assert.deepEqual(JSON.parse(stdout), listed, stderr)
    assert.deepEqual(receiver.spans.map(({ kind, name }) => `${kind} ${name}`).toSorted(), spans)
    const hasRuntime = receiver.metrics.some(({ name }) => name.startsWith('v8js.'))
    assert.equal(hasRuntime, !JSON.stringify(env).includes('runtime-node'))
  })
}

/** What detectors found out, by a resource's keys. */
const keysOf = (env: Record<string, string>): string[] => Object.keys(detectResource(readOptions({}, { OTEL_SERVICE_NAME: 's', OTEL_RESOURCE_ATTRIBUTES: 'team=a', ...env }), '1').attributes).filter((key) => !/^(?:service|telemetry)\./.test(key))

test('detectors: only what is named is found out, the service and its instance always', (t) => {
  const said = warnings(t)
  const all = ['host.name', 'host.arch', 'os.type', 'process.pid', 'process.runtime.name', 'process.runtime.version', 'team']
  assert.deepEqual([keysOf({}), keysOf({ OTEL_NODE_RESOURCE_DETECTORS: 'all' })], [all, all])
  assert.deepEqual(keysOf({ OTEL_NODE_RESOURCE_DETECTORS: 'env,os,aws' }), ['os.type', 'team'])
  assert.deepEqual(keysOf({ OTEL_NODE_RESOURCE_DETECTORS: 'none' }), [])
  assert.deepEqual(said, [])
  keysOf({ OTEL_NODE_RESOURCE_DETECTORS: 'hsot' })
  assert.match(said.join('\n'), /OTEL_NODE_RESOURCE_DETECTORS names hsot; known are all, none, env, host, os, process/)
  for (const name of DETECTORS) assert.ok(page.includes(`\`${name}\``), name)
})

test('exemplars: none where they are off', { timeout: 30_000 }, async (t) => {
  const said = warnings(t)
  const exemplarsOf = async (env: Record<string, string>): Promise<number> => {
    const receiver = await startReceiver(t)
    const meters = new AgentMeterProvider()
    const exporter = new Exporter({ ...readOptions({ endpoint: receiver.url }, env) }, { attributes: {}, droppedAttributes: 0, schemaUrl: '' }, meters)
    const { provider } = recordSpans()
    meters.getMeter('t').createHistogram('h').bind({}).record(1, provider.getTracer('t').start('s', {}, ROOT_CONTEXT))
    await exporter.flush(10_000)
    exporter.stop()
    return receiver.of('/v1/metrics').flatMap(({ body }) => decodeMetrics(body)).flatMap(({ data }) => (data.type === 'exponentialHistogram' ? data.points.flatMap(({ exemplars }) => exemplars) : [])).length
  }
  assert.deepEqual([await exemplarsOf({}), await exemplarsOf({ OTEL_METRICS_EXEMPLAR_FILTER: 'always_off' })], [1, 0])
  assert.deepEqual(said, [])
  assert.equal(readOptions({}, { OTEL_METRICS_EXEMPLAR_FILTER: 'always_on' }).exemplars, true)
  assert.match(said.join(), /OTEL_METRICS_EXEMPLAR_FILTER may be trace_based or always_off, not "always_on"/)
})

test('variables that are not used are named when they are set, and in the reference', (t) => {
  const said = warnings(t)
  warnUnused({ OTEL_BSP_MAX_QUEUE_SIZE: '4096', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: ' ', PATH: '/bin' })
  assert.deepEqual(said, [`andon: OTEL_BSP_MAX_QUEUE_SIZE is not used: ${UNUSED['OTEL_BSP_MAX_QUEUE_SIZE'] ?? ''}`])
  const told = [...page.matchAll(/^- `(OTEL_[A-Z_]+)`: (.+)\.$/gm)].map(([, name = '', instead = '']) => [name, instead.replaceAll('`', '')])
  assert.deepEqual(Object.fromEntries(told), UNUSED)
})

test('the reference names every instrumentation that can be switched', () => {
  const line = /^Their names: (.+)\.$/m.exec(page.replaceAll(/\n(?=`)/g, ' '))?.[1] ?? ''
  assert.deepEqual([...line.matchAll(/`([\w.-]+)`/g)].map(([, name]) => name), INSTRUMENTATIONS)
})
