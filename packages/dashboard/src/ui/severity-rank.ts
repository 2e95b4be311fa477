/** How bad something is, from the worst. */
const RANKS: readonly string[] = ['critical', 'page', 'error', 'high', 'warning', 'ticket', 'medium', 'low', 'info', 'none']

/** The order of severities, 0 for the worst; unknown ones come after all. */
export function severityRank(severity: string): number {
  const rank = RANKS.indexOf(severity.toLowerCase())
  return rank < 0 ? RANKS.length : rank
}

export type SeverityTone = 'critical' | 'warning' | 'info'

/** How a severity is drawn. */
export function severityTone(severity: string): SeverityTone {
  const rank = severityRank(severity)
  return rank <= 3 ? 'critical' : rank <= 6 ? 'warning' : 'info'
}
