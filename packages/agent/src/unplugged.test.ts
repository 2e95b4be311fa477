// The server is unplugged in the middle of load and comes back: what was within the bounds arrives once, what was not is
// counted, and the numbers of all requests are exact.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { test, type TestContext } from 'node:test'
import { decodeMetrics, decodeSpans } from '@andon/wire'
import { Receiver, runProgram } from './otlp-receiver.test.ts'

/** An application that loads itself. It tells the test where it is and goes on while the test does its part. */
const PROGRAM = `
  const http = require('http')
  const tracer = require('@opentelemetry/api').trace.getTracer('t')
  const [each, width] = [600, 8]
  const agent = new http.Agent({ keepAlive: true, maxSockets: width })
  const server = http.createServer((request, response) => {
    tracer.startSpan('work ' + request.url, { attributes: { text: 'x'.repeat(2000) } }).end()
    response.end('done')
  })
  const get = (port, path) => new Promise((resolve, reject) => http.get({ port, path, agent, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve)).on('error', reject))
  const tell = (what) => fetch(process.env.CONTROL + what).then((response) => response.text())
  server.listen(0, '127.0.0.1', async () => {
    const { port } = server.address()
    let next = 0
    const phase = async (end, half) => {
      let told
      const one = async () => {
        while (next < end) {
          const number = next++
          if (number === end - each / 2) told = tell(half)
          await get(port, '/' + number)
        }
      }
      await Promise.all(Array.from({ length: width }, one))
      await told
    }
    await phase(each, '/off')
    await phase(2 * each, '/still-off')
    await phase(3 * each, '/on')
    agent.destroy()
    server.close()
    server.closeAllConnections()
  })`

const REQUESTS = 1800

async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A receiver whose server can be unplugged, and plugged in again at the same port. */
async function plug(t: TestContext): Promise<{ readonly receiver: Receiver; readonly url: string; readonly off: () => Promise<void>; readonly on: () => Promise<void> }> {
  const receiver = new Receiver()
  const make = (): Server => createServer((request, response) => void receiver.take(request, response).catch(() => undefined))
  let server = make()
  const port = await listen(server)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    receiver,
    url: `http://127.0.0.1:${port}`,
    off: async () => {
      // First it takes a batch whole and ends before it has answered: it must be known when it comes again.
      const before = receiver.requests.length
      receiver.answer = (_request, response) => response.destroy()
      await receiver.until(() => receiver.requests.length > before)
      server.close()
      server.closeAllConnections()
      receiver.answer = undefined
    },
    on: async () => {
      server = make()
      await listen(server, port)
    },
  }
}

for (const maxQueueBytes of [300_000, 33_554_432]) {
  test(`the server unplugged in the middle of load, with a queue of ${maxQueueBytes} bytes`, { timeout: 120_000 }, async (t) => {
    const { receiver, url, off, on } = await plug(t)
    const steps: Readonly<Record<string, () => Promise<void>>> = { '/off': off, '/on': on }
    const control = createServer((request, response) => void Promise.resolve(steps[request.url ?? '']?.()).then(() => response.end('done')))
    const controlPort = await listen(control)
    t.after(() => {
      control.closeAllConnections()
      control.close()
    })
    const env = { CONTROL: `http://127.0.0.1:${controlPort}`, OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '100', ANDON_AGENT_QUEUE_BYTES: String(maxQueueBytes), ANDON_BUDGET: 'off' }
    const { code, stderr } = await runProgram(t, 'commonjs', PROGRAM, url, env)
    assert.deepEqual([code, stderr], [0, ''])

    const distinct = new Map(receiver.requests.map((each) => [each.batch, each]))
    assert.ok(distinct.size < receiver.requests.length, 'no batch came twice')
    const bodies = (path: string): Buffer[] => [...distinct.values()].filter((each) => each.path === path).map(({ body }) => body)
    const spans = bodies('/v1/traces').flatMap((body) => decodeSpans(body))
    const metrics = bodies('/v1/metrics').flatMap((body) => decodeMetrics(body))
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length)

    let requests = 0
    let dropped = 0
    for (const { name, data } of metrics) {
      if (name === 'http.server.request.duration' && data.type === 'exponentialHistogram') for (const { count } of data.points) requests += count
      if (name === 'andon.agent.dropped' && data.type === 'sum') for (const { value, attributes } of data.points) if (attributes['kind'] === 'span') dropped += value
    }
    assert.equal(requests, REQUESTS)
    // One of the server, one of the client and one by hand a request, and the three calls of the test.
    assert.equal(spans.length + dropped, REQUESTS * 3 + 3)
    if (maxQueueBytes > 1_000_000) assert.equal(dropped, 0)
    else assert.ok(dropped > 0)
  })
}
