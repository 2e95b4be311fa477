// What people do with incidents: states, comments, steps, verdicts. Nothing here has an effect: it says what is to be stored.
import { ALERT_VERDICTS, AndonError, type AlertVerdict, type Incident, INCIDENT_STATES, type IncidentState, type Milliseconds, type Runbook } from '@andon/model'
import { type Draft, entry, isOpen, marked } from './draft.ts'
import { reopened } from './join.ts'

export interface StateChange {
  readonly state: IncidentState
  /** The revision that whoever asks has seen; undefined where they do not say. */
  readonly revision: number | undefined
  /** '' for none. */
  readonly note: string
}

/** A person who does something, and when. */
export interface Acting {
  readonly actor: string
  readonly now: Milliseconds
}

export interface NewIncident {
  readonly title: string
  readonly service: string
  readonly environment: string
  readonly severity: string
  readonly onsetAt: Milliseconds | undefined
}

const STEPS_MAX = 500
const VERDICTS_MAX = 200

const indexOf = (state: IncidentState): number => INCIDENT_STATES.indexOf(state)

const refused = (incident: Incident): AndonError => {
  const mark = incident.marks[incident.state]
  return new AndonError('conflict', `Incident ${incident.id} is ${incident.state} already${mark === undefined ? '' : `, by ${mark.actor} at ${new Date(mark.at).toISOString()}`}.`)
}

/** @throws AndonError conflict where the incident has changed since */
function checkRevision({ id, revision, state }: Incident, seen: number | undefined): void {
  if (seen === undefined || seen === revision) return
  throw new AndonError('conflict', `Incident ${id} is at revision ${revision} and ${state}; what was seen is revision ${seen}.`)
}

/**
 * Sets a state. Whoever sets a later one has acknowledged it by that; acknowledging again says that somebody is still at it; `detected` opens
 * what was resolved again.
 *
 * @param isOwn - whether an alert still belongs to this incident
 * @throws AndonError conflict where the incident has changed since, is there already or further
 */
export function planState(incident: Incident, { state, revision, note }: StateChange, { actor, now }: Acting, isOwn: (fingerprint: string) => boolean): Draft {
  checkRevision(incident, revision)
  const said = note === '' ? '' : `: ${note}`
  const detail = { from: incident.state, to: state }
  if (state === 'detected') {
    if (isOpen(incident)) throw refused(incident)
    return { incident: reopened(incident, now, isOwn), entries: [entry('reopened', now, actor, `Opened again by ${actor}${said}`, { detail })], notifications: [] }
  }
  if (state === 'acknowledged' && incident.state === 'acknowledged') {
    return { incident: { ...incident, revision: incident.revision + 1, touchedAt: now }, entries: [entry('state', now, actor, `${actor} is still at it${said}`, { detail })], notifications: [] }
  }
  if (indexOf(state) <= indexOf(incident.state)) throw refused(incident)
  if (state === 'reviewed' && isOpen(incident)) throw new AndonError('conflict', `Incident ${incident.id} is ${incident.state}; what is reviewed must be resolved first.`)
  const taken = incident.state === 'detected' && state !== 'acknowledged' ? marked(incident, 'acknowledged', now, actor) : incident
  // One change is one revision, however many states it passes.
  const after = { ...marked(taken, state, now, actor), revision: incident.revision + 1, touchedAt: now }
  return { incident: after, entries: [entry('state', after.marks[state]?.at ?? now, actor, `${capital(state)} by ${actor}${said}`, { detail })], notifications: [] }
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** Notes what somebody says; as an action item where it is something to be done. */
export function planComment(incident: Incident, { text, action, owner }: { readonly text: string; readonly action: boolean; readonly owner: string }, { actor, now }: Acting): Draft {
  return { incident: { ...incident, touchedAt: now }, entries: [entry(action ? 'action' : 'comment', now, actor, text, { detail: action ? { owner } : {} })], notifications: [] }
}

/**
 * Ticks a step of a runbook, or takes the tick back.
 *
 * @throws AndonError bad_body where the runbook has no such step, too_large where too many are ticked
 */
export function planStep(incident: Incident, runbook: Pick<Runbook, 'name' | 'actions'>, { step, done }: { readonly step: number; readonly done: boolean }, { actor, now }: Acting): Draft {
  const text = runbook.actions[step]
  if (text === undefined) throw new AndonError('bad_body', `The runbook ${runbook.name} has steps 0 to ${runbook.actions.length - 1}; there is no step ${step}.`)
  const others = incident.steps.filter((one) => one.runbook !== runbook.name || one.step !== step)
  const before = incident.steps.length - others.length > 0
  if (before === done) return { incident, entries: [], notifications: [] }
  if (others.length >= STEPS_MAX) throw new AndonError('too_large', `Incident ${incident.id} has ${STEPS_MAX} ticked steps already.`)
  const steps = done ? [...others, { runbook: runbook.name, step, text, at: now, actor }] : others
  return { incident: { ...incident, steps, touchedAt: now }, entries: [entry('step', now, actor, `${done ? 'Done' : 'Not done after all'}: ${text}`, { detail: { runbook: runbook.name, step, done } })], notifications: [] }
}

/**
 * Notes what alerts were good for.
 *
 * @param verdicts - by rule
 * @throws AndonError bad_body where the incident has no alert of a rule
 */
export function planVerdicts(incident: Incident, verdicts: Readonly<Record<string, AlertVerdict>>, { actor, now }: Acting): Draft {
  if (Object.keys(verdicts).length === 0) return { incident, entries: [], notifications: [] }
  const known = new Set([...incident.alerts.map(({ rule }) => rule), ...incident.pages.map(({ rule }) => rule)])
  for (const rule of Object.keys(verdicts)) if (!known.has(rule)) throw new AndonError('bad_body', `Incident ${incident.id} has no alert of the rule "${rule.slice(0, 100)}"; it has ${[...known].slice(0, 20).join(', ') || 'none'}.`)
  const given = Object.entries(verdicts).map(([rule, verdict]): [string, Incident['verdicts'][string]] => [rule, { verdict, at: now, actor }])
  const all = Object.fromEntries([...Object.entries(incident.verdicts), ...given].slice(-VERDICTS_MAX))
  const entries = Object.entries(verdicts).map(([rule, verdict]) => entry('quality', now, actor, `${actor} says that ${rule} was ${verdict}`, { detail: { rule, verdict } }))
  return { incident: { ...incident, verdicts: all, touchedAt: now }, entries, notifications: [] }
}

export function isVerdict(value: unknown): value is AlertVerdict {
  return ALERT_VERDICTS.some((one) => one === value)
}

/** An incident that a person has found. */
export function planNew(id: string, { title, service, environment, severity, onsetAt }: NewIncident, { actor, now }: Acting): Draft {
  const incident: Incident = {
    id,
    revision: 1,
    title,
    state: 'detected',
    severity,
    service,
    environment,
    services: service === '' ? [] : [service],
    openedBy: { kind: 'person', name: actor },
    onsetAt: Math.min(now, onsetAt ?? now),
    marks: { detected: { at: now, actor } },
    firstAcknowledgedAt: null,
    touchedAt: now,
    firedAt: now,
    reopened: 0,
    alerts: [],
    forgottenAlerts: 0,
    steps: [],
    verdicts: {},
    pages: [],
    escalation: null,
    evidenceAt: { opened: null, resolved: null },
  }
  return { incident, entries: [entry('opened', now, actor, `Opened by ${actor}: ${title}`, { detail: { severity } })], notifications: [] }
}

