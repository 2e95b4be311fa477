// Queries in PromQL, as pages draw them.
import type { Labels, Milliseconds } from '@andon/model'
import type { Unit } from '../ui/format.ts'

/** The answer of /api/v1/query_range to an expression that gives a vector. */
export interface RangeAnswer {
  readonly data: { readonly result: readonly { readonly metric: Labels; readonly values?: readonly (readonly [number, string])[] }[] }
}

/** Points along the axis; more cannot be told apart. */
const POINTS = 120

const floorTo = (time: number, step: number): number => Math.floor(time / step) * step

/**
 * The path of a query over a range, at steps that fall on the same times however the range moves, so that tabs share its answer.
 *
 * @param start - milliseconds
 * @param end - milliseconds
 */
export function rangePath(expression: string, start: Milliseconds, end: Milliseconds): string {
  const step = Math.max(15, Math.ceil((end - start) / 1000 / POINTS / 15) * 15)
  const params = new URLSearchParams({ query: expression, start: String(floorTo(start / 1000, step)), end: String(floorTo(end / 1000, step)), step: String(step) })
  return `/api/v1/query_range?${params.toString()}`
}

export interface DrawnSeries {
  readonly t: readonly Milliseconds[]
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]
  /** Series that are left out. */
  readonly more: number
}

const last = (values: readonly (readonly [number, string])[] | undefined): number => Number(values?.at(-1)?.[1] ?? 0)

/** What tells series apart: the labels that not all of them share. */
export function seriesNames(all: readonly Labels[]): string[] {
  const names = [...new Set(all.flatMap((labels) => Object.keys(labels)))].filter((name) => new Set(all.map((labels) => labels[name])).size > 1)
  return all.map((labels) => {
    const shown = (names.length === 0 ? ['service', 'service_name', 'job'] : names).flatMap((name) => labels[name] ?? [])
    return shown.length > 0 ? shown.join(' · ') : (labels['__name__'] ?? 'value')
  })
}

/** The series of an answer on one list of times, the largest at the end first. */
export function drawnSeries(answer: RangeAnswer, most: number): DrawnSeries {
  const found = answer.data.result.toSorted((a, b) => last(b.values) - last(a.values))
  const shown = found.slice(0, most)
  const t = [...new Set(shown.flatMap(({ values = [] }) => values.map(([time]) => time)))].toSorted((a, b) => a - b)
  const names = seriesNames(shown.map(({ metric }) => metric))
  const series = shown.map(({ values = [] }, index) => {
    const by = new Map(values.map(([time, value]) => [time, Number(value)]))
    return { label: names[index] ?? 'value', values: t.map((time) => finite(by.get(time))) }
  })
  return { t: t.map((time) => time * 1000), series, more: found.length - shown.length }
}

const finite = (value: number | undefined): number | null => (value === undefined || !Number.isFinite(value) ? null : value)

/** What the values of an expression most likely measure, by the names in it. */
export function unitOfExpression(expression: string): Unit {
  const text = expression.toLowerCase()
  if (/_ratio\b|utilization|_share\b/.test(text) || /\)\s*\/\s*(?:on\b|ignoring\b|sum\b|rate\b|increase\b|clamp_min\b|\()/.test(text)) return 'ratio'
  if (/bytes/.test(text)) return 'bytes'
  if (/_ms\b|milliseconds/.test(text)) return 'milliseconds'
  // Counts of a histogram, or of seconds that only grow, are no durations.
  if (/_seconds_(?:count|total)/.test(text)) return 'count'
  if (/duration|latency|delay|_seconds\b|_seconds_bucket/.test(text)) return 'seconds'
  return 'count'
}
