// Dead, slow and hostile servers: memory stays within its bound, what is dropped is counted, nothing piles up, and the host
// never notices.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOSTILE, startHostile, TAKING } from './hostile-servers.test.ts'
import { Exporter } from './exporter.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { readOptions } from './options.ts'
import { runProgram } from './otlp-receiver.test.ts'
import { Sampler } from './sampler.ts'
import { AgentTracerProvider } from './tracer.ts'

const resource = { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: 't', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

interface Case {
  readonly name: string
  readonly endpoint: string
  readonly atMost: (connections: number) => Promise<void>
  readonly end: () => Promise<void>
}

/** Each server, the same over TLS where it is never got so far, and none at all. */
async function cases(): Promise<Case[]> {
  const made: Case[] = [{ name: 'is not there', endpoint: 'http://127.0.0.1:9', atMost: () => Promise.resolve(), end: () => Promise.resolve() }]
  for (const [name, behave] of Object.entries(HOSTILE)) {
    const server = await startHostile(behave)
    made.push({ name, endpoint: `http://127.0.0.1:${server.port}`, ...server })
  }
  for (const name of ['takes connections and says nothing', 'answers with garbage']) {
    const server = await startHostile(name.includes('garbage') ? (socket) => void socket.write('no TLS at all\r\n\r\n') : (HOSTILE[name] ?? assert.fail()))
    made.push({ name: `${name} (TLS)`, endpoint: `https://127.0.0.1:${server.port}`, ...server })
  }
  return made
}

const all = await cases()
test.after(() => Promise.all(all.map(({ end }) => end())))

/** Spans of about 500 bytes, an error and a count each. */
function load(exporter: Exporter, meters: AgentMeterProvider, count: number): void {
  const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (of) => exporter.spans.sinkOf(of)).getTracer('t')
  const counter = meters.getMeter('t').createCounter('c')
  for (let index = 0; index < count; index += 1) {
    tracer.startSpan('s', { attributes: { text: 'x'.repeat(400) } }).end()
    exporter.recordException({ time: 1n, type: 'E', message: 'm', stack: 's'.repeat(500), handled: true, traceId: '', spanId: '', attributes: {}, resource, scope })
    counter.add(1)
  }
}

for (const { name, endpoint, atMost } of all) {
  test(`a server that ${name}: bounded, counted, and at its end nothing is left open`, { timeout: 60_000 }, async () => {
    const complaints: unknown[] = []
    const complain = (what: unknown): void => void complaints.push(what)
    process.on('warning', complain).on('unhandledRejection', complain)
    const maxQueueBytes = 400_000
    const meters = new AgentMeterProvider()
    const exporter = new Exporter(readOptions({ endpoint, maxQueueBytes, timeoutMs: 50 }, {}), resource, meters)
    const rounds = 12
    for (let round = 0; round < rounds || (!TAKING.has(name) && exporter.status().failures + exporter.status().refused === 0); round += 1) {
      load(exporter, meters, 300)
      assert.ok(exporter.status().queueBytes <= maxQueueBytes, `${exporter.status().queueBytes} bytes`)
      // Each cuts the wait between attempts short.
      await exporter.flush(60)
    }
    const { droppedSpans, droppedExceptions, refused, failures } = exporter.status()
    if (!TAKING.has(name)) {
      assert.ok(failures > 0)
      assert.ok(droppedSpans + refused > 300 * rounds * 0.3, `${droppedSpans} spans dropped, ${refused} refused`)
      assert.ok(droppedExceptions + refused > 300 * rounds * 0.3, `${droppedExceptions} errors dropped, ${refused} refused`)
    }
    await atMost(2)
    exporter.stop()
    await atMost(0)
    process.off('warning', complain).off('unhandledRejection', complain)
    assert.deepEqual(complaints, [])
  })
}

/** Says what piles up while it records, then ends in its own way. */
const PROGRAM = `
  const tracer = require('@opentelemetry/api').trace.getTracer('t')
  for (const event of ['warning', 'unhandledRejection']) process.on(event, (what) => console.error(event, what))
  const counts = () => { const all = process.getActiveResourcesInfo(); return [all.filter((each) => /TCP|TLS/.test(each)).length, all.filter((each) => each === 'Timeout').length] }
  let round = 0, sockets = 0, timers = 0
  const timer = setInterval(() => {
    for (let index = 0; index < 200; index += 1) tracer.startSpan('s', { attributes: { text: 'x'.repeat(1000) } }).end()
    const now = counts()
    sockets = Math.max(sockets, now[0])
    timers = Math.max(timers, now[1])
    if ((round += 1) < 40) return
    clearInterval(timer)
    console.log(JSON.stringify({ sockets, timers }))
    process.exitCode = 7
  }, 10)`

for (const { name, endpoint } of all) {
  test(`a program whose server ${name}: its exit code and its output are its own, in time`, { timeout: 60_000 }, async (t) => {
    const env = { OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_METRIC_EXPORT_INTERVAL: '30', OTEL_EXPORTER_OTLP_TIMEOUT: '50', ANDON_AGENT_QUEUE_BYTES: '1000000' }
    const began = performance.now()
    const { code, signal, stdout, stderr } = await runProgram(t, 'commonjs', PROGRAM, endpoint, env)
    assert.deepEqual([code, signal, stderr], [7, null, ''])
    // Three seconds for the deadline, the rest for a slow machine to start the program.
    assert.ok(performance.now() - began < 20_000, `${performance.now() - began} ms`)
    const found: unknown = JSON.parse(stdout)
    assert.ok(typeof found === 'object' && found !== null && 'sockets' in found && 'timers' in found)
    // Two connections at most, and the read of the control state; timers do not grow with the number of attempts.
    assert.ok(Number(found.sockets) <= 6 && Number(found.timers) <= 12, stdout)
  })
}
