import type { SignalId, SignalUnit } from './detector.ts'
import type { TimeRange } from './time-range.ts'
import type { Milliseconds } from './units.ts'

/** A release, a change of configuration or another intervention that may explain what follows it. */
export interface DeployMarker {
  readonly id: string
  readonly service: string
  /** '' where it holds for all of them. */
  readonly environment: string
  readonly version: string
  readonly at: Milliseconds
  /** Seen in the telemetry (a new service.version), or told by API or CLI. */
  readonly source: 'seen' | 'told'
  readonly actor: string
  /** Such as a commit or the address of a build; '' for none. */
  readonly note: string
}

/** What is told of a release. */
export type ToldDeploy = Pick<DeployMarker, 'service' | 'environment' | 'version' | 'at' | 'note'>

export const RELEASE_VERDICTS = ['worse', 'better', 'changed a little', 'no difference', 'too few data'] as const
export type ReleaseVerdict = (typeof RELEASE_VERDICTS)[number]

/** One series before and after a release, in its unit. */
export interface ComparedSeries {
  readonly id: SignalId
  readonly title: string
  readonly unit: SignalUnit
  /** Medians of minutes; null where nothing was measured. */
  readonly before: number | null
  readonly after: number | null
  /** By how much it moved: a factor minus 1 of latencies and rates, else in the unit; positive is more. Null where too little is known. */
  readonly change: number | null
  readonly low: number | null
  readonly high: number | null
  readonly kind: 'factor' | 'difference'
  readonly verdict: ReleaseVerdict
}

/** What a release has changed. */
export interface ReleaseComparison {
  readonly marker: DeployMarker
  readonly before: TimeRange
  readonly after: TimeRange
  /** More data will come. */
  readonly isPreliminary: boolean
  readonly series: readonly ComparedSeries[]
}
