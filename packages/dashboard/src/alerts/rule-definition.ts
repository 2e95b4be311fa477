// What stands in the form of a rule, and what is sent of it.
import type { ListedOwnRule, RuleDefinition } from '@andon/model'

export const OPERATORS = ['gt', 'gte', 'lt', 'lte', 'eq'] as const
export type Operator = (typeof OPERATORS)[number]

export const OPERATOR_TEXT: Readonly<Record<Operator, string>> = { gt: 'above (>)', gte: 'at or above (≥)', lt: 'below (<)', lte: 'at or below (≤)', eq: 'equal to (=)' }

/** '' is what suits the metric. */
export const AGGREGATIONS = ['', 'last', 'avg', 'min', 'max', 'sum', 'count', 'rate', 'increase', 'p50', 'p90', 'p95', 'p99'] as const

/** All as typed. */
export interface RuleForm {
  readonly kind: 'simple' | 'promql'
  readonly id: string
  readonly alert: string
  readonly severity: string
  readonly for: string
  readonly keepFiringFor: string
  readonly summary: string
  readonly description: string
  readonly runbookUrl: string
  /** Further labels, `name=value` separated by commas. */
  readonly labels: string
  readonly expr: string
  readonly metric: string
  readonly operator: Operator
  readonly threshold: string
  readonly recovery: string
  readonly aggregation: string
  readonly window: string
  readonly tags: string
  readonly by: string
}

export const EMPTY: RuleForm = {
  kind: 'simple',
  id: '',
  alert: '',
  severity: 'warning',
  for: '1m',
  keepFiringFor: '',
  summary: '',
  description: '',
  runbookUrl: '',
  labels: '',
  expr: '',
  metric: '',
  operator: 'gt',
  threshold: '',
  recovery: '',
  aggregation: '',
  window: '5m',
  tags: '',
  by: '',
}

const pairsText = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([name, text]) => `${name}=${String(text)}`)
        .join(', ')
    : ''

/** `a=b, c=d` as names and values; null when it cannot be read. */
export function readPairs(text: string): Readonly<Record<string, string>> | null {
  const found: Record<string, string> = {}
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue
    const at = part.indexOf('=')
    if (at < 1) return null
    found[part.slice(0, at).trim()] = part
      .slice(at + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1')
  }
  return found
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '')
const fieldsIn = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {})

function without(value: unknown, ...names: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fieldsIn(value)).filter(([name]) => !names.includes(name)))
}

/** The form of a definition, to be changed. */
export function formOf(id: string, definition: RuleDefinition): RuleForm {
  const text = (name: string): string => asText(definition[name])
  const annotations = fieldsIn(definition['annotations'])
  const labels = fieldsIn(definition['labels'])
  const operator = OPERATORS.find((one) => one === definition['operator']) ?? 'gt'
  const by: readonly unknown[] = Array.isArray(definition['by']) ? definition['by'] : []
  return {
    kind: 'expr' in definition ? 'promql' : 'simple',
    id,
    alert: text('alert'),
    severity: text('severity') || asText(labels['severity']) || 'warning',
    for: text('for'),
    keepFiringFor: text('keep_firing_for'),
    summary: text('message') || asText(annotations['summary']),
    description: asText(annotations['description']),
    runbookUrl: asText(annotations['runbook_url']),
    labels: pairsText(without(labels, 'severity')),
    expr: text('expr'),
    metric: text('metric'),
    operator,
    threshold: text('threshold'),
    recovery: text('recovery'),
    aggregation: text('aggregation'),
    window: text('window') || '5m',
    tags: pairsText(definition['tags']),
    by: by.map(String).join(', '),
  }
}

export const formOfOwn = ({ id, definition, alert }: Pick<ListedOwnRule, 'id' | 'definition' | 'alert'>): RuleForm => {
  const form = formOf(id, definition)
  return form.alert === '' ? { ...form, alert } : form
}

const given = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> => Object.fromEntries(Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1].trim() !== '').map(([name, text]) => [name, text.trim()]))

/** A key with what it holds, unless that is nothing. */
const unlessEmpty = (name: string, held: Readonly<Record<string, unknown>> | readonly unknown[]): Record<string, unknown> => (Object.keys(held).length === 0 ? {} : { [name]: held })

/** What is sent of a form. */
export function definitionOf(form: RuleForm): RuleDefinition {
  const shared = given({ alert: form.alert, for: form.for, keep_firing_for: form.keepFiringFor })
  const labels = readPairs(form.labels) ?? {}
  if (form.kind === 'promql') {
    return { ...shared, expr: form.expr.trim(), labels: { ...labels, severity: form.severity }, ...unlessEmpty('annotations', given({ summary: form.summary, description: form.description, runbook_url: form.runbookUrl })) }
  }
  return {
    ...shared,
    metric: form.metric.trim(),
    operator: form.operator,
    threshold: Number(form.threshold),
    ...(form.recovery.trim() === '' ? {} : { recovery: Number(form.recovery) }),
    severity: form.severity,
    ...given({ message: form.summary, aggregation: form.aggregation, window: form.window }),
    ...unlessEmpty('tags', readPairs(form.tags) ?? {}),
    ...unlessEmpty('by', form.by.split(',').map((one) => one.trim()).filter((one) => one !== '')),
    ...unlessEmpty('labels', labels),
    ...unlessEmpty('annotations', given({ description: form.description, runbook_url: form.runbookUrl })),
  }
}

/** The id of a new rule, made of its name. */
export function idOf(form: RuleForm): string {
  return form.id !== '' ? form.id : form.alert.trim().replaceAll(/[^\w.:-]+/g, '-').slice(0, 100)
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))

/** An alert ends at the recovery: it must lie on the good side of the threshold. */
function recoveryProblem({ recovery, operator, threshold }: RuleForm): string | null {
  if (recovery.trim() === '') return null
  if (!isNumber(recovery)) return 'A number, or nothing'
  if (operator === 'eq') return 'Has no meaning for “equal to”'
  const isDown = operator === 'lt' || operator === 'lte'
  const isWrongSide = isDown ? Number(recovery) < Number(threshold) : Number(recovery) > Number(threshold)
  return isWrongSide ? `At ${isDown ? 'least' : 'most'} the threshold` : null
}

/** By the name of the field, what is wrong with it. The expression itself is judged apart, because its parser comes later. */
export function problemsOf(form: RuleForm): Readonly<Partial<Record<keyof RuleForm, string>>> {
  const wrong: Partial<Record<keyof RuleForm, string>> = {}
  const duration = (key: 'for' | 'keepFiringFor' | 'window'): void => {
    const text = form[key].trim()
    if (text !== '' && !/^(?:0|(?:\d+(?:ms|[smhdwy]))+)$/.test(text)) wrong[key] = 'Write 30s, 5m or 1h30m'
  }
  if (!/^[\w.: -]{1,100}$/.test(form.alert.trim())) wrong.alert = 'A name of letters, digits and _ . : -'
  duration('for')
  duration('keepFiringFor')
  if (readPairs(form.labels) === null) wrong.labels = 'Write name=value, separated by commas'
  if (form.runbookUrl.trim() !== '' && !/^(?:https?:\/\/|\/)/.test(form.runbookUrl.trim())) wrong.runbookUrl = 'An address that begins with https:// or /'
  if (form.kind === 'promql') return wrong
  duration('window')
  if (form.metric.trim() === '') wrong.metric = 'Which metric?'
  if (!isNumber(form.threshold)) wrong.threshold = 'A number, in the unit of the metric'
  const recovery = recoveryProblem(form)
  if (recovery !== null) wrong.recovery = recovery
  if (readPairs(form.tags) === null) wrong.tags = 'Write name=value, separated by commas'
  return wrong
}
