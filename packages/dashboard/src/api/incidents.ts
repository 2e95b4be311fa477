// The routes of incidents, runbooks and who is on call. Times are milliseconds since the Unix epoch, lengths milliseconds.
import {
  type AlertQuality,
  type AlertVerdict,
  type CheckResult,
  type EscalationPolicy,
  type Evidence,
  type FiguredIncident,
  type FigureObjectives,
  type FigureSummaries,
  type Incident,
  INCIDENT_STATES,
  type IncidentFigures,
  type IncidentRow,
  type IncidentState,
  type ListedRunbook,
  type MatchedRunbook,
  type Milliseconds,
  type OnCallSchedule,
  type Runbook,
  type TickedStep,
  type TimelineEntry,
} from '@andon/model'
import { sendJson } from './send.ts'

/** GET /api/incidents, the newest first. */
export interface IncidentsAnswer {
  readonly now: Milliseconds
  readonly incidents: readonly IncidentRow[]
}

/** GET /api/incidents/{id}. */
export interface IncidentAnswer {
  readonly now: Milliseconds
  readonly incident: Incident
  readonly figures: IncidentFigures
  readonly objectives: FigureObjectives
  /** The oldest first. */
  readonly timeline: readonly TimelineEntry[]
  readonly evidence: readonly Omit<Evidence, 'data'>[]
  /** Those that fit it, the best first. */
  readonly runbooks: readonly MatchedRunbook[]
}

/** GET /api/runbooks/{name}, for an incident or a service; without either its checks are not asked. */
export interface RunbookAnswer {
  readonly runbook: Runbook
  readonly at: Milliseconds
  readonly service: string
  readonly results: readonly CheckResult[] | null
  readonly ticked: readonly TickedStep[]
}

/** GET /api/incidents/{id}/postmortem: the part that is shown. */
export interface Postmortem {
  readonly markdown: string
}

/** GET /api/incidents/figures. */
export interface FiguresAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly incidents: number
  readonly open: number
  readonly figures: FigureSummaries
  /** The newest first. */
  readonly each: readonly FiguredIncident[]
}

/** GET /api/alert-quality. */
export interface QualityAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  /** How often a rule may call people; null where it may always. */
  readonly budget: { readonly pages: number; readonly perMs: Milliseconds } | null
  readonly rules: readonly AlertQuality[]
}

/** GET /api/runbooks. */
export interface RunbooksAnswer {
  readonly runbooks: readonly ListedRunbook[]
}

/** GET /api/on-call. */
export interface OnCallAnswer {
  readonly now: Milliseconds
  readonly schedules: readonly OnCallSchedule[]
  readonly policies: readonly EscalationPolicy[]
}

interface Time {
  readonly from: string
  readonly to: string
}

const incidentUrl = (id: string): string => `/api/incidents/${encodeURIComponent(id)}`
const timed = (path: string, time: Time | null, more: Readonly<Record<string, string>> = {}): string => {
  const params = new URLSearchParams({ ...more, ...(time === null ? {} : { from: time.from, to: time.to }) }).toString()
  return params === '' ? path : `${path}?${params.replaceAll('%3A', ':').replaceAll('%2C', ',')}`
}

export const ON_CALL_PATH = '/api/on-call'
export const RUNBOOKS_PATH = '/api/runbooks'
export const OPEN_INCIDENTS_PATH = '/api/incidents?state=open&limit=500'
/** The newest that concern a service, open or not. */
export const incidentsOfPath = (service: string): string => `/api/incidents?${new URLSearchParams({ service, limit: '50' }).toString()}`
/** Those that have ended; the newest of all where no time is given. */
export const endedIncidentsPath = (time: Time | null): string => timed('/api/incidents', time, { state: 'resolved,reviewed', limit: '200' })
export const incidentPath: (id: string) => string = incidentUrl
export const evidencePath = (id: string): string => `${incidentUrl(id)}/evidence`
export const postmortemPath = (id: string): string => `${incidentUrl(id)}/postmortem`
export const runbookPath = (name: string, of: { readonly incident?: string; readonly service?: string }): string => timed(`/api/runbooks/${encodeURIComponent(name)}`, null, { ...(of.incident === undefined ? {} : { incident: of.incident }), ...(of.service === undefined ? {} : { service: of.service }) })
/** The last four weeks where no time is given. */
export const figuresPath = (time: Time | null): string => timed('/api/incidents/figures', time)
export const qualityPath = (time: Time | null): string => timed('/api/alert-quality', time)

/** The routes that change when something is done about an incident. */
export const INCIDENT_ROUTES: readonly string[] = ['/api/incidents', '/api/runbooks', '/api/alert-quality']

export const setIncidentState = (id: string, state: IncidentState, revision?: number): Promise<unknown> => sendJson('POST', `${incidentUrl(id)}/state`, { state, ...(revision === undefined ? {} : { revision }) })
export const addComment = (id: string, text: string): Promise<unknown> => sendJson('POST', `${incidentUrl(id)}/comments`, { text })
export const tickStep = (id: string, step: { readonly runbook: string; readonly step: number; readonly done: boolean }): Promise<unknown> => sendJson('POST', `${incidentUrl(id)}/steps`, step)
export const setVerdict = (id: string, rule: string, verdict: AlertVerdict): Promise<unknown> => sendJson('POST', `${incidentUrl(id)}/quality`, { verdicts: { [rule]: verdict } })

/** An incident as it is after a change of its state; what stands after that state is undone. */
export function withState(incident: Incident, state: IncidentState, at: Milliseconds, actor: string): Incident {
  const before = INCIDENT_STATES.slice(0, INCIDENT_STATES.indexOf(state))
  const kept = Object.fromEntries(Object.entries(incident.marks).filter(([name]) => before.some((one) => one === name)))
  return { ...incident, state, marks: { ...kept, detected: incident.marks.detected, [state]: { at, actor } } }
}
