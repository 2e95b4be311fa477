// Hours of the continuous profile in seconds, for the short form beside it and for `npm run soak -- profiler`: time is
// injected, work and samples are real.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mock } from 'node:test'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ROOT_CONTEXT } from '@opentelemetry/api'
import { activeContext, runIn, withSpan } from '../context.ts'
import { readOptions } from '../options.ts'
import { Sampler } from '../sampler.ts'
import { AgentTracerProvider } from '../tracer.ts'
import { ContinuousProfile } from './continuous.ts'
import { isSampling } from './cpu.ts'
import { PerformanceProfiler } from './profiler.ts'

export interface Hour {
  readonly hour: number
  /** Heap and buffers after a collection. */
  readonly heapBytes: number
  /** What V8 has taken by malloc. */
  readonly mallocedBytes: number
  readonly residentBytes: number
}

const BOOT_MS = 1
/** Contexts that live and die in one window, each over several turns of the event loop. */
const CONTEXTS = 200

const resource = { attributes: { 'service.name': 'hours' }, droppedAttributes: 0, schemaUrl: '' }
const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), () => ({ write: () => undefined, lose: () => undefined })).getTracer('hours')

function spend(ms: number): void {
  const before = process.cpuUsage()
  let sum = 0
  while ((process.cpuUsage(before).user + process.cpuUsage(before).system) / 1000 < ms) for (let index = 0; index < 5000; index += 1) sum += Math.sqrt(index + sum)
}

/** A request whose context is entered again and again while samples are taken. */
async function oneRequest(): Promise<void> {
  await runIn(withSpan(ROOT_CONTEXT, tracer.startSpan('request')), async () => {
    const kept = Array.from({ length: 50 }, (_, index) => ({ index }))
    await Promise.resolve()
    await new Promise(setImmediate)
    runIn(withSpan(activeContext(), tracer.startSpan('within')), () => spend(0.02))
    if (kept.length !== 50) throw new Error('unreachable')
  })
}

/** What a sampler of the contexts must let go of. */
async function work(): Promise<void> {
  await Promise.all(Array.from({ length: CONTEXTS }, oneRequest))
}

function held(hour: number, gc: () => void): Hour {
  for (let round = 0; round < 4; round += 1) gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { hour, heapBytes: heapUsed + external, mallocedBytes: getHeapStatistics().malloced_memory, residentBytes: rss }
}

/**
 * Lets hours pass: in each minute requests run, a window of CPU and heap is sent and answered; at times the server wishes another
 * rate, which stops and starts the sampler, and a session runs beside.
 *
 * @param told - given what is held after each hour
 * @param minutesPerHour - fewer make short hours for a test
 */
export async function simulateHours(hours: number, told: (hour: Hour) => void, minutesPerHour = 60): Promise<void> {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  if (typeof found !== 'function') throw new Error('no collector')
  const gc = (): void => void Reflect.apply(found, undefined, [])
  let taken = 0
  const server = createServer((request, response) => request.resume().on('end', () => {
    taken += 1
    response.end()
  })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const profile = new ContinuousProfile(readOptions({ endpoint }, { ANDON_PROFILE: 'on', ANDON_PROFILE_RATE: '400' }), resource, BOOT_MS)
  const profiler = new PerformanceProfiler()
  profile.start()
  mock.timers.tick(BOOT_MS)
  try {
    if (!isSampling()) throw new Error('there is no sampler for this platform')
    for (let minute = 1; minute <= hours * minutesPerHour; minute += 1) {
      await work()
      if (minute % 10 === 3) profile.want({ forMs: 90_000, rate: 600, kinds: ['cpu', 'heap'] })
      if (minute % 10 === 7) profiler.startProfiling(`minute ${minute}`, { type: minute % 20 === 7 ? 'cpu' : 'memory', interval: 2 })
      if (minute % 10 === 8) profiler.stopProfiling(`minute ${minute - 1}`).toPprof()
      mock.timers.tick(60_000)
      await profile.flush(60_000)
      if (minute % minutesPerHour === 0) told(held(minute / minutesPerHour, gc))
    }
    if (taken < hours * minutesPerHour) throw new Error(`${taken} profiles were sent in ${hours} hours`)
  } finally {
    profile.stop()
    mock.timers.reset()
    server.closeAllConnections()
    server.close()
  }
}
