// Alerts and silences as the server tells them: the parts that pages read. Times are milliseconds since the Unix epoch.
import type { AlertSource, LabelMatcher, Labels, Milliseconds } from '@andon/model'
import { sendJson } from './send.ts'

export type AlertSeverity = 'info' | 'warning' | 'critical'

/** An alert that fires, or that flaps and is told as firing until it has calmed down. */
export interface ActiveAlert {
  readonly fingerprint: string
  readonly status: 'firing' | 'resolved'
  /** Suppressed while something holds it back. */
  readonly state: 'active' | 'suppressed'
  readonly flapping: boolean
  readonly service: string
  readonly severity: AlertSeverity
  readonly labels: Labels
  readonly annotations: Labels
  readonly source: AlertSource
  readonly startsAt: Milliseconds
  readonly onsetAt: Milliseconds | null
  readonly updatedAt: Milliseconds
  readonly value: number | null
  readonly expression: string | null
  readonly generatorUrl: string
  readonly incident: string | null
  /** Ids of silences. */
  readonly silencedBy: readonly string[]
  /** Fingerprints of alerts that hold it back. */
  readonly inhibitedBy: readonly string[]
  /** Names of time intervals. */
  readonly mutedBy: readonly string[]
  readonly receivers: readonly string[]
}

/** GET /api/alerts. */
export interface AlertsAnswer {
  readonly now: Milliseconds
  readonly alerts: readonly ActiveAlert[]
}

/** An alert that began to fire, or ceased to. */
export interface AlertChange {
  readonly at: Milliseconds
  readonly status: 'firing' | 'resolved'
  readonly fingerprint: string
  readonly service: string
  readonly severity: AlertSeverity
  readonly labels: Labels
  readonly annotations: Labels
  readonly source: AlertSource
  readonly startsAt: Milliseconds
  readonly value: number | null
  readonly incident: string | null
}

/** GET /api/alerts/history, the newest first. */
export interface HistoryAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly changes: readonly AlertChange[]
}

export interface Silence {
  readonly id: string
  readonly state: 'pending' | 'active' | 'expired'
  readonly matchers: readonly LabelMatcher[]
  readonly startsAt: Milliseconds
  readonly endsAt: Milliseconds
  readonly createdBy: string
  readonly comment: string
}

/** GET /api/silences. */
export interface SilencesAnswer {
  readonly now: Milliseconds
  readonly silences: readonly Silence[]
}

/** A silence as it is asked for; one with an id is changed. */
export interface SilenceRequest {
  readonly id?: string
  readonly matchers: readonly LabelMatcher[]
  readonly startsAt: Milliseconds
  readonly endsAt: Milliseconds
  readonly comment: string
}

export const ALERTS_PATH = '/api/alerts'
export const SILENCES_PATH = '/api/silences'
/** Rows of the history that are looked at; more cannot be read by anybody. */
export const HISTORY_LIMIT = 5000
export const historyPath = (time: { readonly from: string; readonly to: string }): string => `/api/alerts/history?${new URLSearchParams({ from: time.from, to: time.to, limit: String(HISTORY_LIMIT) }).toString().replaceAll('%3A', ':')}`

/** The routes that change with a silence. */
export const SILENCE_ROUTES: readonly string[] = [SILENCES_PATH, ALERTS_PATH]

/** @returns the silence as it is stored */
export async function createSilence(wanted: SilenceRequest): Promise<Silence | undefined> {
  return await sendJson<Silence>('POST', SILENCES_PATH, wanted)
}

export const expireSilence = (id: string): Promise<unknown> => sendJson('DELETE', `${SILENCES_PATH}/${encodeURIComponent(id)}`)
