// The asked-for profiler: sessions by id.
import { randomUUID } from 'node:crypto'
import { diag } from '@opentelemetry/api'
import { AllocationSampler } from './allocation.ts'
import { CpuSampler } from './cpu.ts'
import { HeapSampler } from './heap.ts'
import { objectOf } from '../wrong-use.ts'
import { type ProfileResult, ProfileSession, type SessionOptions, type SessionType } from './session.ts'

/** Of one thread there is one sampler of each kind; every profiler and the continuous profile look through windows at them. */
export const SAMPLERS: { readonly cpu: CpuSampler; readonly heap: HeapSampler; readonly allocation: AllocationSampler } = samplers()

function samplers(): { cpu: CpuSampler; heap: HeapSampler; allocation: AllocationSampler } {
  const heap = new HeapSampler()
  return { cpu: new CpuSampler(), heap, allocation: new AllocationSampler(heap) }
}

const INTERVAL_DEFAULT = 10
/** Sessions that run at the same time; one more is not started, and told. */
const SESSIONS_MAX = 100

function intervalOf(interval: number | undefined): number {
  if (interval === undefined) return INTERVAL_DEFAULT
  if (Number.isFinite(interval) && interval > 0) return Math.min(1000, Math.max(1, interval))
  diag.warn(`andon: the interval of a profile must be a number of milliseconds greater than 0, not ${String(interval)}; ${INTERVAL_DEFAULT} is used`)
  return INTERVAL_DEFAULT
}

function typeOf(type: unknown): SessionType {
  if (type === 'cpu' || type === 'memory') return type
  diag.warn('andon: the type of a profile is "cpu" or "memory"; "cpu" is used')
  return 'cpu'
}

export class PerformanceProfiler {
  readonly #sessions = new Map<string, ProfileSession>()

  /**
   * Opens a window on the sampler. Sessions may overlap each other and the continuous profile. A session that runs already under this id
   * goes on, which is told through `diag`.
   *
   * @param sessionId - any text that names this session only
   */
  startProfiling(sessionId: string, options: SessionOptions): void {
    const { type = 'cpu', interval } = objectOf(options, 'the options of a profile')
    if (this.#sessions.has(sessionId)) {
      diag.warn(`andon: the profiling session "${sessionId}" runs already`)
      return
    }
    if (this.#sessions.size >= SESSIONS_MAX) {
      diag.warn(`andon: ${SESSIONS_MAX} profiling sessions run already; "${sessionId}" is not started`)
      return
    }
    this.#sessions.set(sessionId, new ProfileSession(sessionId, typeOf(type), intervalOf(interval), SAMPLERS))
  }

  /**
   * Ends a session.
   *
   * @throws Error `Profiling session ID not found` when no session of this id runs
   */
  stopProfiling(sessionId: string): ProfileResult {
    const session = this.#sessions.get(sessionId)
    if (session === undefined) throw new Error('Profiling session ID not found')
    this.#sessions.delete(sessionId)
    return session.finish()
  }

  /**
   * Profiles one call of a function; each call is a session of its own.
   *
   * @param name - begins the id of the session
   * @throws what the function throws, after the session was ended
   */
  async profileFunction<T>(name: string, fn: () => T | Promise<T>): Promise<{ result: T; profile: ProfileResult }> {
    const session = new ProfileSession(`${name}#${randomUUID()}`, 'cpu', INTERVAL_DEFAULT, SAMPLERS)
    let profile: ProfileResult | undefined
    try {
      const result = await fn()
      profile = session.finish()
      return { result, profile }
    } finally {
      if (profile === undefined) session.finish()
    }
  }
}
