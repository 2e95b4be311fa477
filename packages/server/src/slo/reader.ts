// What pages and reports ask of objectives.
import {
  type AgreementReport,
  AndonError,
  type BudgetLedger,
  type BurnDown,
  type Milliseconds,
  type Objective,
  type ObjectiveCounts,
  type ObjectiveDetail,
  type ObjectiveSummary,
  type ObjectiveWindow,
  type Ratio,
  type TimeRange,
  type WhatIf,
  type WindowStanding,
} from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { SloQuery, SloSliceStore } from '../store/slo-slices.ts'
import { agreementReport } from './agreement.ts'
import { badShare } from './alerts.ts'
import { attainmentOf, burnDown, burnRates, projected, standingOf } from './budget.ts'
import { namedPeriod, periodName, periodOf, windowAt } from './calendar.ts'
import { ledgerBy, ledgerByIncident, type LedgerIncident, overlapping } from './ledger.ts'
import { maintenanceWithin } from './maintenance.ts'
import type { ObjectiveStanding } from './manager.ts'
import { sliceKey } from './tracker.ts'

export interface ObjectiveReaderDeps {
  readonly standings: () => readonly ObjectiveStanding[]
  readonly slices: Pick<SloSliceStore, 'sum' | 'course' | 'by' | 'badMinutes'>
  /** Incidents of a service that have a part in a time. */
  readonly incidents: (service: string, range: TimeRange) => Promise<readonly LedgerIncident[]>
  readonly clock: Pick<Clock, 'now'>
}

const MINUTE: Milliseconds = 60_000
const HOUR: Milliseconds = 3_600_000
const DAY: Milliseconds = 86_400_000
const LEDGER_MAX = 200
const BAD_MINUTES_MAX = 600_000
/** Without a count for so long an objective says that it has no data. */
const NO_DATA_MS: Milliseconds = 15 * MINUTE
const STEPS: readonly Milliseconds[] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY]

const floorMinute = (time: Milliseconds): Milliseconds => Math.floor(time / MINUTE) * MINUTE

/** Of the first window, for the order of a list. */
const left = ({ windows }: ObjectiveSummary): number => windows[0]?.remaining ?? Infinity

function kindOf({ indicator }: Objective): ObjectiveSummary['kind'] {
  return indicator.kind !== 'spans' ? indicator.kind : indicator.underMs === undefined ? 'availability' : 'latency'
}

/** Reads from the store; holds nothing. May be called concurrently. */
export class ObjectiveReader {
  readonly #deps: ObjectiveReaderDeps

  constructor(deps: ObjectiveReaderDeps) {
    this.#deps = deps
  }

  /** All objectives, or those of a service: those that are worst off first. */
  async list(service?: string): Promise<ObjectiveSummary[]> {
    const chosen = this.#deps.standings().filter(({ tracker }) => service === undefined || tracker.objective.service === service)
    const summaries: ObjectiveSummary[] = []
    for (const each of chosen) summaries.push(await this.#summary(each))
    const rank = { page: 0, ticket: 1, ok: 2, 'no-data': 3 } as const
    return summaries.toSorted((a, b) => rank[a.state] - rank[b.state] || left(a) - left(b) || (a.id < b.id ? -1 : 1))
  }

  /** @throws AndonError not_found */
  async one(id: string): Promise<ObjectiveDetail> {
    const standing = this.#standing(id)
    const { objective, ring, end, budget } = standing.tracker
    const now = floorMinute(end)
    const timeZone = objective.windows.find((window) => window.kind === 'calendar')?.timeZone ?? 'UTC'
    const period = periodOf('month', timeZone, now)
    const counted = await this.#sum(objective, { start: period.start, end: now })
    const month = projected(counted, { period, now, lastDay: { ...ring.sum(now - DAY, now), lengthMs: DAY }, budget })
    const maintenance = maintenanceWithin(objective.maintenance, { start: now - 7 * DAY, end: now + 28 * DAY })
    return { ...(await this.#summary(standing)), objective, expression: badShare(objective) ?? null, alerts: standing.alerts, month, maintenance }
  }

  #standing(id: string): ObjectiveStanding {
    const found = this.#deps.standings().find(({ tracker }) => tracker.objective.id === id)
    if (found === undefined) throw new AndonError('not_found', `There is no objective "${id.slice(0, 100)}".`, { hint: 'GET /api/objectives lists them all.' })
    return found
  }

  async #summary({ tracker, alerts, lastError }: ObjectiveStanding): Promise<ObjectiveSummary> {
    const { objective, end, budget, lastData } = tracker
    const { id, name, description, service, environment, target, file, agreement } = objective
    const windows: WindowStanding[] = []
    for (const window of objective.windows) windows.push(await this.#window(objective, window, floorMinute(end), tracker.sum(HOUR)))
    const firing = alerts.page?.state === 'firing' ? alerts.page : alerts.ticket?.state === 'firing' ? alerts.ticket : undefined
    const isSilent = lastData === undefined || end - lastData > NO_DATA_MS
    return {
      id,
      name,
      description,
      service,
      environment,
      kind: kindOf(objective),
      target,
      isDefault: file === '',
      customer: agreement?.customer ?? null,
      state: firing === undefined ? (isSilent ? 'no-data' : 'ok') : firing === alerts.page ? 'page' : 'ticket',
      since: firing?.startsAt ?? null,
      lastData: lastData ?? null,
      countedTo: end,
      lastError,
      windows,
      burnRates: burnRates((ms) => tracker.sum(ms), budget),
    }
  }

  async #window(objective: Objective, window: ObjectiveWindow, now: Milliseconds, recent: ObjectiveCounts): Promise<WindowStanding> {
    const { passed, whole } = windowAt(window, now)
    const { bad, total, first } = await this.#sum(objective, passed)
    // A service that is younger than the window has spent less time in it.
    const lengthMs = Math.max(MINUTE, passed.end - Math.max(passed.start, first ?? passed.start))
    const standing = standingOf({ bad, total }, { budget: 1 - objective.target, lengthMs, recent: { ...recent, lengthMs: HOUR } })
    return { name: window.name, from: passed.start, to: passed.end, ends: window.kind === 'calendar' ? whole.end : null, ...standing }
  }

  #query(objective: Objective, range: TimeRange): SloQuery {
    return { slo: sliceKey(objective), range, except: maintenanceWithin(objective.maintenance, range) }
  }

  async #sum(objective: Objective, range: TimeRange): Promise<{ bad: number; total: number; first: Milliseconds | undefined }> {
    const { good, total, first } = await this.#deps.slices.sum(this.#query(objective, range))
    return { bad: total - good, total, first }
  }

  /** Of each objective of a service the share of the budget of its first window that was burned within a time. */
  async burned(service: string, range: TimeRange): Promise<{ readonly objective: string; readonly burned: Ratio }[]> {
    const found: { readonly objective: string; readonly burned: Ratio }[] = []
    for (const { tracker } of this.#deps.standings()) {
      const { objective, end } = tracker
      const [window] = objective.windows
      if (objective.service !== service || window === undefined) continue
      const [within, whole] = [await this.#sum(objective, range), await this.#sum(objective, windowAt(window, floorMinute(end)).passed)]
      const allowed = whole.total * (1 - objective.target)
      if (allowed > 0) found.push({ objective: objective.name, burned: within.bad / allowed })
    }
    return found
  }

  #windowOf(objective: Objective, name: string | undefined): ObjectiveWindow {
    const found = name === undefined ? objective.windows[0] : objective.windows.find((window) => window.name === name || (window.kind === 'calendar' && window.unit === name))
    if (found === undefined) throw new AndonError('bad_parameter', `window="${(name ?? '').slice(0, 40)}" is not one of ${objective.windows.map((window) => window.name).join(', ')}.`)
    return found
  }

  /** @throws AndonError not_found; bad_parameter for a window that it has not */
  async burnDown(id: string, name?: string): Promise<BurnDown> {
    const { objective, end } = this.#standing(id).tracker
    const window = this.#windowOf(objective, name)
    const { passed, whole } = windowAt(window, floorMinute(end))
    const stepMs = STEPS.find((step) => (whole.end - whole.start) / step <= 750) ?? DAY
    const course = await this.#deps.slices.course(this.#query(objective, passed), stepMs)
    const steps = course.map(({ time, good, total }) => ({ time, bad: total - good, total }))
    return { window: window.name, from: passed.start, to: passed.end, ends: whole.end, stepMs, points: burnDown(steps, { passed, whole, stepMs, budget: 1 - objective.target }) }
  }

  /** @throws AndonError not_found; bad_parameter for a window that it has not */
  async ledger(id: string, name?: string): Promise<BudgetLedger> {
    const { objective, end } = this.#standing(id).tracker
    const window = this.#windowOf(objective, name)
    const { passed } = windowAt(window, floorMinute(end))
    const query = this.#query(objective, passed)
    const { bad, total } = await this.#sum(objective, passed)
    const whole = { bad, total, allowed: total * (1 - objective.target) }
    const incidents = overlapping(await this.#deps.incidents(objective.service, passed), passed)
    return {
      window: window.name,
      from: passed.start,
      to: passed.end,
      ...whole,
      byIncident: ledgerByIncident(await this.#deps.slices.badMinutes(query, BAD_MINUTES_MAX), incidents, whole),
      byRoute: ledgerBy(await this.#deps.slices.by(query, 'route', LEDGER_MAX), whole, 'other routes'),
      byRelease: ledgerBy(await this.#deps.slices.by(query, 'version', LEDGER_MAX), whole, 'other releases'),
    }
  }

  /**
   * How the windows would stand with another target, and what the months before would have been.
   *
   * @param target - greater than 0, less than 1
   * @throws AndonError not_found
   */
  async whatIf(id: string, target: Ratio): Promise<WhatIf> {
    const { tracker } = this.#standing(id)
    const objective = { ...tracker.objective, target }
    const now = floorMinute(tracker.end)
    const windows: WindowStanding[] = []
    for (const window of objective.windows) windows.push(await this.#window(objective, window, now, tracker.sum(HOUR)))
    const months: { month: string; attainment: Ratio | null; kept: boolean | null }[] = []
    for (let shift = 0; shift > -12; shift -= 1) {
      const period = periodOf('month', 'UTC', now, shift)
      const counted = await this.#sum(objective, { start: period.start, end: Math.min(period.end, now) })
      const attainment = attainmentOf(counted)
      months.push({ month: periodName(period, 'month', 'UTC'), attainment, kept: attainment === null ? null : counted.bad <= counted.total * (1 - target) })
    }
    return { target, windows, burnRates: burnRates((ms) => tracker.sum(ms), 1 - target), months }
  }

  /**
   * Whether an agreement was kept in a period, with the evidence.
   *
   * @param period - such as 2026-11, 2026-Q4 or 2026; the one under way when absent
   * @throws AndonError not_found where there is no such agreement; bad_parameter
   */
  async report(id: string, period?: string): Promise<AgreementReport> {
    const { tracker } = this.#standing(id)
    const { objective } = tracker
    const { agreement } = objective
    if (agreement === undefined) throw new AndonError('not_found', `The objective "${id}" is no agreement: it names no customer.`, { hint: 'An objective with `agreement` in its file is one; docs/reference/objectives.md shows how.' })
    const { unit, timeZone } = agreement
    const now = floorMinute(tracker.end)
    const range = period === undefined ? periodOf(unit, timeZone, now) : namedPeriod(period, unit, timeZone)
    if (range.start > now) throw new AndonError('bad_parameter', `The period ${periodName(range, unit, timeZone)} has not begun.`)
    const passed = { start: range.start, end: Math.min(range.end, now) }
    const incidents = overlapping(await this.#deps.incidents(objective.service, passed), passed)
    return await agreementReport({ objective, agreement, period: range, passed, incidents, now: this.#deps.clock.now() }, this.#deps.slices)
  }
}
