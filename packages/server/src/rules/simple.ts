// Rules in the simple form: a metric, an operator, a threshold. They become alerting rules over PromQL, evaluated as all others.
import { AndonError, type Labels, type Milliseconds, type Ratio, SEVERITIES, type Severity, type ThresholdOperator, type ThresholdRule } from '@andon/model'
import { formatDuration, parse, parseDuration } from '@andon/promql'
import { prometheusLabelName } from '@andon/wire'
import { METRIC_ALIASES } from '../store/metrics.ts'
import type { AlertRule } from './definition.ts'
import { parseTemplate, type Template } from './template/run.ts'

/** The group of a file's simple rules, and the key under which they stand. */
export const SIMPLE_GROUP = 'simple'
export const SIMPLE_MAX = 1000

/** What is made of the points of one series within the window. */
const AGGREGATIONS = ['last', 'avg', 'min', 'max', 'sum', 'count', 'rate', 'increase', 'p50', 'p90', 'p95', 'p99'] as const
export type Aggregation = (typeof AGGREGATIONS)[number]

/** A rule in the simple form: the asked-for one, and what it may say beyond. */
export interface SimpleRule extends ThresholdRule {
  /** The alert's name; its id where nobody said. */
  readonly alert: string
  /** In the unit of the metric: an alert that fires ends only when the value has come back beyond it. The threshold where nobody said. */
  readonly recovery: number
  readonly forMs: Milliseconds
  readonly keepFiringForMs: Milliseconds
  readonly aggregation: Aggregation
  readonly windowMs: Milliseconds
  /** Labels that series are put together by; undefined: each series is held against the threshold by itself. */
  readonly by: readonly string[] | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly labels: Labels
  readonly annotations: Labels
}

const SYMBOLS: Readonly<Record<ThresholdOperator, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '==' }
const KEYS = ['id', 'alert', 'metric', 'operator', 'threshold', 'recovery', 'severity', 'message', 'tags', 'for', 'keep_firing_for', 'aggregation', 'window', 'by', 'labels', 'annotations']
const WINDOW: Milliseconds = 5 * 60_000
const WINDOW_MAX: Milliseconds = 31 * 86_400_000
const TEXT_MAX = 1000
const LABEL = /^[a-zA-Z_]\w*$/
const PLAIN_NAME = /^[a-zA-Z_:][\w:]*$/

/** What is wrong with a value; thrown within this file only. */
class Wrong extends Error {}

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > TEXT_MAX) throw new Wrong(`${name} must be a text of 1 to ${TEXT_MAX} characters`)
  return value
}

function numberOf(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Wrong(`${name} must be a number`)
  return value
}

function durationOf(name: string, value: unknown, otherwise: Milliseconds): Milliseconds {
  if (value === undefined || value === null) return otherwise
  const ms = typeof value === 'string' || typeof value === 'number' ? parseDuration(String(value)) : undefined
  if (ms === undefined || ms < 0) throw new Wrong(`${name} must be a duration, such as 5m`)
  return ms
}

function oneOf<T extends string>(name: string, value: unknown, words: readonly T[]): T {
  const word = words.find((each) => each === value)
  if (word === undefined) throw new Wrong(`${name} must be one of ${words.join(', ')}`)
  return word
}

function textsOf(name: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  if (!isFields(value)) throw new Wrong(`${name} must be given as NAME: TEXT`)
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      if (typeof each !== 'string' && typeof each !== 'number' && typeof each !== 'boolean') throw new Wrong(`${name}.${key} must be a text`)
      return [key, String(each)]
    }),
  )
}

function labelsOf(name: string, value: unknown): Labels {
  const labels = textsOf(name, value)
  const wrong = Object.keys(labels).find((key) => !LABEL.test(key) || key === '__name__')
  if (wrong !== undefined) throw new Wrong(`"${wrong}" is not a name for ${name}`)
  return labels
}

function byOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || !value.every((each: unknown) => typeof each === 'string' && each !== '')) throw new Wrong('by must be a list of labels')
  return value.map((each: unknown) => prometheusLabelName(String(each)))
}

/** What suits a metric by its name: what only grows is counted within the window, durations are judged by their slow ones. */
function usualAggregation(metric: string): Aggregation {
  if (/(?:^|[._])total$/.test(metric)) return 'increase'
  return /(?:^|[._])duration(?:_seconds|_milliseconds)?$/.test(metric) ? 'p95' : 'last'
}

const DOWN: ReadonlySet<ThresholdOperator> = new Set(['lt', 'lte'])

function recoveryOf(value: unknown, operator: ThresholdOperator, threshold: number): number {
  if (value === undefined || value === null) return threshold
  const recovery = numberOf('recovery', value)
  if (operator === 'eq') throw new Wrong('recovery needs an operator that has a direction, and eq has none')
  if (DOWN.has(operator) ? recovery < threshold : recovery > threshold) throw new Wrong(`recovery must lie on the good side of the threshold: ${DOWN.has(operator) ? 'at least' : 'at most'} ${threshold}`)
  return recovery
}

/** One rule as it was written or sent. @throws Wrong */
function simpleOf(value: unknown): SimpleRule {
  if (!isFields(value)) throw new Wrong('a simple rule must hold names and values')
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) throw new Wrong(`a simple rule has no "${unknown.slice(0, 50)}"; it may have ${KEYS.join(', ')}`)
  const operator = oneOf('operator', value['operator'], ['gt', 'gte', 'lt', 'lte', 'eq'])
  const threshold = numberOf('threshold', value['threshold'])
  const metric = textOf('metric', value['metric'])
  const id = textOf('id', value['id'])
  const windowMs = durationOf('window', value['window'], WINDOW)
  if (windowMs < 1000 || windowMs > WINDOW_MAX) throw new Wrong('window must be from 1s to 31d')
  return {
    id,
    alert: value['alert'] === undefined ? id : textOf('alert', value['alert']),
    metric,
    operator,
    threshold,
    recovery: recoveryOf(value['recovery'], operator, threshold),
    severity: oneOf<Severity>('severity', value['severity'] ?? 'warning', SEVERITIES),
    message: value['message'] === undefined || value['message'] === '' ? '' : textOf('message', value['message']),
    tags: textsOf('tags', value['tags']),
    forMs: durationOf('for', value['for'], 0),
    keepFiringForMs: durationOf('keep_firing_for', value['keep_firing_for'], 0),
    aggregation: value['aggregation'] === undefined ? usualAggregation(metric) : oneOf('aggregation', value['aggregation'], AGGREGATIONS),
    windowMs,
    by: byOf(value['by']),
    labels: labelsOf('labels', value['labels']),
    annotations: labelsOf('annotations', value['annotations']),
  }
}

/** The series of a metric, by today's name or an older one, with these tags. */
function selectorOf({ metric, tags }: SimpleRule, suffix = ''): string {
  const name = METRIC_ALIASES[metric] ?? metric
  const matchers = Object.entries(tags).map(([tag, value]) => `${prometheusLabelName(tag)}=${JSON.stringify(value)}`)
  return PLAIN_NAME.test(name) ? `${name}${suffix}{${matchers.join(', ')}}` : `{${[JSON.stringify(name), ...matchers].join(', ')}}`
}

const QUANTILES: Readonly<Record<'p50' | 'p90' | 'p95' | 'p99', Ratio>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 }

function quantile(rule: SimpleRule, q: Ratio, window: string): string {
  const [native, classic] = [`rate(${selectorOf(rule)}[${window}])`, `rate(${selectorOf(rule, '_bucket')}[${window}])`]
  const summed = (rates: string, more: readonly string[]): string => (rule.by === undefined ? rates : `sum by (${[...rule.by, ...more].join(', ')}) (${rates})`)
  const own = `histogram_quantile(${q}, ${summed(native, [])})`
  // An OpenTelemetry name has no series of buckets: what is called so is stored whole.
  return PLAIN_NAME.test(METRIC_ALIASES[rule.metric] ?? rule.metric) ? `(${own} or histogram_quantile(${q}, ${summed(classic, ['le'])}))` : own
}

/** What is held against the threshold. */
export function measureOf(rule: SimpleRule): string {
  const { aggregation, by, windowMs, operator } = rule
  const window = formatDuration(windowMs)
  const together = (how: string, each: string): string => (by === undefined ? each : `${how} by (${by.join(', ')}) (${each})`)
  const selector = selectorOf(rule)
  switch (aggregation) {
    case 'last':
      // Of several series the worst.
      return together(DOWN.has(operator) ? 'min' : 'max', selector)
    case 'avg':
      // Of a histogram the mean of what was observed; of anything else the mean of its points.
      return `(${together('avg', `histogram_avg(rate(${selector}[${window}]))`)} or ${together('avg', `avg_over_time(${selector}[${window}])`)})`
    case 'min':
    case 'max':
    case 'sum':
    case 'count':
      return together(aggregation === 'count' ? 'sum' : aggregation, `${aggregation}_over_time(${selector}[${window}])`)
    case 'rate':
    case 'increase':
      return together('sum', `${aggregation}(${selector}[${window}])`)
    case 'p50':
    case 'p90':
    case 'p95':
    case 'p99':
      return quantile(rule, QUANTILES[aggregation], window)
  }
}

function templates(name: string, texts: Labels): ReadonlyMap<string, Template> {
  return new Map(
    Object.entries(texts).map(([key, text]) => {
      try {
        return [key, parseTemplate(text)]
      } catch (error) {
        throw new Wrong(`${name}.${key}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }),
  )
}

function alertRuleOf(rule: SimpleRule): AlertRule {
  const { operator, threshold, recovery, severity, message, metric, aggregation } = rule
  const measure = measureOf(rule)
  const labels = { ...rule.labels, severity }
  const what = aggregation === 'last' ? metric : `${aggregation} of ${metric}`
  const annotations = { summary: message === '' ? `${what} is {{ $value | humanize }}, ${SYMBOLS[operator]} ${threshold}` : message, description: `${what} ${SYMBOLS[operator]} ${threshold}`, ...rule.annotations }
  const expression = `${measure} ${SYMBOLS[operator]} ${threshold}`
  try {
    parse(expression)
  } catch (error) {
    throw new Wrong(`no expression can be made of it: ${error instanceof Error ? error.message : String(error)}`)
  }
  return {
    kind: 'alert',
    name: rule.alert,
    expression,
    ...(recovery !== threshold && { recovery: `${measure} ${SYMBOLS[operator]} ${recovery}` }),
    labels,
    annotations,
    forMs: rule.forMs,
    keepFiringForMs: rule.keepFiringForMs,
    templates: { labels: templates('labels', labels), annotations: templates('annotations', annotations) },
    line: 1,
  }
}

/**
 * Rules in the simple form as alerting rules.
 *
 * @param refuse - told what is wrong, and with which of them; never returns
 * @example readSimpleRules([{ id: 'deep', metric: 'queue.depth', operator: 'gt', threshold: 100, recovery: 80 }], …) // {"queue.depth"} > 100
 */
export function readSimpleRules(values: readonly unknown[], refuse: (problem: string, index: number) => never): AlertRule[] {
  if (values.length > SIMPLE_MAX) refuse(`more than ${SIMPLE_MAX} simple rules`, 0)
  const ids = new Set<string>()
  return values.map((value, index) => {
    try {
      const rule = simpleOf(value)
      if (ids.has(rule.id)) throw new Wrong(`the id "${rule.id}" stands twice`)
      ids.add(rule.id)
      return alertRuleOf(rule)
    } catch (error) {
      if (error instanceof Wrong) return refuse(error.message, index)
      throw error
    }
  })
}

/** One rule in the simple form, as it was sent. @throws AndonError bad_rules */
export function readSimpleRule(value: unknown): AlertRule {
  const [rule] = readSimpleRules([value], (problem) => {
    throw new AndonError('bad_rules', problem, { hint: 'docs/reference/rules.md shows the simple form.' })
  })
  if (rule === undefined) throw new AndonError('bad_rules', 'there is no rule')
  return rule
}
