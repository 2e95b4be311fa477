// The recorder's clock: milliseconds of performance.now(), which cost one float; epoch times are made at the end.
import type { TimeInput } from '@opentelemetry/api'
import type { Milliseconds, Nanoseconds } from '@andon/model'

/** How far the two clocks may part, as when the system's time is set, before the epoch is taken anew. */
const MAX_DRIFT: Milliseconds = 20
/** A number below is one of performance.now(). */
const YEAR_2000: Milliseconds = Date.UTC(2000)

let epochMs: Milliseconds = performance.timeOrigin

/** When the recorder's clock reads 0. It changes only when the wall clock was set: call it between batches, not within. */
export function epochOfClock(): Nanoseconds {
  const now = Date.now() - performance.now()
  if (Math.abs(now - epochMs) > MAX_DRIFT) epochMs = now
  return BigInt(Math.round(epochMs * 1000)) * 1000n
}

/** Now, since the Unix epoch. */
export function nowNanoseconds(): Nanoseconds {
  return BigInt(Math.round((epochMs + performance.now()) * 1000)) * 1000n
}

/** A time of the API on the recorder's clock: [seconds, nanoseconds], a Date, milliseconds since the epoch, or of performance.now(). */
export function toClock(time: TimeInput): Milliseconds {
  const at = onClock(time)
  // What is no time, such as an invalid Date, is now.
  return Number.isFinite(at) ? at : performance.now()
}

function onClock(time: TimeInput): number {
  if (Array.isArray(time)) return typeof time[0] === 'number' && typeof time[1] === 'number' ? time[0] * 1000 - epochMs + time[1] / 1e6 : Number.NaN
  if (time instanceof Date) return time.getTime() - epochMs
  if (typeof time !== 'number') return Number.NaN
  // Of performance.now(), or since the epoch: no process runs for thirty years, and no span is from before 2000.
  return time < YEAR_2000 ? time : time - epochMs
}

/** A time of the API, since the Unix epoch. */
export function toNanoseconds(time: TimeInput): Nanoseconds {
  if (Array.isArray(time) && Number.isInteger(time[0]) && Number.isInteger(time[1])) return BigInt(time[0]) * 1_000_000_000n + BigInt(time[1])
  return BigInt(Math.round((epochMs + toClock(time)) * 1000)) * 1000n
}
