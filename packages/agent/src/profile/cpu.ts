// The one sampler of CPU and wall time of this thread. Whoever wants samples opens a window on it; windows overlap freely.
import { diag } from '@opentelemetry/api'
import type { Milliseconds, Nanoseconds, ProfileSample, ProfileValueType } from '@andon/model'
import { nowNanoseconds } from '../time.ts'
import { readSamples, SourceMaps } from './frames.ts'
import { ContextLabels, labelsOf } from './labels.ts'
import { nativeSampler } from './native.ts'

/** What the values of each sample of the CPU sampler are. */
export const CPU_VALUES: readonly ProfileValueType[] = [
  { type: 'samples', unit: 'count' },
  { type: 'wall', unit: 'nanoseconds' },
  { type: 'cpu', unit: 'nanoseconds' },
]

/** The samples between two cuts. Idle time is left out. */
export interface CpuPiece {
  readonly start: Nanoseconds
  readonly end: Nanoseconds
  readonly samples: readonly ProfileSample[]
}

/** Someone who wants samples. */
export interface CpuListener {
  /** The distance of samples that is wished; a smaller one of another listener holds for all. */
  readonly intervalMs: Milliseconds
  /** Takes what was sampled since it was opened or last told. */
  take(piece: CpuPiece): void
}

/**
 * How long samples stay in the native part at most, which holds buffers for so many. A cut makes the thread wait for about one and a half
 * intervals, so it is not made oftener than needed; the continuous profile's own cuts come first.
 */
const CUT_MS: Milliseconds = 65_000

type Native = NonNullable<ReturnType<typeof nativeSampler>>

let sampling = 0

/** Whether a sampler runs in this process: its signals wake the event loop, whose utilization then reads far too high. */
export function isSampling(): boolean {
  return sampling > 0
}

export class CpuSampler {
  readonly #listeners = new Set<CpuListener>()
  readonly #maps = new SourceMaps()
  #watch: (piece: CpuPiece | undefined) => void = () => undefined
  #running: { readonly native: Native; readonly labels: ContextLabels; readonly intervalMs: Milliseconds; readonly timer: NodeJS.Timeout; since: Nanoseconds } | undefined

  /** The distance of samples now; 0 while nobody listens. */
  get intervalMs(): Milliseconds {
    return this.#running?.intervalMs ?? 0
  }

  /** Tells one more of each piece, without wishing for samples; undefined when no more come. */
  watch(told: (piece: CpuPiece | undefined) => void): void {
    this.#watch = told
  }

  /** Hands samples to a listener from now on. Where there is no sampler it is never told. */
  open(listener: CpuListener): void {
    this.cut()
    this.#listeners.add(listener)
    this.#tune()
  }

  /** Tells a listener a last time, and no more. */
  close(listener: CpuListener): void {
    if (!this.#listeners.has(listener)) return
    this.cut()
    this.#listeners.delete(listener)
    this.#tune()
  }

  /** Tells all listeners what was sampled until now. */
  cut(): void {
    const running = this.#running
    if (running === undefined) return
    try {
      const end = nowNanoseconds()
      const samples = this.#collect(running.native)
      running.labels.restart()
      running.timer.refresh()
      const piece = { start: running.since, end, samples }
      running.since = end
      for (const listener of this.#listeners) listener.take(piece)
      this.#watch(piece)
    } catch (error) {
      diag.error('andon: a profile could not be taken; the sampler is stopped', error)
      this.#stop()
    }
  }

  #collect({ time }: Native): ProfileSample[] {
    const seen: { readonly holder: object | undefined; readonly time: Nanoseconds }[] = []
    const profile = time.stop(true, ({ context }) => (context === undefined ? {} : { i: seen.push({ holder: context.context, time: context.timestamp * 1000n }) - 1 }))
    const samples: ProfileSample[] = []
    for (const { stack, values, index } of readSamples(profile)) {
      if (values.every((value) => value === 0) || stack[0]?.name === '(idle)') continue
      const context = seen[index]
      samples.push({ stack, values, time: context?.time ?? 0n, labels: labelsOf(context?.holder) })
    }
    return samples
  }

  /** Starts, stops or changes the rate as the listeners wish. */
  #tune(): void {
    const wished = Math.min(...[...this.#listeners].map(({ intervalMs }) => intervalMs))
    if (this.#running?.intervalMs === wished) return
    this.#stop()
    if (Number.isFinite(wished)) this.#start(wished)
  }

  #start(intervalMs: Milliseconds): void {
    const native = nativeSampler()
    if (native === undefined) return
    try {
      const sourceMapper = new native.SourceMapper()
      sourceMapper.mappingInfo = (location) => this.#maps.map(location)
      native.time.start({ intervalMicros: Math.round(intervalMs * 1000), durationMillis: CUT_MS * 2, withContexts: true, collectCpuTime: true, lineNumbers: false, sourceMapper })
    } catch (error) {
      diag.warn('andon: CPU profiles are off: the sampler could not be started; another profiler may use it', error)
      return
    }
    const labels = new ContextLabels(native.time)
    labels.start()
    sampling += 1
    this.#running = { native, labels, intervalMs, timer: setTimeout(() => this.cut(), CUT_MS).unref(), since: nowNanoseconds() }
  }

  #stop(): void {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    sampling -= 1
    clearTimeout(running.timer)
    running.labels.stop()
    this.#watch(undefined)
    try {
      if (running.native.time.isStarted()) running.native.time.stop(false)
    } catch (error) {
      diag.error('andon: the sampler could not be stopped', error)
    }
  }
}
