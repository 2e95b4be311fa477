// The samples of the CPU between two uploads of the continuous profile.
import type { Milliseconds, Nanoseconds, ProfileRecord, ProfileSample } from '@andon/model'
import { nowNanoseconds } from '../time.ts'
import { CPU_VALUES, type CpuListener } from './cpu.ts'

const SAMPLES_MAX = 100_000

/** Samples of the CPU until they are sent. */
export class Window implements CpuListener {
  readonly intervalMs: Milliseconds
  #samples: ProfileSample[] = []
  #start: Nanoseconds = nowNanoseconds()
  dropped = 0

  constructor(rate: number) {
    this.intervalMs = 1000 / rate
  }

  take({ samples }: { readonly samples: readonly ProfileSample[] }): void {
    const room = SAMPLES_MAX - this.#samples.length
    for (const sample of samples.slice(0, room)) this.#samples.push(sample)
    this.dropped += Math.max(0, samples.length - room)
  }

  /** What came since the last call, as one profile. */
  empty(): ProfileRecord {
    const end = nowNanoseconds()
    const record = { valueTypes: CPU_VALUES, start: this.#start, duration: end - this.#start, period: Math.round(this.intervalMs * 1e6), periodType: { type: 'wall', unit: 'nanoseconds' }, samples: this.#samples }
    this.#samples = []
    this.#start = end
    return record
  }
}
