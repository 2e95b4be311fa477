// How bad an alert is, by its label `severity`.
import type { Labels, Severity } from '@andon/model'

const BY_WORD: ReadonlyMap<string, Severity> = new Map([
  ['critical', 'critical'],
  ['page', 'critical'],
  ['emergency', 'critical'],
  ['fatal', 'critical'],
  ['info', 'info'],
  ['none', 'info'],
  ['debug', 'info'],
])
const RANKS: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/** The severity that an alert's label means; `warning` where it says none, or a word that is not known. */
export function severityOf({ severity = '' }: Labels): Severity {
  return BY_WORD.get(severity.toLowerCase()) ?? 'warning'
}

/** From 0; a greater one is worse. */
export function severityRank(labels: Labels): number {
  return RANKS[severityOf(labels)]
}

/** Whether it is to wake a person. */
export function isPage(labels: Labels): boolean {
  return severityOf(labels) === 'critical'
}

/** The service that an alert is about; '' where it names none. */
export function serviceOf({ service_name: service = '', service: short = '', job = '' }: Labels): string {
  return service !== '' ? service : short !== '' ? short : job
}
