// A host with little memory, a dead server, and more telemetry than may wait: the host lives, the agent keeps to its bound.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetricRecord } from '@andon/model'
import { runProgram, startReceiver } from './otlp-receiver.test.ts'

const REQUESTS = 4000

/** An application under load of its own, with about 12 KB of spans and an error a request. */
const PROGRAM = `
  const http = require('http')
  const tracer = require('@opentelemetry/api').trace.getTracer('t')
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 })
  const server = http.createServer((request, response) => {
    for (let index = 0; index < 3; index += 1) {
      const span = tracer.startSpan('work', { attributes: { text: request.url.padEnd(4000, 'x') } })
      if (index === 0) span.recordException(new Error('failed ' + request.url))
      span.end()
    }
    response.end(JSON.stringify({ id: request.url, items: Array.from({ length: 50 }, (_, id) => ({ id })) }))
  })
  const get = (port, path) => new Promise((resolve, reject) => http.get({ port, path, agent, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve)).on('error', reject))
  server.listen(0, '127.0.0.1', async () => {
    let next = 0
    const one = async () => { while (next < ${REQUESTS}) await get(server.address().port, '/' + next++) }
    await Promise.all(Array.from({ length: 16 }, one))
    server.close()
    server.closeAllConnections()
    agent.destroy()
    process.exitCode = 7
  })`

function valuesOf(metrics: readonly MetricRecord[], wanted: string, kind?: string): number[] {
  return metrics.flatMap(({ name, data }) => {
    if (name !== wanted || (data.type !== 'sum' && data.type !== 'gauge')) return []
    return data.points.filter(({ attributes }) => kind === undefined || attributes['kind'] === kind).map(({ value }) => value)
  })
}

for (const [flags, maxQueueBytes] of [['--max-old-space-size=64', 32 * 2 ** 20], ['--max-old-space-size=64 --max-semi-space-size=1', 32 * 2 ** 20], ['--max-semi-space-size=1', 2 * 2 ** 20]] as const) {
  test(`${flags}, a queue of ${maxQueueBytes} bytes and a dead server: the host lives, and the agent's memory is bounded and counted`, { timeout: 180_000 }, async (t) => {
    const receiver = await startReceiver(t)
    // Metrics arrive, so that the agent can be asked; spans and errors do not.
    const env = {
      NODE_OPTIONS: flags,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:9/v1/logs',
      OTEL_METRIC_EXPORT_INTERVAL: '100',
      // Every span is to come to the queue.
      ANDON_BUDGET: 'off',
      ANDON_AGENT_QUEUE_BYTES: String(maxQueueBytes),
    }
    const { code, signal, stderr } = await runProgram(t, 'commonjs', PROGRAM, receiver.url, env)
    assert.deepEqual([code, signal, stderr], [7, null, ''])
    const { metrics } = receiver
    const waiting = valuesOf(metrics, 'andon.agent.queue.size')
    assert.ok(waiting.length > 2)
    assert.ok(Math.max(...waiting) <= maxQueueBytes, `${Math.max(...waiting)} bytes`)
    // It was full: what is dropped is what did not fit.
    assert.ok(Math.max(...waiting) > maxQueueBytes / 2, `${Math.max(...waiting)} bytes`)
    const dropped = valuesOf(metrics, 'andon.agent.dropped', 'span').reduce((sum, value) => sum + value, 0)
    assert.ok(dropped > 0)
    let requests = 0
    for (const { name, data } of metrics) if (name === 'http.server.request.duration' && data.type === 'exponentialHistogram') for (const { count } of data.points) requests += count
    assert.equal(requests, REQUESTS)
  })
}
