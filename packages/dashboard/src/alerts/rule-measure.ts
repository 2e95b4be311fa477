// What is drawn beside the form of a rule. For the simple form this is a sketch of what the server makes of it, near enough to see the threshold against.
import type { Tone } from '../charts/palette.ts'
import { readPairs, type RuleForm } from './rule-definition.ts'
import { readExpression } from './watched.ts'

export interface Preview {
  readonly expression: string
  readonly thresholds: readonly { readonly value: number; readonly label: string; readonly tone: Tone }[]
}

const PLAIN = /^[a-zA-Z_:][\w:]*$/
const asLabel = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_]/g, '_')

function selector({ metric, tags }: RuleForm): string {
  const matchers = Object.entries(readPairs(tags) ?? {}).map(([name, value]) => `${asLabel(name)}=${JSON.stringify(value)}`)
  return PLAIN.test(metric.trim()) ? `${metric.trim()}{${matchers.join(',')}}` : `{${[JSON.stringify(metric.trim()), ...matchers].join(',')}}`
}

/** As the server chooses where nobody said. */
function aggregationOf({ aggregation, metric }: RuleForm): string {
  if (aggregation !== '') return aggregation
  if (/(?:^|[._])total$/.test(metric)) return 'increase'
  return /(?:^|[._])duration(?:_seconds|_milliseconds)?$/.test(metric) ? 'p95' : 'last'
}

function measure(form: RuleForm): string {
  const [from, window, how] = [selector(form), form.window.trim() === '' ? '5m' : form.window.trim(), aggregationOf(form)]
  const by = form.by.split(',').map((one) => asLabel(one.trim())).filter((one) => one !== '')
  const grouped = (operator: string, inner: string): string => (by.length === 0 ? inner : `${operator} by (${by.join(', ')}) (${inner})`)
  if (/^p\d+$/.test(how)) return `histogram_quantile(${Number(how.slice(1)) / 100}, ${grouped('sum', `rate(${from}[${window}])`)})`
  if (how === 'last') return grouped(form.operator.startsWith('l') ? 'min' : 'max', from)
  if (how === 'rate' || how === 'increase') return grouped('sum', `${how}(${from}[${window}])`)
  return grouped(how === 'count' ? 'sum' : how, `${how}_over_time(${from}[${window}])`)
}

const line = (text: string, label: string, tone: Tone): Preview['thresholds'] => (text.trim() === '' || !Number.isFinite(Number(text)) ? [] : [{ value: Number(text), label, tone }])

/** What to draw of a form; null while there is nothing that can be drawn. */
export function previewOf(form: RuleForm): Preview | null {
  if (form.kind === 'promql') {
    const read = form.expr.trim() === '' ? null : readExpression(form.expr)
    if (read === null || 'problem' in read) return null
    return { expression: read.watched.expression, thresholds: read.watched.thresholds.map((value) => ({ value, label: 'threshold', tone: 'bad' })) }
  }
  if (form.metric.trim() === '') return null
  const read = readExpression(measure(form))
  if ('problem' in read) return null
  return { expression: read.watched.expression, thresholds: [...line(form.threshold, 'threshold', 'bad'), ...line(form.recovery, 'recovers at', 'good')] }
}
