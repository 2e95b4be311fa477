// Alerts of rules as everything behind them knows them, handed over after each evaluation.
import type { Alert, AlertReceiver, Labels } from '@andon/model'
import { type Expr, isComparison, parse, print, typeOf } from '@andon/promql'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { ActiveAlert } from './alerting.ts'
import type { AlertRule } from './definition.ts'
import { graph } from './template/functions.ts'

export interface HandOverDeps {
  readonly receiver: AlertReceiver
  readonly logger: Pick<Log, 'warn'>
  readonly own: Pick<OwnMetrics, 'counter'>
  /** Where people reach this server; '' where nobody said. */
  readonly externalUrl: string
  /** Added to what is handed over, where an alert does not have them, as Prometheus does. */
  readonly externalLabels: Labels
}

function watched(expr: Expr): Expr | undefined {
  if (expr.kind === 'paren') return watched(expr.expr)
  if (expr.kind !== 'binary') return undefined
  // Of conditions that must all hold the first is told; of several that may there is none.
  if (expr.op === 'and' || expr.op === 'unless') return watched(expr.left)
  if (!isComparison(expr.op) || expr.bool) return undefined
  return typeOf(expr.left) === 'scalar' ? expr.right : expr.left
}

/**
 * What a rule watches, without the comparison; the whole expression where it is none.
 *
 * @example watchedExpression('sum(rate(x[5m])) > 5 and y') // 'sum(rate(x[5m]))'
 */
export function watchedExpression(expression: string): string {
  const expr = parse(expression)
  const found = watched(expr) ?? expr
  return print(found.kind === 'paren' ? found.expr : found)
}

/** What the rules that are evaluated watch: each is read once. */
const known = new WeakMap<AlertRule, string>()

function watchedBy(rule: AlertRule): string {
  const expression = known.get(rule) ?? watchedExpression(rule.expression)
  known.set(rule, expression)
  return expression
}

/** An alert that fires, or has ceased to. @param rule - undefined where it is not known any more */
export function alertOf(alert: ActiveAlert, rule: AlertRule | undefined, { externalUrl, externalLabels }: Pick<HandOverDeps, 'externalUrl' | 'externalLabels'>): Alert {
  const startsAt = alert.firedAt ?? alert.activeAt
  const source = rule?.source ?? 'rule'
  return {
    labels: { ...externalLabels, ...alert.labels },
    annotations: alert.annotations,
    source,
    startsAt,
    endsAt: alert.state === 'inactive' ? (alert.resolvedAt ?? startsAt) : undefined,
    generatorUrl: rule === undefined ? '' : `${externalUrl}${graph(rule.expression, 1)}`,
    value: alert.value,
    expression: rule === undefined ? undefined : watchedBy(rule),
    // The value of missing telemetry is for how long nothing was heard.
    onsetAt: source === 'telemetry' ? Math.min(alert.activeAt, alert.seenAt - alert.value * 1000) : alert.activeAt,
  }
}

/**
 * Hands over what fires, and what was resolved not long ago, at every evaluation: whoever missed one hears of it with the next. What
 * is pending stays here.
 */
export class HandOver {
  readonly #deps: HandOverDeps
  readonly #failed: ReturnType<OwnMetrics['counter']>

  constructor(deps: HandOverDeps) {
    this.#deps = deps
    this.#failed = deps.own.counter('andon_rules_handover_failures_total', 'Times that alerts of a rule were not taken; they are handed over again at the next evaluation.')
  }

  /**
   * Settles when they are taken, or could not be; never rejects: a rule is no worse for it.
   *
   * @returns whether they were taken
   */
  async tell(alerts: readonly ActiveAlert[], rule: AlertRule | undefined): Promise<boolean> {
    const told = alerts.filter(({ state }) => state !== 'pending')
    if (told.length === 0) return true
    try {
      await this.#deps.receiver.accept(told.map((alert) => alertOf(alert, rule, this.#deps)))
      return true
    } catch (error) {
      this.#failed.add(1)
      this.#deps.logger.warn('alerts of a rule were not taken', { rule: rule?.name ?? '', error: String(error) })
      return false
    }
  }
}
