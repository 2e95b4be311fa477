// The routes of alerts and silences. Times are milliseconds since the Unix epoch.
import type { LabelMatcher, ListedAlert, ListedAlertChange, ListedSilence, Milliseconds } from '@andon/model'
import { sendJson } from './send.ts'

/** GET /api/alerts. */
export interface AlertsAnswer {
  readonly now: Milliseconds
  readonly alerts: readonly ListedAlert[]
}

/** GET /api/alerts/history, the newest first. */
export interface HistoryAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly changes: readonly ListedAlertChange[]
}

/** GET /api/silences. */
export interface SilencesAnswer {
  readonly now: Milliseconds
  readonly silences: readonly ListedSilence[]
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
export async function createSilence(wanted: SilenceRequest): Promise<ListedSilence | undefined> {
  return await sendJson<ListedSilence>('POST', SILENCES_PATH, wanted)
}

export const expireSilence = (id: string): Promise<unknown> => sendJson('DELETE', `${SILENCES_PATH}/${encodeURIComponent(id)}`)
