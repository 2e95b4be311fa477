// The routes of detectors and deploys. Times are milliseconds since the Unix epoch.
import type { DeployMarker, ListedDetector, Milliseconds, SignalUnit, ToldDeploy } from '@andon/model'
import type { Unit } from '../ui/format.ts'
import { sendJson } from './send.ts'

/** GET /api/detectors. */
export interface DetectorsAnswer {
  readonly now: Milliseconds
  readonly until: Milliseconds
  readonly replaying: boolean
  /** Of the chosen ones, also those that are left out. */
  readonly total: number
  readonly detectors: readonly ListedDetector[]
}

/** GET /api/deploys, the newest first. */
export interface DeploysAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly deploys: readonly DeployMarker[]
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

/** A release as it is told; the server notes the time. */
export type DeployRequest = Pick<ToldDeploy, 'service' | 'version'> & Partial<Pick<ToldDeploy, 'environment' | 'note'>>

export const tellDeploy = (deploy: DeployRequest): Promise<unknown> => sendJson('POST', '/api/deploys', deploy)

/** The unit of a signal as pages write it. */
export function signalUnit(unit: SignalUnit): Unit {
  return unit === 'per second' ? 'requestsPerSecond' : unit
}
