// How objectives are put into words.
import type { ObjectiveState, ObjectiveSummary, WindowStanding } from '@andon/model'
import { quantityText } from '../ui/format.ts'
import { lastedText } from '../ui/time-text.ts'

const STATES: Readonly<Record<ObjectiveState, { readonly text: string; readonly tone: string }>> = {
  ok: { text: 'on course', tone: 'good' },
  page: { text: 'burning fast', tone: 'bad' },
  ticket: { text: 'burning', tone: 'warn' },
  'no-data': { text: 'no data', tone: '' },
}

/** How an objective stands, in a word. Where nothing burns any more the budget may still be gone. */
export function standingTag({ state, lastError, windows }: Pick<ObjectiveSummary, 'state' | 'lastError' | 'windows'>): { readonly text: string; readonly tone: string } {
  if (lastError !== '') return { text: 'cannot be counted', tone: STATES[state].tone }
  return state === 'ok' && windows.some(({ remaining }) => remaining !== null && remaining <= 0) ? { text: 'budget spent', tone: 'warn' } : STATES[state]
}

export const KIND_TEXT: Readonly<Record<ObjectiveSummary['kind'], string>> = { availability: 'availability', latency: 'latency', counts: 'own counts', ratio: 'own ratio' }

/** Until when the budget lasts. */
export function exhaustionText({ exhaustedInMs, remaining }: Pick<WindowStanding, 'exhaustedInMs' | 'remaining'>): string {
  if (remaining === null) return 'nothing was counted yet'
  if (exhaustedInMs === 0) return 'nothing is left'
  return exhaustedInMs === null ? 'it lasts as it goes now' : `gone in ${lastedText(exhaustedInMs)} as it goes now`
}

/** What is left, in minutes in which everything would fail. */
export function outageText(minutes: number | null): string {
  if (minutes === null) return '–'
  return minutes < 0 ? `${lastedText(-minutes * 60_000)} too much` : lastedText(minutes * 60_000)
}

/** How many times as fast as allowed. */
export const rateText = (rate: number | null | undefined): string => (rate === null || rate === undefined ? '–' : `${rate >= 100 ? Math.round(rate) : Math.round(rate * 10) / 10}×`)

/** What is left of a budget, in percent. */
export const leftText = (remaining: number | null): string => quantityText(remaining, 'ratio')

/** Where a rate of burning is one to act on. */
export function rateTone(window: string, rate: number | null): string {
  if (rate === null) return ''
  const limits: Readonly<Record<string, number>> = { '5m': 14.4, '30m': 6, '1h': 14.4, '2h': 3, '6h': 6, '1d': 3, '3d': 1 }
  const limit = limits[window] ?? 1
  return rate >= limit ? 'bad-text' : rate >= 1 ? 'warn-text' : ''
}
