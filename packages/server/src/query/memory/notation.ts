// The notation of series in tests of rules and in Prometheus' own test files: `1+1x4 _ stale {{schema:0 count:4 buckets:[1 2 1]}}`.
import type { Labels } from '@andon/model'
import { parseDuration, parseText } from '@andon/promql'
import { added, multiplied } from '../promql/histogram/arithmetic.ts'
import { CUSTOM_BOUNDS, type CounterHint, type HistogramValue } from '../../store/metric-rows.ts'

/** A line of series: its metric, and its values as they are written. */
export interface SeriesLine {
  readonly metric: string
  readonly values: string
}

/** Series with values at times that are a step apart, the first at 0. */
export interface Load {
  readonly kind: 'load'
  /** Milliseconds. */
  readonly step: number
  /** Whether classic histograms are loaded as native ones with custom buckets too. */
  readonly nhcb: boolean
  readonly series: readonly SeriesLine[]
}

/** A time from the begin of a test, such as `5m`; negative with a sign. @throws Error when it is none */
export function milliseconds(text: string): number {
  const negative = text.startsWith('-')
  const value = parseDuration(text.replace(/^[+-]/, ''))
  if (value === undefined) throw new Error(`not a time: ${text}`)
  return negative ? -value : value
}

const METRIC = /^((?:[^\s{]*)(?:\{(?:"(?:\\.|[^"\\])*"|[^"}])*\})?(?:@st)?)\s*(.*)$/s

/** A line with a metric and its values. */
export function seriesLine(line: string): SeriesLine {
  const [, metric = '', values = ''] = METRIC.exec(line.trim()) ?? []
  return { metric, values: values.trim() }
}

/** A value of the notation: absent, a stale marker, a float or a histogram. */
export type Noted = undefined | 'stale' | number | NotedHistogram

export interface NotedHistogram {
  readonly value: HistogramValue
  /** Whether the text says what the hint is. */
  readonly saysHint: boolean
}

const LABEL = /\s*("(?:\\.|[^"\\])*"|[^\s="{},]+)\s*(?:=\s*("(?:\\.|[^"\\])*"))?\s*,?/gy

function unquoted(text: string): string {
  return text.startsWith('"') ? (parseText(text) ?? text) : text
}

/** `name{label="value", "quoted"="value"}` as labels. */
export function labelsOf(metric: string): Labels {
  const [, name = '', body] = /^([^\s{]*)(?:\{(.*)\})?$/s.exec(metric) ?? []
  const labels: Record<string, string> = {}
  if (name !== '') labels['__name__'] = name
  for (const [, label = '', value] of (body ?? '').matchAll(LABEL)) {
    if (value === undefined) labels['__name__'] = unquoted(label)
    else if (unquoted(value) !== '') labels[unquoted(label)] = unquoted(value)
  }
  return labels
}

export function numberOf(text: string): number {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  const value = /^inf$/i.test(rest) ? Infinity : /^nan$/i.test(rest) ? Number.NaN : Number(rest)
  if (Number.isNaN(value) && !/^nan$/i.test(rest)) throw new Error(`not a number: ${text}`)
  return sign === '-' ? -value : value
}

const HINTS: Readonly<Record<string, CounterHint | undefined>> = { gauge: 'gauge', reset: 'reset', not_reset: 'same', unknown: undefined }

/** `{{schema:0 sum:5 count:4 buckets:[1 2 1] offset:1}}` */
export function histogramOf(text: string): NotedHistogram {
  const found = new Map([...text.matchAll(/(\w+):(\[[^\]]*\]|[^\s}]+)/g)].map(([, name = '', value = '']) => [name, value]))
  const number = (name: string, otherwise = 0): number => (found.has(name) ? numberOf(found.get(name) ?? '') : otherwise)
  const list = (name: string): number[] => (found.get(name) ?? '').replaceAll(/[[\]]/g, ' ').split(/\s+/).filter((each) => each !== '').map(numberOf)
  const schema = number('schema')
  // There the bucket 0 ends at 1; here it begins there. Custom buckets are counted from the first.
  const shift = schema === CUSTOM_BOUNDS ? 0 : -1
  const buckets = (name: string, offset: string): Map<number, number> => new Map(list(name).flatMap((count, index) => (count === 0 ? [] : [[index + number(offset) + shift, count] as const])))
  const hint = HINTS[found.get('counter_reset_hint') ?? 'unknown']
  return {
    saysHint: found.has('counter_reset_hint'),
    value: {
      schema,
      zeroThreshold: number('z_bucket_w'),
      zeroCount: number('z_bucket'),
      count: number('count'),
      sum: number('sum'),
      positive: buckets('buckets', 'offset'),
      negative: buckets('n_buckets', 'n_offset'),
      bounds: list('custom_values'),
      ...(hint !== undefined && { hint }),
    },
  }
}

const TOKEN = /\{\{[^}]*\}\}(?:[+-]\{\{[^}]*\}\})?(?:x\d+)?|\S+/g
const HISTOGRAMS = /^(\{\{[^}]*\}\})(?:([+-])(\{\{[^}]*\}\}))?(?:x(\d+))?$/
const FLOATS = /^([+-]?(?:inf|nan|[\d.]+(?:e[+-]?\d+)?))(?:([+-](?:inf|nan|[\d.]+(?:e[+-]?\d+)?)))?(?:x(\d+))?$/i

function histograms([, first = '', sign, step, times]: RegExpExecArray): Noted[] {
  const start = histogramOf(first)
  if (step === undefined) return Array.from({ length: times === undefined ? 1 : Number(times) + 1 }, () => start)
  const each = histogramOf(step).value
  const list: Noted[] = [start]
  let current = start.value
  for (let index = 0; index < Number(times ?? 0); index += 1) {
    const next = added(current, multiplied(each, sign === '-' ? -1 : 1))?.value ?? current
    const { hint: _, ...plain } = next
    current = start.value.hint === undefined ? plain : { ...plain, hint: start.value.hint }
    list.push({ ...start, value: current })
  }
  return list
}

/** The values that a text of the notation stands for. */
export function valuesOf(text: string): Noted[] {
  return [...text.matchAll(TOKEN)].flatMap(([token]): Noted[] => {
    const missing = /^_(?:x(\d+))?$/.exec(token)
    if (missing !== null) return Array.from({ length: missing[1] === undefined ? 1 : Number(missing[1]) }, () => undefined)
    const stale = /^stale(?:x(\d+))?$/.exec(token)
    if (stale !== null) return Array.from({ length: stale[1] === undefined ? 1 : Number(stale[1]) + 1 }, () => 'stale' as const)
    const native = HISTOGRAMS.exec(token)
    if (native !== null) return histograms(native)
    const [, first, step, times] = FLOATS.exec(token) ?? []
    if (first === undefined) return [numberOf(token)]
    const start = numberOf(first)
    if (times === undefined) return [start]
    return Array.from({ length: Number(times) + 1 }, (_, index) => (step === undefined ? start : start + numberOf(step) * index))
  })
}

const START = /^([+-]?[\d\w]+?)(?:([+-][\d\w]+?))?(?:x(\d+))?$/

/** Start times relative to their points: `_ -30s-1mx2`; undefined where there is none. */
export function startsOf(text: string): (number | undefined)[] {
  return text.split(/\s+/).flatMap((token) => {
    if (token === '_') return [undefined]
    const [, first = '', step, times] = START.exec(token) ?? []
    const start = milliseconds(first)
    return Array.from({ length: times === undefined ? 1 : Number(times) + 1 }, (_, index) => start + (step === undefined ? 0 : milliseconds(step) * index))
  })
}
