// Who spent a budget: incidents, routes, releases. Each account adds up to all that was bad.
import type { LedgerEntry, Milliseconds, TimeRange } from '@andon/model'

/** An incident as far as an account of a budget needs it. */
export interface LedgerIncident {
  readonly id: string
  readonly title: string
  /** When it is estimated to have begun. */
  readonly start: Milliseconds
  /** Undefined while it lasts. */
  readonly end: Milliseconds | undefined
}

interface Part {
  readonly key: string
  readonly title: string
  readonly bad: number
  readonly total: number
}

interface Whole {
  readonly bad: number
  readonly total: number
  readonly allowed: number
}

function entries(parts: readonly Part[], { bad, allowed }: Whole): LedgerEntry[] {
  return parts
    .filter((part) => part.bad > 0)
    .map((part) => ({ ...part, share: bad > 0 ? part.bad / bad : 0, budget: allowed > 0 ? part.bad / allowed : null }))
    .toSorted((a, b) => b.bad - a.bad || (a.key < b.key ? -1 : 1))
}

/** By route or release; what is not among the listed ones is one entry. */
export function ledgerBy(listed: readonly { readonly key: string; readonly good: number; readonly total: number }[], whole: Whole, rest: string): LedgerEntry[] {
  const parts = listed.map(({ key, good, total }) => ({ key, title: key, bad: total - good, total }))
  const [bad, total] = parts.reduce(([worse, sum], part) => [worse + part.bad, sum + part.total], [0, 0])
  const other = { key: '', title: rest, bad: whole.bad - bad, total: whole.total - total }
  // Sums in another order differ in their last digits.
  return entries(other.bad > whole.bad * 1e-9 ? [...parts, other] : parts, whole)
}

/** By incident: each bad minute belongs to the earliest incident that lasted then. */
export function ledgerByIncident(minutes: readonly { readonly time: Milliseconds; readonly good: number; readonly total: number }[], incidents: readonly LedgerIncident[], whole: Whole): LedgerEntry[] {
  const sorted = incidents.toSorted((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1))
  const parts = new Map<string, { key: string; title: string; bad: number; total: number }>()
  let seen = 0
  for (const { time, good, total } of minutes) {
    const incident = sorted.find(({ start, end = Infinity }) => start < time + 60_000 && end > time)
    const key = incident?.id ?? ''
    const part = parts.get(key) ?? { key, title: incident?.title ?? 'outside of incidents', bad: 0, total: 0 }
    part.bad += total - good
    part.total += total
    seen += total - good
    parts.set(key, part)
  }
  const outside = parts.get('') ?? { key: '', title: 'outside of incidents', bad: 0, total: 0 }
  // Minutes beyond the limit of a reading belong to none.
  if (whole.bad - seen > whole.bad * 1e-9) parts.set('', { ...outside, bad: outside.bad + whole.bad - seen })
  return entries([...parts.values()], whole)
}

/** Incidents that have a part in a time. */
export function overlapping(incidents: readonly LedgerIncident[], range: TimeRange): LedgerIncident[] {
  return incidents.filter(({ start, end = Infinity }) => start < range.end && end > range.start)
}
