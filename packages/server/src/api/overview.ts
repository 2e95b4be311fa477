import type { AlertSignal, Bytes, Milliseconds, Ratio, TimeRange } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import type { Business, BusinessReader } from '../query/business.ts'
import { gridOf, lastOf, meanOf, type Values } from '../query/grid.ts'
import type { RedReader, ServiceRed } from '../query/red.ts'
import type { HostGauges, SaturationReader } from '../query/saturation.ts'
import { type Query, timeRange as rangeOf } from './parameters.ts'

/** What the asked-for dashboard data hold. */
export interface DashboardData {
  /** Absolute ends of the answer, milliseconds since the epoch. */
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly systemMetrics: HostGauges
  readonly businessMetrics: {
    /** The 95th percentile, in milliseconds, under the asked-for name; the same as `p95TaskCreationMs`. */
    readonly avgTaskCreationTime: Milliseconds | null
    /** The 95th percentile, in milliseconds, under the asked-for name; the same as `p95BoardLoadMs`. */
    readonly avgBoardLoadTime: Milliseconds | null
    readonly cacheHitRate: Ratio | null
    /** In the whole range. */
    readonly totalOperations: number | null
    readonly p95TaskCreationMs: Milliseconds | null
    readonly p95BoardLoadMs: Milliseconds | null
  }
  /** What is active now, the oldest first. */
  readonly alerts: readonly AlertSignal[]
  /** Courses over the range: lists aligned to `t`. */
  readonly trends: { readonly t: readonly Milliseconds[]; readonly series: Readonly<Record<string, Values>> }
  readonly summary: {
    readonly services: number
    /** Requests per second of all services. */
    readonly requestRate: number
    /** Failed among all requests of services whose rate is known. */
    readonly errorRatio: Ratio | null
    /** Of the slowest service. */
    readonly p95Seconds: number | null
    /** Age of the newest datum. */
    readonly freshnessMs: Milliseconds | null
  }
}

/** What Andon itself uses. */
export interface OwnUse {
  /** Of one core, since the last time it was asked. */
  readonly cpuRatio: Ratio
  readonly residentBytes: Bytes
  readonly storeBytes: Bytes | null
}

export interface OverviewDeps {
  readonly red: RedReader
  readonly business: BusinessReader
  readonly saturation: SaturationReader
  readonly clock: Pick<Clock, 'now'>
  readonly activeAlerts: () => readonly AlertSignal[]
  readonly own: () => Promise<OwnUse>
}

const freshness = (services: readonly ServiceRed[], now: Milliseconds): Milliseconds | null =>
  services.length === 0 ? null : Math.max(0, now - Math.max(...services.map((one) => one.lastSeen)))

function summaryOf(services: readonly ServiceRed[], now: Milliseconds): DashboardData['summary'] {
  const requestRate = services.reduce((sum, one) => sum + (one.rate ?? 0), 0)
  const failed = services.reduce((sum, one) => sum + (one.rate ?? 0) * (one.errorRatio ?? 0), 0)
  const slowest = services.flatMap((one) => (one.p95 === null ? [] : [one.p95]))
  return {
    services: services.length,
    requestRate,
    errorRatio: requestRate > 0 ? failed / requestRate : null,
    p95Seconds: slowest.length === 0 ? null : Math.max(...slowest),
    freshnessMs: freshness(services, now),
  }
}

/** Courses of different services have grids of their own where one sends spans alone. */
function trendsOf(services: readonly ServiceRed[], business: Business | null, range: TimeRange): DashboardData['trends'] {
  const grid = gridOf(range, 60)
  const rates = services.map(({ course }) => new Map(course.t.map((time, index) => [time, course.rate[index] ?? null])))
  const requestRate = grid.t.map((time) => {
    const there = rates.flatMap((rate) => rate.get(time) ?? [])
    return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0)
  })
  if (business === null) return { t: grid.t, series: { requestRate } }
  const { t: _times, ...courses } = business.spark
  return { t: grid.t, series: { requestRate, ...courses } }
}

/** The asked-for class: all that the first screen shows, over the store. Holds nothing; may be called concurrently. */
export class PerformanceDashboard {
  readonly #deps: OverviewDeps

  constructor(deps: OverviewDeps) {
    this.#deps = deps
  }

  /**
   * The data of the first screen.
   *
   * @param timeRange - in milliseconds since the epoch
   * @returns numbers with their unit in name or field; null where nothing was measured
   */
  async getDashboardData(timeRange: TimeRange): Promise<DashboardData> {
    const { red, business, saturation, clock, activeAlerts } = this.#deps
    const [services, numbers, systemMetrics] = await Promise.all([red.services(timeRange), business.read(timeRange), saturation.host(timeRange)])
    return {
      from: timeRange.start,
      to: timeRange.end,
      systemMetrics,
      businessMetrics: {
        avgTaskCreationTime: numbers?.taskCreationP95Ms ?? null,
        avgBoardLoadTime: numbers?.boardLoadP95Ms ?? null,
        cacheHitRate: numbers?.cacheHitRatio ?? null,
        totalOperations: numbers?.operations ?? null,
        p95TaskCreationMs: numbers?.taskCreationP95Ms ?? null,
        p95BoardLoadMs: numbers?.boardLoadP95Ms ?? null,
      },
      alerts: activeAlerts(),
      trends: trendsOf(services, numbers, timeRange),
      summary: summaryOf(services, clock.now()),
    }
  }
}

const rowOf = ({ course, version, ...row }: ServiceRed): object => ({ ...row, ...(version === undefined || version === '' ? {} : { version }), spark: course })

/** GET /api/dashboard, /api/overview and /api/service/:name. */
export function registerOverview(app: FastifyInstance, deps: OverviewDeps): void {
  const { red, business, saturation, clock } = deps
  const dashboard = new PerformanceDashboard(deps)
  const config = { config: { role: 'viewer' as const, live: true } }
  app.get<{ Querystring: Query }>('/api/dashboard', config, (request) => dashboard.getDashboardData(rangeOf(request.query, clock.now())))
  app.get<{ Querystring: Query }>('/api/overview', config, async (request) => {
    const range = rangeOf(request.query, clock.now())
    const [services, numbers, own] = await Promise.all([red.services(range), business.read(range), deps.own()])
    return {
      from: range.start,
      to: range.end,
      step: gridOf(range, 60).step,
      services: services.map(rowOf),
      business: numbers,
      freshnessMs: freshness(services, clock.now()),
      own,
    }
  })
  app.get<{ Params: { name: string }; Querystring: Query }>('/api/service/:name', config, async (request) => {
    const range = rangeOf(request.query, clock.now())
    const { name } = request.params
    const { grid, source, course } = await red.course(name, range)
    const [operations, saturated, instances] = await Promise.all([red.operations(name, range, source), saturation.service(name, grid), saturation.instances(name, range.end)])
    return {
      from: range.start,
      to: range.end,
      step: grid.step,
      service: name,
      source,
      ...course,
      now: { rate: lastOf(course.rate), p95: lastOf(course.p95), meanRate: meanOf(course.rate) },
      operations,
      ...saturated,
      instances,
    }
  })
}
