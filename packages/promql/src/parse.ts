// Text to a checked expression.
import { AndonError } from '@andon/model'
import { parser } from '@prometheus-io/lezer-promql'
import type { Expr } from './ast.ts'
import { check } from './check.ts'
import type { QueryShape } from './durations.ts'
import { prepare } from './prepare.ts'
import { TreeReader } from './tree-reader.ts'

/** Past it an expression is refused. */
const MAX_LENGTH = 65_536
/** As far back as the name of a function that is not known is looked for. */
const LONGEST_NAME = 200

/**
 * The syntax tree of an expression, with its types checked.
 *
 * @param shape - of the query that is to be answered, for durations such as `step()`; without it they are NaN
 * @throws AndonError bad_query, its message beginning with the position: "1:5: …"
 * @example parse('sum(rate(x[5m]))').kind // 'aggregate'
 */
export function parse(text: string, shape?: QueryShape): Expr {
  if (text.length > MAX_LENGTH) throw new AndonError('bad_query', `1:1: the expression is longer than ${MAX_LENGTH} characters`)
  const reader = new TreeReader(text, shape)
  if (text.replaceAll(/#.*/g, '').trim() === '') reader.fail(0, 'the expression is empty')
  const tree = parser.parse(prepare(text))
  tree.iterate({
    enter: (node) => {
      if (!node.type.isError) return
      const before = text.slice(Math.max(0, node.from - LONGEST_NAME), node.from)
      const called = text.startsWith('(', node.from) ? /[a-zA-Z_:][\w:]*(?=\s*$)/.exec(before) : null
      if (called !== null) reader.fail(node.from - before.length + called.index, `there is no function "${called[0]}"`)
      reader.fail(node.from, unexpected(text, node.from))
    },
  })
  const top = reader.children(tree.topNode).find((node) => node.name !== 'LineComment')
  if (top === undefined) return reader.fail(0, 'the expression is empty')
  const expr = reader.expr(top, 0)
  check(expr, (at, problem) => reader.fail(at, problem))
  return expr
}

function unexpected(text: string, at: number): string {
  const rest = text.slice(at).trim()
  return rest === '' ? 'the expression ends too early' : `"${rest.slice(0, 20)}" is not expected here`
}

