// Objectives and agreements as the server tells them: the parts that pages read. Times and lengths are milliseconds.
import type { Labels, Milliseconds, Ratio } from '@andon/model'

/** How one window of an objective stands. */
export interface WindowStanding {
  readonly name: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  /** When the period of a calendar ends; null for one that rolls. */
  readonly ends: Milliseconds | null
  readonly total: number
  readonly bad: number
  readonly attainment: Ratio | null
  readonly allowed: number
  /** Of what is allowed; negative where it is overspent. */
  readonly remaining: Ratio | null
  readonly outageMinutes: number | null
  /** 0 where nothing is left, null where it lasts. */
  readonly exhaustedInMs: Milliseconds | null
}

export type ObjectiveState = 'ok' | 'page' | 'ticket' | 'no-data'

export interface ObjectiveSummary {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly service: string
  readonly environment: string
  readonly kind: 'availability' | 'latency' | 'counts' | 'ratio'
  readonly target: Ratio
  readonly isDefault: boolean
  readonly customer: string | null
  readonly state: ObjectiveState
  readonly since: Milliseconds | null
  readonly lastData: Milliseconds | null
  readonly countedTo: Milliseconds
  readonly lastError: string
  readonly windows: readonly WindowStanding[]
  /** How many times as fast as allowed the budget is spent, by window. */
  readonly burnRates: Readonly<Record<string, number | null>>
}

/** GET /api/objectives: those that are worst off first. */
export interface ObjectivesAnswer {
  readonly objectives: readonly ObjectiveSummary[]
}

export interface ObjectiveAlert {
  readonly state: 'firing' | 'resolved'
  readonly startsAt: Milliseconds
  readonly endsAt?: Milliseconds
  readonly by: readonly string[]
}

export interface MaintenanceTime {
  readonly start: Milliseconds
  readonly end: Milliseconds
  readonly comment: string
}

type Indicator =
  | { readonly kind: 'spans'; readonly service: string; readonly routes: readonly string[]; readonly exceptRoutes: readonly string[]; readonly underMs?: Milliseconds }
  | { readonly kind: 'counts'; readonly good?: string; readonly bad?: string; readonly total: string }
  | { readonly kind: 'ratio'; readonly bad: string }

/** GET /api/objectives/{id}. */
export interface ObjectiveDetail extends ObjectiveSummary {
  readonly objective: { readonly indicator: Indicator; readonly labels: Labels; readonly file: string; readonly runbook: string; readonly agreement?: { readonly customer: string; readonly unit: string; readonly consequence: string; readonly target: Ratio } }
  /** PromQL of the share of bad ones; null where it has none. */
  readonly expression: string | null
  readonly alerts: { readonly page?: ObjectiveAlert; readonly ticket?: ObjectiveAlert }
  readonly month: { readonly end: Milliseconds; readonly attainment: Ratio | null; readonly spent: Ratio | null; readonly kept: boolean | null }
  readonly maintenance: readonly MaintenanceTime[]
}

/** GET /api/objectives/{id}/burn-down. */
export interface BurnDownAnswer {
  readonly window: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly ends: Milliseconds
  readonly stepMs: Milliseconds
  readonly points: readonly { readonly time: Milliseconds; readonly bad: number; readonly total: number; readonly remaining: Ratio; readonly ideal: Ratio }[]
}

export interface LedgerEntry {
  /** '' for what belongs to none. */
  readonly key: string
  readonly title: string
  readonly bad: number
  readonly total: number
  /** Of all that was bad. */
  readonly share: Ratio
  /** Of what is allowed in the window. */
  readonly budget: Ratio | null
}

/** GET /api/objectives/{id}/ledger. */
export interface LedgerAnswer {
  readonly window: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly bad: number
  readonly total: number
  readonly allowed: number
  readonly byIncident: readonly LedgerEntry[]
  readonly byRoute: readonly LedgerEntry[]
  readonly byRelease: readonly LedgerEntry[]
}

/** GET /api/objectives/{id}/what-if. */
export interface WhatIfAnswer {
  readonly target: Ratio
  readonly windows: readonly WindowStanding[]
  readonly months: readonly { readonly month: string; readonly attainment: Ratio | null; readonly kept: boolean | null }[]
}

/** GET /api/agreements/{id}/report. */
export interface AgreementReport {
  readonly id: string
  readonly name: string
  readonly customer: string
  readonly service: string
  readonly environment: string
  readonly consequence: string
  readonly period: string
  readonly timeZone: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly countedTo: Milliseconds
  readonly isFinal: boolean
  readonly madeAt: Milliseconds
  /** Null where nothing was counted: then nobody can say. */
  readonly kept: boolean | null
  readonly target: Ratio
  readonly attainment: Ratio | null
  /** The attainment less the target. */
  readonly margin: Ratio | null
  readonly total: number
  readonly bad: number
  readonly allowed: number
  readonly spent: Ratio | null
  readonly days: readonly { readonly day: string; readonly bad: number; readonly total: number; readonly attainment: Ratio | null }[]
  readonly incidents: readonly (LedgerEntry & { readonly start: Milliseconds; readonly end: Milliseconds | null })[]
  readonly outsideIncidents: number
  readonly maintenance: readonly (MaintenanceTime & { readonly bad: number; readonly total: number })[]
  readonly evidence: {
    readonly indicator: Indicator
    readonly objective: Ratio
    readonly minutes: number
    readonly minutesWithData: number
    readonly minutesWithBad: number
    readonly worst: readonly { readonly time: Milliseconds; readonly bad: number; readonly total: number }[]
  }
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
