import type { TimeInput } from '@opentelemetry/api'
import type { Nanoseconds } from '@andon/model'

/** Now, since the Unix epoch. */
export function nowNanoseconds(): Nanoseconds {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n
}

/** A time of the API: [seconds, nanoseconds], a Date, milliseconds since the epoch, or of performance.now(). */
export function toNanoseconds(time: TimeInput): Nanoseconds {
  if (Array.isArray(time)) return BigInt(time[0]) * 1_000_000_000n + BigInt(time[1])
  if (time instanceof Date) return BigInt(time.getTime()) * 1_000_000n
  // What is smaller than the start of the process cannot be since the epoch.
  const ms = time < performance.timeOrigin ? performance.timeOrigin + time : time
  return BigInt(Math.round(ms * 1000)) * 1000n
}
