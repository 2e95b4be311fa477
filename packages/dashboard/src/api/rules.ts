// Rules as the server tells them: the parts that pages read.
import type { Labels, Milliseconds, Ratio } from '@andon/model'
import { sendJson } from './send.ts'

/** A rule of GET /api/v1/rules; durations in seconds, times as ISO text. */
export interface ListedRule {
  readonly type: 'alerting' | 'recording'
  readonly name: string
  readonly query: string
  readonly state?: 'inactive' | 'pending' | 'firing'
  readonly duration?: number
  readonly keepFiringFor?: number
  readonly labels: Labels
  readonly annotations?: Labels
  readonly alerts?: readonly { readonly labels: Labels; readonly state: 'pending' | 'firing'; readonly activeAt: string; readonly value: string; readonly noDataSince?: string }[]
  readonly health: 'unknown' | 'ok' | 'err'
  readonly lastError?: string
  readonly lastEvaluation: string
  /** Seconds. */
  readonly evaluationTime: number
}

export interface ListedGroup {
  readonly name: string
  readonly file: string
  readonly rules: readonly ListedRule[]
  /** Seconds. */
  readonly interval: number
  readonly evaluationTime: number
}

/** GET /api/v1/rules. */
export interface RulesAnswer {
  readonly data: { readonly groups: readonly ListedGroup[] }
}

/** What is sent of a rule: `expr` makes it one as Prometheus writes it, anything else is the simple form. */
export type RuleDefinition = Readonly<Record<string, unknown>>

/** A rule that was made here. */
export interface OwnRule {
  readonly id: string
  readonly definition: RuleDefinition
  readonly alert: string
  readonly expression: string
  readonly recovery: string | null
  readonly forMs: Milliseconds
  readonly keepFiringForMs: Milliseconds
  readonly labels: Labels
  readonly annotations: Labels
  readonly revision: number
  readonly actor: string
  readonly updatedAt: Milliseconds
}

/** GET /api/rules/own. */
export interface OwnRulesAnswer {
  readonly rules: readonly OwnRule[]
}

/** A time in which one alert would have fired. */
export interface Episode {
  readonly labels: Labels
  readonly activeAt: Milliseconds
  readonly start: Milliseconds
  /** null where it still fired at the end of the range. */
  readonly end: Milliseconds | null
  readonly peak: number
}

export interface BacktestResult {
  readonly alert: string
  readonly expression: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly intervalMs: Milliseconds
  /** Since when there are data; null where there are none. */
  readonly dataFrom: Milliseconds | null
  readonly isShorter: boolean
  readonly count: number
  readonly perWeek: number | null
  readonly firingShare: Ratio | null
  readonly episodes: readonly Episode[]
  readonly areEpisodesCut: boolean
}

export const RULES_PATH = '/api/v1/rules'
export const OWN_RULES_PATH = '/api/rules/own'
export const METRIC_NAMES_PATH = '/api/v1/label/__name__/values'
export const RULE_ROUTES: readonly string[] = [RULES_PATH, OWN_RULES_PATH]
/** The group and the file by which rules that were made here are listed. */
export const OWN_GROUP = { name: 'own', file: 'api' } as const

/** What a rule would have told of the last days. */
export async function backtestRule(rule: RuleDefinition, days: number): Promise<BacktestResult | undefined> {
  const answer = await sendJson<{ readonly results: readonly BacktestResult[] }>('POST', '/api/rules/backtest', { rule, days })
  return answer?.results[0]
}

export const saveRule = (id: string, rule: RuleDefinition, isNew: boolean): Promise<unknown> => (isNew ? sendJson('POST', OWN_RULES_PATH, { ...rule, id }) : sendJson('PUT', `${OWN_RULES_PATH}/${encodeURIComponent(id)}`, rule))

export const removeRule = (id: string): Promise<unknown> => sendJson('DELETE', `${OWN_RULES_PATH}/${encodeURIComponent(id)}`)
