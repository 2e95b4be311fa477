import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'node:test'
import { decodePprof } from '@andon/wire'
import { readOptions } from '../options.ts'
import { startReceiver } from '../otlp-receiver.test.ts'
import { type Allocations, AllocationSampler } from './allocation.ts'
import { ContinuousProfile } from './continuous.ts'
import { PerformanceProfiler, SAMPLERS } from './profiler.ts'

const ring: unknown[] = []

/** Allocates about `count` times 150 bytes and keeps next to nothing. */
function waste(count: number): void {
  for (let index = 0; index < count; index += 1) ring[index % 100] = { index, list: [index, index + 1, `text ${index}`] }
}

setFlagsFromString('--expose-gc')
const gc: unknown = runInNewContext('gc')
function collect(): void {
  assert.ok(typeof gc === 'function')
  Reflect.apply(gc, undefined, [])
}

function used(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const bytesOf = ({ samples }: Allocations, name: string): number => samples.reduce((sum, { stack, values: [bytes = 0] }) => sum + (stack.some((frame) => frame.name === name) ? bytes : 0), 0)

test('what was allocated and collected again is seen, by its function, file and line of the source', () => {
  const sampler = new AllocationSampler({ suspend: () => undefined, resume: () => undefined })
  sampler.start()
  try {
    waste(1_000_000)
    collect()
    const first = sampler.take()
    assert.ok(bytesOf(first, 'waste') > 50e6, `${bytesOf(first, 'waste')} bytes`)
    const frame = first.samples.flatMap(({ stack }) => stack).find(({ name }) => name === 'waste')
    assert.match(frame?.file ?? '', /src\/profile\/allocation\.test\.ts$/)
    assert.ok((frame?.line ?? 0) > 10 && (frame?.line ?? 0) < 20, `line ${frame?.line}`)
    assert.ok(first.duration > 0n)
    // What was taken is not told again.
    assert.ok(bytesOf(sampler.take(), 'waste') < 5e6)
  } finally {
    sampler.stop()
  }
  assert.deepEqual(sampler.take().samples, [])
})

test('the sampler of what is in use rests meanwhile and begins anew: V8 has one only', () => {
  const kept: unknown[] = []
  function keep(): void {
    for (let index = 0; index < 100_000; index += 1) kept.push({ index, list: [index, index + 1] })
  }
  const { heap, allocation } = SAMPLERS
  heap.acquire()
  try {
    allocation.start()
    waste(500_000)
    assert.deepEqual(heap.snapshot(), [])
    // A session of memory that overlaps it sees what comes after it.
    const profiler = new PerformanceProfiler()
    profiler.startProfiling('memory', { type: 'memory' })
    assert.ok(bytesOf(allocation.take(), 'waste') > 20e6)
    allocation.stop()
    keep()
    assert.ok(profiler.stopProfiling('memory').top().some(({ name }) => name === 'keep'))
    assert.ok(heap.snapshot().some(({ stack }) => stack.some(({ name }) => name === 'keep')))
    assert.ok(kept.length > 0)
  } finally {
    heap.release()
  }
})

test('hours of allocations leave the sampler as small as it was', () => {
  const sampler = new AllocationSampler({ suspend: () => undefined, resume: () => undefined })
  sampler.start()
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round += 1) {
      waste(20_000)
      sampler.take()
    }
  }
  try {
    rounds(60)
    const before = used()
    rounds(240)
    const grown = used() - before
    assert.ok(grown < 1_000_000, `${grown} bytes more after four simulated hours`)
  } finally {
    sampler.stop()
  }
})

test('the server may wish for allocations: sent when its wish ends, as pprof', { timeout: 60_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const receiver = await startReceiver(t)
  const profile = new ContinuousProfile(readOptions({ endpoint: receiver.url }, { ANDON_PROFILE: 'off' }), { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' })
  t.after(() => profile.stop())
  profile.start()
  profile.want({ forMs: 20_000, rate: 100, kinds: ['allocation'] })
  waste(200_000)
  // Over two of the sampler's own cuts.
  t.mock.timers.tick(20_001)
  await receiver.until(() => receiver.requests.length >= 1)
  const sent = decodePprof(receiver.requests[0]?.body ?? new Uint8Array())
  assert.deepEqual(sent.valueTypes, [{ type: 'alloc_space', unit: 'bytes' }])
  assert.ok(sent.duration > 0n)
  assert.ok(bytesOf({ ...sent }, 'waste') > 5e6)
  profile.want(undefined)
  assert.equal(receiver.requests.length, 1)
})
