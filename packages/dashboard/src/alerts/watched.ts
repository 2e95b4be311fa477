// What an expression watches, and against what: for the picture beside the form.
import { type Expr, isComparison, parse, print } from '@andon/promql'

/** An expression without its comparison. */
export interface Watched {
  readonly expression: string
  /** The numbers that it is held against. */
  readonly thresholds: readonly number[]
}

function valueOf(expr: Expr): number | null {
  if (expr.kind === 'number') return expr.value
  if (expr.kind === 'paren') return valueOf(expr.expr)
  if (expr.kind !== 'unary') return null
  const inner = valueOf(expr.expr)
  return inner === null ? null : expr.op === '-' ? -inner : inner
}

const bare = (expr: Expr): Expr => (expr.kind === 'paren' ? bare(expr.expr) : expr)

function watched(expr: Expr): { readonly expr: Expr; readonly thresholds: readonly number[] } {
  if (expr.kind === 'paren') return watched(expr.expr)
  if (expr.kind !== 'binary') return { expr, thresholds: [] }
  if (expr.op === 'and' || expr.op === 'unless') return watched(expr.left)
  if (!isComparison(expr.op)) return { expr, thresholds: [] }
  const [left, right] = [valueOf(expr.left), valueOf(expr.right)]
  if (right !== null) {
    const inner = watched(expr.left)
    return { expr: inner.expr, thresholds: [...inner.thresholds, right] }
  }
  return left === null ? { expr: expr.left, thresholds: [] } : { expr: expr.right, thresholds: [left] }
}

/** Whether an expression can be read, and what it watches. */
export function readExpression(text: string): { readonly problem: string } | { readonly watched: Watched; readonly compares: boolean } {
  try {
    const tree = parse(text)
    const { expr, thresholds } = watched(tree)
    const inner = bare(expr)
    return { watched: { expression: print(inner), thresholds: thresholds.filter((value) => Number.isFinite(value)) }, compares: inner !== bare(tree) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}
