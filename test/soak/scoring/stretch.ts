// What detectors are held against: series of one service slice by slice, with the truth about them.
import type { Milliseconds } from '@andon/model'
import type { HistogramSlice } from './histogram.ts'

/** The length of a slice, here and in recordings. A slice is named by its end, a multiple of this since the epoch. */
export const STEP_MS: Milliseconds = 15_000

/** A fault that was on. */
export interface Truth {
  /** Its place in the plan. */
  readonly index: number
  readonly fault: string
  /** In the unit of the fault; of the kanban's see docs/reference/kanban-api.md. */
  readonly strength: number
  /** When it was asked for, and when it was on. */
  readonly start: Milliseconds
  readonly set: Milliseconds
  readonly end: Milliseconds
  /** That it changes something by the floor, where that is known because it is simulated; otherwise it is measured. */
  readonly hasEffect?: boolean
}

/** Which part may be looked at while parameters are chosen. */
export type Part = 'tuning' | 'proof'

/** What a track is of: it decides in which direction it is worse, and how large a change counts. */
export type What = 'errors' | 'latency' | 'throughput' | 'cpu' | 'loop' | 'pool' | 'edge' | 'heap'

/** One series of a stretch. */
export interface Track {
  /** Such as `latency.p95` or `edge.postgresql.p50`. */
  readonly key: string
  readonly what: What
  /** s, share of the processors, By, requests per slice, or a share. */
  readonly unit: string
  /** One per slice; NaN where nothing was measured. */
  readonly values: Float64Array
  /** How many requests, calls or waits each value is made of, where it is made of any. */
  readonly counts?: Float64Array
  /** Of a share: how many of `counts` were bad. */
  readonly failed?: Float64Array
  /** Of durations: all values of each slice; see histogram.ts. */
  readonly histograms?: readonly HistogramSlice[]
}

/**
 * One service over one continuous time: history first, then what is judged. What was seen of several services is a stretch of each, with the faults
 * that can be seen in it: quiet time and incidents are those of a service.
 */
export interface Stretch {
  readonly name: string
  readonly service: string
  readonly part: Part
  /** Requests per second. */
  readonly load: number
  readonly stepMs: Milliseconds
  /** End of the first slice, history included. */
  readonly start: Milliseconds
  readonly slices: number
  /** So many slices at the beginning are history and are not judged. */
  readonly history: number
  readonly tracks: readonly Track[]
  readonly truth: readonly Truth[]
}

/** After a fault a service needs so long to be as before: this time is neither quiet nor judged as a false alarm. */
export const RECOVERY_MS: Milliseconds = 5 * 60_000

/** Whether a slice lies in a fault, or in the time that is left for recovery. */
export function isDisturbed(end: Milliseconds, truth: readonly Truth[]): boolean {
  return truth.some((fault) => end > fault.start && end - STEP_MS < fault.end + RECOVERY_MS)
}
