// The routes of objectives and agreements.
import type { Indicator, ObjectiveSummary } from '@andon/model'

/** GET /api/objectives: those that are worst off first. */
export interface ObjectivesAnswer {
  readonly objectives: readonly ObjectiveSummary[]
}

const objectiveUrl = (id: string): string => `/api/objectives/${encodeURIComponent(id)}`
const ofWindow = (window: string | undefined): string => (window === undefined ? '' : `?${new URLSearchParams({ window }).toString()}`)

export const OBJECTIVES_PATH = '/api/objectives'
export const objectivePath: (id: string) => string = objectiveUrl
export const burnDownPath = (id: string, window: string | undefined): string => `${objectiveUrl(id)}/burn-down${ofWindow(window)}`
export const ledgerPath = (id: string, window: string | undefined): string => `${objectiveUrl(id)}/ledger${ofWindow(window)}`
/** @param percent - such as 99.9, as text */
export const whatIfPath = (id: string, percent: string): string => `${objectiveUrl(id)}/what-if?target=${encodeURIComponent(percent)}`
/** @param period - such as 2026-11; the one under way where it is absent */
export function reportPath(id: string, period: string | undefined, format?: 'md' | 'csv'): string {
  const params = new URLSearchParams({ ...(period === undefined ? {} : { month: period }), ...(format === undefined ? {} : { format }) }).toString()
  return `/api/agreements/${encodeURIComponent(id)}/report${params === '' ? '' : `?${params}`}`
}

/** What is counted, in words. */
export function indicatorText(indicator: Indicator): string {
  if (indicator.kind === 'ratio') return `each slice by its share of errors: ${indicator.bad}`
  if (indicator.kind === 'counts') return `${indicator.good === undefined ? `bad: ${indicator.bad ?? ''}` : `good: ${indicator.good}`}; total: ${indicator.total}`
  const routes = indicator.routes.length === 0 ? `all requests of ${indicator.service}` : `requests of ${indicator.service} to ${indicator.routes.join(', ')}`
  const except = indicator.exceptRoutes.length === 0 ? '' : ` except ${indicator.exceptRoutes.join(', ')}`
  return `${routes}${except}; good is ${indicator.underMs === undefined ? 'one that did not fail' : `one that did not fail and took at most ${indicator.underMs} ms`}`
}
