// Baggage of a span through real requests: what a server gets of what was set on a span before.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { context, diag, propagation, ROOT_CONTEXT, type Span as ApiSpan, trace } from '@opentelemetry/api'
import { AsyncContextManager } from './context.ts'
import { DistributedTracer, Span } from './index.ts'
import { HttpClientInstrumentation } from './instrument/http-client.ts'
import { HttpServerInstrumentation } from './instrument/http-server.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { createPropagator } from './propagation.ts'
import { recordSpans } from './span-recorder.test.ts'

const { provider } = recordSpans()
const agentTracer = provider.getTracer('test')
const tracer = new DistributedTracer(agentTracer)
const meter = new AgentMeterProvider().getMeter('test')
/** Answers with the baggage that came; /handler sets some, and asks again. */
const server = createServer((request, response) => {
  if (request.url !== '/handler') return response.end(request.headers['baggage'] ?? 'none')
  ours(trace.getActiveSpan()).setBaggageItem('tenant', 't-1')
  return void ask().then((got) => response.end(got))
})
const ends: (() => void)[] = []
let port = 0

before(async () => {
  context.setGlobalContextManager(new AsyncContextManager())
  propagation.setGlobalPropagator(createPropagator(['tracecontext', 'baggage']))
  for (const made of [new HttpServerInstrumentation(agentTracer, meter), new HttpClientInstrumentation(agentTracer, meter)]) ends.push(made.start())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})

after(() => {
  for (const end of ends) end()
  server.close()
  context.disable()
  propagation.disable()
})

/** What the server got. */
async function ask(path = '/', headers: Record<string, string> = {}): Promise<string> {
  await nextTurn()
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text))
    }).on('error', reject)
  })
}

function ours(span: ApiSpan | undefined): Span {
  assert.ok(span instanceof Span)
  return span
}

test('traceRequest: what is set on the span of a request goes along with the requests that it makes, and with no others', async () => {
  const requests: Promise<string>[] = []
  const handle = (tenant: string) => () => {
    requests.push(ask())
    ours(trace.getActiveSpan()).setBaggageItem('tenant', tenant)
    requests.push(ask())
  }
  for (const tenant of ['a', 'b c']) tracer.traceRequest({ method: 'GET', url: '/', headers: {} }, handle(tenant))
  requests.push(ask())
  // The first of each asks a turn later, when the tenant is known.
  assert.deepEqual(await Promise.all(requests), ['tenant=a', 'tenant=a', 'tenant=b%20c', 'tenant=b%20c', 'none'])
})

test('a server’s span: what came with the request goes on beside what is set, which wins', async () => {
  assert.equal(await ask('/handler'), 'tenant=t-1')
  assert.equal(await ask('/handler', { baggage: 'tenant=other,region=eu' }), 'tenant=t-1,region=eu')
})

test('startActiveSpan: spans below carry it too, also under a context from nowhere; spans beside do not', async () => {
  const answers = await agentTracer.startActiveSpan('parent', async (span) => {
    ours(span).setBaggageItem('a', '1')
    const below = agentTracer.startActiveSpan('child', async (child) => {
      ours(child).setBaggageItem('b', '2')
      return await ask()
    })
    return [await below, await ask(), await agentTracer.startActiveSpan('root', { root: true }, async () => await ask())]
  })
  assert.deepEqual(answers, ['a=1,b=2', 'a=1', 'none'])
  const alone = await agentTracer.startActiveSpan('handler', {}, ROOT_CONTEXT, async (span) => {
    ours(span).setBaggageItem('c', '3')
    return await ask()
  })
  assert.equal(alone, 'c=3')
})

test('createSpan: work is under a span where its context says so', async () => {
  const span = tracer.startSpan('work')
  const carried = span.setBaggageItem('a', '1')
  assert.equal(await ask(), 'none')
  const contexts = [carried, trace.setSpan(context.active(), span), trace.setSpan(ROOT_CONTEXT, span), trace.setSpan(context.active(), tracer.startSpan('below', { span }))]
  assert.deepEqual(await Promise.all(contexts.map((each) => context.with(each, ask))), ['a=1', 'a=1', 'a=1', 'a=1'])
  assert.equal(propagation.getBaggage(carried)?.getEntry('a')?.value, '1')
  span.finish()
  assert.equal(propagation.getBaggage(span.setBaggageItem('late', '1')), undefined)
})

test('a trace that is not sampled carries baggage all the same', async () => {
  const unsampled = new DistributedTracer(recordSpans(0).provider.getTracer('test')).startSpan('quiet')
  assert.equal(await context.with(unsampled.setBaggageItem('a', '1'), ask), 'a=1')
})

test('baggage that a context is given or deprived of later is the newer word, until the span is given more', async () => {
  await agentTracer.startActiveSpan('span', async (active) => {
    const span = ours(active)
    span.setBaggageItem('secret', 'x')
    span.setBaggageItem('a', '1')
    const without = propagation.deleteBaggage(context.active())
    const other = propagation.setBaggage(context.active(), propagation.createBaggage({ b: { value: '2' } }))
    const removed = propagation.setBaggage(context.active(), propagation.getActiveBaggage()?.removeEntry('secret') ?? assert.fail())
    // Each also through the span of a request, and of a span between.
    const between = async (): Promise<string> => await agentTracer.startActiveSpan('between', async () => await ask())
    const answers = [ask, between].flatMap((run) => [without, other, removed].map((each) => context.with(each, run)))
    assert.deepEqual(await Promise.all(answers), ['none', 'b=2', 'a=1', 'none', 'b=2', 'a=1'])
    span.setBaggageItem('a', '3')
    assert.deepEqual([await context.with(without, ask), await context.with(other, ask), await context.with(removed, ask), await ask()], ['a=3', 'b=2,a=3', 'a=3', 'secret=x,a=3'])
  })
})

test('a span carries 180 items, each with its last value', (t) => {
  const said: string[] = []
  const say = (message: string): void => void said.push(message)
  diag.setLogger({ error: say, warn: say, info: say, debug: say, verbose: say }, { suppressOverrideMessage: true })
  t.after(() => diag.disable())
  const span = tracer.startSpan('work')
  for (let round = 0; round < 2; round += 1) for (let item = 0; item < 190; item += 1) span.setBaggageItem(`k${item}`, `${item + round}`)
  const entries = propagation.getBaggage(trace.setSpan(context.active(), span))?.getAllEntries() ?? []
  assert.deepEqual([entries.length, entries.at(-1)], [180, ['k179', { value: '180' }]])
  assert.deepEqual(said, ['andon: a span carries 180 baggage items; further ones are left out'])
})
