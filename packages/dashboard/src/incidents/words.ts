// How incidents are put into words.
import type { Incident, IncidentAlert, IncidentState, Milliseconds, Runbook, TimelineKind } from '@andon/model'
import type { IconName } from '../ui/icons.tsx'

/** The states as pages say them. */
export const STATE_TEXT: Readonly<Record<IncidentState, string>> = {
  detected: 'Detected',
  acknowledged: 'Acknowledged',
  mitigated: 'Mitigated',
  resolved: 'Resolved',
  reviewed: 'Reviewed',
}

/** What a person does to bring an incident into a state. */
export const STATE_VERB: Readonly<Record<IncidentState, string>> = {
  detected: 'Reopen',
  acknowledged: 'Acknowledge',
  mitigated: 'Mark as mitigated',
  resolved: 'Resolve',
  reviewed: 'Close the review',
}

const TONES: Readonly<Record<IncidentState, string>> = { detected: 'bad', acknowledged: 'warn', mitigated: 'warn', resolved: 'good', reviewed: '' }
export const stateTone = (state: IncidentState): string => TONES[state]

/** True while something may still be wrong. */
export const isOpen = ({ state }: Pick<Incident, 'state'>): boolean => state !== 'resolved' && state !== 'reviewed'

/** When it ended; null while it lasts. */
export const endOf = ({ marks }: Pick<Incident, 'marks'>): Milliseconds | null => marks.resolved?.at ?? null

/** How long it lasted, from the estimated onset; of an open one until now. */
export const lengthOf = (incident: Pick<Incident, 'marks' | 'onsetAt'>, now: Milliseconds): Milliseconds => (endOf(incident) ?? now) - incident.onsetAt

/** Who took it on; null where nobody has. */
export const ownerOf = ({ marks }: Pick<Incident, 'marks'>): string | null => marks.acknowledged?.actor ?? null

/** The alerts that fire, then those that ended; in each the newest first. */
export function alertsInOrder(alerts: readonly IncidentAlert[]): IncidentAlert[] {
  return alerts.toSorted((a, b) => Number(b.status === 'firing') - Number(a.status === 'firing') || b.startsAt - a.startsAt)
}

/** What an alert says of itself. */
export const summaryOf = ({ annotations, rule }: Pick<IncidentAlert, 'annotations' | 'rule'>): string => annotations['summary'] ?? annotations['description'] ?? annotations['message'] ?? rule

const ICONS: Readonly<Record<TimelineKind, IconName>> = {
  opened: 'incident',
  reopened: 'incident',
  alert: 'alert',
  state: 'check',
  comment: 'comment',
  action: 'bolt',
  step: 'check',
  deploy: 'deploy',
  notification: 'link',
  escalation: 'person',
  evidence: 'traces',
  quality: 'target',
  'alert-budget': 'silence',
}

/** The picture of an entry of a timeline. */
export const entryIcon = (kind: TimelineKind): IconName => ICONS[kind]

/** Which actions of a runbook are ticked, by their place. */
export function tickedActions(incident: Pick<Incident, 'steps'>, runbook: Pick<Runbook, 'name'>): ReadonlyMap<number, { readonly at: Milliseconds; readonly actor: string }> {
  return new Map(incident.steps.filter((step) => step.runbook === runbook.name).map((step) => [step.step, step]))
}
