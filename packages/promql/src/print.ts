// Nodes as canonical text: parsing it again gives the same nodes.
import type { LabelMatcher } from '@andon/model'
import type { Aggregate, AtTime, Binary, Expr, Subquery, VectorSelector, Written } from './ast.ts'
import { formatDuration, formatText } from './literals.ts'

/** An expression as canonical text. */
export function print(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return expr.isDuration === true ? formatDuration(expr.value * 1000) : number(expr.value)
    case 'string':
      return formatText(expr.value)
    case 'selector':
      return `${selector(expr)}${modifiers(expr)}`
    case 'range':
      return `${selector(expr.selector)}[${duration(expr.range, expr.written?.range)}]${modifiers(expr.selector)}`
    case 'subquery':
      return `${print(expr.expr)}${subqueryTail(expr)}`
    case 'call':
      return `${expr.name}(${expr.args.map(print).join(', ')})`
    case 'aggregate':
      return `${aggregateHead(expr)}(${expr.param === undefined ? '' : `${print(expr.param)}, `}${print(expr.expr)})`
    case 'binary':
      return `${print(expr.left)} ${operatorText(expr)} ${print(expr.right)}`
    case 'unary':
      return `${expr.op}${print(expr.expr)}`
    case 'paren':
      return `(${print(expr.expr)})`
  }
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Inf' : '-Inf'
  return String(value)
}

const PLAIN_NAME = /^[a-zA-Z_:][\w:]*$/
const PLAIN_LABEL = /^[a-zA-Z_]\w*$/

function label(name: string): string {
  return PLAIN_LABEL.test(name) ? name : formatText(name)
}

function matcher({ name, operator, value }: LabelMatcher): string {
  return `${label(name)}${operator}${formatText(value)}`
}

function selector({ matchers }: VectorSelector): string {
  const index = matchers.findIndex(({ name, operator }) => name === '__name__' && operator === '=')
  const name = matchers[index]?.value ?? ''
  const rest = matchers.filter((_, at) => at !== index).map(matcher)
  if (PLAIN_NAME.test(name)) return rest.length === 0 ? name : `${name}{${rest.join(', ')}}`
  return `{${[...(name === '' ? [] : [formatText(name)]), ...rest].join(', ')}}`
}

function duration(value: number, written: string | undefined): string {
  return Number.isNaN(value) ? (written ?? '') : formatDuration(value)
}

function modifiers({ offset, at, extended, written }: Written & { readonly offset: number; readonly at: AtTime | undefined; readonly extended?: string }): string {
  const time = at === undefined ? '' : ` @ ${typeof at === 'number' ? (at / 1000).toFixed(3) : `${at}()`}`
  return `${extended === undefined ? '' : ` ${extended}`}${time}${offset === 0 ? '' : ` offset ${duration(offset, written?.offset)}`}`
}

/** What follows the expression of a subquery: its range, step and times. */
export function subqueryTail(expr: Subquery): string {
  return `[${duration(expr.range, expr.written?.range)}:${expr.step === undefined ? '' : duration(expr.step, expr.written?.step)}]${modifiers(expr)}`
}

/** An aggregation up to its parenthesis. */
export function aggregateHead({ op, grouping, without }: Aggregate): string {
  return grouping.length === 0 && !without ? op : `${op} ${without ? 'without' : 'by'} (${grouping.map(label).join(', ')}) `
}

/** An operator with how elements find each other. */
export function operatorText({ op, bool, matching }: Binary): string {
  const { on, labels, group, include, fill } = matching
  const clause = on || labels.length > 0 ? ` ${on ? 'on' : 'ignoring'} (${labels.map(label).join(', ')})` : ''
  const grouped = group === 'none' ? '' : `${clause === '' ? ' ignoring ()' : ''} group_${group} (${include.map(label).join(', ')})`
  const fills = (['left', 'right'] as const).map((side) => (fill[side] === undefined ? '' : ` fill_${side} (${number(fill[side])})`)).join('')
  return `${op}${bool ? ' bool' : ''}${clause}${grouped}${fills}`
}
