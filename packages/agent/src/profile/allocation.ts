// Where memory is allocated, whether or not it is still in use: V8's sampling heap profiler with what both collectors took.
import type * as Inspector from 'node:inspector'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { diag } from '@opentelemetry/api'
import type { Bytes, Milliseconds, Nanoseconds, ProfileFrame, ProfileSample, ProfileValueType } from '@andon/model'
import { nowNanoseconds } from '../time.ts'
import { SourceMaps } from './frames.ts'

/** What the value of each stack is. V8 does not tell how many objects it stands for. */
export const ALLOCATION_VALUES: readonly ProfileValueType[] = [{ type: 'alloc_space', unit: 'bytes' }]

/** The mean distance of samples. */
export const ALLOCATION_INTERVAL: Bytes = 512 * 1024
/** V8 keeps every sample until it is stopped: at a gigabyte a second these are 20,000 samples, some megabytes. */
const CUT_MS: Milliseconds = 10_000
/** Stacks of one profile; what comes after them is summed. */
const STACKS_MAX = 20_000
const FRAMES_MAX = 50_000
const OTHER: ProfileFrame = { name: '(other)', file: '', line: 0 }

/** As of Chrome's protocol; Node's types do not know the two flags. @see https://chromedevtools.github.io/devtools-protocol/v8/HeapProfiler/#method-startSampling */
const SAMPLING = { samplingInterval: ALLOCATION_INTERVAL, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }

type Node = Inspector.HeapProfiler.SamplingHeapProfileNode

/** Gives the only sampler of V8's heap away and takes it back. */
export interface OtherSampler {
  suspend(): void
  resume(): void
}

/** What was allocated over a while. */
export interface Allocations {
  readonly start: Nanoseconds
  readonly duration: Nanoseconds
  readonly samples: readonly ProfileSample[]
}

interface Sum {
  readonly stack: readonly ProfileFrame[]
  bytes: Bytes
}

export class AllocationSampler {
  readonly #other: OtherSampler
  readonly #maps = new SourceMaps()
  readonly #frames = new Map<string, ProfileFrame>()
  #sums = new Map<string, Sum>()
  #since: Nanoseconds = 0n
  #running: { readonly session: Inspector.Session; readonly timer: NodeJS.Timeout } | undefined

  /** @param other - the sampler of what is in use, which rests meanwhile */
  constructor(other: OtherSampler) {
    this.#other = other
  }

  /** Starts sampling, if it does not run. Where it cannot be started nothing is sampled, and why is said through `diag`. */
  start(): void {
    if (this.#running !== undefined) return
    this.#other.suspend()
    this.#since = nowNanoseconds()
    try {
      // Loaded late: builds of Node without an inspector throw here.
      const inspector: typeof Inspector = createRequire(import.meta.url)('node:inspector')
      const session = new inspector.Session()
      session.connect()
      session.post('HeapProfiler.startSampling', SAMPLING)
      this.#running = { session, timer: setInterval(() => this.#cut(true), CUT_MS).unref() }
    } catch (error) {
      this.#other.resume()
      diag.warn('andon: profiles of allocations are off: the sampler could not be started', error)
    }
  }

  /** What was allocated since the start or the last call; without samples where nothing runs. */
  take(): Allocations {
    this.#cut(true)
    const [start, end] = [this.#since, nowNanoseconds()]
    const samples = [...this.#sums.values()].map(({ stack, bytes }) => ({ stack, values: [bytes], time: 0n, labels: {} }))
    this.#sums = new Map()
    this.#since = end
    return { start, duration: end - start, samples }
  }

  /** Ends it; what was not taken is forgotten. */
  stop(): void {
    const running = this.#running
    if (running === undefined) return
    this.#cut(false)
    this.#running = undefined
    clearInterval(running.timer)
    running.session.disconnect()
    this.#sums = new Map()
    this.#frames.clear()
    this.#other.resume()
  }

  /** Adds up what V8 has sampled, which makes it forget it. */
  #cut(goesOn: boolean): void {
    const session = this.#running?.session
    if (session === undefined) return
    try {
      // Answered before `post` returns, because this thread itself answers.
      session.post('HeapProfiler.stopSampling', (error, answer) => {
        if (error === null) this.#add(answer.profile)
        else diag.warn('andon: a profile of allocations could not be taken', error)
      })
      if (goesOn) session.post('HeapProfiler.startSampling', SAMPLING)
    } catch (error) {
      diag.error('andon: a profile of allocations could not be taken', error)
    }
  }

  #add({ head }: Inspector.HeapProfiler.SamplingHeapProfile): void {
    // With the stack of each node's callers; the root is none.
    const open: { readonly node: Node; readonly stack: readonly ProfileFrame[] }[] = head.children.map((node) => ({ node, stack: [] }))
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      const { node } = each
      const stack = [this.#frame(node.callFrame), ...each.stack]
      if (node.selfSize > 0) this.#sum(stack, node.selfSize)
      for (const child of node.children) open.push({ node: child, stack })
    }
  }

  #sum(stack: readonly ProfileFrame[], bytes: Bytes): void {
    const key = stack.map(({ name, file, line }) => `${line}\t${file}\t${name}`).join('\n')
    let sum = this.#sums.get(key)
    if (sum === undefined) {
      const isFull = this.#sums.size >= STACKS_MAX
      sum = (isFull ? this.#sums.get(OTHER.name) : undefined) ?? { stack: isFull ? [OTHER] : stack, bytes: 0 }
      this.#sums.set(isFull ? OTHER.name : key, sum)
    }
    sum.bytes += bytes
  }

  #frame({ functionName, scriptId, url, lineNumber, columnNumber }: Node['callFrame']): ProfileFrame {
    const key = `${scriptId}:${lineNumber}:${columnNumber}:${functionName}`
    let frame = this.#frames.get(key)
    if (frame === undefined) {
      const file = url.startsWith('file:') ? fileURLToPath(url) : url
      // Chrome counts lines and columns from 0, and -1 is not known.
      const found = this.#maps.map({ file, line: lineNumber + 1, column: columnNumber + 1 })
      frame = { name: functionName === '' ? '(anonymous)' : functionName, file: found.file, line: Math.max(0, found.line) }
      if (this.#frames.size >= FRAMES_MAX) this.#frames.clear()
      this.#frames.set(key, frame)
    }
    return frame
  }
}
