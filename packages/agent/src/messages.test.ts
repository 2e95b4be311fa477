// Messages between threads: what Node does by itself, and what goes along where both sides ask for it.
import assert from 'node:assert/strict'
import { AsyncResource } from 'node:async_hooks'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { context, createContextKey, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncContextManager } from './context.ts'
import { inventoryItems } from './inventory.ts'
import { carryContext, messageHandler } from './messages.ts'
import { runProgram, startReceiver } from './otlp-receiver.test.ts'
import { createPropagator } from './propagation.ts'
import { recordSpans } from './span-recorder.test.ts'

const KEY = createContextKey('test')
const { provider, spans } = recordSpans()

before(() => {
  context.setGlobalContextManager(new AsyncContextManager())
  propagation.setGlobalPropagator(createPropagator(['tracecontext', 'baggage']))
  trace.setGlobalTracerProvider(provider)
})
after(() => [context, propagation, trace].forEach((api) => api.disable()))

const now = (): unknown => context.active().getValue(KEY)

function within<T>(value: string, run: () => T): T {
  return context.with(ROOT_CONTEXT.setValue(KEY, value), run)
}

test('a message is heard in the context in which its worker or port was made, whoever listens or sends', async () => {
  const { port1, port2 } = within('the channel', () => new MessageChannel())
  const atPort = within('the listener', () => new Promise((resolve) => port2.on('message', () => resolve(now()))))
  within('the sender', () => port1.postMessage(1))
  assert.equal(await atPort, 'the channel')
  port2.close()

  const worker = within('the worker', () => new Worker("require('node:worker_threads').parentPort.on('message', (message) => require('node:worker_threads').parentPort.postMessage(message))", { eval: true }))
  const heard: unknown[] = []
  within('the listener', () => worker.on('message', () => heard.push(now())))
  // A worker that lives longer than one request: Node's AsyncResource keeps each answer with who asked.
  const asked = within('who asks', () => {
    worker.postMessage(1, [])
    return new Promise((resolve) => worker.once('message', AsyncResource.bind(() => resolve(now()))))
  })
  assert.deepEqual([await asked, heard], ['who asks', ['the worker']])
  await worker.terminate()
})

/** Sends over a channel what is given. */
async function over(send: (port: MessagePort) => void, listener: (message: unknown) => unknown): Promise<unknown> {
  const { port1, port2 } = new MessageChannel()
  try {
    const heard = once(port2, 'message')
    send(port1)
    const [message] = (await heard) as [unknown]
    return await listener(message)
  } finally {
    port2.close()
  }
}

test('what is carried is handled in the sender\'s trace; what is not, in a trace of its own; each value arrives as it was', async () => {
  spans.length = 0
  const tracer = trace.getTracer('t')
  const seen: unknown[] = []
  const handler = messageHandler<unknown>('resize', (message) => {
    seen.push(message)
    tracer.startSpan('inside').end()
    return message
  })
  const bytes = new Uint8Array([1, 2, 3])
  await tracer.startActiveSpan('request', async (span) => {
    await over((port) => port.postMessage(carryContext({ bytes, when: new Date(7) }), [bytes.buffer]), handler)
    span.end()
  })
  for (const plain of [undefined, null, 0, 'text', { message: 1 }, { 'andon.context': 1 }, { 'andon.context': null, message: 2 }, [1]]) assert.deepEqual(await over((port) => port.postMessage(plain), handler), plain)
  assert.equal(await over((port) => port.postMessage({ 'andon.context': { traceparent: 7 }, message: 'hostile' }), handler), 'hostile')
  assert.deepEqual(seen.slice(0, 1), [{ bytes: new Uint8Array([1, 2, 3]), when: new Date(7) }])
  assert.equal(bytes.length, 0)
  const request = spans.find(({ name }) => name === 'request')
  const [carried, ...others] = spans.filter(({ name }) => name === 'resize')
  assert.deepEqual([carried?.traceId, carried?.parentSpanId, carried?.kind], [request?.traceId, request?.spanId, 'consumer'])
  assert.equal(spans.find(({ name, traceId }) => name === 'inside' && traceId === request?.traceId)?.parentSpanId, carried?.spanId)
  assert.equal(others.length, 9)
  assert.equal(new Set([request, ...others].map((span) => span?.traceId)).size, 10)
  assert.ok(inventoryItems().some(({ kind, name }) => kind === 'handler' && name === 'resize'))
})

test('what a handler throws or rejects passes through, and its span says so', async () => {
  spans.length = 0
  const thrown = messageHandler('throws', () => assert.fail('now'))
  const rejected = messageHandler('rejects', () => Promise.reject(new RangeError('later')))
  assert.throws(() => thrown(1), /now/)
  await assert.rejects(Promise.resolve(rejected(1)), RangeError)
  assert.deepEqual(spans.map(({ name, status, attributes }) => [name, status.code, status.message, attributes['error.type']]), [['throws', 'error', 'now', 'AssertionError'], ['rejects', 'error', 'later', 'RangeError']])
})

test('over two threads with an agent each, a request is one trace there and back', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const worker = `
    import { parentPort } from 'node:worker_threads'
    import { carryContext, messageHandler } from '@andon/agent'
    parentPort.once('message', messageHandler('square', async ({ n }) => { await null; parentPort.postMessage(carryContext(n * n)) }))`
  const text = `
    import { Worker } from 'node:worker_threads'
    import { trace } from '@opentelemetry/api'
    import { carryContext, messageHandler } from '@andon/agent'
    const worker = new Worker(${JSON.stringify(worker)}, { eval: true })
    worker.once('message', messageHandler('squared', (result) => console.log(result)))
    trace.getTracer('t').startActiveSpan('request', (span) => { worker.postMessage(carryContext({ n: 12 })); span.end() })`
  const { stdout, stderr } = await runProgram(t, 'module', text, receiver.url)
  assert.equal(stdout, '144\n', stderr)
  const [request, square, squared] = ['request', 'square', 'squared'].map((name) => receiver.spans.find((span) => span.name === name))
  assert.ok(request !== undefined && square !== undefined && squared !== undefined, `${receiver.spans.map(({ name }) => name).join()} ${stderr}`)
  assert.deepEqual([square.traceId, square.parentSpanId, squared.traceId, squared.parentSpanId], [request.traceId, request.spanId, request.traceId, square.spanId])
  assert.notEqual(square.resource.attributes['service.instance.id'], request.resource.attributes['service.instance.id'])
})
