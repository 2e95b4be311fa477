// What the agent does for itself has no part in the request that happens to cause it.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import { activeContext, NO_CONTEXT, runIn, spanOf, withRequest } from '../context.ts'
import { Exporter } from '../exporter.ts'
import { HttpClientInstrumentation } from '../instrument/http-client.ts'
import { AgentMeterProvider } from '../metrics/meter.ts'
import { readOptions } from '../options.ts'
import { type Receiver, startReceiver } from '../otlp-receiver.test.ts'
import { labelsOf } from '../profile/labels.ts'
import { Sampler } from '../sampler.ts'
import { AgentTracerProvider, type AgentTracer } from '../tracer.ts'

const resource = { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }
/** What Node tells of the work of a request that goes out, within it: its connection, its head, its answer. */
const CHANNELS = ['net.client.socket', 'http.client.request.start', 'http.client.response.finish']

/** Keeps what is active whenever anything goes out. */
function watchWork(t: TestContext, see: (channel: string) => void): void {
  for (const channel of CHANNELS) {
    const told = (): void => see(channel)
    subscribe(channel, told)
    t.after(() => unsubscribe(channel, told))
  }
}

interface Host {
  readonly exporter: Exporter
  readonly tracer: AgentTracer
}

async function host(t: TestContext): Promise<Host & { readonly receiver: Receiver }> {
  const receiver = await startReceiver(t)
  const meters = new AgentMeterProvider()
  const exporter = new Exporter(readOptions({ endpoint: receiver.url, maxQueueBytes: 200_000 }, {}), resource, meters)
  t.after(() => exporter.stop())
  const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (scope) => exporter.spans.sinkOf(scope)).getTracer('test')
  t.after(new HttpClientInstrumentation(tracer, meters.getMeter('test')).start())
  return { exporter, tracer, receiver }
}

for (const [what, send] of [
  ['a span that fills the batch', ({ exporter, tracer }) => {
    const { written } = exporter.spans
    while (exporter.spans.bytes < 100_000 && exporter.spans.written < written + 10_000) tracer.startSpan(`span ${'x'.repeat(100)}`).end()
  }],
  ['a flush that the application asks for', ({ exporter, tracer }) => {
    tracer.startSpan('span').end()
    void exporter.flush(5000)
  }],
] as const satisfies readonly (readonly [string, (host: Host) => void])[]) {
  test(`${what} within a request: what is sent for it sees no span, no label, nothing of the host's own, and is no span itself`, { timeout: 30_000 }, async (t) => {
    const { exporter, tracer, receiver } = await host(t)
    const ofHost = new AsyncLocalStorage<string>()
    const seen = new Map<string, unknown>()
    watchWork(t, (channel) => {
      const context = activeContext()
      // As an instrumentation of sockets does.
      const attempt = tracer.startSpan('connect')
      seen.set(channel, [spanOf(context), labelsOf({ context }), ofHost.getStore(), channel === 'http.client.response.finish' || !attempt.isRecording()])
    })
    const span = tracer.begin('GET /cards', 2, NO_CONTEXT)
    const context = withRequest(NO_CONTEXT, { type: 'http', span, route: '/cards' })
    ofHost.run('request', () =>
      runIn(context, () => {
        send({ exporter, tracer })
        assert.deepEqual([spanOf(activeContext()), ofHost.getStore()], [span, 'request'])
      }),
    )
    await receiver.until(() => receiver.of('/v1/traces').length > 0)
    span.end()
    await exporter.flush(5000)
    assert.deepEqual(receiver.spans.filter(({ kind }) => kind !== 'internal').map(({ name }) => name), ['GET /cards'])
    assert.deepEqual([...seen.keys()].toSorted(), CHANNELS.toSorted())
    for (const [channel, active] of seen) assert.deepEqual(active, [undefined, {}, undefined, true], channel)
  })
}
