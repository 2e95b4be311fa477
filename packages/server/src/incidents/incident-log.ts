// Incidents, their timelines and their evidence in the state log.
import type { Evidence, Incident, Milliseconds, StateEntry, TimelineEntry } from '@andon/model'

/** A row as it is read back. */
export interface ReadRow {
  readonly key: string
  readonly doc: unknown
}

/** The part of the state log that incidents use; `StateLog` is one. */
export interface IncidentLog {
  /** Stores all rows, or none. */
  append(rows: readonly IncidentRow[]): Promise<unknown>
  latest(kind: 'incident'): Promise<readonly ReadRow[]>
  history(kind: 'incident' | 'incident-event' | 'evidence', key: string, limit: number): Promise<readonly ReadRow[]>
}

/** Kinds of rows that come with a decision: its own and those of its messages. */
export type RowKind = 'incident' | 'incident-event' | 'evidence' | 'message' | 'channel'

export interface IncidentRow extends StateEntry {
  readonly kind: RowKind
}

const KINDS: readonly RowKind[] = ['incident', 'incident-event', 'evidence', 'message', 'channel']

/** A row of the outbox, which names its kind itself. */
export function outboxRow(row: StateEntry): IncidentRow {
  const kind = KINDS.find((one) => one === row.kind)
  if (kind === undefined) throw new Error(`An outbox wrote a row of the kind "${row.kind}".`)
  return { ...row, kind }
}

export function incidentRow(incident: Incident, actor: string): IncidentRow {
  const { id, state, service, severity } = incident
  return { kind: 'incident', key: id, state, service, severity, actor, doc: incident }
}

export function entryRow({ id, service }: Pick<Incident, 'id' | 'service'>, entry: TimelineEntry): IncidentRow {
  return { kind: 'incident-event', key: id, state: entry.kind, service, severity: '', actor: entry.actor, doc: entry }
}

export function evidenceRow({ id, service }: Pick<Incident, 'id' | 'service'>, evidence: Evidence): IncidentRow {
  return { kind: 'evidence', key: id, state: evidence.kind, service, severity: '', actor: '', doc: evidence }
}

function has(doc: unknown, fields: Readonly<Record<string, string>>): boolean {
  return typeof doc === 'object' && doc !== null && Object.entries(fields).every(([name, type]) => typeof Reflect.get(doc, name) === type)
}

/** Whether a document is an incident that this version understands. */
export function isIncident(doc: unknown): doc is Incident {
  return has(doc, { id: 'string', revision: 'number', title: 'string', state: 'string', alerts: 'object', marks: 'object', pages: 'object', steps: 'object', verdicts: 'object', onsetAt: 'number', firedAt: 'number' })
}

export function isEntry(doc: unknown): doc is TimelineEntry {
  return has(doc, { id: 'string', at: 'number', kind: 'string', actor: 'string', text: 'string', detail: 'object' })
}

export function isEvidence(doc: unknown): doc is Evidence {
  return has(doc, { name: 'string', kind: 'string', title: 'string', at: 'number' })
}

/** In the order in which things happened; what happened at the same time as it was noted. */
export function inOrder<T extends { readonly at: Milliseconds }>(entries: readonly T[]): T[] {
  return entries.toSorted((a, b) => a.at - b.at)
}

function durationOf({ data }: Evidence): number {
  const duration: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'durationMs') : undefined
  return typeof duration === 'number' ? duration : 0
}

/** By kind, traces with the slowest first, all else by name. */
export function inListOrder(evidence: readonly Evidence[]): Evidence[] {
  return evidence.toSorted((a, b) => (a.kind === b.kind ? 0 : a.kind < b.kind ? -1 : 1) || durationOf(b) - durationOf(a) || (a.name < b.name ? -1 : 1))
}
