import type { Completeness } from './complete.ts'

/** One run of one subject. */
export interface Sample {
  readonly perSecond: number
  /** CPU microseconds per request, all sending included. */
  readonly userUs: number
  readonly systemUs: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly residentMb: number
  readonly requests: number
  readonly seen: Completeness
}
