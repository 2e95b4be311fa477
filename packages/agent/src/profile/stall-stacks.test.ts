import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { context, trace } from '@opentelemetry/api'
import type { ProfileFrame, ProfileSample } from '@andon/model'
import { AsyncContextManager, runIn, withRequest } from '../context.ts'
import { observeStalls, type Stall, stallPeriod } from '../metrics/runtime/stall.ts'
import { AgentMeterProvider } from '../metrics/meter.ts'
import { nowNanoseconds } from '../time.ts'
import type { CpuPiece } from './cpu.ts'
import { SAMPLERS } from './profiler.ts'
import { StallStacks, type ToldStall } from './stall-stacks.ts'

const frame = (name: string): ProfileFrame => ({ name, file: `/app/${name}.ts`, line: 3 })
const SECOND = 1_000_000_000n
const sample = (at: bigint, names: readonly string[], labels: Record<string, string> = {}): ProfileSample => ({ stack: names.map(frame), values: [1, 20_000_000, 10_000_000], time: at, labels })
const stallOf = (lengthMs: number, kind: Stall['kind'] = 'cpu'): Stall => ({ endMs: 0, lengthMs, cpuMs: kind === 'cpu' ? lengthMs : 0, kind })

const nothing = (): void => undefined

/** A sampler by hand, and what was told. */
function start(): { told: ToldStall[]; stalls: StallStacks; sampler: { intervalMs: number; watch: (to: (piece: CpuPiece | undefined) => void) => void }; cut: (samples: readonly ProfileSample[] | undefined) => void; clock: { now: bigint } } {
  let watcher: (piece: CpuPiece | undefined) => void = nothing
  const sampler = { intervalMs: 20, watch: (to: (piece: CpuPiece | undefined) => void) => void (watcher = to) }
  const clock = { now: 100n * SECOND }
  const told: ToldStall[] = []
  const stalls = new StallStacks({ sampler, record: (stall) => void told.push(stall), now: () => clock.now, periodMs: 125 })
  return { told, stalls, sampler, clock, cut: (samples) => watcher(samples && { start: 0n, end: clock.now, samples }) }
}

test('a stall waits for the samples of its time and is told with the path on which most of them lie', () => {
  const { told, stalls, cut, clock } = start()
  stalls.found(stallOf(1000))
  assert.deepEqual(told, [])
  clock.now += 30n * SECOND
  const at = 100n * SECOND - SECOND / 2n
  cut([
    sample(10n * SECOND, ['before']),
    ...Array.from({ length: 3 }, () => sample(at, ['digest', 'hash', 'handler'], { route: '/sign', trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) })),
    ...Array.from({ length: 2 }, () => sample(at, ['pad', 'hash', 'handler'])),
    // As often as the heaviest leaf, but of another caller.
    ...Array.from({ length: 4 }, () => sample(at, ['parse', 'read'])),
    sample(101n * SECOND, ['after']),
  ])
  assert.deepEqual(told, [{ time: 100n * SECOND, seconds: 1, cpuSeconds: 1, kind: 'cpu', stack: 'at digest (/app/digest.ts:3)\nat hash (/app/hash.ts:3)\nat handler (/app/handler.ts:3)', share: 1 / 3, samples: 9, route: '/sign', traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }])
})

test('a cut at the end of a block, before the block is found, is not lost; later it is not taken for another block', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { told, stalls, cut, clock } = start()
  cut([sample(clock.now - SECOND / 4n, ['early'])])
  stalls.found(stallOf(500))
  cut([sample(clock.now - SECOND / 8n, ['late']), sample(clock.now - SECOND / 8n, ['late'])])
  assert.deepEqual(told.map(({ stack, samples, share }) => [stack, samples, share]), [['at late (/app/late.ts:3)', 3, 2 / 3]])
  t.mock.timers.tick(250)
  stalls.found(stallOf(500))
  cut([])
  assert.deepEqual([told[1]?.stack, told[1]?.samples], ['', 0])
})

test('without a profiler, when it stops, and past fifty that wait, stalls are told without a stack', () => {
  const { told, stalls, cut, sampler } = start()
  for (let index = 0; index < 51; index += 1) stalls.found(stallOf(300, 'waiting'))
  assert.equal(told.length, 1)
  cut(undefined)
  assert.equal(told.length, 51)
  sampler.intervalMs = 0
  stalls.found(stallOf(300))
  assert.deepEqual([told.length, told[51]?.stack, told[51]?.share, told[51]?.route], [52, '', 0, ''])
})

test('a stack is bounded, however deep and long its names', () => {
  const { told, stalls, cut, clock } = start()
  stalls.found(stallOf(1000))
  cut([sample(clock.now - 1n, Array.from({ length: 500 }, (_, index) => `${'x'.repeat(400)}${index}`))])
  assert.ok((told[0]?.stack.length ?? 0) <= 8192)
  assert.match(told[0]?.stack ?? '', /^at x+0 /)
})

/** By CPU time, which a loaded machine does not cut short. */
function blockForHalfASecond(): number {
  const before = process.cpuUsage()
  let sum = 0
  for (;;) {
    for (let index = 0; index < 20_000; index += 1) sum += Math.sqrt(index + sum)
    const { user, system } = process.cpuUsage(before)
    if (user + system > 500_000) return sum
  }
}

function inRequest(work: () => unknown): void {
  const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 })
  runIn(withRequest(context.active(), { type: 'http', span, route: '/slow' }), work)
}

function waitForHalfASecond(): void {
  execFileSync(process.execPath, ['-e', 'setTimeout(() => undefined, 500)'])
}

test('real blocks under the real sampler: the function that worked and the one that waited, with the request', { timeout: 60_000 }, async (t) => {
  context.setGlobalContextManager(new AsyncContextManager())
  t.after(() => context.disable())
  const told: ToldStall[] = []
  const stacks = new StallStacks({ sampler: SAMPLERS.cpu, record: (stall) => void told.push(stall), now: nowNanoseconds, periodMs: stallPeriod(250) })
  const meters = new AgentMeterProvider()
  let found: () => void = nothing
  const end = observeStalls(meters.getMeter('test'), 250, (stall) => {
    stacks.found(stall)
    found()
  })
  t.after(() => {
    end()
    SAMPLERS.cpu.watch(() => undefined)
  })
  const listener = { intervalMs: 10, take: () => undefined }
  SAMPLERS.cpu.open(listener)
  const block = (work: () => void): Promise<void> =>
    new Promise((resolve) => {
      found = resolve
      setImmediate(work)
    })
  await block(() => inRequest(blockForHalfASecond))
  await block(waitForHalfASecond)
  SAMPLERS.cpu.close(listener)
  const [first, second] = told
  assert.ok(first !== undefined && second !== undefined)
  assert.match(first.stack, /^at blockForHalfASecond \(.*src\/profile\/stall-stacks\.test\.ts:\d+\)/m)
  assert.equal(first.kind, first.cpuSeconds > first.seconds / 2 ? 'cpu' : 'waiting')
  assert.deepEqual([first.route, first.traceId, first.spanId], ['/slow', '1'.repeat(32), '1'.repeat(16)])
  assert.ok(first.share > 0 && first.samples > 5, `${first.share} of ${first.samples}`)
  assert.equal(second.kind, 'waiting')
  assert.match(second.stack, /at waitForHalfASecond /)
  assert.ok(second.seconds > 0.25)
})
