import type { Nanoseconds } from './units.ts'

/** What a profile can weigh: nanoseconds of CPU or of wall time, bytes or objects in use or allocated. The order is that of the store's numbers 1..6. */
export const PROFILE_TYPES = ['cpu', 'wall', 'heap_space', 'heap_objects', 'alloc_space', 'alloc_objects'] as const
export type ProfileType = (typeof PROFILE_TYPES)[number]

/** One call of a stack. */
export interface ProfileFrame {
  readonly name: string
  /** Path or URL as the runtime names it; '' for code without a file. */
  readonly file: string
  /** From 1; 0 when it is not known. */
  readonly line: number
}

/** One stack with its weights. */
export interface ProfileSample {
  /** The running function first, its callers after it. */
  readonly stack: readonly ProfileFrame[]
  /** One weight per value type of the profile, in their order; whole numbers. */
  readonly values: readonly number[]
  /** When it was taken, since the Unix epoch; 0n when the sample stands for the whole profile. */
  readonly time: Nanoseconds
  /** What was going on, such as `route`, `trace_id` and `span_id`. */
  readonly labels: Readonly<Record<string, string>>
}

/** What one weight of every sample means, in pprof's words: `wall` in `nanoseconds`. */
export interface ProfileValueType {
  readonly type: string
  readonly unit: string
}

/** One profile as it is sent and stored: the stacks of one process over one stretch of time. */
export interface ProfileRecord {
  readonly valueTypes: readonly ProfileValueType[]
  /** Since the Unix epoch. */
  readonly start: Nanoseconds
  readonly duration: Nanoseconds
  /** Mean distance of two samples, in the unit of `periodType`. */
  readonly period: number
  readonly periodType: ProfileValueType
  readonly samples: readonly ProfileSample[]
}
