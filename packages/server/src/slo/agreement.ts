// Whether what was promised to a customer was kept in a period, by how much, and what shows it.
import { type Agreement, type AgreementDay, type AgreementReport, AndonError, civilOf, type MaintenanceTime, type Milliseconds, type Objective, type ObjectiveCounts, type TimeRange, wallOf } from '@andon/model'
import type { SloSliceStore } from '../store/slo-slices.ts'
import { attainmentOf } from './budget.ts'
import { periodName, timeAt } from './calendar.ts'
import { ledgerByIncident, type LedgerIncident } from './ledger.ts'
import { maintenanceWithin } from './maintenance.ts'
import { sliceKey } from './tracker.ts'

const MINUTE: Milliseconds = 60_000
/** Until then what came late may still be counted. */
const LATE_MS: Milliseconds = 3 * 3_600_000
const BAD_MINUTES_MAX = 600_000
/** Minutes that are shown. */
const WORST_MAX = 50

export interface AgreementInput {
  readonly objective: Objective
  readonly agreement: Agreement
  readonly period: TimeRange
  readonly passed: TimeRange
  readonly incidents: readonly LedgerIncident[]
  readonly now: Milliseconds
}

type Slices = Pick<SloSliceStore, 'sum' | 'badMinutes'>

/** The days of a range as a time zone has them. */
function daysOf({ start, end }: TimeRange, timeZone: string): (TimeRange & { readonly day: string })[] {
  const days: (TimeRange & { day: string })[] = []
  for (let at = start; at < end; ) {
    const { year, month, day } = civilOf(wallOf(at, timeZone))
    const next = timeAt({ year, month, day: day + 1 }, timeZone)
    if (next <= at) throw new AndonError('internal', `the day ${year}-${month}-${day} of ${timeZone} does not end`)
    days.push({ day: `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`, start: at, end: Math.min(next, end) })
    at = next
  }
  return days
}

async function countedIn(slices: Slices, slo: string, range: TimeRange, except: readonly TimeRange[]): Promise<ObjectiveCounts & { readonly minutes: number }> {
  const { good, total, minutes } = await slices.sum({ slo, range, except })
  return { bad: total - good, total, minutes }
}

export async function agreementReport({ objective, agreement, period, passed, incidents, now }: AgreementInput, slices: Slices): Promise<AgreementReport> {
  const slo = sliceKey(objective)
  const { target, unit, timeZone, customer, consequence } = agreement
  const except = maintenanceWithin(objective.maintenance, passed)
  const { bad, total, minutes } = await countedIn(slices, slo, passed, except)
  const days: AgreementDay[] = []
  for (const { day, ...range } of daysOf(passed, timeZone)) {
    const counted = await countedIn(slices, slo, range, except)
    days.push({ day, bad: counted.bad, total: counted.total, attainment: attainmentOf(counted) })
  }
  const maintenance: (MaintenanceTime & ObjectiveCounts)[] = []
  for (const each of except) {
    const counted = await countedIn(slices, slo, each, [])
    maintenance.push({ ...each, bad: counted.bad, total: counted.total })
  }
  const badMinutes = await slices.badMinutes({ slo, range: passed, except }, BAD_MINUTES_MAX)
  const allowed = total * (1 - target)
  const ledger = ledgerByIncident(badMinutes, incidents, { bad, total, allowed })
  const byId = new Map(incidents.map((incident) => [incident.id, incident]))
  const attainment = attainmentOf({ bad, total })
  const maintained = except.reduce((sum, { start, end }) => sum + (end - start), 0)
  return {
    id: objective.id,
    name: objective.name,
    customer,
    service: objective.service,
    environment: objective.environment,
    consequence,
    period: periodName(period, unit, timeZone),
    timeZone,
    from: period.start,
    to: period.end,
    countedTo: passed.end,
    isFinal: passed.end >= period.end && now >= period.end + LATE_MS,
    madeAt: now,
    kept: attainment === null ? null : bad <= allowed,
    target,
    attainment,
    margin: attainment === null ? null : attainment - target,
    total,
    bad,
    allowed,
    spent: allowed > 0 ? bad / allowed : null,
    days,
    incidents: ledger.flatMap((entry) => {
      const incident = byId.get(entry.key)
      return incident === undefined ? [] : [{ ...entry, start: incident.start, end: incident.end ?? null }]
    }),
    outsideIncidents: ledger.find(({ key }) => key === '')?.bad ?? 0,
    maintenance,
    evidence: {
      indicator: objective.indicator,
      objective: objective.target,
      minutes: Math.max(0, Math.round((passed.end - passed.start - maintained) / MINUTE)),
      minutesWithData: minutes,
      minutesWithBad: badMinutes.length,
      worst: badMinutes
        .map(({ time, good, total: counted }) => ({ time, bad: counted - good, total: counted }))
        .toSorted((a, b) => b.bad - a.bad || a.time - b.time)
        .slice(0, WORST_MAX),
    },
  }
}
