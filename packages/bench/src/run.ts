import { type ChildProcess, fork } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { median, type PairedRatio, pairedRatio } from '@andon/model'
import type { Benchmark } from './case.ts'
import type { Allocation, Sample, SampleRequest } from './sampler.ts'

export interface RunOptions {
  /** Fresh pairs of processes; at least 2. */
  readonly pairs: number
  /** Samples of each subject in each pair. */
  readonly samples: number
  /** Length of one sample in milliseconds. */
  readonly milliseconds: number
}

/** One subject against ours: times in CPU nanoseconds per iteration. */
export interface SubjectResult {
  readonly subject: string
  /** Bytes of V8's heap that one iteration takes; buffers outside of the heap are not counted. */
  readonly allocatedBytes: number
  /** The median of each pair of processes. */
  readonly cpuNs: readonly number[]
  /** This subject's CPU time divided by ours, pair by pair; undefined for ours itself. */
  readonly ratio: PairedRatio | undefined
}

export interface BenchmarkResult {
  readonly title: string
  readonly unit: string
  readonly perIteration: number
  readonly options: RunOptions
  readonly subjects: readonly SubjectResult[]
}

async function answer<T>(child: ChildProcess): Promise<T> {
  return await new Promise((resolve, reject) => {
    const failed = (code: number | null): void => reject(new Error(`a sampler ended with code ${String(code)}`))
    child.once('exit', failed)
    child.once('message', (message: T) => {
      child.off('exit', failed)
      resolve(message)
    })
  })
}

async function ask<T>(child: ChildProcess, request: SampleRequest): Promise<T> {
  const answered = answer<T>(child)
  child.send(request)
  return await answered
}

/** A young generation so large that a collection falls into few samples; times are taken without it. */
const LARGE_NURSERY = ['--min-semi-space-size=128', '--max-semi-space-size=128']
const WARM_MS = 200

/** Bytes of V8's heap that one iteration takes, in a process of its own. */
async function allocatedBytes(file: string, subject: string): Promise<number> {
  const child = fork(new URL('sampler.js', import.meta.url), [file, subject], { execArgv: LARGE_NURSERY, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  try {
    await answer(child)
    await ask<Sample>(child, { milliseconds: WARM_MS })
    return (await ask<Allocation>(child, { milliseconds: 0 })).allocatedBytes
  } finally {
    child.kill()
  }
}

/**
 * Two processes alive together, sampled in turn (A B B A …), so that a machine that slows down slows both.
 *
 * @returns the median CPU nanoseconds per iteration of each
 */
async function pair(file: string, names: readonly [string, string], options: RunOptions): Promise<[number, number]> {
  const children = names.map((name) => fork(new URL('sampler.js', import.meta.url), [file, name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
  const [first, second] = children
  if (first === undefined || second === undefined) throw new Error('a pair has two samplers')
  try {
    await Promise.all(children.map((child) => answer(child)))
    const taken: [number[], number[]] = [[], []]
    // The first round warms both up and is not counted.
    for (let round = -1; round < options.samples; round += 1) {
      const order = round % 2 === 0 ? [first, second] : [second, first]
      for (const child of order) {
        const { cpuNs } = await ask<Sample>(child, { milliseconds: round < 0 ? options.milliseconds * 20 : options.milliseconds })
        if (round >= 0) taken[child === first ? 0 : 1].push(cpuNs)
      }
    }
    return [median(taken[0]), median(taken[1])]
  } finally {
    for (const child of children) child.kill()
  }
}

/**
 * Runs one benchmark file: the first subject against each other one in fresh pairs of processes, and against itself
 * as the noise floor.
 *
 * @param file - absolute path of a compiled file that exports `benchmark`
 * @returns results in the order of the subjects; the first is ours, the last "NAME again", which should have ratio 1
 * @throws Error when a sampler ends early
 */
export async function runBenchmark(file: string, options: RunOptions): Promise<BenchmarkResult> {
  const { benchmark }: { benchmark: Benchmark } = await import(pathToFileURL(file).href)
  const [ours = '', ...others] = Object.keys(benchmark.subjects)
  const results: SubjectResult[] = []
  const all: number[] = []
  for (const other of [...others, ours]) {
    const mine: number[] = []
    const theirs: number[] = []
    for (let count = 0; count < options.pairs; count += 1) {
      const [a, b] = await pair(file, [ours, other], options)
      mine.push(a)
      theirs.push(b)
    }
    all.push(...mine)
    results.push({ subject: other === ours ? `${ours} again` : other, cpuNs: theirs, allocatedBytes: await allocatedBytes(file, other), ratio: pairedRatio(theirs, mine, 0.99) })
  }
  const { title, unit, perIteration } = benchmark
  return { title, unit, perIteration, options, subjects: [{ subject: ours, cpuNs: all, allocatedBytes: await allocatedBytes(file, ours), ratio: undefined }, ...results] }
}
