// Series that are watched for changes, and what is said of them. What is not known is null.
import type { Milliseconds, Ratio } from './units.ts'

/** Which series: one signal of one service, of an edge of it where there are several. */
export interface SignalId {
  readonly service: string
  /** '' where the telemetry names none. */
  readonly environment: string
  readonly signal: string
  /** Which edge, such as `postgresql db:5432`; '' of signals of which a service has one. */
  readonly key: string
}

/** In which unit a signal is measured. */
export type SignalUnit = 'seconds' | 'ratio' | 'per second' | 'bytes'

/** How far a series is trusted: whether it judges at all, whether it is told, and as what. */
export const DETECTOR_STATES = ['learning', 'silent', 'ticket', 'page'] as const
export type DetectorState = (typeof DETECTOR_STATES)[number]

/** A series in a list, with what is said of its newest slice. */
export interface ListedDetector extends SignalId {
  /** 16 hexadecimal digits. */
  readonly id: string
  readonly title: string
  readonly unit: SignalUnit
  /** Signals of one family are not two witnesses. */
  readonly family: string
  /** What users feel: it may page by itself. */
  readonly isIndicator: boolean
  readonly state: DetectorState
  /** Why it is trusted so far. */
  readonly because: string
  /** That it has seen. */
  readonly slices: number
  /** The start of the newest slice. */
  readonly time: Milliseconds
  readonly value: number | null
  /** What was expected, and what would have been usual. */
  readonly expected: number | null
  readonly low: number | null
  readonly high: number | null
  /** How likely such a slice is where nothing is wrong. */
  readonly p: Ratio | null
  /** ln of the evidence against "nothing is wrong", and from which on it is an alarm. */
  readonly statistic: number | null
  readonly threshold: number | null
  /** The change since the onset, in what would matter: 1 and more does. */
  readonly effect: number | null
  readonly firing: boolean
  readonly since: Milliseconds | null
  readonly onset: Milliseconds | null
  /** Why it did not speak although it would have; '' otherwise. */
  readonly held: string
}

/** A time in which a series raised an alarm. */
export interface DetectorAlarm {
  /** The end of the slice in which it was found. */
  readonly start: Milliseconds
  /** Null while it lasts. */
  readonly end: Milliseconds | null
  readonly onset: Milliseconds | null
  /** ln of the greatest evidence. */
  readonly peak: number | null
  /** Another family of the service alarmed with it, or a person called it real. */
  readonly isExplained: boolean
}

/** All of one series. */
export interface DetectorDetail extends ListedDetector {
  readonly firstSeen: Milliseconds
  /** How the course is explained: of values the prediction, of counts the usual share. */
  readonly model: string
  /** From which duration on a request of the service is slow, in seconds; null of other signals. */
  readonly slowLimit: number | null
  /** PromQL of the value, or of the share of bad ones. */
  readonly expression: string
  /** The newest first. */
  readonly episodes: readonly DetectorAlarm[]
}
