// Backtests as they are asked for: how far back, how many at once, and for how long.
import { AndonError, type BacktestResult, type Labels, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { backtest } from './backtest.ts'
import type { RangeEngine } from './chunked-query.ts'
import type { AlertRule, RuleGroup } from './definition.ts'

export interface BacktestsDeps {
  readonly engine: RangeEngine
  readonly clock: Pick<Clock, 'now'>
  /** As rules are evaluated here. */
  readonly intervalMs: Milliseconds
  readonly queryOffsetMs: Milliseconds
  readonly externalLabels: Labels
}

export interface BacktestRequest {
  /** How far back; DAYS where nobody said. */
  readonly days?: number
  /** Between two evaluations, where it shall not be the rule's own. */
  readonly intervalMs?: Milliseconds
  /** Aborted when the one who asked goes away. */
  readonly signal?: AbortSignal
}

export const DAYS = 14
export const DAYS_MAX = 90
/** Backtests under way; further ones are refused, because each reads much. */
export const BACKTESTS_MAX = 2
/** How long the rules of one request may take. */
export const BACKTEST_MS: Milliseconds = 120_000
/** Rules of one request. */
export const RULES_MAX = 50
const DAY: Milliseconds = 86_400_000

/** May be called concurrently, up to its limit. */
export class Backtests {
  readonly #deps: BacktestsDeps
  #under = 0

  constructor(deps: BacktestsDeps) {
    this.#deps = deps
  }

  /** What one rule would have told, on a group of its own. */
  async ofRule(rule: AlertRule, request: BacktestRequest = {}): Promise<BacktestResult> {
    const [result] = await this.ofGroups([{ name: 'backtest', file: '', intervalMs: undefined, limit: 0, queryOffsetMs: undefined, rules: [rule] }], request)
    if (result === undefined) throw new AndonError('bad_rules', 'there is no alerting rule to test')
    return result
  }

  /**
   * What each alerting rule of these groups would have told, one after the other.
   *
   * @throws AndonError overloaded past BACKTESTS_MAX at once, query_timeout past BACKTEST_MS, bad_rules past RULES_MAX, and as `backtest`
   */
  async ofGroups(groups: readonly RuleGroup[], { days = DAYS, intervalMs, signal }: BacktestRequest = {}): Promise<BacktestResult[]> {
    const rules = groups.flatMap((group) => group.rules.flatMap((rule) => (rule.kind === 'alert' ? [{ rule, group }] : [])))
    if (rules.length > RULES_MAX) throw new AndonError('bad_rules', `${rules.length} alerting rules are too many for one backtest; ${RULES_MAX} are allowed.`, { hint: 'Name the rule that is to be tested.' })
    if (this.#under >= BACKTESTS_MAX) throw new AndonError('overloaded', `${BACKTESTS_MAX} backtests are under way.`)
    const timeout = AbortSignal.timeout(BACKTEST_MS)
    const { clock, engine, ...own } = this.#deps
    const to = clock.now()
    const options = { ...own, from: to - days * DAY, to, signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) }
    this.#under += 1
    try {
      const results: BacktestResult[] = []
      for (const { rule, group } of rules) results.push(await backtest(rule, { ...group, intervalMs: intervalMs ?? group.intervalMs }, engine, options))
      return results
    } catch (error) {
      if (timeout.aborted) throw new AndonError('query_timeout', `the backtest took longer than ${BACKTEST_MS / 1000} s`, { hint: 'Test fewer days, or a longer interval.' })
      throw error
    } finally {
      this.#under -= 1
    }
  }
}
