import type { Milliseconds } from './units.ts'

/** A half-open interval [start, end) in milliseconds since the Unix epoch; start <= end. */
export interface TimeRange {
  readonly start: Milliseconds
  readonly end: Milliseconds
}
