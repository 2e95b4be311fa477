import type { DetectorAlarm, DetectorState, ListedDetector } from '@andon/model'

export const STATE_TEXT: Readonly<Record<DetectorState, string>> = { learning: 'learning', silent: 'silent', ticket: 'ticket', page: 'page' }

export const STATE_WHY: Readonly<Record<DetectorState, string>> = {
  learning: 'It has not seen enough to judge anything.',
  silent: 'It judges, and tells nobody: its own past has to show first that it is quiet.',
  ticket: 'It was quiet enough in its own past to be told as a ticket.',
  page: 'It was quiet enough in its own past to call people.',
}

/** How far a value lies outside of what is expected: 0 inside, 1 at the edge of twice the width. */
export function outside({ value, low, high }: Pick<ListedDetector, 'value' | 'low' | 'high'>): boolean {
  return value !== null && ((low !== null && value < low) || (high !== null && value > high))
}

/** How full the evidence is, a share of what raises an alarm; both are logarithms already, because evidence multiplies. */
export function evidenceShare({ statistic, threshold }: Pick<ListedDetector, 'statistic' | 'threshold'>): number {
  if (statistic === null || threshold === null || threshold <= 0 || statistic <= 0) return 0
  return Math.min(1, statistic / threshold)
}

/** The greatest evidence of an alarm, as a share of what raises one now: above 1 where it went on to grow. */
export const peakShare = ({ peak }: Pick<DetectorAlarm, 'peak'>, { threshold }: Pick<ListedDetector, 'threshold'>): number | null => (peak === null || threshold === null || threshold <= 0 ? null : peak / threshold)
