import type { Labels } from './labels.ts'
import type { Milliseconds } from './units.ts'

/** What was kept of an incident beyond the retention of where it comes from. */
export interface Evidence {
  /** Within its incident; what is pinned anew takes its place. */
  readonly name: string
  readonly kind: 'trace' | 'errors' | 'statements' | 'series'
  readonly title: string
  readonly at: Milliseconds
  /** Whether some of it was left out because it is too large. */
  readonly cut: boolean
  /** Of a trace a PinnedTrace, of series a PinnedCourses, else a list of what was found. */
  readonly data: unknown
}

/** A span of a pinned trace, as JSON can hold it. */
export interface PinnedSpan {
  readonly spanId: string
  /** '' of the root. */
  readonly parentSpanId: string
  readonly name: string
  readonly kind: string
  readonly service: string
  readonly start: Milliseconds
  readonly durationMs: Milliseconds
  readonly attributes: unknown
  readonly events: readonly { readonly time: Milliseconds; readonly name: string; readonly attributes: unknown }[]
  readonly status: string
  /** What the status says. */
  readonly message: string
}

/** A trace with its spans. */
export interface PinnedTrace {
  readonly traceId: string
  readonly start: Milliseconds
  readonly durationMs: Milliseconds
  readonly rootService: string
  readonly rootName: string
  readonly errors: number
  /** The earliest first; of a large one not all. */
  readonly spans: readonly PinnedSpan[]
}

/** A series over the time of an incident. */
export interface PinnedSeries {
  readonly labels: Labels
  readonly points: readonly (readonly [time: Milliseconds, value: number])[]
}

/** What an expression gave over the time of an incident. */
export interface PinnedCourses {
  readonly expression: string
  readonly start: Milliseconds
  readonly end: Milliseconds
  readonly series: readonly PinnedSeries[]
}
