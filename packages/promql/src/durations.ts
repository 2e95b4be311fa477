// Durations that are calculated: `2m*15`, `step() + 1`, `min_of(range(), 1h)`.
import type { SyntaxNode } from '@lezer/common'
import type { Milliseconds } from '@andon/model'
import { parseDuration } from './literals.ts'

/** What `step()` and `range()` stand for: of the query that the expression is part of. */
export interface QueryShape {
  /** 0 for a query of one time. */
  readonly step: Milliseconds
  /** From the first to the last step. */
  readonly range: Milliseconds
}

/** What a tree of durations is read with. */
export interface DurationReader {
  readonly slice: (node: SyntaxNode) => string
  readonly children: (node: SyntaxNode) => SyntaxNode[]
  readonly fail: (at: number, problem: string) => never
  /** Without one, a duration that needs it is NaN. */
  readonly shape: QueryShape | undefined
}

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Mod: (a, b) => a % b,
  Pow: (a, b) => a ** b,
}

function operation(nodes: readonly SyntaxNode[], reader: DurationReader): number {
  const [left, operator, right] = nodes
  if (left === undefined || operator === undefined || right === undefined) return reader.fail(left?.from ?? 0, 'an operator stands between two durations')
  const [a, b] = [seconds(left, reader), seconds(right, reader)]
  const apply = OPERATIONS[operator.name]
  if (apply === undefined) return reader.fail(operator.from, `"${reader.slice(operator)}" does not calculate durations`)
  if (b === 0 && (operator.name === 'Div' || operator.name === 'Mod')) return reader.fail(operator.from, operator.name === 'Div' ? 'division by zero' : 'modulo by zero')
  return apply(a, b)
}

/** A node in seconds, the unit in which durations are calculated. */
function seconds(node: SyntaxNode, reader: DurationReader): number {
  if (node.name === 'DurationExpr' || node.name === 'OffsetDurationExpr') return calculated(node, reader)
  const { shape } = reader
  if (node.name === 'DurationStep') return shape === undefined ? Number.NaN : shape.step / 1000
  if (node.name === 'DurationRange') return shape === undefined ? Number.NaN : shape.range / 1000
  return (parseDuration(reader.slice(node)) ?? reader.fail(node.from, `"${reader.slice(node)}" is not a duration`)) / 1000
}

function calculated(node: SyntaxNode, reader: DurationReader): number {
  const children = reader.children(node)
  const [first, second, third] = children
  if (first === undefined) return reader.fail(node.from, 'a duration is expected')
  if (first.name === 'UnaryOp' && second !== undefined) return reader.slice(first) === '-' ? -seconds(second, reader) : seconds(second, reader)
  if ((first.name === 'DurationMinOf' || first.name === 'DurationMaxOf') && second !== undefined && third !== undefined) {
    const [a, b] = [seconds(second, reader), seconds(third, reader)]
    return first.name === 'DurationMinOf' ? Math.min(a, b) : Math.max(a, b)
  }
  return children.length === 1 ? seconds(first, reader) : operation(children, reader)
}

/** A duration of the tree in whole milliseconds; NaN when it depends on a query that is not known. */
export function readDuration(node: SyntaxNode, reader: DurationReader): Milliseconds {
  const value = seconds(node, reader)
  if (Number.isNaN(value) && reader.shape !== undefined) return reader.fail(node.from, 'the duration is not a number')
  // Doubles of seconds such as 0.3 are a little off a whole millisecond.
  return Number.isNaN(value) ? Number.NaN : Math.trunc(Math.round(value * 1e6) / 1e3)
}
