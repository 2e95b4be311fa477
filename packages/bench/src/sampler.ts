// The program in which one subject lives: prepares it, then takes one sample for each message.
import { pathToFileURL } from 'node:url'
import { median } from '@andon/model'
import type { Benchmark, Work } from './case.ts'

/** What the driver sends: take a sample that lasts about so long; 0 asks for the memory instead. */
export interface SampleRequest {
  readonly milliseconds: number
}

/** What the sampler answers: the CPU and wall time of one iteration, in nanoseconds. */
export interface Sample {
  readonly cpuNs: number
  readonly wallNs: number
}

/** What the sampler answers to a question for the memory: bytes that one iteration takes from V8's heap. */
export interface Allocation {
  readonly allocatedBytes: number
}

const kept: unknown[] = [undefined]

const ALLOCATION_SAMPLES = 25
/** Few, so that a collection falls into few samples, which the median leaves out. */
const ALLOCATION_ITERATIONS = 4

function heapTaken(work: Work): number {
  const taken = Array.from({ length: ALLOCATION_SAMPLES }, () => {
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < ALLOCATION_ITERATIONS; i += 1) kept[0] = work()
    return process.memoryUsage().heapUsed - before
  })
  return median(taken)
}

/** Asking takes memory itself, which is subtracted. Buffers outside of the heap are not counted. */
function allocation(work: Work): Allocation {
  return { allocatedBytes: Math.max(0, heapTaken(work) - heapTaken(() => undefined)) / ALLOCATION_ITERATIONS }
}

function times(work: Work, iterations: number): Sample {
  const cpu = process.cpuUsage()
  const begun = process.hrtime.bigint()
  for (let i = 0; i < iterations; i += 1) kept[0] = work()
  const wallNs = Number(process.hrtime.bigint() - begun)
  const used = process.cpuUsage(cpu)
  return { cpuNs: ((used.user + used.system) * 1000) / iterations, wallNs: wallNs / iterations }
}

async function serve(file: string, subject: string): Promise<void> {
  const { benchmark }: { benchmark: Benchmark } = await import(pathToFileURL(file).href)
  const prepare = benchmark.subjects[subject]
  if (prepare === undefined) throw new Error(`${file} has no subject ${subject}`)
  const work = await prepare()
  process.on('message', (request: SampleRequest) => {
    if (request.milliseconds === 0) {
      process.send?.(allocation(work))
      return
    }
    // As many iterations as fit the asked-for time, by the pace of a first short burst.
    let iterations = 1
    let pace = times(work, iterations).wallNs
    while (pace * iterations < 1e6) {
      iterations *= 2
      pace = times(work, iterations).wallNs
    }
    process.send?.(times(work, Math.max(1, Math.round((request.milliseconds * 1e6) / pace))))
  })
  process.send?.('ready')
}

const [, , file, subject] = process.argv
if (file === undefined || subject === undefined) throw new Error('usage: sampler FILE SUBJECT')
await serve(file, subject)
