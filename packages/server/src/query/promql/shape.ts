// What an expression is, parentheses apart.
import type { Expr, VectorSelector } from '@andon/promql'

export function unwrapped(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrapped(expr.expr) : expr
}

/** The name that a selector fixes; undefined where it leaves that open. */
export function metricOf({ matchers }: VectorSelector): string | undefined {
  return matchers.find(({ name, operator }) => name === '__name__' && operator === '=')?.value
}
