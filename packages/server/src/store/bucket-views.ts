// The classic names NAME_bucket{le}, NAME_sum and NAME_count, computed from native histograms: imported rules and
// dashboards ask for them.
import type { LabelMatcher, Labels, MetricType } from '@andon/model'
import { RE2JS } from 're2js'
import { countUpTo } from './histogram-value.ts'
import { CUSTOM_BOUNDS, type HistogramValue } from './metric-rows.ts'

/** A series that a selector found, with its points at increasing times; all arrays are equally long. */
export interface SelectedSeries {
  /** With `__name__`. */
  readonly labels: Labels
  readonly type: MetricType
  /** Milliseconds since the Unix epoch. */
  readonly ts: Float64Array
  /** NaN where the point is a histogram. */
  readonly v: Float64Array
  /** 1 where the point is a stale marker. */
  readonly stale: Uint8Array
  /** Start of the counter's life, milliseconds; 0 where it is not known. */
  readonly start: Float64Array
  /** For series of histograms: the value of each point, undefined at a stale marker. */
  readonly histograms?: readonly (HistogramValue | undefined)[]
}

type Suffix = '_bucket' | '_sum' | '_count'

/** A selector that asks for a computed name, and the selector of the histogram behind it. */
export interface View {
  readonly suffix: Suffix
  readonly matchers: readonly LabelMatcher[]
  /** Conditions on `le`, which no stored series has. */
  readonly le: readonly LabelMatcher[]
}

/** What a selector asks to be computed; undefined when its name has none of the three endings. */
export function viewOf(matchers: readonly LabelMatcher[]): View | undefined {
  const name = matchers.find((matcher) => matcher.name === '__name__' && matcher.operator === '=')?.value ?? ''
  const suffix = (['_bucket', '_sum', '_count'] as const).find((ending) => name.endsWith(ending))
  if (suffix === undefined) return undefined
  const base = name.slice(0, -suffix.length)
  const rest = matchers.filter((matcher) => matcher.name !== '__name__' && (suffix !== '_bucket' || matcher.name !== 'le'))
  return {
    suffix,
    matchers: [{ name: '__name__', operator: '=', value: base }, ...rest],
    le: suffix === '_bucket' ? matchers.filter((matcher) => matcher.name === 'le') : [],
  }
}

/** OpenTelemetry's default bounds, in milliseconds, and those that its conventions advise for seconds. */
const MILLISECONDS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Tempo's name of the durations of spans says no unit. */
function isInSeconds(name: string): boolean {
  return name.endsWith('_seconds') || name === 'traces_spanmetrics_latency'
}

/** The limits of the computed buckets: the stored bounds where there are some, else the default ones and all that the selector names. */
function limits(series: SelectedSeries, view: View): number[] {
  const found = new Set<number>()
  for (const histogram of series.histograms ?? []) {
    if (histogram?.schema === CUSTOM_BOUNDS) for (const bound of histogram.bounds) found.add(bound)
  }
  if (found.size === 0) {
    for (const bound of isInSeconds(series.labels['__name__'] ?? '') ? SECONDS : MILLISECONDS) found.add(bound)
    for (const { operator, value } of view.le) if (operator === '=' && value !== '' && !Number.isNaN(Number(value))) found.add(Number(value))
  }
  return [...found, Infinity].toSorted((a, b) => a - b)
}

function leText(limit: number): string {
  return limit === Infinity ? '+Inf' : String(limit)
}

function asked(le: string, matchers: readonly LabelMatcher[]): boolean {
  return matchers.every(({ operator, value }) => {
    const same = le === value || (value !== '' && Number(le.replace('+Inf', 'Infinity')) === Number(value.replace('+Inf', 'Infinity')))
    if (operator === '=') return same
    if (operator === '!=') return !same
    return RE2JS.matches(`(?s:${value})`, le) === (operator === '=~')
  })
}

function computed(series: SelectedSeries, labels: Labels, value: (histogram: HistogramValue) => number): SelectedSeries {
  const v = Float64Array.from(series.histograms ?? [], (histogram) => (histogram === undefined ? Number.NaN : value(histogram)))
  return { labels, type: 'counter', ts: series.ts, v, stale: series.stale, start: series.start }
}

/** The series of a view, computed from one series of histograms. */
export function bucketViews(series: SelectedSeries, view: View): SelectedSeries[] {
  const named = { ...series.labels, __name__: `${series.labels['__name__'] ?? ''}${view.suffix}` }
  if (view.suffix === '_sum') return [computed(series, named, ({ sum }) => sum)]
  if (view.suffix === '_count') return [computed(series, named, ({ count }) => count)]
  return limits(series, view)
    .map((limit) => [limit, leText(limit)] as const)
    .filter(([, le]) => asked(le, view.le))
    .map(([limit, le]) => computed(series, { ...named, le }, (histogram) => countUpTo(histogram, limit)))
}
