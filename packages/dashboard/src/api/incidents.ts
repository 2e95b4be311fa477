// Incidents as the server tells them: the parts that pages read. Times are milliseconds since the Unix epoch, lengths milliseconds.
import type { AlertSource, AlertStatus, Labels, Milliseconds, Ratio } from '@andon/model'
import { sendJson } from './send.ts'

/** In order; one is never left for an earlier one, except that an incident can be reopened. */
export const INCIDENT_STATES = ['detected', 'acknowledged', 'mitigated', 'resolved', 'reviewed'] as const
export type IncidentState = (typeof INCIDENT_STATES)[number]

/** What an alert was good for. */
export type AlertVerdict = 'real' | 'noise' | 'expected'

export interface IncidentMark {
  readonly at: Milliseconds
  /** `andon` where nobody did. */
  readonly actor: string
}

export interface IncidentAlert {
  readonly fingerprint: string
  readonly rule: string
  readonly status: AlertStatus
  readonly severity: string
  readonly source: AlertSource
  readonly service: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: Milliseconds
  readonly endsAt: Milliseconds | null
  readonly onsetAt: Milliseconds
  readonly value: number | null
  /** PromQL; null where it is not known. */
  readonly expression: string | null
  readonly generatorUrl: string
  readonly fired: number
}

export interface TickedStep {
  readonly runbook: string
  /** From 0. */
  readonly step: number
  readonly text: string
  readonly at: Milliseconds
  readonly actor: string
}

export interface IncidentEscalation {
  readonly policy: string
  readonly run: number
  readonly round: number
  readonly step: number
  readonly nextAt: Milliseconds | null
  /** Waits for the next update of those who have acknowledged it. */
  readonly resting?: boolean
  readonly told: readonly string[]
}

export interface Incident {
  readonly id: string
  readonly revision: number
  readonly title: string
  readonly state: IncidentState
  readonly severity: string
  readonly service: string
  readonly environment: string
  readonly services: readonly string[]
  readonly openedBy: { readonly kind: 'alert' | 'person'; readonly name: string }
  /** When it is estimated to have begun. */
  readonly onsetAt: Milliseconds
  readonly marks: Readonly<Partial<Record<IncidentState, IncidentMark>>> & { readonly detected: IncidentMark }
  readonly reopened: number
  readonly alerts: readonly IncidentAlert[]
  readonly steps: readonly TickedStep[]
  readonly verdicts: Readonly<Record<string, { readonly verdict: AlertVerdict; readonly at: Milliseconds; readonly actor: string }>>
  readonly escalation: IncidentEscalation | null
}

/** What one incident took. */
export interface IncidentFigures {
  readonly mttdMs: Milliseconds | null
  readonly mttaMs: Milliseconds | null
  readonly mttmMs: Milliseconds | null
  readonly mttrMs: Milliseconds | null
}

export interface TimelineEntry {
  readonly id: string
  readonly at: Milliseconds
  readonly kind: string
  readonly actor: string
  readonly text: string
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}

export interface Evidence {
  readonly name: string
  readonly kind: 'trace' | 'errors' | 'statements' | 'series'
  readonly title: string
  readonly at: Milliseconds
  readonly cut: boolean
  readonly data: unknown
}

export interface CheckResult {
  readonly title: string
  readonly query: string
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[]
  readonly more: number
  /** '' where there is an answer. */
  readonly error: string
}

export interface Runbook {
  readonly name: string
  readonly title: string
  /** Names of alerts; `*` stands for any text. */
  readonly alerts: readonly string[]
  readonly severity: string
  readonly owner: string
  readonly checks: readonly { readonly title: string; readonly query: string }[]
  readonly actions: readonly string[]
  /** Markdown. */
  readonly text: string
  readonly from: 'andon' | 'own'
}

/** A runbook in a list: how many checks and actions it has. */
export interface ListedRunbook extends Pick<Runbook, 'name' | 'title' | 'alerts' | 'severity' | 'owner' | 'from'> {
  readonly checks: number
  readonly actions: number
}

/** A runbook that an incident is to be dealt with by. */
export interface MatchedRunbook {
  /** '' where only an address is known. */
  readonly name: string
  readonly title: string
  /** '' where it lies here. */
  readonly url: string
  readonly rule: string
}

export interface FigureSummary {
  readonly count: number
  readonly p50Ms: Milliseconds | null
  readonly p90Ms: Milliseconds | null
  readonly objectiveMs: Milliseconds | null
  readonly within: Ratio | null
}

export interface AlertQuality {
  readonly rule: string
  readonly fired: number
  readonly perWeek: number
  readonly pages: number
  readonly real: number
  readonly noise: number
  readonly expected: number
  readonly precision: Ratio | null
  readonly medianAckMs: Milliseconds | null
  readonly proposal: 'demote' | null
  readonly demotedUntil: Milliseconds | null
  readonly reason: string
}

export interface OnCallShift {
  readonly person: string
  readonly receiver: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly override: boolean
}

/** An incident in a list. */
export interface IncidentRow {
  readonly id: string
  readonly revision: number
  readonly title: string
  readonly state: IncidentState
  readonly severity: string
  readonly service: string
  readonly environment: string
  readonly services: readonly string[]
  readonly onsetAt: Milliseconds
  readonly detectedAt: Milliseconds
  readonly acknowledged: IncidentMark | null
  readonly resolvedAt: Milliseconds | null
  readonly reopened: number
  readonly alerts: number
  readonly firing: number
  readonly rules: readonly string[]
  readonly figures: IncidentFigures
}

/** GET /api/incidents, the newest first. */
export interface IncidentsAnswer {
  readonly now: Milliseconds
  readonly incidents: readonly IncidentRow[]
}

/** GET /api/incidents/{id}. */
export interface IncidentAnswer {
  readonly incident: Incident
  readonly figures: IncidentFigures
  readonly objectives: { readonly detectMs: Milliseconds; readonly acknowledgeMs: Milliseconds | null; readonly resolveMs: Milliseconds }
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

/** GET /api/incidents/{id}/postmortem. */
export interface Postmortem {
  readonly markdown: string
}

/** One incident of the figures. */
export interface FiguredIncident extends IncidentFigures {
  readonly id: string
  readonly title: string
  readonly service: string
  readonly severity: string
  readonly state: IncidentState
  readonly detectedAt: Milliseconds
}

/** GET /api/incidents/figures. */
export interface FiguresAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly incidents: number
  readonly open: number
  readonly figures: { readonly mttd: FigureSummary; readonly mtta: FigureSummary; readonly mttm: FigureSummary; readonly mttr: FigureSummary }
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

export type EscalationStep = { readonly kind: 'wait'; readonly ms: Milliseconds } | { readonly kind: 'notify'; readonly receiver: string } | { readonly kind: 'on-call'; readonly schedule: string }

/** GET /api/on-call. */
export interface OnCallAnswer {
  readonly now: Milliseconds
  readonly schedules: readonly { readonly name: string; readonly timeZone: string; readonly kind: string; readonly current: OnCallShift | null; readonly next: readonly OnCallShift[] }[]
  readonly policies: readonly {
    readonly name: string
    readonly match: { readonly severity: readonly string[]; readonly service: readonly string[]; readonly environment: readonly string[] }
    readonly steps: readonly EscalationStep[]
    readonly rounds: number
    readonly staleMs: Milliseconds | null
  }[]
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
