// Expressions of PromQL as exact counts of slices.
import { AndonError, type Indicator, type Milliseconds } from '@andon/model'
import { type Call, type Expr, formatDuration, parse, print, typeOf, type VectorSelector } from '@andon/promql'

/** Of counters, and what they are over a range. */
const RISES: ReadonlySet<string> = new Set(['rate', 'increase', 'irate'])
const WINDOW = /\{\{-?\s*\.window\s*-?\}\}|\$window\b/g

/** With Sloth's `{{.window}}`, or `$window`, filled in. */
function filled(text: string, sliceMs: Milliseconds): string {
  return text.replaceAll(WINDOW, formatDuration(sliceMs))
}

/** The rise over a slice: from the last value before it to the last one in it, so that the rises of slices add up to the rise over all. */
function rise(selector: VectorSelector, sliceMs: Milliseconds, { from, to }: Expr): Call {
  return { kind: 'call', name: 'increase', args: [{ kind: 'range', selector: { ...selector, extended: 'anchored' }, range: sliceMs, from, to }], from, to }
}

/** Failed and all requests of a service by the metric that it sends of them, which no sampling touches. @param more - further matchers */
export function requestCounts(service: string, environment: string | undefined, more: readonly string[] = []): Extract<Indicator, { kind: 'counts' }> {
  const matchers = [`service_name=${JSON.stringify(service)}`, ...(environment === undefined ? [] : [`deployment_environment_name=${JSON.stringify(environment)}`]), ...more].join(',')
  const count = (failed: string): string => `sum by (http_route, service_version) (http_server_request_duration_seconds_count{${matchers}${failed}})`
  return { kind: 'counts', good: undefined, bad: count(',http_response_status_code=~"5.."'), total: count(''), counter: true }
}

interface Rewritten {
  readonly expr: Expr
  readonly rises: number
}

/** All nodes of an expression that hold others, with those rewritten. */
function rewritten(expr: Expr, each: (expr: Expr) => Expr | undefined): Rewritten {
  let rises = 0
  const go = (node: Expr): Expr => {
    const other = each(node)
    if (other !== undefined) {
      rises += 1
      return other
    }
    switch (node.kind) {
      case 'call':
        return { ...node, args: node.args.map(go) }
      case 'aggregate':
        return { ...node, expr: go(node.expr) }
      case 'binary':
        return { ...node, left: go(node.left), right: go(node.right) }
      case 'paren':
      case 'unary':
        return { ...node, expr: go(node.expr) }
      // A subquery looks at other times than the slice.
      case 'subquery':
      case 'range':
      case 'selector':
      case 'number':
      case 'string':
        return node
    }
  }
  return { expr: go(expr), rises }
}

/**
 * How an expression says a number for each slice. `counters`: each rate or increase in it is a rise over the slice, and where there is
 * none, so is each counter. `shares`: rates and increases alone are rises over the slice. `values`: as it is.
 */
export type CountMode = 'counters' | 'shares' | 'values'

/**
 * An expression whose value at the end of a slice is what was counted in it. Each `rate`, `increase` and `irate` of a counter is taken as
 * its rise over the slice, without extrapolation, whatever range it was written with.
 *
 * @throws AndonError bad_query where it cannot be read
 */
export function countExpression(text: string, sliceMs: Milliseconds, mode: CountMode): string {
  const expr = parse(filled(text, sliceMs), { step: 0, range: 0 })
  const type = typeOf(expr)
  if (type !== 'instant vector' && type !== 'scalar') throw new AndonError('bad_query', `an instant vector or a scalar is counted, not a ${type}`)
  if (mode === 'values') return print(expr)
  const ofRises = rewritten(expr, (node) => {
    const [range] = node.kind === 'call' && RISES.has(node.name) ? node.args : []
    return range?.kind === 'range' ? rise(range.selector, sliceMs, node) : undefined
  })
  if (ofRises.rises > 0 || mode === 'shares') return print(ofRises.expr)
  return print(rewritten(expr, (node) => (node.kind === 'selector' ? rise(node, sliceMs, node) : undefined)).expr)
}

/** The same expression for a picture: counters as rates over some minutes. */
export function pictureExpression(text: string, counter: boolean): string {
  const expr = parse(filled(text, 300_000), { step: 0, range: 0 })
  const hasRange = rewritten(expr, (node) => (node.kind === 'range' || node.kind === 'subquery' ? node : undefined)).rises > 0
  if (hasRange || !counter) return print(expr)
  const rates = rewritten(expr, (node) => (node.kind === 'selector' ? { kind: 'call', name: 'rate', args: [{ kind: 'range', selector: node, range: 300_000, from: node.from, to: node.to }], from: node.from, to: node.to } : undefined))
  return print(rates.expr)
}
