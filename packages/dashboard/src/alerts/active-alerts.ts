// Which alerts are shown, and in which order.
import type { ListedAlert, ListedRunbook } from '@andon/model'
import { severityRank } from '../ui/severity-rank.ts'

/** What the URL picks. */
export interface AlertPicks {
  readonly find?: string
  readonly severity?: string
  readonly show?: string
  readonly service?: string
  readonly open?: string
}

export const nameOf = ({ labels }: Pick<ListedAlert, 'labels'>): string => labels['alertname'] ?? 'unnamed'

/** What an alert says of itself. */
export const summaryOf = ({ annotations }: Pick<ListedAlert, 'annotations'>): string => annotations['summary'] ?? annotations['description'] ?? annotations['message'] ?? ''

const words = (alert: ListedAlert): string => [nameOf(alert), alert.service, summaryOf(alert), alert.source, ...Object.entries(alert.labels).map(([name, value]) => `${name}=${value}`)].join('\n').toLowerCase()

export function isWanted(alert: ListedAlert, { find, severity, show, service }: AlertPicks): boolean {
  if (severity !== undefined && alert.severity !== severity) return false
  if (service !== undefined && alert.service !== service) return false
  if (show !== undefined && (alert.state === 'suppressed') !== (show === 'suppressed')) return false
  return find === undefined || words(alert).includes(find.toLowerCase())
}

/** Those that are told first, then the worst, then the newest. */
export function inOrder(alerts: readonly ListedAlert[]): ListedAlert[] {
  return alerts.toSorted((a, b) => Number(a.state === 'suppressed') - Number(b.state === 'suppressed') || severityRank(a.severity) - severityRank(b.severity) || b.startsAt - a.startsAt)
}

export function counts(alerts: readonly ListedAlert[]): { readonly told: number; readonly suppressed: number; readonly critical: number } {
  const suppressed = alerts.filter(({ state }) => state === 'suppressed').length
  return { told: alerts.length - suppressed, suppressed, critical: alerts.filter(({ state, severity }) => state === 'active' && severity === 'critical').length }
}

const fits = (pattern: string, name: string): boolean => new RegExp(`^${pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`)).join('.*')}$`).test(name)

/** The runbook for an alert: one that names it before one that fits it by a pattern. */
export function runbookFor(alert: Pick<ListedAlert, 'labels'>, runbooks: readonly ListedRunbook[]): ListedRunbook | undefined {
  const name = nameOf(alert)
  return runbooks.find(({ alerts }) => alerts.includes(name)) ?? runbooks.find(({ alerts }) => alerts.some((pattern) => fits(pattern, name)))
}
