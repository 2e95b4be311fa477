// The routes of rules and of what they would have told.
import type { BacktestResult, ListedOwnRule, ListedRuleGroup, RuleDefinition } from '@andon/model'
import { sendJson } from './send.ts'

/** GET /api/v1/rules. */
export interface RulesAnswer {
  readonly data: { readonly groups: readonly ListedRuleGroup[] }
}

/** GET /api/rules/own. */
export interface OwnRulesAnswer {
  readonly rules: readonly ListedOwnRule[]
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
