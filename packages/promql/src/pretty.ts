// Expressions over several lines, as Prometheus breaks them.
import type { Expr } from './ast.ts'
import { aggregateHead, operatorText, print, subqueryTail } from './print.ts'

/** A node that is longer is broken, its indentation not counted. */
const WIDTH = 100
const INDENT = '  '

/**
 * An expression as canonical text for people: what is longer than 100 characters stands on several lines, its parts indented by two.
 *
 * @returns a text that parses to the same expression; comments are lost
 * @example prettify(parse('sum(rate(x[5m]))by(job)')) // 'sum by (job) (rate(x[5m]))'
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#formatting-query-expressions and promql/parser/prettier.go
 */
export function prettify(expr: Expr): string {
  return pretty(expr, 0)
}

function pretty(expr: Expr, level: number): string {
  const line = print(expr)
  const indent = INDENT.repeat(level)
  if (line.length <= WIDTH) return `${indent}${line}`
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'selector':
    case 'range':
      return `${indent}${line}`
    case 'subquery':
      return `${pretty(expr.expr, level)}${subqueryTail(expr)}`
    case 'call':
      return enclosed(expr.name, expr.args, level)
    case 'aggregate':
      return enclosed(aggregateHead(expr), expr.param === undefined ? [expr.expr] : [expr.param, expr.expr], level)
    case 'binary':
      return `${pretty(expr.left, level + 1)}\n${indent}${operatorText(expr)}\n${pretty(expr.right, level + 1)}`
    case 'unary':
      return `${indent}${expr.op}${pretty(expr.expr, level).trimStart()}`
    case 'paren':
      return enclosed('', [expr.expr], level)
  }
}

/** What stands in parentheses, each part on lines of its own. */
function enclosed(head: string, parts: readonly Expr[], level: number): string {
  const indent = INDENT.repeat(level)
  return `${indent}${head}(\n${parts.map((part) => pretty(part, level + 1)).join(',\n')}\n${indent})`
}
