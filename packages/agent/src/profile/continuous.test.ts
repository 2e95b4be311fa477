import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { median, type ProfileRecord, type Resource } from '@andon/model'
import { decodePprof } from '@andon/wire'
import { readOptions } from '../options.ts'
import { type Receiver, startReceiver } from '../otlp-receiver.test.ts'
import { ContinuousProfile } from './continuous.ts'
import { isSampling } from './cpu.ts'
import { withoutRegExp } from './frames.ts'
import { type Hour, simulateHours } from './hours.test.ts'
import { PerformanceProfiler, SAMPLERS } from './profiler.ts'

const resource: Resource = { attributes: { 'service.name': 'a shop', 'service.instance.id': 'host:1', 'service.version': '1.2.3', 'deployment.environment.name': '' }, droppedAttributes: 0, schemaUrl: '' }
const PATH = '/api/profiles?service=a+shop&instance=host%3A1&version=1.2.3'

function spend(ms: number): number {
  const before = process.cpuUsage()
  let sum = 0
  for (;;) {
    for (let index = 0; index < 20_000; index += 1) sum += Math.sqrt(index + sum)
    const { user, system } = process.cpuUsage(before)
    if ((user + system) / 1000 > ms) return sum
  }
}

async function connect(t: TestContext, env: Record<string, string>, bootMs?: number): Promise<{ receiver: Receiver; profile: ContinuousProfile }> {
  const receiver = await startReceiver(t)
  const profile = new ContinuousProfile(readOptions({ endpoint: receiver.url }, env), resource, bootMs)
  t.after(() => profile.stop())
  profile.start()
  return { receiver, profile }
}

const profilesOf = (receiver: Receiver): ProfileRecord[] => receiver.requests.map(({ body }) => decodePprof(body))
/** By the file: V8 shows a loop that was compiled before the sampler started as part of its caller. */
const hasSpend = ({ samples }: ProfileRecord): boolean => samples.some(({ stack }) => stack.some(({ file }) => file.endsWith('src/profile/continuous.test.ts')))

test('the continuous profile leaves the boot out, then sends CPU and heap in numbered batches that name their service', { timeout: 60_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { receiver, profile } = await connect(t, { ANDON_PROFILE: 'on', ANDON_PROFILE_RATE: '100' })
  assert.ok(!isSampling())
  t.mock.timers.tick(9999)
  assert.ok(!isSampling())
  t.mock.timers.tick(1)
  assert.ok(isSampling())
  const kept = Array.from({ length: 100_000 }, (_, index) => ({ index, text: [index] }))
  spend(200)
  t.mock.timers.tick(50_000)
  await receiver.until(() => receiver.requests.length >= 2)
  spend(100)
  await profile.flush(5000)
  assert.equal(kept.length, 100_000)
  assert.deepEqual([...new Set(receiver.requests.map(({ path }) => path))], [PATH])
  assert.equal(new Set(receiver.requests.map(({ batch }) => batch)).size, receiver.requests.length)
  const sent = profilesOf(receiver)
  const cpu = sent.filter(({ valueTypes }) => valueTypes.some(({ type }) => type === 'cpu'))
  assert.equal(cpu.length, 2)
  assert.ok(cpu.every(hasSpend))
  assert.equal(cpu[0]?.period, 10_000_000)
  assert.ok(sent.some(({ valueTypes, samples }) => valueTypes[1]?.type === 'space' && samples.length > 0))
  profile.stop()
  assert.ok(!isSampling())
})

test('with ANDON_PROFILE=off nothing is sampled until the server wishes it, and nothing after its wish has ended', { timeout: 60_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { receiver, profile } = await connect(t, { ANDON_PROFILE: 'off' })
  t.mock.timers.tick(60_000)
  profile.want(undefined)
  assert.ok(!isSampling())
  profile.want({ forMs: 5000, rate: 100, kinds: ['cpu'] })
  assert.ok(isSampling())
  profile.want(undefined)
  assert.ok(!isSampling())
  profile.want({ forMs: 5000, rate: 100, kinds: ['cpu'] })
  spend(200)
  t.mock.timers.tick(5001)
  assert.ok(!isSampling())
  await receiver.until(() => profilesOf(receiver).some(hasSpend))
})

test('where no signal is sent, nothing is sampled either', { timeout: 60_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  await connect(t, { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' })
  t.mock.timers.tick(20_000)
  assert.ok(!isSampling())
})

test('a limit lowers the rate of what is wanted, whoever wants it, down to nothing, and gives it back', { timeout: 60_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { profile } = await connect(t, { ANDON_PROFILE_RATE: '100' })
  const rates = (): readonly number[] => [profile.wantedRate, profile.rate, SAMPLERS.cpu.intervalMs]
  profile.limit(0.5)
  assert.deepEqual([...rates(), isSampling()], [0, 0, 0, false])
  t.mock.timers.tick(10_000)
  assert.deepEqual(rates(), [100, 50, 20])
  profile.want({ forMs: 5000, rate: 500, kinds: ['cpu'] })
  assert.deepEqual(rates(), [500, 250, 4])
  profile.limit(0)
  assert.deepEqual([...rates(), isSampling()], [500, 0, 0, false])
  t.mock.timers.tick(5000)
  assert.deepEqual(rates(), [100, 0, 0])
  profile.limit(0.01)
  assert.deepEqual(rates(), [100, 20, 50])
  profile.limit(1)
  assert.deepEqual(rates(), [100, 100, 10])
})

test('a server that takes no profiles is left alone: nothing is sampled by itself any more, and a wish of the server is tried again', { timeout: 60_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { receiver, profile } = await connect(t, { ANDON_PROFILE_RATE: '100' }, 1)
  receiver.answer = (_request, response) => response.writeHead(404).end()
  t.mock.timers.tick(2)
  for (let window = 0; isSampling() && window < 10; window += 1) {
    spend(60)
    await profile.flush(5000)
  }
  assert.ok(!isSampling())
  const { length } = receiver.requests
  assert.ok(length >= 3)
  t.mock.timers.tick(600_000)
  await profile.flush(5000)
  assert.equal(profile.dropped, receiver.requests.length)
  profile.want({ forMs: 5000, rate: 100, kinds: ['cpu'] })
  assert.ok(isSampling())
})

test('the queue is bounded: while no answer comes the oldest profiles give way and are counted', { timeout: 60_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { receiver, profile } = await connect(t, { ANDON_PROFILE: 'on' }, 1)
  receiver.answer = (_request, response) => response.writeHead(503).end()
  t.mock.timers.tick(2)
  // A stack with a name of a megabyte: few such profiles fill the queue.
  const name = 'x'.repeat(1024 * 1024)
  const work: unknown = runInNewContext(`(function ${name}(spend) { spend(40) })`)
  assert.ok(typeof work === 'function')
  for (let window = 0; window < 8; window += 1) {
    Reflect.apply(work, undefined, [spend])
    t.mock.timers.tick(60_000)
  }
  assert.ok(profile.dropped > 0)
  await profile.flush(1, true)
})

test('time in a regular expression belongs to the function that runs it', () => {
  const leaf = { name: 'RegExp: ^(a+)+$', file: '', line: 0 }
  const caller = { name: 'check', file: '/app/check.ts', line: 3 }
  assert.deepEqual(withoutRegExp([leaf, caller]), [caller])
  assert.deepEqual(withoutRegExp([caller, leaf]), [caller, leaf])
  assert.deepEqual(withoutRegExp([leaf]), [leaf])
})

test('the profiler does not leak: hours of windows, sessions and encoded profiles leave the heap as it was', () => {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  assert.ok(typeof gc === 'function')
  const used = (): number => {
    Reflect.apply(gc, undefined, [])
    Reflect.apply(gc, undefined, [])
    const { heapUsed, external, arrayBuffers } = process.memoryUsage()
    return heapUsed + external + arrayBuffers
  }
  const profiler = new PerformanceProfiler()
  // A short interval, because each cut waits for a sample.
  const listener = { intervalMs: 2, take: () => undefined }
  SAMPLERS.cpu.open(listener)
  SAMPLERS.heap.acquire()
  // One round stands for a window of a minute, so 60 of them for an hour.
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round += 1) {
      spend(2)
      SAMPLERS.cpu.cut()
      SAMPLERS.heap.snapshot()
      if (round % 20 !== 0) continue
      profiler.startProfiling('leak', { type: round % 40 === 0 ? 'cpu' : 'memory', interval: 2 })
      spend(2)
      profiler.stopProfiling('leak').toPprof()
    }
  }
  try {
    rounds(80)
    const before = used()
    rounds(240)
    const grown = used() - before
    assert.ok(grown < 1_000_000, `${grown} bytes more after four simulated hours`)
  } finally {
    SAMPLERS.cpu.close(listener)
    SAMPLERS.heap.release()
  }
  assert.ok(!isSampling())
})

test('the continuous profile does not leak: two hours of windows, wishes, sessions and contexts made meanwhile', { timeout: 300_000 }, async () => {
  const hours: Hour[] = []
  await simulateHours(8, (hour) => hours.push(hour), 15)
  // Quarters of an hour. The first half fills caches; of the second, the last two are held against the two before.
  const at = (of: (hour: Hour) => number, from: number): number => median(hours.slice(from, from + 2).map(of))
  for (const [what, of] of [['heap', ({ heapBytes }: Hour) => heapBytes], ['malloc', ({ mallocedBytes }: Hour) => mallocedBytes]] as const) {
    const grown = at(of, 6) - at(of, 4)
    assert.ok(grown < 400_000, `${what}: ${grown} bytes more in half an hour: ${hours.map((hour) => Math.round(of(hour) / 1024)).join(' ')} KiB`)
  }
  assert.ok(!isSampling())
})
