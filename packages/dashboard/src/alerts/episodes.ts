// Changes of alerts as times in which they fired.
import type { ListedAlertChange, Milliseconds } from '@andon/model'

export interface FiringEpisode {
  readonly key: string
  readonly rule: string
  readonly service: string
  readonly severity: ListedAlertChange['severity']
  readonly labels: ListedAlertChange['labels']
  readonly summary: string
  readonly start: Milliseconds
  /** null where it still fires at the end of the range. */
  readonly end: Milliseconds | null
  readonly incident: string | null
}

const made = (change: ListedAlertChange, start: Milliseconds, end: Milliseconds | null): FiringEpisode => ({
  key: `${change.fingerprint} ${start}`,
  rule: change.labels['alertname'] ?? 'unnamed',
  service: change.service,
  severity: change.severity,
  labels: change.labels,
  summary: change.annotations['summary'] ?? change.annotations['description'] ?? '',
  start,
  end,
  incident: change.incident,
})

/**
 * The times in which alerts fired, the newest first.
 *
 * @param changes - the newest first, as the server answers them; one that ended without its begin in the range began before it
 */
export function episodesOf(changes: readonly ListedAlertChange[], { to }: { readonly from: Milliseconds; readonly to: Milliseconds }): FiringEpisode[] {
  const begun = new Map<string, ListedAlertChange>()
  const found: FiringEpisode[] = []
  for (const change of changes.toReversed()) {
    const before = begun.get(change.fingerprint)
    if (change.status === 'firing') {
      if (before === undefined) begun.set(change.fingerprint, change)
    } else {
      begun.delete(change.fingerprint)
      found.push(made(change, before?.at ?? Math.min(change.startsAt, change.at), change.at))
    }
  }
  for (const change of begun.values()) if (change.at <= to) found.push(made(change, change.at, null))
  return found.toSorted((a, b) => b.start - a.start)
}
