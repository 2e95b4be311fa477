import assert from 'node:assert/strict'
import { AsyncResource } from 'node:async_hooks'
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { context, trace } from '@opentelemetry/api'
import { decodePprof } from '@andon/wire'
import { AsyncContextManager, type RpcMetadata, runIn, withRequest } from '../context.ts'
import { isSampling } from './cpu.ts'
import { PerformanceProfiler } from './profiler.ts'
import type { ProfileResult } from './session.ts'

/** Keeps the thread busy until it has used so much CPU time: not until a time is over, which a loaded machine would make meaningless. */
function burn(ms: number): number {
  const before = process.cpuUsage()
  let sum = 0
  for (;;) {
    for (let index = 0; index < 20_000; index += 1) sum += Math.sqrt(index + sum)
    const { user, system } = process.cpuUsage(before)
    if ((user + system) / 1000 > ms) return sum
  }
}

function burnFirst(ms: number): number {
  return burn(ms) + 1
}

function burnSecond(ms: number): number {
  return burn(ms) + 2
}

function burnThird(ms: number): number {
  return burn(ms) + 3
}

const someTurns = async (): Promise<number> => {
  await turn()
  return burnFirst(100)
}

/** A request of its own whose work is done in several turns. */
const request = (digit: string, work: (ms: number) => number): Promise<void> => {
  const span = trace.wrapSpanContext({ traceId: digit.repeat(32), spanId: digit.repeat(16), traceFlags: 1 })
  const rpc: RpcMetadata = { type: 'http', span }
  return runIn(withRequest(context.active(), rpc), async () => {
    work(60)
    // Known only now, as after routing; all samples of the request get it.
    rpc.route = `/route/${digit}`
    for (let round = 0; round < 3; round += 1) {
      await turn()
      work(60)
    }
  })
}

const has = (result: ProfileResult, name: string): boolean => result.samples.some(({ stackTrace }) => stackTrace.includes(`at ${name} `))
const decoded = (result: ProfileResult): ReturnType<typeof decodePprof> => decodePprof(gunzipSync(result.toPprof()))

test('a session shows what ran: real stacks, mapped to the source that was written, with CPU time and memory', () => {
  const profiler = new PerformanceProfiler()
  const before = Date.now()
  profiler.startProfiling('one', { type: 'cpu' })
  assert.ok(isSampling())
  burnFirst(400)
  const result = profiler.stopProfiling('one')
  assert.ok(!isSampling())
  assert.equal(result.sessionId, 'one')
  assert.equal(result.type, 'cpu')
  assert.ok(result.duration > 100 && result.duration <= Date.now() - before + 10)
  assert.ok(result.samples.length >= 10, `${result.samples.length} samples`)
  assert.ok(has(result, 'burnFirst'))
  const cpu = result.samples.reduce((sum, { cpuUsage }) => sum + cpuUsage, 0)
  assert.ok(cpu > 100 && cpu < 2000, `${cpu} ms`)
  for (const { timestamp, memoryUsage } of result.samples) {
    assert.ok(timestamp >= before - 1000 && timestamp <= Date.now() + 1000)
    assert.ok(memoryUsage > 1e6)
  }
  const entry = result.top(100).find(({ name }) => name === 'burnFirst')
  assert.ok(entry !== undefined)
  assert.match(entry.file, /src\/profile\/profiler\.test\.ts$/)
  // The line of the text, not that of the compiled program.
  assert.match(readFileSync(entry.file, 'utf8').split('\n')[entry.line - 1] ?? '', /^function burnFirst/)
  assert.ok(entry.total >= entry.self)
  const shares = result.top(Number.POSITIVE_INFINITY).reduce((sum, { share }) => sum + share, 0)
  assert.ok(Math.abs(shares - 1) < 1e-9)
})

test('sessions are windows on one sampler: they overlap, and each holds what ran between its start and its stop', () => {
  const profiler = new PerformanceProfiler()
  profiler.startProfiling('a', { type: 'cpu', interval: 10 })
  burnFirst(200)
  profiler.startProfiling('b', { type: 'cpu', interval: 5 })
  burnSecond(200)
  const a = profiler.stopProfiling('a')
  burnThird(200)
  const b = profiler.stopProfiling('b')
  assert.deepEqual(['burnFirst', 'burnSecond', 'burnThird'].map((name) => has(a, name)), [true, true, false])
  assert.deepEqual(['burnFirst', 'burnSecond', 'burnThird'].map((name) => has(b, name)), [false, true, true])
})

test('an unknown session throws; one that has ended is unknown', () => {
  const profiler = new PerformanceProfiler()
  assert.throws(() => profiler.stopProfiling('never'), { message: 'Profiling session ID not found' })
  profiler.startProfiling('once', { type: 'cpu', interval: Number.NaN })
  profiler.startProfiling('once', { type: 'cpu' })
  profiler.stopProfiling('once')
  assert.throws(() => profiler.stopProfiling('once'), { message: 'Profiling session ID not found' })
})

test('profileFunction: result and profile; parallel calls have ids of their own; an error passes through and ends the session', async () => {
  const profiler = new PerformanceProfiler()
  const [one, two] = await Promise.all([profiler.profileFunction('work', someTurns), profiler.profileFunction('work', someTurns)])
  assert.notEqual(one.profile.sessionId, two.profile.sessionId)
  assert.ok(one.result > 0 && has(one.profile, 'burnFirst') && has(two.profile, 'burnFirst'))
  const failure = new Error('mine')
  await assert.rejects(profiler.profileFunction('fails', () => Promise.reject(failure)), (error) => error === failure)
  await assert.rejects(profiler.profileFunction('fails', () => { throw failure }), (error) => error === failure)
  assert.ok(!isSampling())
})

test('a profile as pprof and as .cpuprofile holds the same samples', () => {
  const profiler = new PerformanceProfiler()
  profiler.startProfiling('out', { type: 'cpu' })
  burnFirst(200)
  const result = profiler.stopProfiling('out')
  const pprof = decoded(result)
  assert.deepEqual(pprof.valueTypes.map(({ type, unit }) => `${type}/${unit}`), ['samples/count', 'wall/nanoseconds', 'cpu/nanoseconds'])
  assert.equal(pprof.samples.length, result.samples.length)
  assert.equal(Number(pprof.duration) / 1e6, result.duration)
  const { nodes, samples, timeDeltas, startTime, endTime } = result.toCpuProfile()
  assert.equal(samples.length, result.samples.length)
  assert.equal(nodes.reduce((sum, { hitCount }) => sum + hitCount, 0), samples.length)
  assert.equal(timeDeltas.length, samples.length)
  assert.ok(endTime > startTime && timeDeltas.reduce((sum, delta) => sum + delta, 0) <= endTime - startTime + 50_000)
  const known = new Set(nodes.map(({ id }) => id))
  assert.ok(samples.every((id) => known.has(id)) && nodes.every(({ children }) => children.every((id) => known.has(id))))
})

const kept: unknown[] = []

function keepMuch(): void {
  for (let index = 0; index < 200_000; index += 1) kept.push({ index, list: [index, index + 1, index + 2] })
}

test('a session of memory shows who holds what was allocated in it', () => {
  const profiler = new PerformanceProfiler()
  profiler.startProfiling('memory', { type: 'memory' })
  keepMuch()
  const result = profiler.stopProfiling('memory')
  kept.length = 0
  const entry = result.top().find(({ name }) => name === 'keepMuch')
  assert.ok((entry?.total ?? 0) > 5e6, `${entry?.total} bytes`)
  assert.ok(result.samples.some(({ stackTrace, memoryUsage }) => stackTrace.includes('at keepMuch ') && memoryUsage > 0))
  assert.deepEqual(decoded(result).valueTypes.map(({ unit }) => unit), ['count', 'bytes'])
})

test('samples carry trace, span and route of the request they belong to, also when requests interleave', async () => {
  context.setGlobalContextManager(new AsyncContextManager())
  try {
    const profiler = new PerformanceProfiler()
    profiler.startProfiling('labels', { type: 'cpu', interval: 2 })
    await Promise.all([request('1', burnFirst), request('2', burnSecond)])
    new AsyncResource('OUTSIDE').runInAsyncScope(() => burnThird(60))
    const { samples } = decoded(profiler.stopProfiling('labels'))
    const labels = (name: string): Set<string> => new Set(samples.filter(({ stack }) => stack.some((frame) => frame.name === name)).map(({ labels: of }) => `${of['route'] ?? ''} ${of['trace_id'] ?? ''} ${of['span_id'] ?? ''}`))
    assert.deepEqual(labels('burnFirst'), new Set([`/route/1 ${'1'.repeat(32)} ${'1'.repeat(16)}`]))
    assert.deepEqual(labels('burnSecond'), new Set([`/route/2 ${'2'.repeat(32)} ${'2'.repeat(16)}`]))
    assert.deepEqual(labels('burnThird'), new Set(['  ']))
  } finally {
    context.disable()
  }
})

test('a session of no known type is one of the CPU, and says so', () => {
  const profiler = new PerformanceProfiler()
  profiler.startProfiling('odd', { type: 'heap' as never })
  assert.equal(profiler.stopProfiling('odd').type, 'cpu')
})
