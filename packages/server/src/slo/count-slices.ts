// Counts the slices of objectives: requests from spans, all else by expressions.
import { type Indicator, type Labels, type Milliseconds, type Objective, type TimeRange } from '@andon/model'
import type { SpanCount, SpanCountQuery } from '../store/slo-slices.ts'
import { countExpression, type CountMode } from './counts.ts'
import { SLICE_MS } from './detection.ts'
import type { CountedSlice } from './tracker.ts'

/** Values of an expression at the ends of slices. */
export type RangeQuery = (expression: string, start: Milliseconds, end: Milliseconds, step: Milliseconds) => Promise<readonly { readonly labels: Labels; readonly points: readonly (readonly [time: Milliseconds, value: number])[] }[]>

export type SpanCounter = (query: SpanCountQuery) => Promise<readonly SpanCount[]>

type SpanIndicator = Extract<Indicator, { kind: 'spans' }>
type Expressed = Exclude<Indicator, { kind: 'spans' }>

/** Whether a name is one of those given, whose last character may be `*`. */
function isNamed(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name))
}

function concerns({ service, environment, routes, exceptRoutes }: SpanIndicator, count: Pick<SpanCount, 'service' | 'env' | 'route'>): boolean {
  if (count.service !== service || (environment !== undefined && count.env !== environment)) return false
  return (routes.length === 0 || isNamed(routes, count.route)) && !isNamed(exceptRoutes, count.route)
}

/** What independent ones weighted samples are worth: (Σw)² / Σw². */
const worthOf = (sum: number, squares: number): number => (squares > 0 ? (sum * sum) / squares : 0)

/** What an objective counts among the requests of all services. */
function sliceOfSpans({ underMs }: Pick<SpanIndicator, 'underMs'>, count: SpanCount, limitsMs: readonly Milliseconds[]): CountedSlice {
  const { time, route, version, ok, failed, okSquares, failedSquares, slow } = count
  if (underMs === undefined) return { time, route, version, bad: failed, total: ok + failed, worth: worthOf(ok + failed, okSquares + failedSquares) }
  return { time, route, version, bad: slow[limitsMs.indexOf(underMs)] ?? 0, total: ok, worth: worthOf(ok, okSquares) }
}

const ROUTE_LABELS = ['http_route', 'route', 'handler', 'path'] as const
const VERSION_LABELS = ['service_version', 'version'] as const

function labelOf(labels: Labels, names: readonly string[]): string {
  return names.map((name) => labels[name] ?? '').find((value) => value !== '') ?? ''
}

type Sums = Map<string, { readonly time: Milliseconds; readonly route: string; readonly version: string; value: number }>

function overAll(sums: Sums): Sums {
  const all: Sums = new Map()
  for (const { time, value } of sums.values()) {
    const key = String(time)
    all.set(key, { time, route: '', version: '', value: value + (all.get(key)?.value ?? 0) })
  }
  return all
}

/** Where a part is not divided by route and version as the whole is, neither is divided. */
function comparable(totals: Sums, parts: Sums): readonly [Sums, Sums] {
  return [...parts.keys()].every((key) => totals.has(key)) ? [totals, parts] : [overAll(totals), overAll(parts)]
}

/** Requests of a range. */
export interface Requests {
  /** The limits of durations by which slow ones were counted. */
  readonly limits: readonly Milliseconds[]
  /** By service. */
  readonly counts: ReadonlyMap<string, readonly SpanCount[]>
}

/** Counts objectives over ranges. Holds nothing. */
export class SliceCounter {
  readonly #query: RangeQuery
  readonly #spans: SpanCounter

  constructor(query: RangeQuery, spans: SpanCounter) {
    this.#query = query
    this.#spans = spans
  }

  /**
   * The requests that objectives count, at once for all of them.
   *
   * @param all - whether those of services are wanted too that no objective names
   */
  async requests(range: TimeRange, objectives: readonly Pick<Objective, 'indicator'>[], all: boolean): Promise<Requests> {
    const services = [...new Set(objectives.flatMap(({ indicator }) => (indicator.kind === 'spans' ? [indicator.service] : [])))]
    const limits = limitsOf(objectives)
    const counts = new Map<string, SpanCount[]>()
    if (services.length === 0 && !all) return { limits, counts }
    for (const count of await this.#spans({ range, sliceMs: SLICE_MS, limitsMs: limits, services: all ? undefined : services })) {
      const held = counts.get(count.service)
      if (held === undefined) counts.set(count.service, [count])
      else held.push(count)
    }
    return { limits, counts }
  }

  /** What one objective counts in the slices of a range. @param requests - of that range */
  async rowsOf({ indicator }: Pick<Objective, 'indicator'>, range: TimeRange, { limits, counts }: Requests): Promise<CountedSlice[]> {
    if (indicator.kind !== 'spans') return await this.#expressed(indicator, range)
    return (counts.get(indicator.service) ?? []).filter((count) => concerns(indicator, count)).map((count) => sliceOfSpans(indicator, count, limits))
  }

  /**
   * What an objective of expressions counts in the slices of a range.
   *
   * @throws AndonError as the engine does
   */
  async #expressed(indicator: Expressed, range: TimeRange): Promise<CountedSlice[]> {
    if (indicator.kind === 'ratio') {
      const shares = await this.#values(indicator.bad, range, 'shares')
      return [...shares.values()].map(({ time, route, version, value }) => ({ time, route, version, bad: Math.min(1, Math.max(0, value)), total: 1, worth: 1 }))
    }
    const { good, bad, total, counter } = indicator
    const mode = counter ? 'counters' : 'values'
    const [totals, parts] = comparable(await this.#values(total, range, mode), await this.#values(good ?? bad ?? total, range, mode))
    const slices = [...totals].map(([key, each]) => {
      const part = Math.min(each.value, Math.max(0, parts.get(key)?.value ?? 0))
      return { time: each.time, route: each.route, version: each.version, bad: good === undefined ? part : each.value - part, total: each.value, worth: each.value }
    })
    return slices.filter(({ total: counted }) => counted > 0)
  }

  async #values(expression: string, { start, end }: TimeRange, mode: CountMode): Promise<Sums> {
    const sums: Sums = new Map()
    const found = await this.#query(countExpression(expression, SLICE_MS, mode), start + SLICE_MS, end, SLICE_MS)
    for (const { labels, points } of found) {
      const [route, version] = [labelOf(labels, ROUTE_LABELS), labelOf(labels, VERSION_LABELS)]
      for (const [at, value] of points) {
        if (!Number.isFinite(value) || value < 0) continue
        const time = at - SLICE_MS
        const key = `${time}\0${route}\0${version}`
        const held = sums.get(key)
        if (held === undefined) sums.set(key, { time, route, version, value })
        else held.value += value
      }
    }
    return sums
  }
}

/** Limits of the durations of all objectives, each once. */
function limitsOf(objectives: readonly Pick<Objective, 'indicator'>[]): Milliseconds[] {
  return [...new Set(objectives.flatMap(({ indicator }) => (indicator.kind === 'spans' && indicator.underMs !== undefined ? [indicator.underMs] : [])))]
}
