// The disk and the retention of the server's status, as groups of facts.
import type { Zone } from '../ui/time-range.ts'
import { timeText } from '../ui/time-text.ts'
import type { StatusFact, StatusGroup } from './status-fact.ts'

/** Drops that are listed; the server tells of the last twenty. */
const DROPS_SHOWN = 5
const DAY_SECONDS = 86_400

const STATES: Readonly<Record<string, string>> = {
  ok: 'Enough room',
  tight: 'Above the mark',
  full: 'Full, telemetry is refused',
}

/** What the options of retention are about, in the order in which they are shown. */
const SIGNALS: Readonly<Record<string, string>> = {
  rawDays: 'Samples and histograms',
  spansDays: 'Spans',
  errorsDays: 'Errors',
  profilesDays: 'Profiles',
  rollupDays: 'Five-minute sums',
  longDays: 'One-hour sums and state',
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const records = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : [])
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)
const bytes = (name: string, value: unknown, more: Partial<StatusFact> = {}): StatusFact => ({ name, value: numberOf(value), text: '', unit: 'bytes', alarming: false, ...more })
const words = (name: string, text: string, alarming = false): StatusFact => ({ name, value: null, text, unit: null, alarming })

/** `20261127` as 2026-11-27, `202611` as 2026-11. */
const partitionText = (id: unknown): string => String(id).replace(/^(\d{4})(\d\d)(\d\d)?$/, (_, year: string, month: string, day: string | undefined) => [year, month, ...(day === undefined ? [] : [day])].join('-'))

/** How full the disk is, what is done at which marks, and what was dropped last; undefined where the server does not say. */
export function diskGroup(disk: unknown, zone: Zone): StatusGroup | undefined {
  if (!isRecord(disk) || typeof disk['state'] !== 'string') return undefined
  const { state, totalBytes, freeBytes, dropBelowBytes, refuseBelowBytes } = disk
  const [total, free] = [numberOf(totalBytes), numberOf(freeBytes)]
  const share = total === null || free === null || total === 0 ? {} : { note: `${Math.round((free / total) * 100)} %` }
  const drops = records(disk['dropped']).slice(0, DROPS_SHOWN)
  return {
    title: 'Disk',
    facts: [
      words('Room', STATES[state] ?? state, state !== 'ok'),
      bytes('Size', total),
      bytes('Free', free, share),
      dropBelowBytes === null ? words('Drops the oldest data', 'never') : bytes('Drops the oldest below', dropBelowBytes),
      bytes('Refuses telemetry below', refuseBelowBytes),
      ...drops.map(({ table, id, bytes: size, time }) => bytes(`Dropped ${String(table)} of ${partitionText(id)}`, size, typeof time === 'number' ? { note: timeText(time, zone).slice(0, 16) } : {})),
    ],
  }
}

/** How long each signal is kept and since when there are data of it; alarming where the database says something else than is configured. */
export function retentionGroup(retention: unknown, zone: Zone): StatusGroup | undefined {
  const tables = records(retention).filter(({ kind }) => kind !== 'lookup')
  const facts = Object.entries(SIGNALS).flatMap(([signal, name]): StatusFact[] => {
    const own = tables.filter((table) => table['signal'] === signal)
    const days = numberOf(own[0]?.['configuredDays'])
    if (days === null) return []
    const unlike = own.filter((table) => table['days'] !== days)
    const oldest = Math.min(...own.flatMap((table) => numberOf(table['oldest']) ?? []))
    const since = Number.isFinite(oldest) ? { note: `since ${timeText(oldest, zone).slice(0, 10)}` } : {}
    const differs = unlike.map((table) => `${String(table['name'])} ${typeof table['days'] === 'number' ? `${table['days']} d` : 'for ever'}`).join(', ')
    return [{ name, value: days * DAY_SECONDS, text: '', unit: 'seconds', alarming: unlike.length > 0, ...(unlike.length > 0 ? { note: `in the database: ${differs}` } : since) }]
  })
  return facts.length === 0 ? undefined : { title: 'Retention', facts }
}
