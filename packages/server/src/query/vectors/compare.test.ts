// Whether an answer is the one that a test file expects.
import { type Labels, labelsKey, sortedPairs } from '@andon/model'
import { parseText } from '@andon/promql'
import type { HistogramValue } from '../../store/metric-rows.ts'
import type { QueryResult, Sample, SampleSeries } from '../engine.ts'
import { histogramText, numberText } from '../promql/number-text.ts'
import { labelsOf, milliseconds, type Noted, numberOf, seriesLine, valuesOf } from '../memory/notation.ts'
import type { Evaluation } from './script.test.ts'

const TOLERANCE = 1e-6
const LEAST_NORMAL = 2.2250738585072014e-308

function near(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b)
  if (a === b) return true
  const [size, difference] = [Math.abs(a) + Math.abs(b), Math.abs(a - b)]
  if (a === 0 || b === 0 || size < LEAST_NORMAL) return difference < TOLERANCE * LEAST_NORMAL
  return difference / Math.min(size, Number.MAX_VALUE) < TOLERANCE
}

function nearBuckets(a: HistogramValue['positive'], b: HistogramValue['positive']): boolean {
  return [...a.keys(), ...b.keys()].every((index) => near(a.get(index) ?? 0, b.get(index) ?? 0))
}

function nearHistograms(a: HistogramValue, b: HistogramValue): boolean {
  return a.schema === b.schema && near(a.count, b.count) && near(a.sum, b.sum) && near(a.zeroThreshold, b.zeroThreshold) && near(a.zeroCount, b.zeroCount) &&
    a.bounds.length === b.bounds.length && a.bounds.every((bound, index) => near(bound, b.bounds[index] ?? Number.NaN)) && nearBuckets(a.positive, b.positive) && nearBuckets(a.negative, b.negative)
}

type Value = number | HistogramValue | undefined

function isExpected(expected: Noted, got: Value): boolean {
  if (expected === undefined || expected === 'stale') return got === undefined
  if (typeof expected === 'number') return typeof got === 'number' && near(expected, got)
  return got !== undefined && typeof got !== 'number' && nearHistograms(expected.value, got) && (!expected.saysHint || expected.value.hint === got.hint)
}

function valueText(value: Noted | Value): string {
  if (value === undefined || value === 'stale') return '_'
  if (typeof value === 'number') return numberText(value)
  const histogram = 'value' in value ? value.value : value
  return `${histogramText(histogram)}${histogram.schema === 0 ? '' : `@${histogram.schema}`}${histogram.hint === undefined ? '' : `!${histogram.hint}`}`
}

function labelText(labels: Labels): string {
  return `{${sortedPairs(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`
}

/** The values of each series at each step. */
interface Table {
  readonly labels: Labels
  readonly values: readonly Value[]
}

function tableText(tables: readonly { labels: Labels; values: readonly (Noted | Value)[] }[]): string {
  return tables.length === 0 ? '(nothing)' : tables.map(({ labels, values }) => `${labelText(labels)} ${values.map(valueText).join(' ')}`).join('\n      ')
}

function compareTables(expected: readonly { labels: Labels; values: readonly Noted[] }[], got: readonly Table[], isOrdered: boolean): string | undefined {
  const filled = expected.filter(({ values }) => values.some((value) => value !== undefined))
  const wrong = (): string => `expected\n      ${tableText(filled)}\n    got\n      ${tableText(got)}`
  if (filled.length !== got.length) return wrong()
  const byKey = new Map(got.map((each) => [labelsKey(each.labels), each]))
  for (const [index, { labels, values }] of filled.entries()) {
    const found = isOrdered ? got[index] : byKey.get(labelsKey(labels))
    if (found === undefined || labelsKey(found.labels) !== labelsKey(labels)) return wrong()
    const length = Math.max(values.length, found.values.length)
    for (let step = 0; step < length; step += 1) if (!isExpected(values[step], found.values[step])) return wrong()
  }
  return undefined
}

function sampleTable({ labels, value, histogram }: Sample): Table {
  return { labels, values: [histogram ?? value] }
}

function seriesTable({ labels, points, histograms = [] }: SampleSeries, { start, end, step }: { start: number; end: number; step: number }): Table {
  const values: Value[] = Array.from({ length: Math.floor((end - start) / step) + 1 }, () => undefined)
  for (const [time, value] of [...points, ...histograms]) values[Math.round((time - start) / step)] = value
  return { labels, values }
}

function expectedTables(lines: readonly string[]): { labels: Labels; values: Noted[] }[] {
  return lines.map((line) => {
    const { metric, values } = seriesLine(line)
    return { labels: labelsOf(metric), values: valuesOf(values) }
  })
}

function isScalarLine(line: string): boolean {
  return /^[+-]?(?:inf|nan|[\d.]+(?:e[+-]?\d+)?)$/i.test(line)
}

/** The times of the columns: of the range, or of the window that a range vector is expected to show. */
function columnsOf({ expectations, start, end, step }: Evaluation): { start: number; end: number; step: number } {
  const window = expectations.find(({ kind }) => kind === 'range vector')?.text
  const [, from = '', to = '', every = ''] = /^from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/.exec(window ?? '') ?? []
  return window === undefined ? { start, end, step: step ?? 1 } : { start: milliseconds(from), end: milliseconds(to), step: milliseconds(every) }
}

function scalarDifference(expected: string, result: QueryResult): string | undefined {
  if (result.type !== 'scalar') return `expected the scalar ${expected}, got a ${result.type}`
  return near(result.value, numberOf(expected)) ? undefined : `expected ${expected}, got ${numberText(result.value)}`
}

/** What is wrong with an answer; undefined when it is right. */
export function differenceOf(evaluation: Evaluation, result: QueryResult): string | undefined {
  const { expectations, lines, step } = evaluation
  const text = expectations.find(({ kind }) => kind === 'string')?.text
  if (text !== undefined) return result.type === 'string' && result.value === parseText(text) ? undefined : `expected the text ${text}`
  const [first] = lines
  if (step === undefined && first !== undefined && lines.length === 1 && isScalarLine(first)) return scalarDifference(first, result)
  const isOrdered = expectations.some(({ kind }) => kind === 'ordered')
  switch (result.type) {
    case 'vector':
      return compareTables(expectedTables(lines), result.samples.map(sampleTable), isOrdered)
    case 'matrix':
      return compareTables(expectedTables(lines), result.series.map((each) => seriesTable(each, columnsOf(evaluation))), isOrdered)
    case 'scalar':
      return compareTables(expectedTables(lines), [{ labels: {}, values: [result.value] }], false)
    case 'string':
      return 'got a text'
  }
}

/** What is wrong with the remarks on an answer; undefined when they are right. */
export function remarkDifferenceOf({ expectations }: Evaluation, { infos, warnings }: Pick<QueryResult, 'infos' | 'warnings'>): string | undefined {
  for (const { kind, message, pattern } of expectations) {
    const remarks = kind.endsWith('warn') ? warnings : kind.endsWith('info') ? infos : undefined
    if (remarks === undefined) continue
    const shown = remarks.length === 0 ? 'none' : remarks.join(' | ')
    if (kind.startsWith('no_') && remarks.length > 0) return `expected ${kind}, got ${shown}`
    if (kind.startsWith('no_')) continue
    const isThere = message !== undefined ? remarks.includes(message) : pattern !== undefined ? remarks.some((each) => new RegExp(pattern).test(each)) : remarks.length > 0
    if (!isThere) return `expected ${kind} ${message ?? pattern ?? ''}, got ${shown}`
  }
  return undefined
}
