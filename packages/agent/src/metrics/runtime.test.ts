// What programs under the agent tell of themselves and of the machine.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNoopMeter, type Meter } from '@opentelemetry/api'
import type { MetricRecord } from '@andon/model'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { startRuntimeMetrics } from './runtime.ts'

/** Type, unit and description of every instrument that is made. */
function instruments(): string[] {
  const made: string[] = []
  const noop = createNoopMeter()
  const meter: Meter = Object.create(noop)
  for (const method of ['createHistogram', 'createObservableGauge', 'createObservableCounter', 'createObservableUpDownCounter'] as const) {
    const kind = method.replace(/^create(?:Observable)?/, '').toLowerCase()
    Object.defineProperty(meter, method, {
      value: (name: string, { unit = '', description = '' }: { unit?: string; description?: string } = {}) => {
        made.push([name, kind, unit, description].join(' | '))
        return noop[method](name)
      },
    })
  }
  startRuntimeMetrics(meter, 250)()
  return made
}

test('docs/reference/metrics.md lists every metric of the runtime and the machine', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/reference/metrics.md'), 'utf8')
  const told = page.split('\n').flatMap((line) => /^\| `((?!andon\.agent\.)[\w.]+\.\w+)` (\|.*)\|$/.exec(line)?.slice(1, 3).join(' ').trimEnd() ?? [])
  assert.deepEqual(told.toSorted(), instruments().toSorted())
})

/** OTLP's NO_RECORDED_VALUE. */
const NO_VALUE = 1

function last(metrics: readonly MetricRecord[], name: string, attributes: Readonly<Record<string, string>> = {}): number {
  const points = metrics.flatMap((metric) => (metric.name === name && (metric.data.type === 'gauge' || metric.data.type === 'sum') ? metric.data.points : []))
  // At its exit a process ends its gauges by points without a value.
  const found = points.findLast((point) => (point.flags & NO_VALUE) === 0 && Object.entries(attributes).every(([key, value]) => point.attributes[key] === value))
  assert.ok(found, `no ${name} ${JSON.stringify(attributes)} among ${[...new Set(metrics.map((metric) => metric.name))].join(' ')}`)
  return found.value
}

const IS_LINUX = process.platform === 'linux'

test('process and machine: the figures lie where they can lie, on Linux also those of the kernel', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const text = `
    const { setFlagsFromString } = require('v8')
    setFlagsFromString('--expose-gc')
    const gc = require('vm').runInNewContext('gc')
    globalThis.kept = Buffer.alloc(5_000_000)
    const timer = setInterval(() => gc(), 100)
    setTimeout(() => { const until = Date.now() + 700; while (Date.now() < until); setTimeout(() => clearInterval(timer), 600) }, 600)`
  const { code, stderr } = await runProgram(t, 'commonjs', text, receiver.url, { OTEL_METRIC_EXPORT_INTERVAL: '200', ANDON_STALL_MS: '200' })
  assert.equal(code, 0, stderr)
  const { metrics } = receiver
  const within = (name: string, low: number, high: number, attributes?: Readonly<Record<string, string>>): void => {
    const value = last(metrics, name, attributes)
    assert.ok(value >= low && value <= high, `${name} is ${value}`)
  }
  within('v8js.memory.heap.used', 1e5, 1e9, { 'v8js.heap.space.name': 'old_space' })
  within('v8js.memory.heap.limit', 1e7, 1e12)
  within('andon.heap.floor', 1e6, 1e9)
  within('andon.memory.external', 5e6, 1e9, { 'andon.memory.kind': 'array_buffers' })
  within('process.cpu.utilization', 0, 1, { 'cpu.mode': 'user' })
  within('process.memory.usage', 1e7, 1e10)
  within('process.uptime', 1, 60)
  within('nodejs.eventloop.utilization', 0, 1)
  within('v8js.resource.active', 1, 100, { 'v8js.resource.type': 'Timeout' })
  within('system.memory.utilization', 0, 1, { 'system.memory.state': 'used' })
  within('system.filesystem.utilization', 0, 1, { 'system.filesystem.mountpoint': '/' })
  within('system.cpu.logical.count', 1, 4096)
  const collections = metrics.flatMap(({ name, data }) => (name === 'v8js.gc.duration' && data.type === 'exponentialHistogram' ? data.points : []))
  assert.ok(collections.some(({ attributes, count, sum = 0 }) => attributes['v8js.gc.type'] === 'major' && count > 0 && sum > 0 && sum < 10))
  const stalls = metrics.flatMap(({ name, data }) => (name === 'andon.eventloop.stall.duration' && data.type === 'exponentialHistogram' ? data.points : []))
  assert.ok(stalls.some(({ max = 0 }) => max >= 0.5 && max < 10), JSON.stringify(stalls.map(({ max }) => max)))
  assert.ok(last(metrics, 'nodejs.eventloop.delay.max') > 0)
  if (!IS_LINUX) return
  within('process.unix.file_descriptor.count', 5, 1000)
  within('process.thread.count', 2, 1000)
  within('process.memory.virtual', 1e7, 1e14)
  within('system.cpu.utilization', 0, 1, { 'cpu.mode': 'idle' })
  const threads = metrics.flatMap(({ name, data }) => (name === 'andon.thread.cpu.time' && data.type === 'sum' ? data.points : []))
  const main = threads.filter(({ attributes }) => attributes['thread.name'] === 'main').reduce((sum, { value }) => sum + value, 0)
  assert.ok(main > 0.05 && main < 20, String(main))
})

test('an idle process under a CPU profiler is idle, whatever Node says', { timeout: 60_000, skip: IS_LINUX ? false : 'needs the time of one thread' }, async (t) => {
  const text = `
    const { Session } = require('inspector')
    const { performance } = require('perf_hooks')
    const session = new Session()
    session.connect()
    session.post('Profiler.enable')
    session.post('Profiler.setSamplingInterval', { interval: 1000 })
    session.post('Profiler.start')
    setTimeout(() => {
      const before = performance.eventLoopUtilization()
      setTimeout(() => { console.log(performance.eventLoopUtilization(before).utilization); session.post('Profiler.stop'); session.disconnect() }, 1800)
    }, 500)`
  const tried: string[] = []
  // A machine that lets the process wait at each signal makes it busy in truth: then it is tried again.
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const receiver = await startReceiver(t)
    const { stdout } = await runProgram(t, 'commonjs', text, receiver.url, { OTEL_METRIC_EXPORT_INTERVAL: '500' })
    const values = receiver.metrics.flatMap(({ name, data }) => (name === 'nodejs.eventloop.utilization' && data.type === 'gauge' ? data.points.map(({ value }) => value) : []))
    const told = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? assert.fail()
    if (told < Number(stdout) - 0.15) return
    tried.push(`${told} where Node says ${stdout}`)
  }
  assert.fail(tried.join('; '))
})
