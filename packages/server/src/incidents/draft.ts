// A change of an incident before it is stored: what it will be, and what its timeline will tell of it.
import type { Incident, IncidentState, Milliseconds, Notification, TimelineEntry } from '@andon/model'

export interface Draft {
  readonly incident: Incident
  readonly entries: readonly TimelineEntry[]
  /** Messages that are decided with it. */
  readonly notifications: readonly Notification[]
}

/** Who did something where nobody did. */
export const ANDON = 'andon'

let made = 0

/**
 * An entry of a timeline.
 *
 * @param id - what a repetition is known by; without one it is told as often as it is made
 */
export function entry(kind: TimelineEntry['kind'], at: Milliseconds, actor: string, text: string, more: { readonly id?: string; readonly detail?: TimelineEntry['detail'] } = {}): TimelineEntry {
  made += 1
  return { id: more.id ?? `${kind}/${at}/${process.pid}-${made}`, at, kind, actor, text, detail: more.detail ?? {} }
}

/** Nobody has said yet that it is over. */
export function isOpen({ state }: Pick<Incident, 'state'>): boolean {
  return state !== 'resolved' && state !== 'reviewed'
}

/** When it was resolved; undefined where it is not. */
export function closedAt({ state, marks }: Incident): Milliseconds | undefined {
  return state === 'resolved' || state === 'reviewed' ? (marks.resolved?.at ?? marks.reviewed?.at) : undefined
}

/** Adds a state with who set it; no mark lies before another one. */
export function marked(incident: Incident, state: IncidentState, now: Milliseconds, actor: string): Incident {
  const at = Math.max(now, ...Object.values(incident.marks).map((mark) => mark.at))
  return {
    ...incident,
    state,
    revision: incident.revision + 1,
    marks: { ...incident.marks, [state]: { at, actor } },
    firstAcknowledgedAt: state === 'acknowledged' ? (incident.firstAcknowledgedAt ?? at) : incident.firstAcknowledgedAt,
  }
}

export function withEntries(draft: Draft, ...entries: readonly TimelineEntry[]): Draft {
  return { ...draft, entries: [...draft.entries, ...entries] }
}

export function withEntriesBefore(entries: readonly TimelineEntry[], draft: Draft): Draft {
  return { ...draft, entries: [...entries, ...draft.entries] }
}
