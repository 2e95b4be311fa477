import type { Milliseconds, Ratio, Seconds, TimeRange } from '@andon/model'
import { type Evaluator, type Grid, gridOf, type GridSeries, meanOf, nothing, promDuration, promString, quantileExpression, type Values, wholeWindow } from './grid.ts'

// Rate, errors and durations of services: from the metrics that a service sends of its requests, else from its spans; never both.

/** Rate, errors and durations of one service over a grid. */
export interface RedCourse {
  readonly t: readonly Milliseconds[]
  /** Requests per second. */
  readonly rate: Values
  readonly errorRatio: Values
  readonly p50: Values
  readonly p95: Values
  readonly p99: Values
}

/** The same over a whole range, as single numbers. */
export interface RedTotals {
  readonly rate: number | null
  readonly errorRatio: Ratio | null
  readonly p50: Seconds | null
  readonly p95: Seconds | null
  readonly p99: Seconds | null
}

/** One service of the overview. */
export interface ServiceRed extends RedTotals {
  readonly service: string
  readonly source: 'metrics' | 'spans'
  readonly course: { readonly t: readonly Milliseconds[]; readonly rate: Values; readonly p95: Values }
  readonly version: string | undefined
  /** When its newest datum was measured. */
  readonly lastSeen: Milliseconds
}

/** One operation of a service over a whole range. */
export interface OperationRed {
  readonly name: string
  readonly rate: number | null
  readonly errorRatio: Ratio | null
  readonly p50: Seconds | null
  readonly p95: Seconds | null
  /** Of the time spent in all operations of the service. */
  readonly share: Ratio | null
}

/** Rate, errors and durations that the store keeps of spans, per minute. */
export interface SpanRedSeries {
  readonly service: string
  readonly t: ArrayLike<number>
  readonly rate: ArrayLike<number | null>
  readonly errorRatio: ArrayLike<number | null>
  readonly p50: ArrayLike<number | null>
  readonly p95: ArrayLike<number | null>
  readonly p99: ArrayLike<number | null>
}

export interface SpanRedSource {
  services(range: TimeRange): Promise<readonly string[]>
  red(range: TimeRange, stepMs: Milliseconds, service?: string): Promise<readonly SpanRedSeries[]>
  /** Per operation of one service; the range is one step, and `service` holds the operation's name. */
  redOfOperations(range: TimeRange, service: string): Promise<readonly SpanRedSeries[]>
  lastSeen(range: TimeRange): Promise<ReadonlyMap<string, Milliseconds>>
}

const DURATION = 'http_server_request_duration_seconds'
const COUNT = `${DURATION}_count`
const FAILED = 'http_response_status_code=~"5.."'
const SERVICE = ['service_name'] as const
const OPERATION = ['http_request_method', 'http_route'] as const
const BY_SERVICE = 'sum by (service_name)'
const MINUTE: Milliseconds = 60_000
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
/** What the store reads at most of one selector in an overview is bounded by how many points a row shows. */
const SPARK_POINTS = 60
const COURSE_POINTS = 120

/** A window holds at least six exports of an agent, and no request falls between two windows. */
const windowOf = (grid: Grid): string => promDuration(Math.max(MINUTE, grid.step))

const finite = (value: number | null | undefined): number | null => (value !== null && value !== undefined && Number.isFinite(value) ? value : null)

function perService(series: readonly GridSeries[]): Map<string, Values> {
  return new Map(series.map(({ labels, values }) => [labels['service_name'] ?? '', values.map(finite)]))
}

const divide = (part: number | null | undefined, whole: number | null | undefined): Ratio | null => {
  const all = finite(whole)
  return all === null || all <= 0 ? null : (finite(part) ?? 0) / all
}

/** Values at the grid's times, from a course with times of its own. */
function aligned(grid: Grid, times: ArrayLike<number>, values: ArrayLike<number | null>): Values {
  const at = new Map(Array.from(times, (time, index) => [time, finite(values[index])]))
  return grid.t.map((time) => at.get(time) ?? null)
}

/** Rates, errors and durations of services. Holds nothing; may be called concurrently. */
export class RedReader {
  readonly #evaluator: Evaluator
  readonly #spans: SpanRedSource

  constructor(evaluator: Evaluator, spans: SpanRedSource) {
    this.#evaluator = evaluator
    this.#spans = spans
  }

  /** All services that sent metrics of requests or spans in the range, by name. Quantiles are over all requests of the range. */
  async services(range: TimeRange): Promise<readonly ServiceRed[]> {
    const measured = await this.#measured(range)
    const names = new Set(measured.map((one) => one.service))
    const traced = await this.#traced(range, names)
    return [...measured, ...traced].toSorted((a, b) => (a.service < b.service ? -1 : 1))
  }

  /** One service over the grid of the range; nulls where nothing was measured. */
  async course(service: string, range: TimeRange): Promise<{ grid: Grid; source: 'metrics' | 'spans'; course: RedCourse }> {
    const grid = gridOf(range, COURSE_POINTS)
    const selector = `service_name=${promString(service)}`
    const window = windowOf(grid)
    const rate = await this.#one(`sum(rate(${COUNT}{${selector}}[${window}]))`, grid)
    if (rate === undefined) return this.#spanCourse(service, range)
    const quantile = async (q: number): Promise<Values> =>
      (await this.#one(quantileExpression(q, DURATION, window, { selector }), grid)) ?? nothing(grid)
    const [failed, p50, p95, p99] = await Promise.all([this.#one(`sum(rate(${COUNT}{${selector},${FAILED}}[${window}]))`, grid), quantile(QUANTILES.p50), quantile(QUANTILES.p95), quantile(QUANTILES.p99)])
    return {
      grid,
      source: 'metrics',
      course: {
        t: grid.t,
        rate,
        errorRatio: rate.map((all, index) => divide(failed?.[index], all)),
        p50,
        p95,
        p99,
      },
    }
  }

  /** The operations of a service, those with the most time first where that is known: routes by its metrics, or names of its spans. */
  async operations(service: string, range: TimeRange, source: 'metrics' | 'spans'): Promise<readonly OperationRed[]> {
    if (source === 'spans') return this.#spanOperations(service, range)
    const selector = `service_name=${promString(service)}`
    const by = `sum by (${OPERATION.join(', ')})`
    const { window, length, time: end, maxAge } = wholeWindow(range)
    const ask = async (expression: string): Promise<Map<string, number>> => {
      const found = await this.#evaluator.at(expression, end, maxAge)
      return new Map(found.map(({ labels, value }) => [`${labels['http_request_method'] ?? ''} ${labels['http_route'] ?? '(no route)'}`.trim(), value]))
    }
    const [count, failed, time, p50, p95] = await Promise.all([
      ask(`${by} (increase(${COUNT}{${selector}}[${window}]))`),
      ask(`${by} (increase(${COUNT}{${selector},${FAILED}}[${window}]))`),
      ask(`${by} (increase(${DURATION}_sum{${selector}}[${window}]))`),
      ask(quantileExpression(0.5, DURATION, window, { selector, by: OPERATION })),
      ask(quantileExpression(0.95, DURATION, window, { selector, by: OPERATION })),
    ])
    const allTime = [...time.values()].reduce((sum, value) => sum + value, 0)
    const seconds = length / 1000
    return [...count]
      .map(([name, n]) => ({
        name,
        rate: n / seconds,
        errorRatio: divide(failed.get(name), n),
        p50: finite(p50.get(name)),
        p95: finite(p95.get(name)),
        share: divide(time.get(name), allTime),
      }))
      .toSorted((a, b) => (b.share ?? 0) - (a.share ?? 0))
  }

  async #one(expression: string, grid: Grid): Promise<Values | undefined> {
    const [series] = await this.#evaluator.over(expression, grid)
    return series?.values.map(finite)
  }

  async #measured(range: TimeRange): Promise<ServiceRed[]> {
    const grid = gridOf(range, SPARK_POINTS)
    const window = windowOf(grid)
    const rates = perService(await this.#evaluator.over(`${BY_SERVICE} (rate(${COUNT}[${window}]))`, grid))
    if (rates.size === 0) return []
    const courses = async (expression: string): Promise<ReturnType<typeof perService>> => perService(await this.#evaluator.over(expression, grid))
    const [failed, p95, quantiles, seen] = await Promise.all([
      courses(`${BY_SERVICE} (rate(${COUNT}{${FAILED}}[${window}]))`),
      courses(quantileExpression(0.95, DURATION, window, { by: SERVICE })),
      this.#quantiles(range),
      this.#seen(range),
    ])
    return [...rates].map(([service, rate]) => {
      const last = rate.findLastIndex((value) => value !== null)
      const total = meanOf(rate)
      return {
        service,
        source: 'metrics',
        rate: total,
        errorRatio: divide(sumOf(failed.get(service)), sumOf(rate)),
        p50: quantiles.p50.get(service) ?? null,
        p95: quantiles.p95.get(service) ?? null,
        p99: quantiles.p99.get(service) ?? null,
        course: { t: grid.t, rate, p95: p95.get(service) ?? nothing(grid) },
        version: seen.get(service)?.version,
        lastSeen: seen.get(service)?.time ?? grid.t[last] ?? range.start,
      }
    })
  }

  async #quantiles(range: TimeRange): Promise<Record<keyof typeof QUANTILES, Map<string, number | null>>> {
    const { window, time, maxAge } = wholeWindow(range)
    const ask = async (q: number): Promise<Map<string, number | null>> => {
      const found = await this.#evaluator.at(quantileExpression(q, DURATION, window, { by: SERVICE }), time, maxAge)
      return new Map(found.map(({ labels, value }) => [labels['service_name'] ?? '', finite(value)]))
    }
    const [p50, p95, p99] = await Promise.all([ask(QUANTILES.p50), ask(QUANTILES.p95), ask(QUANTILES.p99)])
    return { p50, p95, p99 }
  }

  /** When each service was last measured, and in which version. */
  async #seen(range: TimeRange): Promise<Map<string, { time: Milliseconds; version: string | undefined }>> {
    const found = await this.#evaluator.at(`max by (service_name, service_version) (timestamp(${COUNT}))`, range.end)
    const seen = new Map<string, { time: Milliseconds; version: string | undefined }>()
    for (const { labels, value } of found) {
      const service = labels['service_name'] ?? ''
      if ((seen.get(service)?.time ?? 0) <= value * 1000) seen.set(service, { time: value * 1000, version: labels['service_version'] })
    }
    return seen
  }

  async #traced(range: TimeRange, except: ReadonlySet<string>): Promise<ServiceRed[]> {
    const names = (await this.#spans.services(range)).filter((name) => !except.has(name))
    if (names.length === 0) return []
    const grid = gridOf(range, SPARK_POINTS, MINUTE)
    const courses = new Map((await this.#spans.red(onGrid(grid, range), grid.step)).map((one) => [one.service, one]))
    const totals = new Map((await this.#spans.red(range, wholeStep(range))).map((one) => [one.service, one]))
    const seen = await this.#spans.lastSeen(range)
    return names.map((service) => {
      const course = courses.get(service)
      const total = totals.get(service)
      const times = course === undefined ? [] : Array.from(course.t)
      return {
        service,
        source: 'spans',
        rate: course === undefined ? null : meanOf(Array.from(course.rate, finite)),
        errorRatio: lastOfAll(total?.errorRatio),
        p50: lastOfAll(total?.p50),
        p95: lastOfAll(total?.p95),
        p99: lastOfAll(total?.p99),
        course: { t: times, rate: Array.from(course?.rate ?? [], finite), p95: Array.from(course?.p95 ?? [], finite) },
        version: undefined,
        lastSeen: seen.get(service) ?? range.start,
      }
    })
  }

  async #spanOperations(service: string, range: TimeRange): Promise<readonly OperationRed[]> {
    const found = await this.#spans.redOfOperations(range, service)
    return found.map((one) => ({
      name: one.service,
      rate: lastOfAll(one.rate),
      errorRatio: lastOfAll(one.errorRatio),
      p50: lastOfAll(one.p50),
      p95: lastOfAll(one.p95),
      share: null,
    }))
  }

  async #spanCourse(service: string, range: TimeRange): Promise<{ grid: Grid; source: 'spans'; course: RedCourse }> {
    const grid = gridOf(range, COURSE_POINTS, MINUTE)
    const [series] = await this.#spans.red(onGrid(grid, range), grid.step, service)
    const pick = (values: ArrayLike<number | null> | undefined): Values => (series === undefined || values === undefined ? nothing(grid) : aligned(grid, series.t, values))
    return {
      grid,
      source: 'spans',
      course: {
        t: grid.t,
        rate: pick(series?.rate),
        errorRatio: pick(series?.errorRatio),
        p50: pick(series?.p50),
        p95: pick(series?.p95),
        p99: pick(series?.p99),
      },
    }
  }
}

const sumOf = (values: Values | undefined): number => (values ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0)
const lastOfAll = (values: ArrayLike<number | null> | undefined): number | null => finite(Array.from(values ?? []).findLast((value) => value !== null))
/** The store counts its steps from the start of the range: with this one they are the grid's. */
const onGrid = (grid: Grid, range: TimeRange): TimeRange => ({ start: grid.t[0] ?? range.start, end: Math.max(range.end, (grid.t[0] ?? 0) + 1) })
/** One step that holds the whole range. */
const wholeStep = (range: TimeRange): Milliseconds => Math.ceil((range.end - range.start) / MINUTE + 1) * MINUTE
