// Detectors and deploys as the server tells them: the parts that pages read. Times are milliseconds since the Unix epoch.
import type { DeployMarker, Milliseconds } from '@andon/model'
import type { Unit } from '../ui/format.ts'
import { sendJson } from './send.ts'

export const DETECTOR_STATES = ['learning', 'silent', 'ticket', 'page'] as const
export type DetectorState = (typeof DETECTOR_STATES)[number]

/** A series that is watched, and what is said of its newest slice. */
export interface Detector {
  readonly id: string
  readonly service: string
  readonly environment: string
  readonly signal: string
  readonly key: string
  readonly title: string
  readonly unit: 'seconds' | 'ratio' | 'per second' | 'bytes'
  readonly family: string
  /** What users feel: it may page by itself. */
  readonly isIndicator: boolean
  readonly state: DetectorState
  /** Why it is trusted so far. */
  readonly because: string
  readonly slices: number
  readonly time: Milliseconds
  readonly value: number | null
  readonly expected: number | null
  readonly low: number | null
  readonly high: number | null
  readonly p: number | null
  readonly statistic: number | null
  readonly threshold: number | null
  readonly firing: boolean
  readonly since: Milliseconds | null
  readonly onset: Milliseconds | null
  /** Why it did not speak although it would have; '' otherwise. */
  readonly held: string
}

/** GET /api/detectors. */
export interface DetectorsAnswer {
  readonly now: Milliseconds
  readonly until: Milliseconds
  readonly replaying: boolean
  readonly total: number
  readonly detectors: readonly Detector[]
}

export interface DetectorEpisode {
  readonly start: Milliseconds
  readonly end: Milliseconds | null
  readonly onset: Milliseconds | null
  readonly peak: number | null
  /** A person has said what it was, or a known cause explains it. */
  readonly isExplained: boolean
}

/** GET /api/detectors/{id}. */
export interface DetectorDetail extends Detector {
  readonly firstSeen: Milliseconds
  readonly model: string
  readonly expression: string
  /** The newest first. */
  readonly episodes: readonly DetectorEpisode[]
}

/** GET /api/deploys, the newest first. */
export interface DeploysAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly deploys: readonly DeployMarker[]
}

export type ReleaseVerdict = 'worse' | 'better' | 'changed a little' | 'no difference' | 'too few data'

export interface ComparedSeries {
  readonly id: { readonly service: string; readonly environment: string; readonly signal: string; readonly key: string }
  readonly title: string
  readonly unit: Detector['unit']
  readonly before: number | null
  readonly after: number | null
  /** A factor minus 1, or a difference in the unit; positive is more. */
  readonly change: number | null
  readonly low: number | null
  readonly high: number | null
  readonly kind: 'factor' | 'difference'
  readonly verdict: ReleaseVerdict
}

/** GET /api/deploys/{id}: before and after a release. */
export interface ReleaseComparison {
  readonly marker: DeployMarker
  readonly before: { readonly start: Milliseconds; readonly end: Milliseconds }
  readonly after: { readonly start: Milliseconds; readonly end: Milliseconds }
  readonly isPreliminary: boolean
  readonly series: readonly ComparedSeries[]
}

export const DETECTORS_PATH = '/api/detectors'
export const detectorPath = (id: string): string => `${DETECTORS_PATH}/${encodeURIComponent(id)}`
/** The last week where no time is given. */
export function deploysPath(time: { readonly from: string; readonly to: string } | null, service?: string): string {
  const params = new URLSearchParams({ ...(time === null ? {} : { from: time.from, to: time.to }), ...(service === undefined ? {} : { service }), limit: '500' })
  return `/api/deploys?${params.toString().replaceAll('%3A', ':')}`
}
export const deployPath = (id: string): string => `/api/deploys/${encodeURIComponent(id)}`
export const DEPLOY_ROUTES: readonly string[] = ['/api/deploys']

export interface ToldDeploy {
  readonly service: string
  readonly version: string
  readonly environment?: string
  readonly note?: string
}

export const tellDeploy = (deploy: ToldDeploy): Promise<unknown> => sendJson('POST', '/api/deploys', deploy)

/** The unit of a signal as pages write it. */
export function signalUnit(unit: Detector['unit']): Unit {
  return unit === 'per second' ? 'requestsPerSecond' : unit
}
