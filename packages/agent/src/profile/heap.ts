// The one sampler of the heap: about every so many bytes one allocation is remembered with its stack until it is collected.
import { diag } from '@opentelemetry/api'
import type { Bytes, ProfileFrame, ProfileValueType } from '@andon/model'
import { readSamples, SourceMaps } from './frames.ts'
import { nativeSampler } from './native.ts'

/** What the values of each stack of the heap are. */
export const HEAP_VALUES: readonly ProfileValueType[] = [
  { type: 'objects', unit: 'count' },
  { type: 'space', unit: 'bytes' },
]

/** The mean distance of remembered allocations. */
export const HEAP_INTERVAL: Bytes = 512 * 1024
const DEPTH = 64

/** What one stack allocated that is still in use, scaled up from the samples. */
export interface HeapStack {
  readonly stack: readonly ProfileFrame[]
  readonly objects: number
  readonly bytes: Bytes
}

export class HeapSampler {
  readonly #maps = new SourceMaps()
  #users = 0
  #isSuspended = false

  /** Starts remembering allocations, if nobody did yet. */
  acquire(): void {
    this.#users += 1
    if (this.#users === 1 && !this.#isSuspended) this.#start()
  }

  /** The last one to leave ends it, and all that was remembered is forgotten. */
  release(): void {
    this.#users -= 1
    if (this.#users === 0 && !this.#isSuspended) this.#stop()
  }

  /** Makes room for another sampler of the heap: V8 has one only. What was remembered is forgotten, snapshots are empty until `resume`. */
  suspend(): void {
    if (this.#users > 0 && !this.#isSuspended) this.#stop()
    this.#isSuspended = true
  }

  /** Begins anew. */
  resume(): void {
    this.#isSuspended = false
    if (this.#users > 0) this.#start()
  }

  #start(): void {
    try {
      nativeSampler()?.heap.start(HEAP_INTERVAL, DEPTH)
    } catch (error) {
      diag.warn('andon: heap profiles are off: the sampler could not be started; another profiler may use it', error)
    }
  }

  #stop(): void {
    try {
      nativeSampler()?.heap.stop()
    } catch (error) {
      diag.error('andon: the heap sampler could not be stopped', error)
    }
  }

  /** What was allocated since the sampler was started and is in use; [] where there is no sampler or another one runs. */
  snapshot(): HeapStack[] {
    const native = nativeSampler()
    if (native === undefined || this.#users === 0 || this.#isSuspended) return []
    try {
      const sourceMapper = new native.SourceMapper()
      sourceMapper.mappingInfo = (location) => this.#maps.map(location)
      return readSamples(native.heap.profile(undefined, sourceMapper)).map(({ stack, values: [objects = 0, bytes = 0] }) => ({ stack, objects, bytes }))
    } catch (error) {
      diag.error('andon: a heap profile could not be taken', error)
      return []
    }
  }
}
