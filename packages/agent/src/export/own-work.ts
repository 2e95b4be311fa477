// What sending costs this thread, measured.
import type { Bytes, Milliseconds } from '@andon/model'

/** Whose bytes are made and sent: spans become fewer when the governor lowers their share, the others do not. */
export type WorkKind = 'spans' | 'others'

export class OwnWork {
  /** Time of this thread: that of the clock, or the processor time of the process where it is less, because the thread waited for a processor. */
  readonly ms: Record<WorkKind, Milliseconds> = { spans: 0, others: 0 }
  /** Requests that were sent, since the start. */
  posts = 0
  /** Bytes that were compressed, on another thread, since the start. */
  compressed: Bytes = 0

  /** Runs a part that does not wait for anything. */
  timed<T>(kind: WorkKind, run: () => T): T {
    const began = performance.now()
    const used = process.cpuUsage()
    try {
      return run()
    } finally {
      const { user, system } = process.cpuUsage(used)
      this.ms[kind] += Math.min(performance.now() - began, (user + system) / 1000)
    }
  }
}
